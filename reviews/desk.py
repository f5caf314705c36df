"""What one reviewer does: the next item, drafts, answers, skipping. Going back is in back.py.

All of it happens with her seat locked, and the item where its places are concerned (slots.py). What an answer writes
elsewhere is told in settling.py.
"""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from interactions.rules import Conflict, RecordError
from reviews import slots, steps
from reviews.checks import checked_comment, checked_lead, checked_seconds, sound, stamp_of
from reviews.decisions import SETTLED
from reviews.models import State
from reviews.questions import check_answers, tidied
from reviews.services import may_review
from reviews.settling import keep_first, settle, unsettle
from reviews.versions import form_of, guideline_of

TAKEN = "Somebody else has taken this item meanwhile. Your answers are kept as a draft."
REMOVED = "This item was taken out of the queue. Your answers are kept as a draft."
ASSIGNED = "This item was given to other people meanwhile. Your answers are kept as a draft."
CLOSED = "The queue is closed. Your answers are kept as a draft."
STALE = (
    "You answered this meanwhile, in another tab or by a call; what you sent now was made from before, and not taken."
)
DECIDED = "A third person has decided this item; it can no longer be changed."


class LockLost(Conflict):
    """Somebody else took the item meanwhile, or it left the queue: the answers are kept as a draft."""


class Stale(Conflict):
    """What was sent would change an answer that whoever made it has not seen."""


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
        item = slots.locked_if_free(review.item_id, review.by)
        if item is None:
            continue
        review.item = item
        if review.state == State.PENDING and review.first is None:
            review.form, review.guideline = form_of(review.queue), guideline_of(review.queue)
        review.place = None
        review.save(update_fields=["form", "guideline", "place"])
        slots.hold(review)
        return review
    return None


def sides(review):
    """The ids of the interactions in the order this person sees them: one, or A and B of a pair."""
    pair = [review.item.interaction_id, review.item.other_id]
    return pair[::-1] if review.swapped else [one for one in pair if one]


# -- answering ------------------------------------------------------------------------------------
def save_draft(*, review, answers, comment="", seconds=None, asks_lead=None):
    """Keep what is typed so far, and hold the item for five more minutes where it is free. Refused for answers that do
    not fit (what fits is kept). A review that is submitted is left as it is. `seconds`: as of `submit`. The Review."""
    faults = check_answers(review.form.questions, answers, complete=False)
    comment, seconds = checked_comment(comment, faults), checked_seconds(seconds, faults)
    review = _draft(review, sound(answers, faults), comment, seconds, checked_lead(asks_lead, faults))
    if faults:
        raise Refused(faults)
    return review


@transaction.atomic
def _draft(review, answers, comment, seconds, asks_lead):
    review, _ = slots.at(review)
    if review.state != State.SUBMITTED:
        _keep(review, answers, comment, seconds, asks_lead)
    slots.hold_if_free(review)
    return review


@transaction.atomic
def hold(*, review):
    """Lock its item for five more minutes, where it is free: for who reads for long. The questions stay those she was
    given. The Review."""
    review, _ = slots.at(review)
    slots.hold_if_free(review)
    return review


def submit(*, review, answers, comment="", seconds=None, asks_lead=None, stamp=None):
    """Her answers, and what they write. Refused; LockLost; Conflict where a third person has decided. The same again is
    one; others again, after going back, change what was said: Stale where the `stamp` (checks.stamp_of) of what they
    were made from is another. `seconds`: all her time on it so far; less than was known is the same. The Review."""
    faults = check_answers(review.form.questions, answers, complete=True)
    comment, seconds = checked_comment(comment, faults), checked_seconds(seconds, faults)
    asks_lead = checked_lead(asks_lead, faults)
    if faults:
        _draft(review, sound(answers, faults), comment, seconds, asks_lead)
        raise Refused(faults)
    with transaction.atomic():
        review, seat = slots.at(review)
        kept = tidied(review.form.questions, answers)
        said = review.answers, review.comment, review.asks_lead if asks_lead is not None else None
        if review.state == State.SUBMITTED and said == (kept, comment, asks_lead):
            return review
        if stamp is not None and review.state == State.SUBMITTED and stamp != stamp_of(review):
            raise Stale(STALE)
        lost = _why_lost(review)
        if lost:
            _keep(review, kept, comment, seconds, asks_lead)
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
    if review.state == State.SUBMITTED or slots.is_free(item, review.by, review.decides):
        return None
    if review.decides:
        return TAKEN if item.conflict else f"{SETTLED} Your answers are kept as a draft."
    return ASSIGNED if slots.is_others(item, review.by) else TAKEN


def _submit(review, answers, comment, seconds, asks_lead):
    new = review.state != State.SUBMITTED
    if not new:
        keep_first(review)
        unsettle(review.item, review, gone=False)
    review.state, review.answers, review.comment = State.SUBMITTED, answers, comment
    review.ended_at = review.ended_at or timezone.now()
    review.locked_until = review.place = None
    review.seconds = _longer(review, seconds)
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
    review, seat = slots.at(review)
    state = state or _begun(review)
    if review.state == State.SUBMITTED or review.state == state == State.SKIPPED:
        return review
    steps.remember(seat, review, what)
    for name, value in {**changes, "state": state, "locked_until": None}.items():
        setattr(review, name, value)
    review.save()
    return review


# -- what they have in common ---------------------------------------------------------------------
def _begun(review):
    """The state of an open review."""
    return State.DRAFT if review.answers or review.comment else State.PENDING


def _longer(review, seconds):
    return review.seconds if seconds is None else max(seconds, review.seconds or 0)


def _keep(review, answers, comment, seconds, asks_lead):
    review.answers, review.comment = tidied(review.form.questions, answers), comment
    review.state = State.DRAFT if review.state == State.PENDING else review.state
    review.seconds = _longer(review, seconds)
    review.asks_lead = review.asks_lead if asks_lead is None else asks_lead
    review.save()
