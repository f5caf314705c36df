"""What comes out: figures of a queue against a computation by hand, and how much of a time people have seen."""

import datetime
import itertools
import json
import statistics
import zoneinfo

import pytest
from django.urls import reverse

from feedback.giving import give_feedback
from feedback.services import create_feedback_key
from interactions.models import Interaction
from reviews.coverage import coverage
from reviews.models import Item, Queue, Review
from tests.conftest import Api
from tests.factories import make_interaction, make_team, make_user, owner_of
from tests.reviews.queues import GOOD, TONE, Desk, add_items, make_queue
from tests.reviews.test_agreement import alpha_by_definition, ordinal
from tests.reviews.test_filling import draw

pytestmark = pytest.mark.django_db
FLAGS = {"key": "flags", "kind": "several", "text": "Flags", "options": ["rude", "wrong"], "required": False}
# what two people say of eight items
SAID = [
    [("yes", 1, []), ("yes", 2, [])],
    [("yes", 2, ["rude"]), ("yes", 2, ["rude"])],
    [("no", 5, ["wrong"]), ("no", 5, ["rude", "wrong"])],
    [("no", 4, []), ("yes", 4, [])],
    [("yes", 3, []), ("yes", 3, [])],
    [("no", 1, ["wrong"]), ("no", 3, ["wrong"])],
    [("yes", 5, []), ("yes", 5, [])],
    [("yes", 4, []), ("no", 5, [])],
]


@pytest.fixture
def reviewed(project):
    """(queue, the owner's desk, the two reviewers' desks) after SAID."""
    questions = [{**GOOD, "defect": ["no"]}, TONE, {**FLAGS, "defect": ["wrong"]}]
    queue = make_queue(project, questions, n=len(SAID), reviewers=2)
    desks = Desk(queue), Desk(queue)
    for place, desk in enumerate(desks):
        for seconds, item in enumerate(SAID, 1):
            good, tone, flags = item[place]
            desk.submit(desk.next(), answers={"good": good, "tone": tone, "flags": flags}, seconds=seconds)
    return queue, Desk(queue, owner_of(project)), desks


def question(report, key):
    return next(one for one in report["questions"] if one["key"] == key)


def test_agreement_is_that_of_an_independent_computation(reviewed):
    _, owner, _ = reviewed
    report = owner.get("/report")
    good, tone = question(report, "good"), question(report, "tone")
    goods = [tuple(one[0] for one in item) for item in SAID]
    tones = [tuple(one[1] for one in item) for item in SAID]
    assert good["level"] == "nominal" and tone["level"] == "ordinal"
    by_hand = alpha_by_definition(goods, lambda one, other: one != other)
    assert good["alpha"]["value"] == pytest.approx(by_hand, abs=1e-6)
    values = list(itertools.chain(*tones))
    assert tone["alpha"]["value"] == pytest.approx(alpha_by_definition(tones, ordinal(values)), abs=1e-6)
    by_distance = alpha_by_definition(tones, lambda one, other: (one - other) ** 2)
    assert tone["alpha_interval"]["value"] == pytest.approx(by_distance, abs=1e-6)
    assert good["raw"]["value"] == 6 / 8 and good["compared"] == 8
    assert good["alpha"]["low"] < good["alpha"]["value"] < good["alpha"]["high"]


def test_people_are_told_their_pace_and_how_often_they_agree(reviewed):
    _, owner, desks = reviewed
    people = {person["user"]: person for person in owner.get("/report")["people"]}
    assert people.keys() == {desk.user.email for desk in desks}
    for person in people.values():
        assert (person["submitted"], person["skipped"], person["gold"]) == (8, 0, None)
        assert person["seconds"] == statistics.median(range(1, 9)) and person["per_hour"] == 800
        # 6 of 8 good, 5 of 8 tones, 7 of 8 flags
        assert person["agreement"]["value"] == pytest.approx(18 / 24) and person["agreement"]["n"] == 24


def test_confusion_tells_who_said_what(reviewed):
    _, owner, desks = reviewed
    [confusion] = question(owner.get("/report"), "good")["confusions"]
    assert confusion["names"] == ["yes", "no"]  # as the question has them
    counts = confusion["counts"]
    if confusion["one"] != desks[0].user.email:
        counts = [list(row) for row in zip(*counts, strict=True)]
    assert counts == [[4, 1], [1, 2]] and (confusion["same"], confusion["n"]) == (6, 8)


