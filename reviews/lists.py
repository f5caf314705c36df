"""The items of a queue under the words that page and calls list them by."""

from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from reviews.models import Assignment, Item, Review, State
from reviews.services import who_reviews

_THERE = Q(removed_at=None)
_REVIEWS = Review.objects.filter(item=OuterRef("pk"))
ASKS_LEAD = _THERE & Q(Exists(_REVIEWS.filter(asks_lead=True)))
NAMES = {
    "": "All",
    "open": "Open",
    "complete": "Complete",
    "conflict": "In conflict",
    "asks_lead": "Ask a lead",
    "skipped": "Skipped",
    "too_few": "Too few people",
    "gold": "Gold items",
    "removed": "Taken out",
}
_PLAIN = {
    "": _THERE,
    "open": _THERE & Q(open=True, gold__isnull=True),
    "complete": _THERE & Q(open=False),
    "conflict": _THERE & Q(conflict=True),
    "asks_lead": ASKS_LEAD,
    "skipped": _THERE & Q(Exists(_REVIEWS.filter(state=State.SKIPPED, decides=False)), open=True),
    "gold": _THERE & Q(gold__isnull=False),
    "removed": Q(removed_at__isnull=False),
}


def listed(queue, word=""):
    """The queue's Items under one of `NAMES`; all that is in it unless said."""
    if word == "too_few":
        return _too_few(queue)
    return Item.objects.filter(_PLAIN[word], queue=queue)


def _too_few(queue):
    """Those that are assigned to fewer people than they still ask for: of these who may review in it by now, and have
    not answered."""
    answered = Review.objects.filter(item=OuterRef("item"), by=OuterRef("user"), state=State.SUBMITTED)
    left = Assignment.objects.filter(item=OuterRef("pk"), user__in=who_reviews(queue).order_by().values("pk"))
    left = left.exclude(Exists(answered)).order_by().values("item").annotate(n=Count("pk")).values("n")
    waiting = Item.objects.filter(_THERE, queue=queue, assigned=True, open=True, gold__isnull=True)
    return waiting.annotate(left=Coalesce(Subquery(left), 0)).filter(left__lt=queue.reviewers - F("submitted"))
