"""Reading what somebody else answered, beside the desk: for who manages the queue, and never ahead of an answer."""

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q

from accounts.permissions import AUDIT, MANAGE_REVIEWS, REVIEW
from projects.access import EntityNotFound
from reviews.models import Item, Member, Review, State
from reviews.settling import given_to
from reviews.slots import hers

MOST = 100  # of one interaction: each queue that has it asks few people, gold aside
NOT_YOURS = "This is another person's review: reading it needs the permission {}."
NOT_YET = "The queue is blind: what others say is shown once all answers of the item are in."


def shows(review, user):
    """Whether who manages reviews reads this one by now: her own, and in a blind queue another's once all answers of
    the item are in. Who asks a lead is read at once; so is an answer to a gold item, whose right answer she knows."""
    item = review.item
    asked = review.asks_lead or review.replied_at is not None
    waits = item.queue.blind and item.open and item.gold is None and not asked
    return review.by_id == user.pk or not waits


def shown(reviews, queue, user):
    """Those of these Reviews of the queue that `shows` for this person."""
    if not queue.blind:
        return reviews
    asked = Q(asks_lead=True) | Q(replied_at__isnull=False)
    return reviews.filter(Q(by=user) | Q(item__open=False) | Q(item__gold__isnull=False) | asked)


def readable_review(queue, user, review_id):
    """One's own Review, or anybody's that `shows` for who manages reviews. EntityNotFound where there is none,
    PermissionDenied where it may not be read. The queue's project is the gate's."""
    mine = hers(queue, user, pk=review_id).first()
    if mine:
        return mine
    rows = Review.objects.select_related("item__queue__project", "form", "guideline", "by", "queue__project")
    review = rows.filter(queue=queue, pk=review_id).first()
    if review is None:
        raise EntityNotFound("Review", review_id)
    if MANAGE_REVIEWS not in queue.project.permissions:
        raise PermissionDenied(NOT_YOURS.format(MANAGE_REVIEWS))
    if not shows(review, user):
        raise PermissionDenied(NOT_YET)
    return review


def reviews_of(project, interaction_id, user):
    """What people did with the interaction, [Review] with `.item.queue`, `.form`, `.by` and `.shows`, by item: for who
    manages or audits reviews all that was begun, where `.shows` is false without what was said; for a reviewer what she
    did in queues that she reviews in by now, and what others said where her desk shows it; for others nothing."""
    items = Item.objects.filter(Q(interaction_id=interaction_id) | Q(other_id=interaction_id))
    rows = Review.objects.filter(item__in=items.values("pk"), queue__project=project).exclude(state=State.PENDING)
    is_lead = reads_all(project)
    if not is_lead and REVIEW not in project.permissions:
        return []
    rows = rows if is_lead else _at_her_desk(rows, user)
    rows = rows.select_related("item__queue", "form", "by", "replied_by").defer("first", "written")
    found = list(rows.order_by("-item", "ended_at", "pk")[:MOST])
    for review in found:
        review.shows = not is_lead or shows(review, user)
    return found


def submitted(reviews):
    """Those of `reviews_of` that are answers which may be read by now."""
    return [review for review in reviews if review.state == State.SUBMITTED and review.shows]


def reads_all(project):
    """Whether this person reads what was done in all of the project's queues; the project is the gate's."""
    return not {MANAGE_REVIEWS, AUDIT}.isdisjoint(project.permissions)


def _at_her_desk(rows, user):
    """As `others`: hers, and of items that are not gold what others submitted, in a blind queue behind her own."""
    seen = Q(queue__blind=False) | Q(decides=True) | Q(state=State.SUBMITTED)
    mine = Review.objects.filter(seen, item=OuterRef("item"), by=user)
    rows = rows.filter(Q(queue__open_to_all=True) | Exists(Member.objects.filter(queue=OuterRef("queue"), user=user)))
    given = Q(Exists(mine), state=State.SUBMITTED, decides=False, item__gold__isnull=True)
    return rows.filter(Q(by=user) | given)


def others(review):
    """What others submitted on this item, [Review] by time: none in a blind queue before her own is submitted. Who
    decides sees all; of a gold item nobody sees any, or it would give itself away."""
    if review.item.gold is not None:
        return []
    if review.queue.blind and not review.decides and review.state != State.SUBMITTED:
        return []
    return [one for one in given_to(review.item) if one.pk != review.pk]
