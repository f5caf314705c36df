"""Reviewing through the API: the next item, locks, answers, skipping, undoing, going back."""

import datetime

import pytest
from django.utils import timezone

from interactions.ingest.removal import delete_interactions
from interactions.models import Interaction
from reviews.models import Item, Review, State, Step
from reviews.versions import write_questions
from tests.factories import make_interaction, make_team, make_user, owner_of
from tests.reviews.queues import GOOD, TONE, Desk, add_items, make_queue

pytestmark = pytest.mark.django_db
OVER = datetime.timedelta(minutes=-1)


def lose_lock(review):
    Review.objects.filter(pk=review["id"]).update(locked_until=timezone.now() + OVER)


def test_the_next_item_stays_the_same_until_it_is_answered(project):
    desk = Desk(make_queue(project, n=2))
    first = desk.next()
    assert desk.next()["id"] == first["id"]
    assert first["state"] == "pending" and first["locked_until"] and first["questions"][0]["key"] == "good"
    done = desk.submit(first, comment="Clear.", seconds=3.5)
    assert (done["state"], done["answers"], done["comment"], done["seconds"]) == (
        "submitted",
        {"good": "yes"},
        "Clear.",
        3.5,
    )
    second = desk.next()
    assert second["item"] != first["item"]
    desk.submit(second)
    assert desk.next() is None


def test_items_come_in_their_order_and_one_can_be_fetched_ahead(project):
    queue = make_queue(project, n=3)
    desk, places = Desk(queue), list(Item.objects.filter(queue=queue).order_by("place").values_list("pk", flat=True))
    first = desk.next()
    ahead = desk.next(besides=[first["id"]])
    assert [first["item"], ahead["item"]] == places[:2]
    desk.submit(first)
    assert desk.next()["id"] == ahead["id"]


def test_two_people_are_never_at_the_same_item(project):
    queue = make_queue(project, n=2)
    one, other = Desk(queue), Desk(queue)
    assert one.next()["item"] != other.next()["item"]
    third = Desk(queue).post("/next")
    assert third["review"] is None and third["progress"]["waiting"] == 2


def test_an_item_whose_lock_ran_out_goes_to_somebody_else(project):
    queue = make_queue(project, n=1)
    one, other = Desk(queue), Desk(queue)
    mine = one.next()
    assert other.next() is None
    lose_lock(mine)
    theirs = other.next()
    assert theirs["item"] == mine["item"]
    told = one.submit(mine, answers={"good": "no"}, code=409)
    assert "kept as a draft" in told["error"]
    kept = one.get(f"/reviews/{mine['id']}")
    assert (kept["state"], kept["answers"]) == ("draft", {"good": "no"})
    other.submit(theirs)
    assert Item.objects.get(queue=queue).submitted == 1
    assert one.next() is None


def test_a_lock_that_ran_out_is_no_loss_while_nobody_else_came(project):
    desk = Desk(make_queue(project, n=1))
    review = desk.next()
    lose_lock(review)
    assert desk.submit(review)["state"] == "submitted"


def test_a_draft_holds_the_item_and_comes_back(project):
    queue = make_queue(project, [GOOD, TONE], n=2)
    desk = Desk(queue)
    review = desk.next()
    lose_lock(review)
    drafted = desk.post(f"/reviews/{review['id']}/draft", {"answers": {"tone": 4}, "comment": "Half"})
    assert drafted["state"] == "draft" and drafted["locked_until"] > timezone.now().isoformat()
    again = desk.next()
    assert (again["id"], again["answers"], again["comment"]) == (review["id"], {"tone": 4}, "Half")


def test_the_same_answer_sent_twice_is_one(project):
    queue = make_queue(project, n=1)
    desk = Desk(queue)
    review = desk.next()
    assert desk.submit(review) == desk.submit(review)
    assert Item.objects.get(queue=queue).submitted == 1
    assert Review.objects.get().steps.count() == 1