def test_the_defect_rate_is_of_what_stands(reviewed):
    _, owner, _ = reviewed
    good = question(owner.get("/report"), "good")["defect"]
    # two items are in conflict and stand nowhere yet: of the six others two are bad
    assert (good["value"], good["n"]) == (2 / 6, 6)
    assert good["low"] == pytest.approx(0.0968, abs=1e-4) and good["high"] == pytest.approx(0.7000, abs=1e-4)
    third = Desk(owner.queue, role="reviewer")
    conflicts = third.get("/conflicts")["results"]
    item = next(one["item"] for one in conflicts if len({said["answers"]["good"] for said in one["given"]}) > 1)
    review = third.post(f"/items/{item}/decide")
    third.submit(review, answers={"good": "no", "tone": 3, "flags": []})
    good = question(owner.get("/report"), "good")["defect"]
    assert (good["value"], good["n"]) == (pytest.approx(3 / 7), 7)


def test_one_answer_of_two_does_not_stand_yet(project):
    queue = make_queue(project, [{**GOOD, "defect": ["no"]}], n=3, reviewers=2)
    one, other, owner = Desk(queue), Desk(queue), Desk(queue, owner_of(project))
    one.answer("no")
    one.answer("yes")
    assert question(owner.get("/report"), "good")["defect"] is None
    other.answer("no")
    defect = question(owner.get("/report"), "good")["defect"]
    assert (defect["value"], defect["n"]) == (1, 1)
    other.undo()
    assert question(owner.get("/report"), "good")["defect"] is None


def test_answers_are_counted_and_of_several_each_option(reviewed):
    _, owner, _ = reviewed
    report = owner.get("/report")
    assert question(report, "good")["answers"] == [["yes", 10], ["no", 6]]
    assert question(report, "flags")["answers"] == [["rude", 3], ["wrong", 4]]
    totals = report["totals"]
    assert (totals["items"], totals["complete"], totals["submitted"]) == (8, 8, 16)
    # good differs on two items, tone on three, one of them the same, and flags on one
    assert totals["conflicts"] == 5


def test_controls_tell_each_persons_accuracy_and_count_for_nothing_else(project):
    queue = make_queue(project, n=5)
    owner = Desk(queue, owner_of(project))
    items = [item["id"] for item in owner.get("/items")["results"]]
    for gold in items[:4]:
        owner.patch(f"/items/{gold}", {"gold": {"good": "yes"}})
    desk = Desk(queue)
    while review := desk.next():
        desk.submit(review, answers={"good": "no" if review["item"] == items[0] else "yes"})
    report = owner.get("/report")
    [person] = report["people"]
    assert (person["gold"]["value"], person["gold"]["n"]) == (0.75, 4)
    assert question(report, "good")["answers"] == [["yes", 1], ["no", 0]]
    totals = report["totals"]
    assert (totals["complete"], totals["items"], totals["gold"]) == (1, 1, 4)


def test_an_optional_question_of_a_control_counts_where_it_was_answered(project):
    queue = make_queue(project, [GOOD, {**TONE, "required": False}], n=1)
    owner, one, other = Desk(queue, owner_of(project)), Desk(queue), Desk(queue)
    [item] = owner.get("/items")["results"]
    owner.patch(f"/items/{item['id']}", {"gold": {"good": "yes", "tone": 4}})
    one.submit(one.next(), answers={"good": "yes"})
    other.submit(other.next(), answers={"good": "yes", "tone": 2})
    told = {person["user"]: person["gold"] for person in owner.get("/report")["people"]}
    assert {user: (gold["value"], gold["n"]) for user, gold in told.items()} == {
        one.user.email: (1, 1),
        other.user.email: (0.5, 2),
    }


def test_left_and_right_are_counted_as_they_were_seen(project):
    question_ = {"key": "better", "kind": "pair", "text": "Better?", "defect": ["both_bad"]}
    queue = make_queue(project, [question_], kind="pair")
    add_items(queue, [(make_interaction(project, model="a"), make_interaction(project, model="b")) for _ in range(10)])
    desk, owner = Desk(queue), Desk(queue, owner_of(project))
    for answer in ["a"] * 6 + ["b"] * 2 + ["tie", "both_bad"]:
        desk.submit(desk.next(), answers={"better": answer})
    [told] = owner.get("/report")["questions"]
    assert (told["left"]["value"], told["left"]["n"]) == (0.75, 8)
    firsts = sum(
        1
        for review in Review.objects.filter(queue=queue)
        if review.answers["better"] == ("b" if review.swapped else "a")
    )
    assert dict(told["answers"])["A is better"] == firsts
    assert (told["defect"]["value"], told["defect"]["n"]) == (0.1, 10)


