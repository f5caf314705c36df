"""Filling queues: from a filter, by samples that can be drawn again, by rules on what arrives."""

import datetime
import hashlib

import pytest
from django.db import connection
from django.utils import timezone

from feedback.services import create_feedback_key, link_feedback_key, unlink_feedback_key
from interactions.ingest import ingest
from interactions.labels import labels_of, set_label
from interactions.models import Interaction
from jobs.models import Job
from jobs.work import run_job
from reviews import filling, tasks
from reviews.models import Item, Queue, Sample
from reviews.rules import run_rules
from tests.factories import make_interaction, make_project, owner_of
from tests.reviews.queues import GOOD, Desk, make_queue

pytestmark = pytest.mark.django_db
BETTER = {"key": "better", "kind": "pair", "text": "Which is better?"}


@pytest.fixture(autouse=True)
def no_breaks(monkeypatch):
    monkeypatch.setattr("jobs.work.BREAK", 0)


@pytest.fixture
def queue(project):
    return make_queue(project)


@pytest.fixture
def owner_desk(queue, project):
    return Desk(queue, owner_of(project))


def log(project, number, **record):
    """The ids of so many new interactions."""
    records = [
        {"messages": [{"role": "user", "content": f"{place}"}], "completion": "Yes.", "model": "m"} | record
        for place in range(number)
    ]
    return [outcome.id for outcome in ingest(project=project, records=records, by=owner_of(project))]


def work_off(job_id):
    run_job(tasks.fill.func.__wrapped__, job_id)
    return Job.objects.get(pk=job_id)


def draw(desk, **asked):
    """The sample that was asked for, done."""
    told = desk.post("/samples", asked, 202)
    job = work_off(told["job"])
    assert job.state == "done", job.error
    return Sample.objects.get(pk=told["id"])


def held(queue, **where):
    rows = Item.objects.filter(queue=queue, removed_at=None, **where).order_by("place", "pk")
    return list(rows.values_list("interaction_id", flat=True))


def arrive(until=60):
    run_rules(timezone.now() + datetime.timedelta(seconds=until))


# -- from a filter --------------------------------------------------------------------------------
def test_all_that_a_filter_finds_comes_in_newest_first(project, queue, owner_desk):
    wanted, _ = log(project, 5, labels={"topic": "claims"}), log(project, 3)
    sample = draw(owner_desk, query="label=topic:claims")
    assert held(queue) == sorted(wanted, reverse=True)
    assert (sample.population, sample.drawn) == (5, 5)
    assert "5 of them new" in Job.objects.get(pk=sample.job_id).result["text"]


def test_filling_twice_brings_nothing_in_twice(project, queue, owner_desk):
    log(project, 3)
    draw(owner_desk)
    draw(owner_desk)
    assert len(held(queue)) == 3


def test_what_a_person_took_out_does_not_come_back(project, queue, owner_desk):
    log(project, 3)
    draw(owner_desk)
    out = owner_desk.get("/items")["results"][0]
    owner_desk.patch(f"/items/{out['id']}", {"removed": True})
    draw(owner_desk)
    assert len(held(queue)) == 2
    assert owner_desk.get("/items?show=removed")["results"][0]["id"] == out["id"]


def test_a_filter_that_finds_nothing_leaves_the_queue_empty(project, queue, owner_desk):
    sample = draw(owner_desk, query="label=none")
    assert held(queue) == [] and sample.drawn == 0
    assert "Nothing matches" in Job.objects.get(pk=sample.job_id).result["text"]


def test_a_filling_that_was_killed_goes_on_where_it_was(project, queue, owner_desk, monkeypatch):
    monkeypatch.setattr(filling, "SLICE", 2)
    log(project, 7)
    job = Job.objects.get(pk=owner_desk.post("/samples", {"method": "random", "size": 6}, 202)["job"])
    put_in, calls = filling.placing.put_in, []

    def die(*args):
        calls.append(args)
        if len(calls) == 2:
            raise SystemExit
        return put_in(*args)

    monkeypatch.setattr(filling.placing, "put_in", die)
    with pytest.raises(SystemExit):
        run_job(tasks.fill.func.__wrapped__, job.pk)
    begun = held(queue)
    assert len(begun) == 2
    job = work_off(job.pk)
    sample = Sample.objects.get(job=job)
    assert job.state == "done" and held(queue) == sample.picked and held(queue)[:2] == begun
    assert job.done == job.total == 6


