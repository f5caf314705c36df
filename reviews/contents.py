"""What is in a queue: whose an item is, what is known to be right of it, whether it is in the queue at all."""

from django.db import transaction
from django.db.models import Case, Value, When
from django.utils import timezone

from accounts.models import User
from interactions.rules import Conflict, RecordError
from projects.access import EntityNotFound
from reviews.models import Assignment, Item, Review, Sample, State
from reviews.questions import check_answers, tidied
from reviews.services import must_be_able, who_reviews
from reviews.slots import OPEN
from reviews.versions import form_of


def item_or_404(queue, item_id):
    """An Item of the queue, removed ones too; EntityNotFound."""
    item = Item.objects.filter(queue=queue, pk=item_id).first()
    if item is None:
        raise EntityNotFound("Item", item_id)
    item.queue = queue
    return item


def by_hand_of(item):
    """The Sample that put the item in by hand, with its `.by`, or None."""
    rows = Sample.objects.filter(pk=item.sample_id, method=Sample.Method.ALL, size__isnull=False)
    return rows.select_related("by").defer("picked", "picked_strata").first()


@transaction.atomic
def assign(*, queue, item_ids, users):
    """These items go to these people alone; no users: to everybody again. Who of these people skipped one gets it
    again; whoever else is at one lets go of it, what she typed staying her draft. RecordError where one may not review
    here. (How many items, the Users who let go of one)."""
    must_be_able(users, set(who_reviews(queue).values_list("pk", flat=True)), "assigned_to")
    items = Item.objects.filter(queue=queue, pk__in=item_ids, removed_at=None).order_by("pk").select_for_update()
    found = [item.pk for item in items]
    Assignment.objects.filter(item__in=found).delete()
    Assignment.objects.bulk_create(Assignment(item_id=one, user=user) for one in found for user in users)
    at_them = _let_go(found, users) if users else []
    Review.objects.filter(item__in=found, by__in=users, state=State.SKIPPED, decides=False).update(
        state=Case(When(answers={}, comment="", then=Value(State.PENDING)), default=Value(State.DRAFT)),
        ended_at=None,
        place=None,
    )
    return Item.objects.filter(pk__in=found).update(assigned=bool(users)), at_them


def _let_go(item_ids, users):
    """Nobody but these Users holds one of these items any more; the Users who did."""
    held = Review.objects.filter(item__in=item_ids, state__in=OPEN, decides=False, locked_until__gt=timezone.now())
    held = held.exclude(by__in=users)
    people = list(User.objects.filter(pk__in=held.values("by")).order_by("name", "pk"))
    held.update(locked_until=None)
    return people


def remove_items(*, queue, item_ids, by):
    """Take them out; no rule and no filling puts them back. How many."""
    items = Item.objects.filter(queue=queue, pk__in=item_ids, removed_at=None)
    return items.update(removed_at=timezone.now(), removed_by=by)


def put_back(*, queue, item_ids):
    """Take a removal back. How many."""
    items = Item.objects.filter(queue=queue, pk__in=item_ids).exclude(removed_at=None)
    return items.update(removed_at=None, removed_by=None)


@transaction.atomic
def set_gold(*, item, answers):
    """Answers that are known to be right ({question key: answer}, any of the questions), which makes it a gold
    item; or None: an ordinary item again. RecordError for answers that do not fit, Conflict once people have
    answered it. The Item."""
    item = Item.objects.select_for_update(of=("self",)).select_related("queue").get(pk=item.pk)
    if item.submitted:
        raise Conflict("People have answered this item: it stays what it is.")
    if answers is not None:
        questions = form_of(item.queue).questions
        if faults := check_answers(questions, answers, complete=False):
            raise RecordError({f"gold.{key}": [why] for key, why in faults.items()})
        kept = tidied([one for one in questions if one["key"] in answers], answers)
        if not kept:
            raise RecordError({"gold": ["Send at least one answer, or null for an ordinary item."]})
        answers = kept
    item.gold = answers
    item.save(update_fields=["gold"])
    return item