@pytest.mark.parametrize(
    ("answers", "fault"),
    [
        ({}, "good"),
        ({"good": "maybe"}, "good"),
        ({"good": ["yes"]}, "good"),
        ({"good": "yes", "tone": 6}, "tone"),
        ({"good": "yes", "tone": True}, "tone"),
        ({"good": "yes", "other": 1}, "other"),
        ([], ""),
    ],
)
def test_answers_that_do_not_fit_are_named_and_what_fits_is_kept(project, answers, fault):
    desk = Desk(make_queue(project, [GOOD, {**TONE, "required": False}], n=1))
    review = desk.next()
    told = desk.submit(review, answers=answers, code=400)
    assert list(told["fields"]) == [fault]
    kept = desk.get(f"/reviews/{review['id']}")
    assert kept["state"] == "draft"
    assert kept["answers"] == ({"good": "yes"} if fault in {"tone", "other"} else {})


@pytest.mark.parametrize(
    "body",
    [{"seconds": -1}, {"seconds": "3"}, {"comment": 3}, {"comment": "\0"}, {"asks_lead": "yes"}, {"asks_lead": 1}],
)
def test_what_comes_with_the_answers_is_checked_too(project, body):
    desk = Desk(make_queue(project, n=1))
    review = desk.next()
    assert set(desk.submit(review, code=400, **body)["fields"]) == set(body)
    if "seconds" not in body:
        assert set(desk.post(f"/reviews/{review['id']}/draft", body, code=400)["fields"]) == set(body)


def test_a_lead_is_asked_or_no_longer_by_the_same_answer_sent_again(project):
    desk = Desk(make_queue(project, n=1))
    review = desk.submit(desk.next())
    assert [desk.submit(review, asks_lead=asks)["asks_lead"] for asks in (True, None, False)] == [True, True, False]


def test_skipped_items_come_no_more_and_others_get_them(project):
    queue = make_queue(project, n=1)
    desk, other = Desk(queue), Desk(queue)
    review = desk.next()
    assert desk.post(f"/reviews/{review['id']}/skip")["state"] == "skipped"
    assert desk.next() is None
    assert other.next()["item"] == review["item"]


def test_what_is_put_off_comes_last_and_only_in_ones_own_order(project):
    queue = make_queue(project, n=3)
    desk = Desk(queue)
    first = desk.next()
    desk.post(f"/reviews/{first['id']}/later")
    order = []
    for _ in range(3):
        review = desk.next()
        order.append(review["item"])
        desk.submit(review)
    assert order[2] == first["item"] and desk.next() is None


def test_undo_goes_back_twenty_steps_newest_first(project):
    queue = make_queue(project, n=22)
    desk = Desk(queue)
    done = [desk.answer()["id"] for _ in range(21)]
    skipped = desk.next()
    desk.post(f"/reviews/{skipped['id']}/skip")
    back = desk.undo()
    assert (back["id"], back["state"]) == (skipped["id"], "pending")
    undone = [desk.undo()["id"] for _ in range(19)]
    assert undone == done[::-1][:19]
    assert desk.undo() is None
    assert Review.objects.filter(queue=queue, state=State.SUBMITTED).count() == 2
    assert Item.objects.filter(queue=queue, submitted=1).count() == 2


def test_what_is_undone_is_open_again_with_its_answers(project):
    queue = make_queue(project, n=2)
    desk = Desk(queue)
    first = desk.submit(desk.next(), answers={"good": "no"}, comment="Wrong sum")
    back = desk.undo()
    assert (back["id"], back["state"], back["answers"], back["comment"]) == (
        first["id"],
        "draft",
        {"good": "no"},
        "Wrong sum",
    )
    assert desk.next()["id"] == first["id"]
    assert Desk(queue).next()["item"] != first["item"]
    assert desk.submit(back, answers={"good": "yes"})["answers"] == {"good": "yes"}


def test_going_back_and_answering_otherwise_changes_the_answer_once(project):
    queue = make_queue(project, n=1)
    desk = Desk(queue)
    review = desk.submit(desk.next())
    desk.submit(review, answers={"good": "no"})
    assert desk.get(f"/reviews/{review['id']}")["answers"] == {"good": "no"}
    assert Item.objects.get(queue=queue).submitted == 1
    assert desk.undo()["answers"] == {"good": "yes"}
    assert Item.objects.get(queue=queue).submitted == 1


