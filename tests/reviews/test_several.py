"""Several reviewers an item: as many answers as were asked for, blind, conflicts for a third, hidden gold items."""

import threading
import time

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from interactions.labels import labels_of
from interactions.models import Interaction
from reviews import slots
from reviews.desk import next_review
from reviews.models import Item, Review, State
from reviews.questions import conflicts, read_questions, tidied
from reviews.sayings import in_words
from tests.factories import make_interaction, make_project, owner_of
from tests.reviews.queues import GOOD, TONE, Desk, add_items, make_queue

LABELLED = {**GOOD, "writes": {"label": "verdict"}}


def labels(item):
    [row] = labels_of(list(Interaction.objects.filter(pk=item.interaction_id)))
    return {label.key: label.value for label in row.labels}


def disagree(queue, one="yes", other="no"):
    """Two people who differ on the next item."""
    desks = Desk(queue), Desk(queue)
    for desk, value in zip(desks, (one, other), strict=True):
        desk.answer(value)
    return desks


# -- at once --------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_three_at_once_give_each_of_forty_items_two_answers_and_never_three():
    project = make_project()
    queue = make_queue(project, [GOOD, TONE], n=40, reviewers=2)
    desks, seen, faults = [Desk(queue) for _ in range(3)], [], []

    def work(desk, tone):
        try:
            while True:
                told = desk.post("/next")
                review = told["review"]
                if review is None:
                    if not told["progress"]["waiting"]:
                        return
                    time.sleep(0.01)
                    continue
                seen.append(review["others"])
                answers = {"good": "yes", "tone": (review["item"] + tone) % 5 + 1}
                # each is sent twice, as by a browser that got no answer
                for _ in range(2):
                    desk.submit(review, answers=answers)
        except BaseException as error:  # told in the main thread
            faults.append(error)
            raise
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(desk, place)) for place, desk in enumerate(desks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not faults
    assert set(Item.objects.filter(queue=queue).values_list("submitted", "open")) == {(2, False)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT by_id) FROM reviews_review WHERE state = 'submitted' GROUP BY item_id"
        )
        assert cursor.fetchall() == [(2, 2)] * 40
    assert len(seen) == 80 and not any(seen)  # nobody was shown what another had said
    assert all(Review.objects.filter(by=desk.user, state=State.SUBMITTED).count() > 12 for desk in desks)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_ask_for_the_last_item_at_once_one_gets_it():
    project = make_project()
    queue = make_queue(project, n=1)
    desks, got, gate = [Desk(queue) for _ in range(6)], [], threading.Barrier(6)

    def ask(desk):
        try:
            gate.wait()
            got.append(desk.next())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask, args=(desk,)) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(review is not None for review in got) == 1 and len(got) == 6
    assert Review.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_looks_for_an_item_keeps_none_of_those_that_others_are_at():
    """Each goes through her own in another order: two who kept them could wait for each other."""
    queue = make_queue(make_project(), n=2)
    one, other = Desk(queue), Desk(queue)
    mine = one.next()
    mine = [mine, one.next(besides=[mine["id"]])]
    Review.objects.filter(by=one.user).update(locked_until=timezone.now())
    theirs = other.next()
    assert {other.next(besides=[theirs["id"]])["item"], theirs["item"]} == {review["item"] for review in mine}
    free = []

    def look():
        with transaction.atomic():
            free.extend(Item.objects.select_for_update(skip_locked=True).values_list("pk", flat=True))
        connections.close_all()

    with transaction.atomic():
        assert next_review(queue, one.user) is None
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(30)
    assert len(free) == 2


# -- blind ----------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_in_a_blind_queue_others_answers_show_once_ones_own_is_in(project):
    queue = make_queue(project, n=1, reviewers=2)
    one, other = Desk(queue), Desk(queue)
    first = one.answer("yes")
    assert first["others"] == []
    review = other.next()
    assert review["others"] == []
    done = other.submit(review, answers={"good": "yes"})
    assert [(said["by"], said["answers"]) for said in done["others"]] == [(one.user.email, {"good": "yes"})]
    # taken back, it is hidden again
    assert other.undo()["others"] == []


@pytest.mark.django_db
def test_in_an_open_queue_they_show_at_once(project):
    queue = make_queue(project, n=1, reviewers=2, blind=False)
    Desk(queue).answer("yes")
    assert [said["answers"] for said in Desk(queue).next()["others"]] == [{"good": "yes"}]


# -- conflicts ------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_those_who_differ_wait_for_a_third_who_sees_both_and_whose_word_counts(project):
    queue = make_queue(project, [LABELLED], n=1, reviewers=2)
    one, other = disagree(queue)
    item = Item.objects.get()
    assert item.conflict and not item.open and labels(item) == {}
    third = Desk(queue, role="reviewer")
    [conflict] = third.get("/conflicts")["results"]
    assert {said["answers"]["good"] for said in conflict["given"]} == {"yes", "no"}
    assert conflict["mine"] is False and conflict["held_by"] is None
    review = third.post(f"/items/{item.pk}/decide")
    assert review["decides"] and len(review["others"]) == 2
    third.submit(review, answers={"good": "no"})
    item.refresh_from_db()
    assert (item.decided, item.conflict, item.submitted) == (True, False, 2)
    assert labels(item) == {"verdict": "no"}
    assert third.get("/conflicts")["results"] == []
    assert third.next() is None