# -- samples --------------------------------------------------------------------------------------
def smallest(seed, ids, size):
    """The sample by its definition, computed here."""
    return sorted(ids, key=lambda one: hashlib.sha256(f"{seed}:{one}".encode()).digest())[:size]


def test_a_sample_is_what_its_seed_says(project, queue, owner_desk):
    ids = log(project, 60)
    sample = draw(owner_desk, method="random", size=20, seed=41)
    assert held(queue) == smallest(41, ids, 20)
    assert (sample.population, sample.drawn, sample.seed) == (60, 20, 41)
    assert (sample.job.done, sample.job.total) == (20, 20)  # not those as well that were looked at


def test_the_same_seed_draws_the_same_again_after_new_arrivals_too(project, queue, owner_desk):
    log(project, 40)
    sample = draw(owner_desk, method="random", size=15, seed=7)
    log(project, 200)
    # of an earlier time, yet arrived after the drawing
    log(project, 10, created_at="2025-01-01T00:00:00Z")
    again = owner_desk.get(f"/samples/{sample.pk}/again")
    assert again == {"same": True, "ids": [str(one) for one in held(queue)]}
    assert filling.draw_again(sample) == sample.picked


def test_another_seed_draws_otherwise_and_without_one_it_is_told_which(project, owner_desk):
    log(project, 40)
    one, other = (draw(owner_desk, method="random", size=15) for _ in range(2))
    assert one.seed != other.seed and one.picked != other.picked


def test_a_sample_larger_than_all_takes_all(project, queue, owner_desk):
    ids = log(project, 5)
    draw(owner_desk, method="random", size=50, seed=1)
    assert sorted(held(queue)) == sorted(ids)