def test_answers_to_older_questions_are_compared_where_they_are_the_same(project):
    queue = make_queue(project, [GOOD], n=2, reviewers=2)
    one, other, owner = Desk(queue), Desk(queue), Desk(queue, owner_of(project))
    one.answer("yes")
    owner.patch("", {"questions": [GOOD, {**TONE, "required": False}]})
    other.answer("yes")
    report = owner.get("/report")
    assert question(report, "good")["raw"]["value"] == 1 and question(report, "good")["compared"] == 1
    assert question(report, "tone")["raw"] is None
    # the same key for another kind of question is another question
    owner.patch("", {"questions": [{**TONE, "key": "good"}]})
    assert owner.get("/report")["questions"][0]["compared"] == 0


def test_an_empty_queue_has_a_report_of_nothing(project):
    queue = make_queue(project, [GOOD, TONE, FLAGS, {"key": "why", "kind": "text", "text": "Why?"}])
    report = Desk(queue, owner_of(project)).get("/report")
    assert report["totals"]["items"] == 0 and report["people"] == []
    assert all(one["alpha"] is None and one["raw"] is None for one in report["questions"])


def test_the_report_tells_how_the_queue_was_drawn(project):
    queue = make_queue(project)
    for _ in range(6):
        make_interaction(project)
    owner = Desk(queue, owner_of(project))
    sample = draw(owner, method="random", size=4, seed=99)
    [told] = owner.get("/report")["samples"]
    assert (told["seed"], told["method"], told["size"], told["population"], told["drawn"]) == (99, "random", 4, 6, 4)
    assert told["id"] == sample.pk and told["by"] == owner.user.email


def test_only_who_manages_reviews_reads_the_report(reviewed):
    queue, _, [one, _] = reviewed
    assert one.call("GET", "/report").status_code == 403
    assert Desk(queue, make_user(team=make_team())).call("GET", "/report").status_code == 404


# -- coverage -------------------------------------------------------------------------------------
def test_coverage_counts_what_people_have_seen_by_model_and_label(project, api, owner):
    old = {"created_at": "2025-03-01T10:30:00Z"}
    seen = [make_interaction(project, model="m1", labels={"topic": "a"}, **old) for _ in range(3)]
    for _ in range(5):
        make_interaction(project, model="m2", labels={"topic": "b"}, **old)
    make_interaction(project, model="m1", created_at="2025-03-01T12:00:00Z")
    make_interaction(project, model="m1", source="simulation", **old)
    queue = make_queue(project)
    add_items(queue, seen)
    desk = Desk(queue)
    desk.answer()
    desk.answer()
    # begun, but not answered
    desk.next()
    key, _ = create_feedback_key(team=project.team, key="fine", kind="bool", projects=[project])
    by_reviewer, by_user = Interaction.objects.filter(project=project, model__key="m2")[:2]
    give_feedback(interaction=by_reviewer, key=key, value=1, by=owner, origin="reviewer")
    give_feedback(interaction=by_user, key=key, value=1, by=owner)
    span = {"after": "2025-03-01T10:00:00Z", "before": "2025-03-01T11:00:00Z"}
    told = api.get(f"projects/{project.key}/coverage", span).json()
    assert (told["all"]["seen"], told["all"]["n"]) == (3, 8)
    assert {one["name"]: (one["seen"], one["n"]) for one in told["models"]} == {"m1": (2, 3), "m2": (1, 5)}
    assert {one["name"]: (one["seen"], one["n"]) for one in told["labels"]} == {"topic:a": (2, 3), "topic:b": (1, 5)}
    assert told["all"]["share"] == 3 / 8 and told["all"]["low"] < 3 / 8 < told["all"]["high"]
    everything = api.get(f"projects/{project.key}/coverage").json()["all"]
    assert (everything["seen"], everything["n"]) == (3, 9)


