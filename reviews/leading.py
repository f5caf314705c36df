"""What a lead answers to a reviewer who asks about an item."""

from django.db import transaction
from django.utils import timezone

from interactions.rules import Conflict, RecordError, text_fault
from reviews import slots
from reviews.models import Review, State

MOST_REPLY = 20_000  # characters
NOT_ASKED = "Nothing is asked of a lead here any more."


@transaction.atomic
def answer_lead(*, review, text, by):
    """Settle what was asked: the text, which may be empty, stands on the item for who asked, until she asks again. What
    she had skipped comes to her again. RecordError; Conflict where nothing is asked. The Review."""
    if not isinstance(text, str) or len(text) > MOST_REPLY or text_fault(text):
        raise RecordError({"text": [f"Send text of at most {MOST_REPLY:,} characters."]})
    slots.locked_item(review.item_id)
    rows = Review.objects.select_related("item__queue__project", "form", "guideline", "by", "queue__project")
    review = rows.get(pk=review.pk)
    if not review.asks_lead:
        raise Conflict(NOT_ASKED)
    review.asks_lead, review.reply, review.replied_by, review.replied_at = False, text.strip(), by, timezone.now()
    review.reply_read_at = None
    if review.state == State.SKIPPED and not review.decides:
        review.state = State.DRAFT if review.answers or review.comment else State.PENDING
        review.ended_at = review.place = None
    review.save()
    return review


def read_reply(review):
    """She has it on her screen."""
    if review.replied_at and review.reply_read_at is None:
        Review.objects.filter(pk=review.pk, replied_at=review.replied_at).update(reply_read_at=timezone.now())


def unread_replies(queues, user):
    """{queue id: id of a Review of this person's} where a lead answered her and she has not seen it."""
    rows = Review.objects.filter(queue__in=queues, by=user, replied_at__isnull=False, reply_read_at=None)
    return dict(rows.order_by("-replied_at").values_list("queue", "pk"))