def test_a_stratified_sample_takes_as_many_of_each_value(project, queue, owner_desk):
    rare, common = log(project, 4, labels={"topic": "rare"}), log(project, 50, labels={"topic": "common"})
    log(project, 5)
    sample = draw(owner_desk, method="stratified", strata="topic", size=6, seed=3)
    drawn = set(held(queue))
    assert len(drawn & set(rare)) == 4 and len(drawn & set(common)) == 6 and len(drawn) == 10
    assert drawn & set(common) == set(smallest(3, common, 6))
    assert sample.population == 54
    assert owner_desk.get(f"/samples/{sample.pk}/again")["same"]
    # half of the rare ones show a defect, none of the common: a rate of each, and one of all by their sizes
    owner_desk.patch("", {"questions": [{**GOOD, "defect": ["no"]}]})
    bad = {str(one) for one in rare[:2]}
    while review := owner_desk.next():
        owner_desk.submit(review, answers={"good": "no" if review["interaction_ids"][0] in bad else "yes"})
    told = owner_desk.get("/report")
    assert told["samples"][0]["strata_sizes"] == {"rare": [4, 4], "common": [50, 6]}
    [question] = told["questions"]
    rates = {
        one["value"]: (one["population"], one["defect"]["value"], one["defect"]["n"]) for one in question["strata"]
    }
    assert rates == {"rare": (4, 0.5, 4), "common": (50, 0, 6)}
    assert (question["defect"], question["weighted"]) == (None, pytest.approx(2 / 54))


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"query": "labels=x"}, "labels"),
        ({"query": "feedback=none-such:1"}, "feedback"),
        ({"query": 3}, "query"),
        ({"method": "best", "size": 3}, "method"),
        ({"method": "random"}, "size"),
        ({"method": "random", "size": 0}, "size"),
        ({"method": "random", "size": True}, "size"),
        ({"method": "random", "size": 10**9}, "size"),
        ({"size": 5}, "size"),
        ({"method": "stratified", "size": 5}, "strata"),
        ({"method": "random", "size": 5, "strata": "topic"}, "strata"),
        ({"seed": 2**70}, "seed"),
        ({"seed": "x"}, "seed"),
        ({"number": 5}, "number"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(owner_desk, asked, fault):
    assert list(owner_desk.post("/samples", asked, 400)["fields"]) == [fault]
    assert not Sample.objects.exists()


def test_only_who_manages_reviews_fills(queue):
    assert Desk(queue).call("POST", "/samples").status_code == 403
    assert Desk(queue).call("POST", "/items").status_code == 403


# -- by hand --------------------------------------------------------------------------------------
def test_ticked_rows_come_in_once_in_their_order_and_say_who_put_them_in(client, project, queue, owner_desk):
    inside, *ids = log(project, 4)
    stranger = make_interaction(make_project()).pk
    client.force_login(owner_desk.user)
    table = f"/p/{project.key}/interactions"
    assert f'formaction="{table}/review"' in client.get(table).content.decode()
    ticked = {"id": ids, "next": f"{table}?label=a"}
    page = client.post(f"{table}/review", ticked, headers={"HX-Request": "true"}).content.decode()
    assert page.startswith("<dialog") and "3 interactions reviewed?" in page and f'value="{queue.key}"' in page
    done = client.post(f"{table}/review", {**ticked, "queue": queue.key}, follow=True)
    assert "3 interactions put into Audit" in done.content.decode()
    assert owner_desk.post("/items", {"ids": [str(ids[0]), str(inside), str(stranger)]}, 201) == {
        "new": 1, "already": 1, "left_out": 1,
    }  # fmt: skip
    assert held(queue) == [*ids, inside]
    assert {item["put_in_by"] for item in owner_desk.get("/items")["results"]} == {owner_desk.user.email}
    sample = Sample.objects.order_by("pk").first()
    again = owner_desk.get(f"/samples/{sample.pk}/again")
    assert (again["same"], again["ids"]) == (True, list(map(str, ids)))
    item = Item.objects.filter(queue=queue).first()
    assert "put in by hand by" in client.get(f"/p/{project.key}/reviews/{queue.key}/items/{item.pk}").content.decode()
    assert "3 chosen in the table" in client.get(f"/p/{project.key}/reviews/{queue.key}/fill").content.decode()
    assert list(owner_desk.post("/items", {"ids": ["x"]}, 400)["fields"]) == ["ids"]
    draw(owner_desk)
    assert owner_desk.get("/items")["results"][0]["put_in_by"]


def test_ticked_rows_of_a_pair_queue_bring_their_pairs(project):
    queue = make_queue(project, [BETTER], kind="pair")
    first, second = ask(project, "One", "a"), ask(project, "One", "b")
    alone = ask(project, "Two", "a")
    told = Desk(queue, owner_of(project)).post("/items", {"ids": list(map(str, (first, second, alone)))}, 201)
    assert told == {"new": 1, "already": 0, "left_out": 1}
    assert Item.objects.get().interaction_id == second and Item.objects.get().other_id == first


# -- pairs ----------------------------------------------------------------------------------------
def ask(project, prompt, model):
    messages = [{"role": "user", "content": prompt}]
    return make_interaction(project, messages=messages, model=model, completion=f"By {model}").pk


def test_pairs_are_two_answers_to_one_prompt_by_different_models(project):
    queue = make_queue(project, [BETTER], kind="pair")
    desk = Desk(queue, owner_of(project))
    first, same, second = ask(project, "One", "a"), ask(project, "One", "a"), ask(project, "One", "b")
    ask(project, "Two", "a")
    ask(project, "Three", None)
    sample = draw(desk, method="random", size=10, seed=5)
    pairs = set(Item.objects.filter(queue=queue).values_list("interaction_id", "other_id"))
    # each finds its newest partner: both older ones the same, it the newer of them
    assert pairs == {(second, first), (second, same)}
    assert sample.population == 2
    assert sorted(map(tuple, desk.get(f"/samples/{sample.pk}/again")["ids"])) == sorted(
        (str(one), str(other)) for one, other in pairs
    )


def test_a_filter_on_one_model_brings_its_pairs_with_others(project):
    queue = make_queue(project, [BETTER], kind="pair")
    older, newer = ask(project, "One", "a"), ask(project, "One", "b")
    draw(Desk(queue, owner_of(project)), query="model=a")
    assert list(Item.objects.filter(queue=queue).values_list("interaction_id", "other_id")) == [(newer, older)]


# -- rules ----------------------------------------------------------------------------------------
def test_a_rule_brings_in_what_arrives_from_then_on(project, queue, owner_desk):
    log(project, 3, labels={"topic": "claims"})
    told = owner_desk.call("PUT", "/rule", {"query": "label=topic:claims"}, 200).json()
    assert told["rule"]["share"] == 1
    new, _ = log(project, 4, labels={"topic": "claims"}), log(project, 4)
    arrive()
    assert held(queue) == new
    late = log(project, 1, labels={"topic": "claims"}, created_at="2025-01-01T00:00:00Z")
    arrive()
    assert held(queue) == new + late


def test_a_rule_never_puts_back_what_a_person_took_out(project, queue, owner_desk):
    owner_desk.call("PUT", "/rule", {"query": ""}, 200)
    log(project, 2)
    arrive()
    out = owner_desk.get("/items")["results"][0]["id"]
    owner_desk.patch(f"/items/{out}", {"removed": True})
    Queue.objects.update(rule_reached=timezone.now() - datetime.timedelta(hours=1))  # all looked at once more
    arrive()
    assert len(held(queue)) == 1


def test_a_rule_takes_the_share_that_its_seed_draws(project, queue, owner_desk):
    owner_desk.call("PUT", "/rule", {"query": "", "share": 0.25, "seed": 11}, 200)
    ids = log(project, 200)
    arrive()
    below = 2**256 // 4
    expected = [one for one in ids if int(hashlib.sha256(f"11:{one}".encode()).hexdigest(), 16) < below]
    assert held(queue) == expected and 25 < len(expected) < 80


def test_a_rule_ends(project, queue, owner_desk):
    owner_desk.call("PUT", "/rule", {"query": ""}, 200)
    owner_desk.call("DELETE", "/rule", code=204)
    log(project, 2)
    arrive()
    assert held(queue) == []


def test_a_closed_queue_catches_up_once_it_is_open_again(project, queue, owner_desk):
    owner_desk.call("PUT", "/rule", {"query": ""}, 200)
    owner_desk.patch("", {"closed": True})
    ids = log(project, 2)
    arrive()
    assert held(queue) == []
    owner_desk.patch("", {"closed": False})
    arrive()
    assert held(queue) == ids


def test_a_rule_whose_key_is_unlinked_says_that_it_stopped_until_the_key_is_back(client, project, queue, owner_desk):
    key, _ = create_feedback_key(team=project.team, key="fine", kind="bool", projects=[project])
    owner_desk.call("PUT", "/rule", {"query": "feedback=fine:none"}, 200)
    client.force_login(owner_desk.user)

    def page():
        return client.get(f"/p/{project.key}/reviews/{queue.key}/fill").content.decode()

    assert ">On<" in page()
    unlink_feedback_key(key=key, project=project)
    ids = log(project, 2)
    arrive()
    assert held(queue) == []
    stopped = page()
    assert ">Stopped<" in stopped and ">On<" not in stopped and "fine" in stopped.split("can no longer be read")[1]
    link_feedback_key(key=key, project=project)
    arrive()
    assert held(queue) == ids
    assert ">On<" in page() and "can no longer be read" not in page()


def test_a_rule_of_a_pair_queue_brings_the_pair(project):
    queue = make_queue(project, [BETTER], kind="pair")
    Desk(queue, owner_of(project)).call("PUT", "/rule", {"query": ""}, 200)
    older = ask(project, "One", "a")
    arrive()
    assert not Item.objects.exists()
    newer = ask(project, "One", "b")
    arrive()
    assert list(Item.objects.values_list("interaction_id", "other_id")) == [(newer, older)]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [({"query": "x=y"}, "x"), ({"query": "", "share": 0}, "share"), ({"query": "", "share": "1"}, "share")],
)
def test_a_rule_that_cannot_be_is_refused(owner_desk, rule, fault):
    assert list(owner_desk.call("PUT", "/rule", rule, 400).json()["fields"]) == [fault]


