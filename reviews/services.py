"""Queues and who reviews in them. What they ask is in versions.py, what is in them in contents.py, what reviewers do in
desk.py."""

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import User
from accounts.names import name_fault
from accounts.permissions import MANAGE_REVIEWS, REVIEW
from interactions.rules import Conflict, RecordError, tell, text_fault
from projects.access import EntityNotFound
from projects.models import Project, ProjectShare
from reviews.models import MOST_REVIEWERS, Item, Kind, Member, Queue, Review, State
from reviews.versions import write_guideline, write_questions

MAX_NAME = 100
PAGES = {"new", "coverage", "keys", "mine"}  # they stand where a queue of that key would
CHANGEABLE = {"name", "kind", "reviewers", "blind", "open_to_all"}


# -- finding --------------------------------------------------------------------------------------
def queues_of(project):
    """The project's Queues, those that are open first, by name; each with `.n_items`, `.n_open` (still asking for
    answers, gold aside), `.n_conflicts` and `.n_asks_lead`."""
    asks = Review.objects.filter(queue=OuterRef("pk"), asks_lead=True, item__removed_at=None).order_by()
    asks = asks.values("queue").annotate(n=Count("item", distinct=True)).values("n")
    there = Q(items__removed_at=None)
    return (
        Queue.objects.filter(project=project)
        .annotate(
            n_items=Count("items", filter=there),
            n_open=Count("items", filter=there & Q(items__open=True, items__gold__isnull=True)),
            n_conflicts=Count("items", filter=there & Q(items__conflict=True)),
            n_asks_lead=Coalesce(Subquery(asks), 0),
        )
        .order_by(F("closed_at").asc(nulls_first=True), "name", "pk")
    )


def queue_or_404(project, key):
    """The project's queue; EntityNotFound. Its `.project` is this one."""
    queue = None if text_fault(str(key)) else Queue.objects.filter(project=project, key=key).first()
    if queue is None:
        raise EntityNotFound("Queue", key)
    queue.project = project
    return queue


def may_review(queue, user):
    """Whether this person, who has REVIEW in the project, is one of the queue's reviewers."""
    return queue.open_to_all or Member.objects.filter(queue=queue, user=user).exists()


def check_reviewer(queue, user):
    """PermissionDenied for who is none of the queue's reviewers and does not manage it either; the queue's project is
    the gate's."""
    if not may_review(queue, user) and MANAGE_REVIEWS not in queue.project.permissions:
        raise PermissionDenied(f"You are none of the reviewers of {queue.name}: ask who made it to add you.")


def people_who_review(project):
    """The Users who have REVIEW in the project, by its own team or by a share, by name."""
    own = Project.objects.get(pk=project.pk).team.memberships.filter(role__permissions__contains=[REVIEW])
    shared = ProjectShare.objects.filter(
        project=project, team__memberships__user=OuterRef("pk"), role__permissions__contains=[REVIEW]
    )
    mine = own.filter(user=OuterRef("pk"))
    return User.objects.filter(Q(Exists(mine)) | Q(Exists(shared))).order_by("name", "pk")


def who_reviews(queue):
    """The Users who may review in this queue now, by name."""
    people = people_who_review(queue.project)
    return people if queue.open_to_all else people.filter(pk__in=Member.objects.filter(queue=queue).values("user"))


# -- the queue itself -----------------------------------------------------------------------------
@transaction.atomic
def create_queue(
    *, project, key="", name, by, kind=Kind.SINGLE, reviewers=1, blind=True, open_to_all=True, guideline="", questions
):
    """A new Queue with its first guideline and questions. Without a key it is made of the name. RecordError names what
    is wrong, Conflict tells that the key is taken."""
    name = name.strip() if isinstance(name, str) else name
    key = key or _key_of(name)
    given = {"name": name, "kind": kind, "reviewers": reviewers, "blind": blind, "open_to_all": open_to_all}
    errors = _faults(given)
    if not key or slugify(key) != key or len(key) > 64:
        errors["key"] = ["Send 1 to 64 small letters, digits, - or _."]
    elif key in PAGES:
        errors["key"] = [f"There is a page at {key}; choose another key."]
    if errors:
        raise RecordError(errors)
    try:
        with transaction.atomic():
            queue = Queue.objects.create(project=project, key=key, created_by=by, **given)
    except IntegrityError:
        raise Conflict(f"The project has a queue with the key {key} already.") from None
    write_questions(queue=queue, questions=questions, by=by)
    write_guideline(queue=queue, text=guideline, by=by)
    return queue


