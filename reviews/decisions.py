"""Where reviewers differ, a third person who sees what each said decides; her answer counts."""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from interactions.rules import Conflict
from projects.access import EntityNotFound
from reviews import slots
from reviews.models import Item, Review, State

MINE = "You are one of those who differ; somebody else decides."
HELD = "Somebody else is deciding this item at the moment."
SETTLED = "There is nothing to decide about this item."


def conflicts(queue, user, limit=50, after=None):
    """Items that wait for a decision, [Item], each with `.given` [Review], `.mine` (she is one of those who differ, so
    cannot decide) and `.held_by` (the User who is deciding now, or None); `after`: the id of the last one shown."""
    items = _waiting(queue).filter(pk__gt=after or 0).order_by("pk")[:limit]
    items = {item.pk: item for item in items}
    for item in items.values():
        item.given, item.mine, item.held_by = [], False, None
    rows = Review.objects.filter(item__in=items).select_related("by", "form").order_by("ended_at", "pk")
    for review in rows:
        item = items[review.item_id]
        if review.decides:
            if review.state in slots.OPEN and review.locked_until and review.locked_until > timezone.now():
                item.held_by = review.by
        elif review.state == State.SUBMITTED:
            item.given.append(review)
            item.mine |= review.by_id == user.pk
    return list(items.values())


@transaction.atomic
def next_decision(queue, user):
    """The Review (`decides`) of the first conflict that she can decide, locked for five minutes and re-entrant; None
    where there is none. It goes on with desk.submit, skip, undo like any other; desk.others(review) is what was said.
    """
    if queue.closed_at:
        return None
    slots.seat_of(queue, user)
    now = timezone.now()
    hers = Review.objects.filter(item=OuterRef("pk"), by=user)
    # she is one of those who differ, or has left it to others
    passed = hers.filter(Q(state=State.SUBMITTED) | Q(decides=True, state=State.SKIPPED))
    held = Review.objects.filter(item=OuterRef("pk"), decides=True, state__in=slots.OPEN, locked_until__gt=now)
    items = _waiting(queue).exclude(Exists(passed)).exclude(Exists(held.exclude(by=user)))
    for item_id in items.order_by("pk").values_list("pk", flat=True)[:20]:
        item = slots.locked_item(item_id)
        if slots.is_free(item, user, decides=True):
            return _taken(item, user)
    return None


@transaction.atomic
def decide(queue, user, item_id):
    """The same for this item. EntityNotFound; Conflict where she is one of those who differ, or another is at it."""
    if not Item.objects.filter(queue=queue, pk=item_id, removed_at=None).exists():
        raise EntityNotFound("Item", item_id)
    slots.seat_of(queue, user)
    item = slots.locked_item(item_id)
    if not item.conflict:
        raise Conflict(SETTLED)
    if Review.objects.filter(item=item, by=user, decides=False, state=State.SUBMITTED).exists():
        raise Conflict(MINE)
    if not slots.is_free(item, user, decides=True):
        raise Conflict(HELD)
    return _taken(item, user)


def decision_of(item):
    """The submitted Review that decided the item, or None."""
    return Review.objects.filter(item=item, decides=True, state=State.SUBMITTED).select_related("by", "form").first()


def _waiting(queue):
    return Item.objects.filter(queue=queue, conflict=True, removed_at=None)


def _taken(item, user):
    """Her Review of the locked item: the one that she began, or a new one."""
    review = Review.objects.filter(item=item, by=user).first()
    if review is None:
        review = slots.taken(item, user, decides=True)
    else:
        review.state = State.DRAFT if review.answers else State.PENDING
        review.decides = True
        review.save(update_fields=["state", "decides"])
        slots.hold(review)
    return slots.hers(item.queue, user).get(pk=review.pk)
