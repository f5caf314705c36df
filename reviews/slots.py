"""Who may work on which item now. An item has as many places as its queue asks reviewers; a place is taken by a
submitted answer, or by a lock that has not run out.

Whoever takes or fills a place has locked the item's row first, and only then counts: two can never take one place.
Locks are taken in one order: a person's seat, the item, the interactions. Who looks for an item goes through several,
each person in an order of her own, and waits for one while she has no other.
"""

import datetime
import hashlib

from django.db import connection, transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q
from django.utils import timezone

from projects.access import EntityNotFound
from reviews.models import Assignment, Form, Guideline, Item, Review, Seat, State

LOCK = datetime.timedelta(minutes=5)
OPEN = (State.PENDING, State.DRAFT)
RARELY, OFTEN = 20, 2  # a gold item comes with one of so many, as there are gold items for
_FREE = """
    FROM reviews_item i WHERE i.queue_id = %(queue)s AND i.removed_at IS NULL AND i.open
    AND NOT EXISTS (SELECT FROM reviews_review r WHERE r.item_id = i.id AND r.by_id = %(user)s)
    AND NOT i.id = ANY(%(besides)s)
"""
_UNHELD = """
    AND i.gold IS NULL AND i.submitted + (
        SELECT count(*) FROM reviews_review r WHERE r.item_id = i.id AND r.by_id <> %(user)s
        AND r.state IN ('pending', 'draft') AND r.locked_until > %(now)s AND NOT r.decides) < %(reviewers)s
"""
EXACT = 10_000  # items up to which it is counted exactly what is left
_ASKING = "FROM reviews_item i WHERE i.queue_id = %(queue)s AND i.removed_at IS NULL AND i.open"
_ASKED = """
    count(*), coalesce(sum(CASE WHEN i.gold IS NULL THEN %(reviewers)s - i.submitted ELSE 1 END), 0)
"""
_FOR_HER = """
    AND (NOT i.assigned OR i.id IN (SELECT item_id FROM reviews_assignment WHERE user_id = %(user)s))
"""
# in the order in which each is looked for
_HERS = " AND i.assigned AND i.id IN (SELECT item_id FROM reviews_assignment WHERE user_id = %(user)s)" + _UNHELD
_ONWARD = " AND NOT i.assigned AND i.place >= %(reached)s" + _UNHELD
_CONTROL = " AND i.gold IS NOT NULL" + _FOR_HER


def seat_of(queue, user):
    """The person's Seat at the queue, locked to the end of the transaction."""
    seats = Seat.objects.select_for_update().filter(queue=queue, user=user)
    seat = seats.first()
    if seat is None:
        Seat.objects.bulk_create([Seat(queue=queue, user=user)], ignore_conflicts=True)
        seat = seats.get()
    seat.user = user
    return seat


def locked_item(item_id):
    """The Item as it is now, with its queue; nobody else changes it, or who works on it, in this transaction."""
    Item.objects.select_for_update().get(pk=item_id)
    # read only now: what others committed while this waited
    rows = Item.objects.select_related("queue__project", "sample")
    return rows.defer("sample__picked", "sample__picked_strata").get(pk=item_id)


def locked_if_free(item_id, user):
    """The Item, locked, where it is in the queue and this person may have a place at it. Else None, and it is let go:
    who kept it and waited for the next could wait for somebody who waits for it."""
    before = transaction.savepoint()
    item = locked_item(item_id)
    if item.open and item.removed_at is None and is_free(item, user):
        transaction.savepoint_commit(before)
        return item
    transaction.savepoint_rollback(before)
    return None


def is_free(item, user, decides=False):
    """Whether this person may have a place at the locked item: one more is asked for and nobody holds it. A gold item
    has a place for everybody; a decision has one. What is assigned has places for its people alone."""
    held = Review.objects.filter(item=item, state__in=OPEN, locked_until__gt=timezone.now(), decides=decides)
    held = held.exclude(by=user).count()
    if decides:
        return item.conflict and not held
    if is_others(item, user):
        return False
    return item.gold is not None or item.submitted + held < item.queue.reviewers


def is_others(item, user):
    """Whether the item is assigned, and not to this person."""
    return item.assigned and not Assignment.objects.filter(item=item, user=user).exists()


def hold(review):
    """Lock the review's item for this person; the row of the item is locked."""
    review.locked_until = timezone.now() + LOCK
    review.save(update_fields=["locked_until"])


def next_item(queue, seat):
    """A free Item, locked, that this person has never had; None where there is none. Gold items come in between, at
    moments that differ from person to person, and at the end."""
    for asked in _order(queue, seat):
        if item := _first(queue, seat, asked):
            seat.given += 1
            if asked == _ONWARD:
                seat.reached = item.place
            seat.save(update_fields=["given", "reached"])
            return item
    return None


def taken(item, user, decides=False):
    """A new Review of this person on the item, locked."""
    queue = item.queue
    return Review.objects.create(
        queue=queue,
        item=item,
        by=user,
        form=Form.objects.filter(queue=queue).latest("version"),
        guideline=Guideline.objects.filter(queue=queue).order_by("-version").first(),
        swapped=is_swapped(item, user),
        decides=decides,
        locked_until=timezone.now() + LOCK,
    )