def test_new_questions_are_for_new_items_and_old_answers_keep_theirs(project):
    queue = make_queue(project, n=3)
    desk = Desk(queue)
    old = desk.answer()
    begun = desk.next()
    desk.post(f"/reviews/{begun['id']}/draft", {"answers": {"good": "no"}})
    write_questions(queue=queue, questions=[GOOD, TONE], by=owner_of(project))
    assert desk.submit(begun, answers={"good": "no"})["form_version"] == 1
    new = desk.next()
    assert new["form_version"] == 2
    assert "tone" in desk.submit(new, code=400)["fields"]
    assert desk.get(f"/reviews/{old['id']}")["form_version"] == 1
    assert desk.get("")["questions"]["version"] == 2


def test_an_item_nothing_was_typed_into_is_given_again_with_the_new_questions(project):
    queue = make_queue(project, n=1)
    desk = Desk(queue)
    assert desk.next()["form_version"] == 1
    write_questions(queue=queue, questions=[TONE], by=owner_of(project))
    assert desk.next()["form_version"] == 2


def test_an_interaction_deleted_in_the_queue_is_no_error(project):
    queue = make_queue(project, n=2)
    desk = Desk(queue)
    review = desk.next()
    delete_interactions(project=project, ids=[review["interaction_ids"][0]])
    assert desk.next()["id"] == review["id"]
    assert desk.submit(review)["state"] == "submitted"
    assert desk.undo()["id"] == review["id"]
    desk.post(f"/reviews/{review['id']}/skip")
    assert Interaction.objects.filter(pk=desk.next()["interaction_ids"][0]).exists()


def test_with_an_interaction_goes_what_was_written_about_it_and_choices_stay(project):
    asked = [
        GOOD,
        {"key": "fix", "kind": "correction", "text": "Better?"},
        {"key": "why", "kind": "text", "text": "Why?"},
    ]
    queue = make_queue(project, asked, n=3)
    desk, owner = Desk(queue), Desk(queue, owner_of(project))
    words = {"fix": "SENTINEL fix", "why": "SENTINEL why"}
    done = desk.submit(desk.next(), answers={"good": "yes", **words}, comment="SENTINEL comment", asks_lead=True)
    desk.submit(done, answers={"good": "no", **words}, comment="SENTINEL again")
    owner.post(f"/reviews/{done['id']}/reply", {"text": "SENTINEL reply"})
    other = desk.submit(desk.next(), answers={"good": "yes", "fix": "Kept", "why": "Kept"}, comment="Kept")
    gold = next(item for item in owner.get("/items")["results"] if not item["submitted"])
    owner.patch(f"/items/{gold['id']}", {"gold": {"good": "yes", "why": "SENTINEL gold"}})
    owner.client.delete(f"/api/v1/interactions/{done['interaction_ids'][0]}", headers=owner.headers)
    delete_interactions(project=project, ids=[gold["interaction_id"]])
    held = [*Review.objects.values_list("answers", "first", "comment", "reply"), *Step.objects.values_list("before")]
    assert "SENTINEL" not in str([*held, *Item.objects.values_list("gold")])
    assert Review.objects.get(pk=done["id"]).answers == {"good": "no", "fix": "", "why": ""}
    assert Item.objects.get(pk=gold["id"]).gold == {"good": "yes", "why": ""}
    assert desk.get(f"/reviews/{other['id']}")["comment"] == "Kept"


def test_an_empty_queue_has_nothing_next(project):
    desk = Desk(make_queue(project))
    told = desk.post("/next")
    assert told["review"] is None
    assert told["progress"] == {
        "done": 0,
        "skipped": 0,
        "total": 0,
        "drafts": 0,
        "waiting": 0,
        "people": 1,
        "seconds_each": None,
        "seconds_left": None,
    }
    assert desk.undo() is None


def test_a_closed_queue_gives_nothing_out_and_keeps_what_is_sent_as_a_draft(project):
    queue = make_queue(project, n=2)
    desk, owner = Desk(queue), Desk(queue, owner_of(project))
    review = desk.next()
    owner.patch("", {"closed": True})
    assert "closed" in desk.submit(review, code=409)["error"]
    assert desk.get(f"/reviews/{review['id']}")["answers"] == {"good": "yes"}
    assert desk.next() is None
    owner.patch("", {"closed": False})
    assert desk.next()["id"] == review["id"]


