"""What one reviewer does: the next item, drafts, answers, skipping, undoing, going back.

All of it happens with her seat locked, and the item where its places are concerned (slots.py). What an answer writes
elsewhere is told in settling.py.
"""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from interactions.rules import Conflict, RecordError, text_fault
from projects.access import EntityNotFound
from reviews import slots, steps
from reviews.models import State
from reviews.pace import Progress, progress
from reviews.questions import check_answers, tidied
from reviews.services import form_of, guideline_of, may_review
from reviews.settling import given_to, settle, unsettle

MOST_COMMENT = 20_000  # characters
MOST_SECONDS = 86_400
TAKEN = "Somebody else has taken this item meanwhile. Your answers are kept as a draft."
REMOVED = "This item was taken out of the queue. Your answers are kept as a draft."
CLOSED = "The queue is closed. Your answers are kept as a draft."
DECIDED = "A third person has decided this item; it can no longer be changed."
__all__ = [
    "LockLost", "Progress", "Refused", "before", "hold", "later", "next_review", "others", "progress",
    "review_or_404", "save_draft", "sides", "skip", "submit", "undo",
]  # fmt: skip


class LockLost(Conflict):
    """Somebody else took the item meanwhile, or it left the queue: the answers are kept as a draft."""


class Refused(RecordError):
    """Answers that do not fit: `faults` is {question key: why}. What fits is kept as a draft."""

    def __init__(self, faults):
        self.faults = faults
        super().__init__({key: [why] for key, why in faults.items()})


# -- getting an item ------------------------------------------------------------------------------
@transaction.atomic
def next_review(queue, user, besides=()):
    """The Review to go on with, locked for five minutes, or None where there is none. Asked again it is the same one,
    until it is submitted, skipped or put off. `besides`: ids of Reviews that she has in her hands already, to fetch one
    ahead. `.item.queue.project`, `.form` and `.guideline` are there. PermissionDenied for who is no reviewer of it."""
    if not may_review(queue, user):
        raise PermissionDenied(f"You are none of the reviewers of {queue.name}.")
    if queue.closed_at:
        return None
    seat, besides = slots.seat_of(queue, user), [str(one) for one in besides]
    begun = list(slots.in_hand(queue, user, besides))
    if review := _again(one for one in begun if one.place is None):
        return review
    if item := slots.next_item(queue, seat):
        return slots.hers(queue, user).get(pk=slots.taken(item, user).pk)
    return _again(one for one in begun if one.place is not None)


def _again(reviews):
    """The first of these that still has a place, held again. What nothing was typed into gets the questions and the
    guideline of today."""
    for review in reviews:
        review.item = slots.locked_item(review.item_id)
        if review.item.removed_at or not slots.is_free(review.item, review.by):
            continue
        if review.state == State.PENDING:
            review.form, review.guideline = form_of(review.queue), guideline_of(review.queue)
        review.place = None
        review.save(update_fields=["form", "guideline", "place"])
        slots.hold(review)
        return review
    return None


def review_or_404(queue, user, review_id):
    """Her own Review of this queue, whatever its state, with the same fields; EntityNotFound."""
    review = slots.hers(queue, user, pk=review_id).first()
    if review is None:
        raise EntityNotFound("Review", review_id)
    return review


def sides(review):
    """The ids of the interactions in the order this person sees them: one, or A and B of a pair."""
    pair = [review.item.interaction_id, review.item.other_id]
    return pair[::-1] if review.swapped else [one for one in pair if one]


# -- answering ------------------------------------------------------------------------------------
def save_draft(*, review, answers, comment="", asks_lead=None):
    """Keep what is typed so far, and hold the item for five more minutes where it is free. Refused for answers that do
    not fit (what fits is kept). A review that is submitted is left as it is. The Review."""
    faults = check_answers(review.form.questions, answers, complete=False)
    comment, asks_lead = _checked_comment(comment, faults), _checked_lead(asks_lead, faults)
    review = _draft(review, _sound(answers, faults), comment, asks_lead)
    if faults:
        raise Refused(faults)
    return review


@transaction.atomic
def _draft(review, answers, comment, asks_lead):
    review, _ = _at(review)
    if review.state != State.SUBMITTED:
        _keep(review, answers, comment, asks_lead)
    _hold(review)
    return review


@transaction.atomic
def hold(*, review):
    """Lock its item for five more minutes, where it is free: for who reads for long. The questions stay those she was
    given. The Review."""
    review, _ = _at(review)
    _hold(review)
    return review


def submit(*, review, answers, comment="", seconds=None, asks_lead=None):
    """Her answers, and what they write. Refused; LockLost; Conflict where a third person has decided. The same again is
    one; others again, after going back, change what was said. `seconds`: her time on it. The Review."""
    faults = check_answers(review.form.questions, answers, complete=True)
    comment, seconds = _checked_comment(comment, faults), _checked_seconds(seconds, faults)
    asks_lead = _checked_lead(asks_lead, faults)
    if faults:
        _draft(review, _sound(answers, faults), comment, asks_lead)
        raise Refused(faults)
    with transaction.atomic():
        review, seat = _at(review)
        kept = tidied(review.form.questions, answers)
        said = review.answers, review.comment, review.asks_lead if asks_lead is not None else None
        if review.state == State.SUBMITTED and said == (kept, comment, asks_lead):
            return review
        lost = _why_lost(review)
        if lost:
            _keep(review, kept, comment, asks_lead)
        else:
            steps.remember(seat, review, "submit")
            _submit(review, kept, comment, seconds, asks_lead)
    if lost:
        raise LockLost(lost)
    return review


