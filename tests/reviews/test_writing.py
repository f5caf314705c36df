"""What answers become: labels, feedback, preferences, corrections; and what an undo takes back."""

import pytest

from feedback.corrections import correct_completion, correction_of
from feedback.giving import give_feedback
from feedback.models import Feedback, Preference
from feedback.rollups import pairs
from feedback.services import create_feedback_key, unlink_feedback_key
from interactions.labels import labels_of, set_label
from interactions.labels.keys import describe_key
from interactions.models import Interaction, LabelEvent
from reviews.models import Item
from tests.factories import make_interaction, owner_of
from tests.reviews.queues import GOOD, TONE, Desk, add_items, make_queue

pytestmark = pytest.mark.django_db
LABELLED = {**GOOD, "writes": {"label": "verdict"}}
BETTER = {"key": "better", "kind": "pair", "text": "Which is better?", "writes": {"preference": "taste"}}
FIX = {"key": "fix", "kind": "correction", "text": "Better?", "required": False, "writes": {"correction": True}}


def labels(review):
    [row] = labels_of(list(Interaction.objects.filter(pk=review["interaction_ids"][0])))
    return {label.key: label.value for label in row.labels}


def values(project, key="tone"):
    rows = Feedback.objects.current().filter(feedback_key__key=key).order_by("id")
    return [(row.value, row.origin, row.by.email) for row in rows.select_related("by")]


@pytest.fixture
def keys(project):
    """Feedback keys of the project."""
    made = {}
    for key, kind in (("tone", "scalar"), ("fine", "bool"), ("taste", "bool")):
        made[key], _ = create_feedback_key(team=project.team, key=key, kind=kind, projects=[project])
    return made


def test_a_label_is_written_and_an_undo_takes_it_back(project):
    desk = Desk(make_queue(project, [LABELLED], n=1))
    review = desk.answer("no")
    assert labels(review) == {"verdict": "no"}
    assert LabelEvent.objects.get().by == desk.user
    desk.undo()
    assert labels(review) == {}


def test_an_undo_brings_back_what_was_logged_though_nobody_may_set_it(project):
    queue = make_queue(project, [LABELLED], n=1)
    for row in Interaction.objects.filter(project=project):
        set_label(interaction=row, key="verdict", value="odd", by=owner_of(project))
    describe_key(project=project, key="verdict", values=["yes", "no"])
    desk = Desk(queue)
    review = desk.answer("no")
    assert labels(review) == {"verdict": "no"}
    desk.undo()
    assert labels(review) == {"verdict": "odd"}


def test_an_undo_brings_the_former_label_back_and_leaves_one_that_changed_since(project):
    queue = make_queue(project, [LABELLED], n=2)
    owner = owner_of(project)
    for row in Interaction.objects.filter(project=project):
        set_label(interaction=row, key="verdict", value="old", by=owner)
    desk = Desk(queue)
    first, second = desk.answer("no"), desk.answer("yes")
    set_label(
        interaction=Interaction.objects.get(pk=second["interaction_ids"][0]), key="verdict", value="mine", by=owner
    )
    desk.undo()
    desk.undo()
    assert (labels(first), labels(second)) == ({"verdict": "old"}, {"verdict": "mine"})


@pytest.mark.parametrize(
    ("question", "answer", "written"),
    [
        ({"key": "q", "kind": "yes_no", "text": "?", "writes": {"label": "fine"}}, True, {"fine": "yes"}),
        ({"key": "q", "kind": "yes_no", "text": "?", "writes": {"label": "fine"}}, False, {"fine": "no"}),
        ({"key": "q", "kind": "scale", "text": "?", "writes": {"label": "tone"}}, 4, {"tone": "4"}),
        (
            {"key": "q", "kind": "several", "text": "?", "options": ["a", "b", "c"], "writes": {"label": "flag"}},
            ["c", "a"],
            {"flag/a": "yes", "flag/c": "yes"},
        ),
        ({"key": "q", "kind": "text", "text": "?"}, "words", {}),
        ({"key": "q", "kind": "single", "text": "?", "options": ["a"]}, "a", {}),
    ],
)
def test_each_kind_of_question_writes_its_labels(project, question, answer, written):
    desk = Desk(make_queue(project, [question], n=1))
    review = desk.submit(desk.next(), answers={"q": answer})
    assert labels(review) == written
    desk.undo()
    assert labels(review) == {}


