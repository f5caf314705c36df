"""How far one reviewer is in a queue, and how long it will take."""

import datetime
from dataclasses import dataclass
from statistics import median

from django.db.models import Exists, OuterRef
from django.utils import timezone

from reviews import slots
from reviews.models import Review, Seat, State

LATEST = 50  # answers that a pace is told by
LEAST = 3
AT_WORK = datetime.timedelta(minutes=30)


@dataclass(frozen=True)
class Progress:
    """`done` submitted and `skipped` by this person, of `total` that she had or can still get; `seconds_each` her
    median, None before three answers; `seconds_left` for what is left at that pace, shared by the `people` at work in
    the last half hour. `waiting`: items that others hold at this moment. `drafts`: hers that are begun."""

    done: int
    skipped: int
    total: int
    seconds_each: float | None
    seconds_left: float | None
    people: int = 1
    waiting: int = 0
    drafts: int = 0


def progress(queue, user):
    """Her Progress."""
    hers = Review.objects.filter(queue=queue, by=user, decides=False)
    done, skipped = (hers.filter(state=state).count() for state in (State.SUBMITTED, State.SKIPPED))
    drafts = slots.begun(hers, user).count()
    free, asked = slots.remaining(queue, user)
    left, people, each = free + drafts, at_work(queue, user), seconds_each(hers)
    mine = min(left, -(-(int(asked) + drafts) // people))
    return Progress(
        done=done,
        skipped=skipped,
        total=done + skipped + left,
        seconds_each=each,
        seconds_left=None if each is None else each * mine,
        people=people,
        waiting=slots.held_by_others(queue, user),
        drafts=drafts,
    )


def seconds_each(reviews):
    """The median of the latest of these Reviews, None before three."""
    latest = reviews.filter(state=State.SUBMITTED, seconds__isnull=False).order_by("-ended_at")
    times = list(latest.values_list("seconds", flat=True)[:LATEST])
    return median(times) if len(times) >= LEAST else None


def at_work(queue, user):
    """How many people, this one among them, answered in the last half hour."""
    lately = Review.objects.filter(queue=queue, by=OuterRef("user"), ended_at__gt=timezone.now() - AT_WORK)
    return 1 + Seat.objects.filter(Exists(lately), queue=queue).exclude(user=user).count()