@pytest.mark.django_db
def test_a_decision_can_be_taken_back(project):
    queue = make_queue(project, [LABELLED], n=1, reviewers=2)
    disagree(queue)
    item, third = Item.objects.get(), Desk(queue, role="reviewer")
    third.submit(third.post(f"/items/{item.pk}/decide"), answers={"good": "no"})
    assert third.undo()["decides"]
    item.refresh_from_db()
    assert (item.decided, item.conflict) == (False, True)
    assert labels(item) == {}


@pytest.mark.django_db
def test_who_differs_does_not_decide_and_only_one_decides_at_a_time(project):
    queue = make_queue(project, n=1, reviewers=2)
    owner, other = Desk(queue, owner_of(project)), Desk(queue)
    owner.answer("yes")
    other.answer("no")
    item = Item.objects.get()
    assert owner.get("/conflicts")["results"][0]["mine"]
    assert "differ" in owner.post(f"/items/{item.pk}/decide", code=409)["error"]
    third, fourth = Desk(queue, role="reviewer"), Desk(queue, role="reviewer")
    mine = third.post(f"/items/{item.pk}/decide")
    assert third.post(f"/items/{item.pk}/decide")["id"] == mine["id"]
    assert "else" in fourth.post(f"/items/{item.pk}/decide", code=409)["error"]
    assert fourth.get("/conflicts")["results"][0]["held_by"] == third.user.email
    assert other.call("POST", f"/items/{item.pk}/decide").status_code == 403
    third.submit(mine)
    assert "nothing to decide" in fourth.post(f"/items/{item.pk}/decide", code=409)["error"]


@pytest.mark.django_db
def test_what_is_decided_is_no_longer_undone_by_those_who_differed(project):
    queue = make_queue(project, n=2, reviewers=2)
    one, other = disagree(queue)
    second = one.answer()
    item = Item.objects.filter(conflict=True).get()
    third = Desk(queue, role="reviewer")
    third.submit(third.post(f"/items/{item.pk}/decide"))
    assert one.undo()["id"] == second["id"]
    assert "third person" in one.post("/undo", code=409)["error"]
    assert one.undo() is None
    [review] = Review.objects.filter(item=item, by=other.user)
    other.submit({"id": review.pk}, answers={"good": "yes"}, code=409)


@pytest.mark.django_db
def test_one_mind_makes_no_conflict_and_an_answer_changed_settles_it(project):
    queue = make_queue(project, [LABELLED, TONE], n=1, reviewers=2)
    one, other = Desk(queue), Desk(queue)
    first = one.submit(one.next(), answers={"good": "yes", "tone": 3})
    other.submit(other.next(), answers={"good": "yes", "tone": 4})
    item = Item.objects.get()
    assert item.conflict
    one.submit(first, answers={"good": "yes", "tone": 4})
    item.refresh_from_db()
    assert not item.conflict and labels(item) == {"verdict": "yes"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("question", "one", "other", "conflict"),
    [
        ({"key": "q", "kind": "text", "text": "?"}, "this", "that", False),
        ({"key": "q", "kind": "several", "text": "?", "options": ["a", "b"]}, ["b", "a"], ["a", "b"], False),
        ({"key": "q", "kind": "several", "text": "?", "options": ["a", "b"], "required": False}, [], ["a"], True),
        ({"key": "q", "kind": "yes_no", "text": "?", "required": False}, None, True, False),
        ({"key": "q", "kind": "yes_no", "text": "?"}, False, True, True),
    ],
)
def test_what_counts_as_differing(project, question, one, other, conflict):
    queue = make_queue(project, [question], n=1, reviewers=2)
    for answer in (one, other):
        desk = Desk(queue)
        desk.submit(desk.next(), answers={"q": answer})
    assert Item.objects.get().conflict is conflict


FLAGS = {"key": "flags", "kind": "several", "text": "Flags", "options": ["b", "a"], "writes": {"label": "flag"}}


def differently_ordered(project):
    """(the queue, what two people said of its one item): the same two options, which stood in another order by then."""
    queue = make_queue(project, [FLAGS], n=1, reviewers=2)
    one, other, owner = Desk(queue), Desk(queue), Desk(queue, owner_of(project))
    reviews = [one.submit(one.next(), answers={"flags": ["b", "a"]})]
    owner.patch("", {"questions": [{**FLAGS, "options": ["a", "b"]}]})
    reviews.append(other.submit(other.next(), answers={"flags": ["b", "a"]}))
    assert [review["form_version"] for review in reviews] == [1, 2]
    return queue, reviews


