"""Answers that are changed, taken back, or sent from a page of before: what counts, and what stays."""

import pytest

from reviews.models import Item, Review, State
from tests.factories import owner_of
from tests.reviews.queues import Desk, make_queue

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