def is_swapped(item, user):
    """Whether this person sees the second interaction of a pair as A: for half of the items of each, by a digest."""
    return item.other_id is not None and _digest(item.pk, user.pk) % 2 == 1


def remaining(queue, user):
    """(items that this person can still get, answers that they still ask of everybody): what others hold at this
    moment included, gold too. Of more than 10,000 items it is an upper bound, which others' answers bring down."""
    asked = {"queue": queue.pk, "user": user.pk, "besides": [], "reviewers": queue.reviewers}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_ASKED} {_ASKING}", asked)
        items, answers = cursor.fetchone()
        if items <= EXACT:
            cursor.execute(f"SELECT {_ASKED} {_FREE} {_FOR_HER}", asked)
            return cursor.fetchone()
    there = Item.objects.filter(queue=queue, removed_at=None).count()
    return max(0, min(items, there - Review.objects.filter(queue=queue, by=user).count())), answers


def held_by_others(queue, user):
    """How many items of the queue others hold at this moment."""
    held = Review.objects.filter(queue=queue, state__in=OPEN, locked_until__gt=timezone.now(), decides=False)
    return held.exclude(by=user).aggregate(n=Count("item", distinct=True))["n"]


def _order(queue, seat):
    gold = Item.objects.filter(queue=queue, gold__isnull=False, removed_at=None).count()
    ordinary = [_HERS, _ONWARD]
    if not gold:
        return ordinary
    last = Item.objects.filter(queue=queue, removed_at=None).aggregate(last=Max("place"))["last"] or 0
    every = max(OFTEN, min(RARELY, last // (gold + 1)))
    due = _digest(queue.pk, seat.user_id, seat.given) % every == 0
    return [_CONTROL, *ordinary] if due else [*ordinary, _CONTROL]


def _first(queue, seat, asked):
    """The first free item of what is asked; from where she is on, then from the beginning. Items that somebody is
    at just now are passed over, and waited for only where there is no other."""
    starts = [seat.reached, 0] if asked == _ONWARD and seat.reached else [0]
    for waiting in ("SKIP LOCKED", ""):
        for reached in starts:
            if item := _locked(queue, seat, asked, reached, waiting):
                return item
    return None


def _locked(queue, seat, asked, reached, waiting):
    values = {"queue": queue.pk, "user": seat.user_id, "reviewers": queue.reviewers, "reached": reached}
    besides = []
    while True:
        values |= {"now": timezone.now(), "besides": besides}
        before = transaction.savepoint()
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT i.id {_FREE} {asked} ORDER BY i.place, i.id LIMIT 1 FOR UPDATE OF i {waiting}", values
            )
            found = cursor.fetchone()
        item = found and locked_if_free(found[0], seat.user)
        if found is None or item:
            transaction.savepoint_commit(before)
            return item
        transaction.savepoint_rollback(before)
        besides = [*besides, found[0]]  # it was taken between the look and the lock


def last_place(queue, user):
    """A place behind all that this person has put off."""
    return Review.objects.filter(queue=queue, by=user).aggregate(last=Max("place"))["last"] or 0


def count_submitted(item, change):
    """One more (1) or less (-1) answer of the locked item, and whether it takes more."""
    item.submitted += change
    item.open = item.gold is not None or item.submitted < item.queue.reviewers
    item.save(update_fields=["submitted", "open"])


def hers(queue, user, **where):
    """This person's Reviews of the queue, with all that a desk shows."""
    rows = Review.objects.filter(queue=queue, by=user, **where)
    return rows.select_related("item__queue__project", "form", "guideline", "by", "queue__project")


def review_or_404(queue, user, review_id):
    """Her own Review of this queue, whatever its state, with the same fields; EntityNotFound."""
    review = hers(queue, user, pk=review_id).first()
    if review is None:
        raise EntityNotFound("Review", review_id)
    return review


def at(review):
    """(the Review as it is now, its item locked; her seat, locked)."""
    seat, item = seat_of(review.queue, review.by), locked_item(review.item_id)
    # only now: who assigns the item changes its reviews under its lock
    review = hers(review.queue, review.by).get(pk=review.pk)
    review.item = item
    return review, seat


def hold_if_free(review):
    """Lock the review's locked item for this person, where she is at it and has a place."""
    if review.state in OPEN and is_free(review.item, review.by, review.decides):
        hold(review)


def in_hand(queue, user, besides=()):
    """Her open Reviews of items that still take her answer, first those at their place in the order they came, then
    those that she put off."""
    rows = begun(hers(queue, user), user).exclude(pk__in=besides)
    return rows.order_by(F("place").asc(nulls_first=True), "opened_at", "pk")


def begun(reviews, user):
    """Those of this person's Reviews that are open, of items that still take her answer."""
    mine = Exists(Assignment.objects.filter(item=OuterRef("item"), user=user))
    there = reviews.filter(state__in=OPEN, decides=False, item__open=True, item__removed_at=None)
    return there.filter(Q(item__assigned=False) | mine)


def _digest(*parts):
    text = "/".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
