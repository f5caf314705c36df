"""What becomes of an item when an answer comes or goes: complete, of one mind or not, decided; and what is written.

One person's feedback, preferences and corrections are written when her answers are in; in a blind queue of several
reviewers only when all answers are, since others could read them meanwhile. Labels are written once for all: when all
answers are in and agree, or when a third person has decided. Gold items write nothing.
"""

from reviews.models import Review, State
from reviews.questions import conflicts
from reviews.slots import count_submitted
from reviews.writing import locked_sides, take_back_labels, take_back_own, write_labels, write_own


def settle(item, review, new=True):
    """An answer came: the review is submitted and saved, its item locked; `new` where it was not submitted before."""
    review.item = item
    if review.decides:
        item.decided, item.conflict = True, False
        item.save(update_fields=["decided", "conflict"])
        sides = locked_sides(item)
        _write_own(review, sides)
        _write_labels(item, review, [review], sides)
        return
    if new:
        count_submitted(item, 1)
    if item.gold is None:
        _settle_answers(item, review)


def unsettle(item, review, gone=True):
    """The answer is taken back, with all that was written for it and for what it completed; `gone` where it will not
    be put in again at once. The item is locked."""
    review.item, sides = item, locked_sides(item)
    take_back_own(review.written.get("own", []), sides, review.by)
    for one in Review.objects.filter(item=item, written__has_key="labels"):
        take_back_labels(item, one.written.pop("labels"), review.by)
        one.save(update_fields=["written"])
    review.written = {}
    review.save(update_fields=["written"])
    item.conflict = review.decides
    item.decided = False
    item.save(update_fields=["conflict", "decided"])
    if gone and not review.decides:
        count_submitted(item, -1)


def keep_first(review):
    """Before a submitted answer is changed or taken back: what she said first is kept, where she can know by now what
    others said, and of a gold item, for what is known of it, always."""
    knows = review.item.gold is not None or (review.queue.blind and review.item.submitted > 1)
    if review.first is None and knows and not review.decides:
        review.first = review.answers


def given_to(item):
    """The submitted answers that the item asked for, [Review] by time, with their forms and people."""
    rows = Review.objects.filter(item=item, state=State.SUBMITTED, decides=False)
    return list(rows.select_related("form", "by", "queue__project").order_by("ended_at", "pk"))


def _settle_answers(item, review):
    queue, complete = item.queue, not item.open
    given = given_to(item)
    ready = given if complete else [] if queue.blind else [review]
    sides = locked_sides(item)
    for one in ready:
        if "own" not in one.written:
            one.item = item
            _write_own(one, sides)
            if one.pk == review.pk:
                review.written = one.written
    if not complete:
        return
    differ = conflicts([(one.form.questions, one.answers, one.swapped) for one in given])
    if differ != item.conflict:
        item.conflict = differ
        item.save(update_fields=["conflict"])
    if not differ:
        _write_labels(item, review, given, sides)


def _write_own(review, sides):
    review.written = {**review.written, "own": write_own(review, sides)}
    review.save(update_fields=["written"])


def _write_labels(item, review, given, sides):
    """In the name of the person whose answer settled it; of a question that all who were asked have answered."""
    said = {}
    for one in given:
        for question in one.form.questions:
            if (question["writes"] or {}).get("label"):
                asked = question["key"], question["kind"]
                said.setdefault(asked, []).append((question, one.answers.get(question["key"])))
    agreed = [answers[0] for answers in said.values() if all(answer is not None for _, answer in answers)]
    review.written = {**review.written, "labels": write_labels(item, agreed, sides, review.by)}
    review.save(update_fields=["written"])
