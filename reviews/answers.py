"""What was answered in a queue, one by one, for who manages it or audits it."""

from django.db.models import Q

from reviews.models import Form, Review, State
from reviews.reading import shown
from reviews.sayings import plainly

COLUMNS = (
    "item", "interaction_id", "other_id", "by", "form_version", "decides", "gold", "asks_lead", "comment", "seconds",
    "ended_at",
)  # fmt: skip


def answers_of(queue, user, *, by="", after=None, limit=None):
    """The submitted answers by item, as dicts of COLUMNS, `id` and `answers`: of a pair, A is the item's first
    interaction whoever saw it where; `gold` is what is known to be right of the item. `by` is a person's address;
    `after` the (item, id) of the last one had. What the queue is still blind to is left out."""
    rows = Review.objects.filter(queue=queue, state=State.SUBMITTED).select_related("item", "form", "by")
    if by:
        rows = rows.filter(by__email__iexact=by)
    if after:
        item, review = after
        rows = rows.filter(Q(item__gt=item) | Q(item=item, pk__gt=review))
    rows = shown(rows, queue, user).order_by("item", "pk")
    return map(_row, rows[:limit] if limit else rows.iterator(chunk_size=2_000))


def _row(review):
    item = review.item
    return {
        "id": str(review.pk),
        "item": item.pk,
        "interaction_id": str(item.interaction_id),
        "other_id": item.other_id and str(item.other_id),
        "by": review.by.email,
        "form_version": review.form.version,
        "decides": review.decides,
        "gold": item.gold,
        "asks_lead": review.asks_lead,
        "comment": review.comment,
        "seconds": review.seconds,
        "ended_at": review.ended_at,
        "answers": plainly(review),
    }


def question_keys(queue):
    """The keys of all questions that any version asked, in the order of the newest."""
    keys = {}
    for questions in Form.objects.filter(queue=queue).order_by("-version").values_list("questions", flat=True):
        keys |= {question["key"]: None for question in questions if question["key"] not in keys}
    return list(keys)