@pytest.mark.parametrize(
    ("question", "answer", "key", "value"),
    [
        ({"key": "q", "kind": "scale", "text": "?", "writes": {"feedback": "tone"}}, 4, "tone", 4),
        ({"key": "q", "kind": "yes_no", "text": "?", "writes": {"feedback": "fine"}}, False, "fine", 0),
        (
            {"key": "q", "kind": "single", "text": "?", "options": ["0", "0.5"], "writes": {"feedback": "tone"}},
            "0.5",
            "tone",
            0.5,
        ),
    ],
)
def test_feedback_is_given_as_a_reviewers_and_taken_back(project, keys, question, answer, key, value):
    desk = Desk(make_queue(project, [question], n=1))
    desk.submit(desk.next(), answers={"q": answer}, comment="Because.")
    assert values(project, key) == [(value, "reviewer", desk.user.email)]
    assert Feedback.objects.current().get().details == "Because."
    desk.undo()
    assert values(project, key) == []


def test_answering_otherwise_leaves_one_current_value(project, keys):
    desk = Desk(make_queue(project, [{**TONE, "writes": {"feedback": "tone"}}], n=1))
    review = desk.submit(desk.next(), answers={"tone": 2})
    desk.submit(review, answers={"tone": 5})
    assert [value for value, *_ in values(project)] == [5]
    desk.undo()
    assert [value for value, *_ in values(project)] == [2]


def test_a_correction_is_kept_and_an_undo_brings_the_former_back(project):
    queue = make_queue(project, [FIX], n=1)
    row, owner, desk = Interaction.objects.get(project=project), owner_of(project), Desk(queue)
    correct_completion(interaction=row, completion="The owner's", by=owner)
    desk.submit(desk.next(), answers={"fix": "Mine"})
    assert (correction_of(row.pk).completion, correction_of(row.pk).by) == ("Mine", desk.user)
    desk.undo()
    assert (correction_of(row.pk).completion, correction_of(row.pk).by) == ("The owner's", owner)


def corrected_by_two(project):
    """(the interaction, two people whose corrections of it are in, their reviews): the second's stands."""
    queue = make_queue(project, [FIX], n=1, reviewers=2)
    row, desks = Interaction.objects.get(project=project), [Desk(queue), Desk(queue)]
    reviews = [desk.submit(desk.next(), answers={"fix": text}) for desk, text in zip(desks, "12", strict=True)]
    assert correction_of(row.pk).completion == "2"
    return row, desks, reviews


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_when_both_take_their_corrections_back_none_stands(project, order):
    row, desks, _ = corrected_by_two(project)
    first, second = order
    desks[first].undo()
    left = correction_of(row.pk)
    assert (left.completion, left.by) == ("12"[second], desks[second].user)
    desks[second].undo()
    assert correction_of(row.pk) is None


def test_a_correction_that_its_author_changed_is_not_brought_back_by_anothers_undo(project):
    row, [one, other], [review, _] = corrected_by_two(project)
    one.submit(review, answers={})
    assert correction_of(row.pk).completion == "2"
    other.undo()
    assert correction_of(row.pk) is None


def test_a_correction_of_before_stands_again_once_those_of_two_queues_are_taken_back(project):
    row = make_interaction(project, completion="Said")
    correct_completion(interaction=row, completion="The owner's", by=owner_of(project))
    desks = []
    for name in ("One", "Two"):
        queue = make_queue(project, [FIX], name=name)
        add_items(queue, [row])
        desks.append(Desk(queue))
        desks[-1].submit(desks[-1].next(), answers={"fix": name})
    desks[0].undo()
    assert correction_of(row.pk).completion == "Two"
    desks[1].undo()
    assert correction_of(row.pk).completion == "The owner's"


def test_a_completion_left_as_it_was_is_no_correction(project):
    question = {"key": "fix", "kind": "correction", "text": "Better?", "writes": {"correction": True}}
    desk = Desk(make_queue(project, [question], n=1))
    desk.submit(desk.next(), answers={"fix": "Answer 0"})
    assert correction_of(Interaction.objects.get(project=project).pk) is None