def test_an_item_taken_out_is_told_and_its_answers_are_kept(project):
    queue = make_queue(project, n=1)
    desk, owner = Desk(queue), Desk(queue, owner_of(project))
    review = desk.next()
    removed = owner.patch(f"/items/{review['item']}", {"removed": True})
    assert removed["removed_by"] == owner.user.email
    assert "taken out" in desk.submit(review, code=409)["error"]
    assert desk.next() is None
    owner.patch(f"/items/{review['item']}", {"removed": False})
    assert desk.next()["answers"] == {"good": "yes"}


def test_members_alone_review_once_the_queue_is_not_open_to_all(project):
    queue = make_queue(project, n=1)
    member, other, owner = Desk(queue), Desk(queue), Desk(queue, owner_of(project))
    owner.patch("", {"open_to_all": False, "members": [member.user.email]})
    assert member.next()
    assert other.call("POST", "/next").status_code == 403


def test_who_is_no_longer_a_member_neither_answers_nor_reads_what_others_said(project):
    queue = make_queue(project, n=2, reviewers=2)
    gone, owner = Desk(queue), Desk(queue, owner_of(project))
    done, begun = gone.answer(), gone.next()
    owner.patch("", {"open_to_all": False, "members": []})
    for review in (done, begun):
        path = f"/reviews/{review['id']}"
        assert "none of the reviewers" in gone.get(path, 403)["error"]
        for step in ("draft", "submit", "skip", "later"):
            gone.post(f"{path}/{step}", code=403)
    gone.post("/undo", code=403)
    assert Review.objects.get(pk=done["id"]).state == State.SUBMITTED
    # who manages the queue reads on, member or not
    assert owner.get(f"/reviews/{done['id']}", code=403)["error"].startswith("The queue is blind")
    owner.patch("", {"members": [gone.user.email]})
    assert gone.undo()["id"] == done["id"]


def test_who_may_not_review_is_told_so_and_strangers_find_nothing(project):
    queue = make_queue(project, n=1)
    auditor = Desk(queue, role="auditor")
    assert auditor.call("POST", "/next").status_code == 403
    assert "review.answer" in auditor.call("POST", "/next").json()["error"]
    stranger = Desk(queue, make_user(team=make_team()))
    for path in ("/next", "/undo"):
        assert stranger.call("POST", path).status_code == 404
    assert stranger.call("GET").status_code == 404


def test_nobody_reads_or_writes_anothers_review(project):
    queue = make_queue(project, n=1)
    mine, other = Desk(queue), Desk(queue)
    review = mine.next()
    path = f"/reviews/{review['id']}"
    assert other.call("GET", path).status_code == 403
    owner = Desk(queue, owner_of(project))
    assert "blind" in owner.call("GET", path, code=403).json()["error"]
    mine.submit(review)
    assert owner.get(path)["answers"] == {"good": "yes"}
    for step in ("draft", "submit", "skip", "later"):
        assert other.call("POST", f"{path}/{step}").status_code == 404


def test_assigned_items_go_to_their_people_and_to_nobody_else(project):
    queue = make_queue(project, n=3)
    one, other, owner = Desk(queue), Desk(queue), Desk(queue, owner_of(project))
    last = owner.get("/items")["results"][2]["id"]
    assert owner.patch(f"/items/{last}", {"assigned_to": [one.user.email]})["assigned_to"] == [one.user.email]
    assert one.next()["item"] == last  # her own first
    got = {other.answer()["item"] for _ in range(2)}
    assert last not in got and other.next() is None


def test_progress_tells_pace_and_time_left(project):
    queue = make_queue(project, n=6)
    desk, other = Desk(queue), Desk(queue)
    for seconds in (2, 4, 6):
        desk.submit(desk.next(), seconds=seconds)
    told = desk.post("/next")["progress"]
    assert (told["done"], told["total"], told["seconds_each"], told["drafts"]) == (3, 6, 4, 1)
    assert told["seconds_left"] == 12
    other.answer()
    told = desk.post("/next")["progress"]
    assert (told["people"], told["total"], told["seconds_left"]) == (2, 5, 4)