def test_a_rule_waits_for_transactions_under_way(project, queue, owner_desk, monkeypatch):
    """What is committed late is not passed by: the rule goes no further than the oldest transaction."""
    owner_desk.call("PUT", "/rule", {"query": ""}, 200)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        before = cursor.fetchone()[0]
    monkeypatch.setattr("reviews.arrivals.settled", lambda: before)
    ids = log(project, 1)
    arrive()
    assert held(queue) == []
    monkeypatch.undo()
    arrive()
    assert held(queue) == ids


def test_labels_set_later_do_not_bring_an_old_interaction_in(project, queue, owner_desk):
    owner_desk.call("PUT", "/rule", {"query": "label=topic:claims"}, 200)
    [one] = log(project, 1)
    arrive()
    set_label(interaction=Interaction.objects.get(pk=one), key="topic", value="claims", by=owner_of(project))
    arrive()
    assert held(queue) == []


# -- what is alike --------------------------------------------------------------------------------
def log_alike(project, number, completion="Yes, you are."):
    """Interactions of the same words, written otherwise."""
    return [make_interaction(project, completion=f"{completion}{' ' * place}").pk for place in range(number)]


def test_a_folded_sample_takes_one_of_those_alike_and_draws_it_again(project, queue, owner_desk):
    alike, others = log_alike(project, 5), [make_interaction(project, completion=f"No. {n}").pk for n in range(3)]
    assert Interaction.objects.filter(pk__in=alike).values("near_hash").distinct().count() == 1
    sample = draw(owner_desk, query="fold=near", method="random", size=10, seed=2)
    assert set(held(queue)) == {alike[-1], *others} and sample.population == 4
    log_alike(project, 2)
    assert owner_desk.get(f"/samples/{sample.pk}/again")["same"]
    draw(owner_desk, query="fold=near")
    assert len(held(queue)) == 4