def _key_of(name):
    key = slugify(name)[:64]
    return f"{key}-queue" if key in PAGES else key


@transaction.atomic
def change_queue(*, queue, **changes):
    """Change name, blind, open_to_all; and kind (while it is empty) and reviewers (until the first answer): Conflict
    else. RecordError names what is wrong."""
    changes = {name: value for name, value in changes.items() if value is not None}
    if isinstance(changes.get("name"), str):
        changes["name"] = changes["name"].strip()
    if unknown := changes.keys() - CHANGEABLE:
        raise RecordError({min(unknown): [f"Unknown; send {', '.join(sorted(CHANGEABLE))}."]})
    if errors := _faults(changes):
        raise RecordError(errors)
    now = Queue.objects.select_for_update().get(pk=queue.pk)
    if changes.get("reviewers", now.reviewers) != now.reviewers and _is_answered(queue):
        raise Conflict(
            f"Answers were given: the number of reviewers stays {now.reviewers}. Make another queue instead."
        )
    if changes.get("kind", now.kind) != now.kind and Item.objects.filter(queue=queue).exists():
        raise Conflict(f"There are items in it: its kind stays {now.kind}. Make another queue instead.")
    for name, value in changes.items():
        setattr(queue, name, value)
    queue.save(update_fields=list(changes))
    return queue


def _is_answered(queue):
    return Review.objects.filter(queue=queue, state=State.SUBMITTED).exists()


def _faults(given):
    errors = {}
    name = given.get("name", "x")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= MAX_NAME or text_fault(name):
        tell(errors, "name", f"Send text of 1 to {MAX_NAME} characters.")
    elif fault := name_fault(name):
        tell(errors, "name", fault)
    if given.get("kind", Kind.SINGLE) not in Kind.values:
        tell(errors, "kind", f"Send one of {', '.join(Kind.values)}.")
    number = given.get("reviewers", 1)
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MOST_REVIEWERS:
        tell(errors, "reviewers", f"Send a whole number from 1 to {MOST_REVIEWERS}.")
    for flag in ("blind", "open_to_all"):
        if not isinstance(given.get(flag, True), bool):
            tell(errors, flag, "Send true or false.")
    return errors


def close_queue(*, queue):
    """Nothing more is given out, and its rule brings nothing in. Again: the same."""
    queue.closed_at = queue.closed_at or timezone.now()
    queue.save(update_fields=["closed_at"])
    return queue


def open_queue(*, queue):
    """Take a closing back. What arrived meanwhile its rule looks through now."""
    queue.closed_at = None
    queue.save(update_fields=["closed_at"])
    return queue


@transaction.atomic
def set_members(*, queue, users):
    """These Users and nobody else review, once `open_to_all` is off. RecordError where one may not review here."""
    wanted = {user.pk for user in users}
    may = set(people_who_review(queue.project).filter(pk__in=wanted).values_list("pk", flat=True))
    must_be_able(users, may, "members")
    Member.objects.filter(queue=queue).exclude(user__in=wanted).delete()
    Member.objects.bulk_create([Member(queue=queue, user=user) for user in users], ignore_conflicts=True)


def must_be_able(users, may, name):
    """RecordError, at this member, where one of the Users is none of those who may (ids)."""
    if others := sorted(user.email for user in users if user.pk not in may):
        raise RecordError({name: [f"{', '.join(others)} may not review here."]})