@pytest.mark.parametrize(
    ("path", "body"),
    [("/next", {"besides": ["x"]}), ("/next", {"besides": 3}), ("/next", {"more": 1}), ("/undo", {"all": True})],
)
def test_a_body_that_does_not_fit_is_refused(project, path, body):
    assert Desk(make_queue(project, n=1)).call("POST", path, body).status_code == 400


def test_a_pair_is_shuffled_for_each_reviewer_and_remembered(project):
    question = {"key": "better", "kind": "pair", "text": "Which is better?"}
    queue = make_queue(project, [question], kind="pair", reviewers=10)
    pairs = [(make_interaction(project, model="a"), make_interaction(project, model="b")) for _ in range(4)]
    add_items(queue, pairs)
    seen = {}
    for _ in range(6):
        desk = Desk(queue)
        review = desk.next()
        assert desk.get(f"/reviews/{review['id']}")["interaction_ids"] == review["interaction_ids"]
        seen.setdefault(review["item"], set()).add(tuple(review["interaction_ids"]))
    assert {len(order) for order in seen.values()} == {2}


def test_what_was_skipped_can_be_put_at_the_end_again(project):
    desk = Desk(make_queue(project, n=1))
    review = desk.next()
    desk.post(f"/reviews/{review['id']}/skip")
    assert desk.next() is None
    assert desk.post(f"/reviews/{review['id']}/later")["state"] == "pending"
    assert desk.next()["id"] == review["id"]


def test_putting_off_and_skipping_are_undone_to_what_was_before(project):
    queue = make_queue(project, n=2)
    desk = Desk(queue)
    first = desk.next()
    desk.post(f"/reviews/{first['id']}/draft", {"answers": {"good": "no"}})
    desk.post(f"/reviews/{first['id']}/later")
    second = desk.next()
    desk.post(f"/reviews/{second['id']}/skip")
    assert (desk.undo()["id"], desk.undo()["id"]) == (second["id"], first["id"])
    again = desk.next()
    assert (again["id"], again["state"], again["answers"]) == (first["id"], "draft", {"good": "no"})


def test_what_is_typed_into_a_skipped_item_is_a_draft_once_the_skip_is_undone(project):
    queue = make_queue(project, n=1)
    desk = Desk(queue)
    review = desk.next()
    desk.post(f"/reviews/{review['id']}/skip")
    kept = desk.post(f"/reviews/{review['id']}/draft", {"answers": {"good": "no"}})
    assert (kept["state"], kept["answers"], kept["locked_until"]) == ("skipped", {"good": "no"}, None)
    assert desk.undo()["state"] == "draft"
    write_questions(queue=queue, questions=[TONE], by=owner_of(project))
    again = desk.next()
    assert (again["form_version"], again["answers"]) == (1, {"good": "no"})


def test_a_skip_undone_after_somebody_took_the_item_is_told_when_it_is_answered(project):
    queue = make_queue(project, n=1)
    desk, other = Desk(queue), Desk(queue)
    review = desk.next()
    desk.post(f"/reviews/{review['id']}/skip")
    other.answer()
    assert desk.undo()["id"] == review["id"]
    desk.submit(review, code=409)
    assert desk.next() is None and Item.objects.get().submitted == 1


def test_of_a_large_queue_what_is_left_is_told_by_its_bound(project, monkeypatch):
    queue = make_queue(project, n=6, reviewers=2)
    one, other = Desk(queue), Desk(queue)
    for desk in (one, one, other):
        desk.answer()
    exact = one.post("/next")["progress"]
    monkeypatch.setattr("reviews.slots.EXACT", 1)
    bound = one.post("/next")["progress"]
    # nothing is complete but the first item, which both have answered
    assert (exact["done"], exact["total"]) == (bound["done"], bound["total"]) == (2, 6)


def test_a_step_takes_the_same_number_of_queries_however_much_is_in_the_queue(project, django_assert_max_num_queries):
    few, many = make_queue(project, n=3), make_queue(project, key="many", n=40)
    counts = []
    for queue in (few, many):
        desk = Desk(queue)
        desk.answer()
        with django_assert_max_num_queries(60) as asked:
            desk.answer()
        counts.append(len(asked))
    assert counts[0] == counts[1]