def test_a_rule_that_folds_brings_in_nothing_like_what_is_there(project, queue, owner_desk):
    owner_desk.call("PUT", "/rule", {"query": "fold=near"}, 200)
    first, *_ = log_alike(project, 3)
    arrive()
    log_alike(project, 2)
    arrive()
    assert held(queue) == [first]


def test_one_label_is_for_all_alike_and_so_is_its_undo(project):
    question = {"key": "good", "kind": "single", "text": "?", "options": ["yes", "no"], "writes": {"label": "verdict"}}
    queue = make_queue(project, [question])
    owner, alike = owner_of(project), log_alike(project, 4)
    set_label(interaction=Interaction.objects.get(pk=alike[0]), key="verdict", value="old", by=owner)
    other = make_interaction(project, completion="No.").pk
    draw(Desk(queue, owner), query="fold=near")

    def labelled():
        found = Interaction.objects.filter(pk__in=[*alike, other]).order_by("pk")
        return [[label.value for label in row.labels] for row in labels_of(list(found))]

    desk = Desk(queue)
    review = desk.next()
    while review["interaction_ids"][0] not in {str(one) for one in alike}:
        desk.post(f"/reviews/{review['id']}/skip")
        review = desk.next()
    desk.submit(review, answers={"good": "yes"})
    assert labelled() == [["yes"]] * 4 + [[]]
    desk.undo()
    assert labelled() == [["old"], [], [], [], []]


def test_pairs_are_not_folded(project):
    queue = make_queue(project, [BETTER], kind="pair")
    told = Desk(queue, owner_of(project)).post("/samples", {"query": "fold=near"}, 400)
    assert "query" in told["fields"]