def _why_lost(review):
    """Why an answer cannot be taken now, or None."""
    item = review.item
    if item.decided and not review.decides:
        raise Conflict(DECIDED)
    if review.queue.closed_at:
        return CLOSED
    if item.removed_at:
        return REMOVED
    has_place = review.state == State.SUBMITTED or slots.is_free(item, review.by, review.decides)
    return None if has_place else TAKEN


def _submit(review, answers, comment, seconds, asks_lead):
    new = review.state != State.SUBMITTED
    if not new:
        unsettle(review.item, review, gone=False)
    review.state, review.answers, review.comment = State.SUBMITTED, answers, comment
    review.ended_at = review.ended_at or timezone.now()
    review.locked_until = review.place = None
    review.seconds = seconds if seconds is not None else review.seconds
    review.asks_lead = review.asks_lead if asks_lead is None else asks_lead
    review.save()
    settle(review.item, review, new)


def skip(*, review):
    """On to the next: this comes to her no more unless she goes back or puts it off. One that is submitted is left as
    it is. The Review."""
    return _lay_down(review, "skip", State.SKIPPED, ended_at=timezone.now())


def later(*, review):
    """To the end of her own order; others may take it meanwhile. Also for one that she skipped. The Review."""
    place = slots.last_place(review.queue, review.by) + 1
    return _lay_down(review, "later", place=place, ended_at=None)


@transaction.atomic
def _lay_down(review, what, state=None, **changes):
    review, seat = _at(review)
    state = state or _begun(review)
    if review.state == State.SUBMITTED or review.state == state == State.SKIPPED:
        return review
    steps.remember(seat, review, what)
    for name, value in {**changes, "state": state, "locked_until": None}.items():
        setattr(review, name, value)
    review.save()
    return review


# -- going back -----------------------------------------------------------------------------------
def undo(queue, user):
    """Take back the last thing she did (submit, skip, put off), up to twenty, with all that it wrote; the Review, which
    is open again with its answers, or None. Conflict where a third person has decided since: that one stays."""
    with transaction.atomic():
        seat = slots.seat_of(queue, user)
        step = steps.last(seat)
        if step is None:
            return None
        review = review_or_404(queue, user, step.review_id)
        review.item = slots.locked_item(review.item_id)
        settled = review.item.decided and not review.decides and review.state == State.SUBMITTED
        steps.take_back(step)
        if not settled:
            _undo(review, step)
    if settled:
        raise Conflict(DECIDED)
    return review


def _undo(review, step):
    """Her answers stay in the form: she took back that she sent them."""
    was_submitted, before = review.state == State.SUBMITTED, step.before
    is_change = was_submitted and before["state"] == State.SUBMITTED
    if was_submitted:
        unsettle(review.item, review, gone=not is_change)
    if is_change:
        review.answers, review.comment = before["answers"], before["comment"]
        review.save()
        settle(review.item, review, new=False)
        return
    typed = before["state"] == State.PENDING and (review.answers or review.comment)  # into what she had skipped
    review.state = State.DRAFT if was_submitted or typed else before["state"]
    review.place = None if was_submitted else before["place"]
    review.ended_at = None if was_submitted or not before["ended_at"] else parse_datetime(before["ended_at"])
    review.save()
    _hold(review)


def before(review):
    """The Review that she ended before this one, submitted or skipped, or None."""
    rows = slots.hers(review.queue, review.by, state__in=[State.SUBMITTED, State.SKIPPED]).exclude(pk=review.pk)
    if review.ended_at:
        rows = rows.filter(ended_at__lt=review.ended_at)
    return rows.order_by("-ended_at").first()


def others(review):
    """What others submitted on this item, [Review] by time: none in a blind queue before her own is submitted. Who
    decides sees all."""
    if review.queue.blind and not review.decides and review.state != State.SUBMITTED:
        return []
    return [one for one in given_to(review.item) if one.pk != review.pk]


# -- what they have in common ---------------------------------------------------------------------
def _begun(review):
    """The state of an open review."""
    return State.DRAFT if review.answers or review.comment else State.PENDING


def _at(review):
    """(the Review as it is now, its item locked; her seat, locked)."""
    seat = slots.seat_of(review.queue, review.by)
    review = slots.hers(review.queue, review.by).get(pk=review.pk)
    review.item = slots.locked_item(review.item_id)
    return review, seat


def _hold(review):
    if review.state in slots.OPEN and slots.is_free(review.item, review.by, review.decides):
        slots.hold(review)


def _keep(review, answers, comment, asks_lead):
    review.answers, review.comment = tidied(review.form.questions, answers), comment
    review.state = State.DRAFT if review.state == State.PENDING else review.state
    review.asks_lead = review.asks_lead if asks_lead is None else asks_lead
    review.save()


def _sound(answers, faults):
    return {key: answer for key, answer in answers.items() if key not in faults} if isinstance(answers, dict) else {}


def _checked_comment(comment, faults):
    """The comment; empty where a fault was told of it."""
    comment = "" if comment is None else comment
    if not isinstance(comment, str) or len(comment) > MOST_COMMENT:
        faults["comment"] = f"Send text of at most {MOST_COMMENT:,} characters."
    elif fault := text_fault(comment):
        faults["comment"] = fault
    return "" if "comment" in faults else comment


def _checked_lead(asks_lead, faults):
    """Whether a lead is asked; None where that stays as it was, or a fault was told."""
    if asks_lead is None or isinstance(asks_lead, bool):
        return asks_lead
    faults["asks_lead"] = "Send true or false."
    return None


def _checked_seconds(seconds, faults):
    """Seconds, a day at the most; None where they are not known, or a fault was told."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds >= 0:
        faults["seconds"] = "Send a number of seconds, or null."
        return None
    return float(min(seconds, MOST_SECONDS))
