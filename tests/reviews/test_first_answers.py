"""Answers that are changed, taken back, or sent from a page of before: what counts, and what stays."""

import pytest

from reviews.models import Item, Review, State
from tests.factories import make_user, owner_of
from tests.reviews.queues import GOOD, Desk, make_queue
from tests.reviews.test_leading import TEXT, page_of

pytestmark = pytest.mark.django_db


def test_a_gold_item_shows_no_others_and_counts_as_it_was_answered_first(project):
    queue = make_queue(project, n=1)
    owner, others, bob = Desk(queue, owner_of(project)), Desk(queue), Desk(queue)
    item = Item.objects.get()
    owner.patch(f"/items/{item.pk}", {"gold": {"good": "yes"}})
    others.answer("yes")
    wrong = bob.answer("no")
    assert wrong["others"] == bob.get(f"/reviews/{wrong['id']}")["others"] == []
    bob.submit(wrong, answers={"good": "yes"})
    gold = {one["user"]: one["gold"]["value"] for one in owner.get("/report")["people"]}
    assert gold == {others.user.email: 1, bob.user.email: 0}


def test_nothing_is_undone_in_a_closed_queue_nor_of_an_item_that_was_taken_out(project):
    queue = make_queue(project, n=3)
    desk, owner = Desk(queue), Desk(queue, owner_of(project))
    first, second = desk.answer(), desk.answer()
    owner.patch("", {"closed": True})
    assert "closed" in desk.post("/undo", code=409)["error"]
    owner.patch("", {"closed": False})
    owner.patch(f"/items/{second['item']}", {"removed": True})
    assert "taken out" in desk.post("/undo", code=409)["error"]
    assert Item.objects.get(pk=second["item"]).submitted == 1
    assert desk.undo()["id"] == first["id"]  # what was done before it can still be


def test_blind_agreement_is_that_of_the_answers_given_before_others_were_seen(project):
    queue = make_queue(project, n=1, reviewers=2)
    ann, bob, owner = Desk(queue), Desk(queue), Desk(queue, owner_of(project))
    ann.undo(), ann.submit(ann.next(), answers={"good": "no"})
    ann.undo()  # nobody else has answered: nothing was seen
    ann.submit(ann.next(), answers={"good": "yes"})
    seen = bob.answer("no")
    bob.submit(seen, answers={"good": "yes"})
    assert Review.objects.get(by=ann.user).first is None
    assert not Item.objects.get().conflict
    [question] = owner.get("/report")["questions"]
    assert (question["raw"]["value"], question["changed"]) == (0, 1)
    assert dict(question["answers"])["yes"] == 2
    bob.undo()
    assert Review.objects.get(by=bob.user).first == {"good": "no"}


def test_an_undo_of_a_change_asks_the_lead_again_what_was_asked(project):
    queue = make_queue(project, n=1)
    desk = Desk(queue)
    review = desk.submit(desk.next(), asks_lead=True, comment="c")
    desk.submit(review, answers={"good": "no"}, asks_lead=False, comment="d")
    undone = desk.undo()
    assert (undone["state"], undone["asks_lead"], undone["comment"]) == (State.SUBMITTED, True, "c")


def test_who_decides_what_is_settled_meanwhile_is_told_so(project):
    queue = make_queue(project, n=1, reviewers=2)
    ann, bob, lee = Desk(queue), Desk(queue), Desk(queue, role="reviewer")
    ann.answer("yes")
    bob.answer("no")
    decision = lee.post(f"/items/{Item.objects.get().pk}/decide")
    bob.undo()
    assert "nothing to decide" in lee.submit(decision, code=409)["error"]


def test_a_form_that_was_made_before_the_answer_does_not_change_it(client, project):
    queue = make_queue(project, [{**GOOD, "required": False}, TEXT], n=1)
    client.force_login(make_user(team=project.team, role="annotator"))
    other = client.get(page_of(queue, "desk")).context  # two tabs of the same item
    address, stale = other["answer_address"], {"stamp": other["stamp"], "a.good": "no", "a.why": "second"}
    client.post(address, {"stamp": other["stamp"], "a.good": "yes", "a.why": "first", "seconds": "40"})
    told = client.post(address, stale, headers={"HX-Request": "true"})
    assert told.status_code == 409 and "in another tab" in told.json()["text"] and told.json()["open"] == address
    page = client.post(address, stale)  # without scripts what was typed stands in the form, to be sent again
    assert page.status_code == 409 and "second" in page.content.decode()
    review = Review.objects.get()
    assert review.answers == {"good": "yes", "why": "first"}
    client.post(address, {**stale, "stamp": page.context["stamp"], "spent": "40.0", "seconds": "2.5"})
    review.refresh_from_db()
    assert (review.answers["why"], review.seconds) == ("second", 42.5)


def test_time_on_an_item_is_that_of_all_visits(project):
    desk = Desk(make_queue(project, n=1))
    review = desk.next()
    assert desk.post(f"/reviews/{review['id']}/draft", {"answers": {}, "seconds": 6})["seconds"] == 6
    desk.submit(review, seconds=46.5)
    desk.undo()
    again = desk.submit(desk.next(), seconds=3)
    assert again["seconds"] == 46.5
    assert "in another tab" in desk.submit(again, answers={"good": "no"}, stamp="", code=409)["error"]
    assert desk.submit(again, answers={"good": "no"}, stamp=again["stamp"])["answers"] == {"good": "no"}