@pytest.mark.django_db
def test_the_same_options_in_another_order_are_the_same_answer(project):
    queue, (one, other) = differently_ordered(project)
    item = Item.objects.get()
    assert not item.conflict and labels(item) == {"flag/a": "yes", "flag/b": "yes"}
    assert one["answers"] == other["answers"]
    [told] = Desk(queue, owner_of(project)).get("/report")["questions"]
    assert (told["raw"]["value"], told["raw"]["n"]) == (1, 1)


def test_several_options_are_told_in_the_order_of_their_question():
    [question] = read_questions([FLAGS])
    assert in_words(question, tidied([question], {"flags": ["a", "b"]})["flags"]) == "b, a"


@pytest.mark.django_db
def test_answers_that_were_kept_in_another_order_are_compared_as_sets(project):
    queue, (one, _) = differently_ordered(project)
    Review.objects.filter(pk=one["id"]).update(answers={"flags": ["b", "a"]})
    owner = Desk(queue, owner_of(project))
    report = owner.get("/report")
    assert report["questions"][0]["raw"]["value"] == 1
    assert [person["agreement"]["value"] for person in report["people"]] == [1, 1]
    assert not conflicts([(r.form.questions, r.answers, r.swapped) for r in Review.objects.select_related("form")])


@pytest.mark.django_db
def test_of_a_pair_people_agree_on_the_answer_and_not_on_the_side(project, monkeypatch):
    question = {"key": "better", "kind": "pair", "text": "?"}
    queue = make_queue(project, [question], kind="pair", reviewers=2)
    add_items(queue, [(make_interaction(project, model="a"), make_interaction(project, model="b")) for _ in range(2)])
    best, crossed = {}, 0
    for side, desk in enumerate((Desk(queue), Desk(queue))):
        monkeypatch.setattr(slots, "is_swapped", lambda item, user, side=side: bool(side))  # it is drawn by their ids
        for _ in range(2):
            review = desk.next()
            left, right = review["interaction_ids"]
            wanted = best.setdefault(review["item"], left)
            crossed += wanted == right
            desk.submit(review, answers={"better": "a" if wanted == left else "b"})
    assert crossed == 2 and not Item.objects.filter(conflict=True).exists()


# -- gold -----------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kept", "right"), [(["b", "a"], 1), (["a", "b"], 1), (["a"], 0), (["a", "b", "c"], 0), ([], 0)]
)
def test_a_control_of_several_options_is_right_in_whatever_order_they_are_kept(project, kept, right):
    queue = make_queue(project, [{**FLAGS, "options": ["a", "b", "c"]}], n=1)
    owner, desk = Desk(queue, owner_of(project)), Desk(queue)
    item = Item.objects.get()
    owner.patch(f"/items/{item.pk}", {"gold": {"flags": ["b", "a"]}})
    desk.submit(desk.next(), answers={"flags": ["a"]})
    Review.objects.update(answers={"flags": kept})
    assert owner.get("/report")["people"][0]["gold"]["value"] == right


@pytest.mark.django_db
def test_every_reviewer_gets_the_gold_items_and_cannot_tell_them(project):
    queue = make_queue(project, n=6)
    owner = Desk(queue, owner_of(project))
    gold = owner.get("/items")["results"][2]["id"]
    owner.patch(f"/items/{gold}", {"gold": {"good": "yes"}})
    desks = Desk(queue), Desk(queue)
    got = {}
    for desk in desks:
        got[desk] = []
        while review := desk.next():
            assert "gold" not in str(review)
            got[desk].append(desk.submit(review, answers={"good": "no"})["item"])
            if desk is desks[0] and len(got[desk]) == 3 and gold in got[desk]:
                break
    assert all(gold in items for items in got.values())
    assert Item.objects.get(pk=gold).submitted == 2
    assert all(one.submitted == 1 for one in Item.objects.filter(queue=queue, gold=None) if not one.open)


@pytest.mark.django_db
def test_controls_take_only_answers_that_fit_and_not_once_people_have_answered(project):
    queue = make_queue(project, n=2)
    owner, desk = Desk(queue, owner_of(project)), Desk(queue)
    first, second = (item["id"] for item in owner.get("/items")["results"])
    for gold in ({"good": "maybe"}, {"none": 1}, {}, "yes"):
        assert owner.call("PATCH", f"/items/{first}", {"gold": gold}).status_code == 400
    done = desk.answer()
    assert "answered" in owner.patch(f"/items/{done['item']}", {"gold": {"good": "yes"}}, 409)["error"]
    assert owner.patch(f"/items/{second}", {"gold": {"good": "yes"}})["gold"] == {"good": "yes"}
    assert [item["id"] for item in owner.get("/items?show=gold")["results"]] == [second]
    assert owner.patch(f"/items/{second}", {"gold": None})["gold"] is None
