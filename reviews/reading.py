"""Reading what somebody else answered, beside the desk: for who manages the queue, and never ahead of an answer."""

from django.core.exceptions import PermissionDenied

from accounts.permissions import MANAGE_REVIEWS
from projects.access import EntityNotFound
from reviews.models import Review
from reviews.slots import hers

NOT_YOURS = "This is another person's review: reading it needs the permission {}."
NOT_YET = "The queue is blind: what others say is shown once all answers of the item are in."


def readable_review(queue, user, review_id):
    """One's own Review, or anybody's for who manages reviews: of a blind queue once its item is complete.
    EntityNotFound where there is none, PermissionDenied where it may not be read. The queue's project is the gate's."""
    mine = hers(queue, user, pk=review_id).first()
    if mine:
        return mine
    rows = Review.objects.select_related("item__queue__project", "form", "guideline", "by", "queue__project")
    review = rows.filter(queue=queue, pk=review_id).first()
    if review is None:
        raise EntityNotFound("Review", review_id)
    if MANAGE_REVIEWS not in queue.project.permissions:
        raise PermissionDenied(NOT_YOURS.format(MANAGE_REVIEWS))
    if queue.blind and review.item.open:
        raise PermissionDenied(NOT_YET)
    return review
