"""What a stratified sample says of defects: of all it drew, whatever had brought that into the queue before."""

import csv
import io

import pytest
from django.urls import reverse

from tests.factories import make_interaction, owner_of
from tests.interactions.test_label_keys import rename
from tests.reviews.queues import GOOD, Desk, make_queue
from tests.reviews.test_filling import draw, log

pytestmark = pytest.mark.django_db
BAD = {**GOOD, "defect": ["no"]}


@pytest.fixture
def queue(project):
    return make_queue(project, [BAD])


@pytest.fixture
def owner_desk(queue, project):
    return Desk(queue, owner_of(project))


def judge(desk, bad):
    """Answer all there is: these ids show a defect."""
    bad = {str(one) for one in bad}
    while review := desk.next():
        desk.submit(review, answers={"good": "no" if bad & set(review["interaction_ids"]) else "yes"})


def told(desk):
    [question] = desk.get("/report")["questions"]
    return question


def rates(question):
    """{value: (defects, judged, drawn, population)}"""
    return {
        one["value"]: one["defect"]
        and (round(one["defect"]["value"] * one["defect"]["n"]), one["defect"]["n"], one["drawn"], one["population"])
        for one in question["strata"]
    }


def test_what_was_in_the_queue_before_it_was_drawn_counts_for_its_value(project, owner_desk):
    polite, rude = log(project, 20, labels={"manner": "polite"}), log(project, 3, labels={"manner": "rude"})
    by_hand = polite[:6]
    owner_desk.post("/items", {"ids": [str(one) for one in by_hand]}, 201)
    draw(owner_desk, method="stratified", strata="manner", size=20, seed=1)
    judge(owner_desk, [*by_hand, rude[0]])
    question = told(owner_desk)
    assert rates(question) == {"polite": (6, 20, 20, 20), "rude": (1, 3, 3, 3)}
    # the weights are those of the population, whatever else is in the queue
    assert question["weighted"] == pytest.approx(7 / 23)
    assert (question["defect"]["value"], question["defect"]["n"]) == (1, 6)


def test_samples_that_overlap_each_count_all_they_drew(project, owner_desk):
    polite = log(project, 12, labels={"manner": "polite"})
    drawn = [draw(owner_desk, method="stratified", strata="manner", size=8, seed=seed).picked for seed in (1, 2)]
    assert set(drawn[0]) & set(drawn[1])
    bad = polite[:5]
    judge(owner_desk, bad)
    question = told(owner_desk)
    found = [(one["defect"]["value"] * one["defect"]["n"], one["defect"]["n"]) for one in question["strata"]]
    assert found == [(len(set(bad) & set(one)), 8) for one in drawn]
    assert (question["defect"], question["weighted"]) == (None, None)


@pytest.mark.parametrize("first", ["random", "stratified"])
def test_a_random_sample_keeps_its_rate_beside_the_strata(client, project, queue, owner_desk, first):
    rare, common = log(project, 4, labels={"topic": "rare"}), log(project, 40, labels={"topic": "common"})
    asked = {"random": {"size": 40, "seed": 7}, "stratified": {"strata": "topic", "size": 4, "seed": 3}}
    drawn = {}
    for method in (first, *(asked.keys() - {first})):
        drawn[method] = set(draw(owner_desk, method=method, **asked[method]).picked)
    assert drawn["random"] & drawn["stratified"]
    bad = {*rare[:2], *common[:20]}
    judge(owner_desk, bad)
    question = told(owner_desk)
    assert (question["defect"]["value"], question["defect"]["n"]) == (len(bad & drawn["random"]) / 40, 40)
    assert rates(question)["rare"] == (2, 4, 4, 4)
    client.force_login(owner_desk.user)
    where = {"project": project.key, "queue": queue.key}
    page = client.get(reverse("queue_report", kwargs=where)).content.decode()
    assert "Defect rate, other items" in page and "4 drawn of 40" in page
    file = client.get(reverse("queue_report_file", kwargs={**where, "form": "csv"})).content.decode()
    of_it = [(row["part"], row["measure"]) for row in csv.DictReader(io.StringIO(file)) if row["of"] == "good"]
    assert {("question", "defect"), ("stratum", "rare"), ("stratum", "common")} <= set(of_it)


def test_what_was_taken_out_is_judged_for_no_value(project, owner_desk):
    log(project, 3, labels={"manner": "polite"})
    draw(owner_desk, method="stratified", strata="manner", size=3, seed=1)
    judge(owner_desk, [])
    item = owner_desk.get("/items")["results"][0]["id"]
    owner_desk.patch(f"/items/{item}", {"removed": True})
    assert rates(told(owner_desk)) == {"polite": (0, 2, 3, 3)}


def test_pairs_have_their_strata_too(project):
    question = {"key": "good", "kind": "pair", "text": "Better?", "defect": ["both_bad"]}
    queue = make_queue(project, [question], kind="pair")
    desk = Desk(queue, owner_of(project))
    for text in ("one", "two", "three"):
        prompt = [{"role": "user", "content": text}]
        pair = [make_interaction(project, model=model, messages=prompt, labels={"manner": "a"}) for model in "xy"]
    bad = str(pair[0].pk)
    desk.post("/items", {"ids": [bad]}, 201)
    draw(desk, method="stratified", strata="manner", size=5, seed=1)
    while review := desk.next():
        desk.submit(review, answers={"good": "both_bad" if bad in review["interaction_ids"] else "tie"})
    assert rates(told(desk)) == {"a": (1, 3, 3, 3)}


def test_a_former_name_of_the_label_draws_the_same(project, owner_desk):
    log(project, 5, labels={"manner": "polite"}), log(project, 5, labels={"manner": "rude"})
    before = draw(owner_desk, method="stratified", strata="manner", size=3, seed=1)
    rename(project, "manner", "tone")
    assert owner_desk.get(f"/samples/{before.pk}/again")["same"]
    since = draw(owner_desk, method="stratified", strata="manner", size=3, seed=1)
    assert (since.population, since.picked) == (10, before.picked)