@pytest.mark.parametrize("answer", ["a", "b", "tie", "both_bad"])
def test_a_preference_names_what_the_reviewer_saw_on_that_side_and_is_taken_back(project, keys, answer):
    queue = make_queue(project, [BETTER], kind="pair")
    add_items(queue, [(make_interaction(project, model="m1"), make_interaction(project, model="m2")) for _ in range(4)])
    desk, swapped = Desk(queue), set()
    for _ in range(4):
        review = desk.submit(desk.next(), answers={"better": answer})
        left, right = review["interaction_ids"]
        item = Item.objects.get(pk=review["item"])
        swapped.add(str(item.interaction_id) != left)
        rows = {
            str(row.interaction_id): row.outcome for row in Preference.objects.filter(interaction_id__in=[left, right])
        }
        expected = {
            "a": {left: "won", right: "lost"},
            "b": {left: "lost", right: "won"},
            "tie": dict.fromkeys((left, right), "tied"),
            "both_bad": dict.fromkeys((left, right), "tied_bad"),
        }[answer]
        assert rows == expected
    assert Preference.objects.filter(origin="reviewer", by=desk.user).count() == 8
    for _ in range(4):
        desk.undo()
    assert not Preference.objects.exists()
    assert not pairs(project, keys["taste"])


def test_in_a_blind_queue_of_several_nothing_is_written_before_all_have_answered(project, keys):
    questions = [{**TONE, "writes": {"feedback": "tone"}}, LABELLED]
    queue = make_queue(project, questions, n=1, reviewers=2)
    one, other = Desk(queue), Desk(queue)
    review = one.submit(one.next(), answers={"tone": 2, "good": "yes"})
    assert values(project) == [] and labels(review) == {}
    other.submit(other.next(), answers={"tone": 2, "good": "yes"})
    assert sorted(values(project)) == sorted([(2, "reviewer", one.user.email), (2, "reviewer", other.user.email)])
    assert labels(review) == {"verdict": "yes"}
    one.undo()
    assert values(project) == [(2, "reviewer", other.user.email)] and labels(review) == {}
    one.submit(review, answers={"tone": 2, "good": "yes"})
    assert len(values(project)) == 2 and labels(review) == {"verdict": "yes"}


def test_in_an_open_queue_of_several_feedback_is_written_with_each_answer(project, keys):
    queue = make_queue(project, [{**TONE, "writes": {"feedback": "tone"}}], n=1, reviewers=2, blind=False)
    one, other = Desk(queue), Desk(queue)
    one.submit(one.next(), answers={"tone": 2})
    assert len(values(project)) == 1
    other.submit(other.next(), answers={"tone": 4})
    assert sorted(value for value, *_ in values(project)) == [2, 4]


def test_what_can_no_longer_be_written_is_told_and_the_answer_is_kept(project, keys):
    queue = make_queue(project, [{**TONE, "writes": {"feedback": "tone"}}], n=1)
    unlink_feedback_key(project=project, key=keys["tone"])
    desk = Desk(queue)
    done = desk.submit(desk.next(), answers={"tone": 3})
    assert done["state"] == "submitted" and "tone" in done["not_written"]["tone"]
    assert desk.undo()["answers"] == {"tone": 3}


def test_feedback_that_somebody_changed_since_is_left_alone_by_an_undo(project, keys):
    queue = make_queue(project, [{**TONE, "writes": {"feedback": "tone"}}], n=1)
    desk, row = Desk(queue), Interaction.objects.get(project=project)
    give_feedback(interaction=row, key=keys["tone"], value=9, by=owner_of(project))
    desk.submit(desk.next(), answers={"tone": 3})
    desk.undo()
    assert [value for value, *_ in values(project)] == [9]


def test_a_control_writes_nothing(project, keys):
    queue = make_queue(project, [{**TONE, "writes": {"feedback": "tone"}}, LABELLED], n=1)
    owner, desk = Desk(queue, owner_of(project)), Desk(queue)
    owner.patch(f"/items/{Item.objects.get().pk}", {"gold": {"tone": 4}})
    review = desk.submit(desk.next(), answers={"tone": 4, "good": "yes"})
    assert values(project) == [] and labels(review) == {}
