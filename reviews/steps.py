"""What a person did at a queue, newest first, twenty deep: what an undo goes through."""

from django.db.models import Subquery
from django.utils import timezone

from reviews.models import Step

DEEP = 20


def remember(seat, review, what):
    """Before the review changes: what it is now. What was undone before can no longer be gone through."""
    seat.steps.exclude(undone_at=None).delete()
    before = {
        "state": review.state,
        "answers": review.answers,
        "comment": review.comment,
        "asks_lead": review.asks_lead,
        "place": review.place,
        "ended_at": review.ended_at.isoformat() if review.ended_at else None,
    }
    Step.objects.create(seat=seat, review=review, what=what, before=before)
    too_deep = seat.steps.order_by("-id").values("pk")[DEEP : DEEP + 1]
    seat.steps.filter(pk__lte=Subquery(too_deep)).delete()


def last(seat):
    """The newest Step that was not undone, or None."""
    return seat.steps.filter(undone_at=None).order_by("-id").first()


def take_back(step):
    """It is undone."""
    step.undone_at = timezone.now()
    step.save(update_fields=["undone_at"])