def test_coverage_of_nothing(project, api):
    assert api.get(f"projects/{project.key}/coverage").json()["all"]["share"] is None
    make_interaction(project)
    for end in ({"after": "2125-03-01T11:00:00Z"}, {"before": "2025-03-01T11:00:00Z"}):
        assert api.get(f"projects/{project.key}/coverage", end).json()["all"]["n"] == 0


@pytest.mark.parametrize(
    ("span", "named"),
    [
        ({"after": "yesterday"}, "after"),
        ({"after": "2025-03-02T10:00:00Z", "before": "2025-03-01T11:00:00Z"}, "after"),
        ({"after": "0001-01-01T00:00:00Z"}, "after"),
        ({"before": "9999-12-31T23:59:59Z"}, "before"),
    ],
)
def test_a_span_that_is_none_is_refused_by_the_name_of_its_end(project, api, span, named):
    make_interaction(project)
    answer = api.get(f"projects/{project.key}/coverage", span)
    assert answer.status_code == 400 and set(answer.json()["fields"]) == {named}


def test_coverage_counts_whole_hours_of_utc_in_every_zone(project):
    """Rows are counted by hours of UTC; an end of a zone half an hour off cut its own and lost the first of them."""
    make_interaction(project, created_at="2025-03-01T10:10:00Z")
    add_items(make_queue(project), [make_interaction(project, created_at="2025-03-01T10:50:00Z")])
    queue = Queue.objects.get()
    Desk(queue).answer()
    zone = zoneinfo.ZoneInfo("Asia/Kolkata")
    found = coverage(project, *(datetime.datetime(2025, 3, 1, hour, 0, tzinfo=zone) for hour in (16, 17)))
    assert (found.all.seen, found.all.n) == (1, 2)
    assert [end.hour for end in (found.after, found.before)] == [10, 12]


def test_both_of_a_pair_are_seen(project, api):
    queue = make_queue(project, [{"key": "better", "kind": "pair", "text": "?"}], kind="pair")
    add_items(queue, [(make_interaction(project, model="a"), make_interaction(project, model="b"))])
    desk = Desk(queue)
    desk.submit(desk.next(), answers={"better": "tie"})
    assert api.get(f"projects/{project.key}/coverage").json()["all"]["seen"] == 2
    assert Item.objects.get().submitted == 1


def test_strangers_are_told_nothing_of_coverage(client, project):
    stranger = make_user(team=make_team())
    assert Api(client, stranger).get(f"projects/{project.key}/coverage").status_code == 404


def test_answers_are_read_one_by_one_as_files_and_calls(client, project, monkeypatch):
    why = {"key": "why", "kind": "text", "text": "Why?", "required": False}
    queue = make_queue(project, [GOOD, why], n=2, reviewers=2)
    owner, ann, bob = Desk(queue, owner_of(project)), Desk(queue), Desk(queue)
    said = [
        desk.submit(desk.next(), answers={"good": "yes", "why": "=1+1"}, comment="c", seconds=4) for desk in (ann, bob)
    ]
    ann.answer("no")  # of an item that waits for another: the queue is blind to it
    monkeypatch.setattr("reviews.api.reporting.LIMIT", 1)
    first = owner.get("/answers")
    second = owner.get(f"/answers?after={first['next']}")
    rows = first["results"] + second["results"]
    assert {(row["id"], row["by"]) for row in rows} == {
        (said[0]["id"], ann.user.email),
        (said[1]["id"], bob.user.email),
    }
    assert second["next"] is None and rows[0]["answers"] == {"good": "yes", "why": "=1+1"}
    assert [row["by"] for row in owner.get(f"/answers?by={bob.user.email.upper()}")["results"]] == [bob.user.email]
    owner.get("/answers?after=x", 400)
    ann.get("/answers", 403)
    client.force_login(owner_of(project))
    where = {"project": project.key, "queue": queue.key}

    def lines(form, **query):
        answer = client.get(reverse("queue_answers", kwargs={**where, "form": form}), query)
        return b"".join(answer.streaming_content).decode().splitlines()

    head, *table = lines("csv")
    assert head.startswith("item,interaction_id,") and head.endswith("ended_at,answer.good,answer.why")
    assert len(table) == 2 and all(line.endswith(",yes,'=1+1") for line in table)
    [mine] = lines("jsonl", by=ann.user.email)
    assert json.loads(mine)["seconds"] == 4
    assert client.get(reverse("queue_answers", kwargs={**where, "form": "xml"})).status_code == 404
