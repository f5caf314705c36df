"""Going back: the last steps undone with all that they wrote, and what was ended before."""

from django.db import transaction
from django.utils.dateparse import parse_datetime

from interactions.rules import Conflict
from reviews import slots, steps
from reviews.desk import DECIDED
from reviews.models import State
from reviews.settling import keep_first, settle, unsettle

CLOSED = "The queue is closed: what was answered stays."
REMOVED = "This item was taken out of the queue: what was answered stays."


def undo(queue, user):
    """Take back the last thing she did (submit, skip, put off), up to twenty, with all that it wrote; the Review, which
    is open again with its answers, or None. Conflict where a third person has decided since, or the item was taken out:
    that one stays. So does all of a closed queue."""
    with transaction.atomic():
        seat = slots.seat_of(queue, user)
        step = steps.last(seat)
        if step is None:
            return None
        review = slots.review_or_404(queue, user, step.review_id)
        review.item = slots.locked_item(review.item_id)
        if queue.closed_at:
            raise Conflict(CLOSED)
        steps.take_back(step)
        stays = _why_it_stays(review)
        if not stays:
            _undo(review, step)
    if stays:
        raise Conflict(stays)
    return review


def _why_it_stays(review):
    """Why this can no longer be taken back, or None."""
    if review.item.decided and not review.decides and review.state == State.SUBMITTED:
        return DECIDED
    return REMOVED if review.item.removed_at else None


def _undo(review, step):
    """Her answers stay in the form: she took back that she sent them."""
    was_submitted, before = review.state == State.SUBMITTED, step.before
    is_change = was_submitted and before["state"] == State.SUBMITTED
    if was_submitted:
        keep_first(review)
        unsettle(review.item, review, gone=not is_change)
    if is_change:
        review.answers, review.comment = before["answers"], before["comment"]
        review.asks_lead = before.get("asks_lead", review.asks_lead) and not _is_answered_since(review, step)
        review.save()
        settle(review.item, review, new=False)
        return
    typed = before["state"] == State.PENDING and (review.answers or review.comment)  # into what she had skipped
    review.state = State.DRAFT if was_submitted or typed else before["state"]
    review.place = None if was_submitted else before["place"]
    review.ended_at = None if was_submitted or not before["ended_at"] else parse_datetime(before["ended_at"])
    review.save()
    slots.hold_if_free(review)


def _is_answered_since(review, step):
    return review.replied_at is not None and review.replied_at > step.at


def before(review):
    """The Review that she ended before this one, submitted or skipped, or None."""
    rows = _ended(review.queue, review.by).exclude(pk=review.pk)
    return (rows.filter(ended_at__lt=review.ended_at) if review.ended_at else rows).first()


def newest(queue, user):
    """The Review that she ended last, submitted or skipped, or None."""
    return _ended(queue, user).first()


def _ended(queue, user):
    return slots.hers(queue, user, state__in=[State.SUBMITTED, State.SKIPPED]).order_by("-ended_at")
