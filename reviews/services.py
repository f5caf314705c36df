"""Making queues and changing them: what is asked, who answers, what is in them. What reviewers do is in desk.py."""

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import User
from accounts.permissions import MANAGE_REVIEWS, REVIEW
from feedback.models import FeedbackKey
from feedback.services import checked_value, keys_of
from interactions.rules import Conflict, RecordError, tell, text_fault
from projects.access import EntityNotFound
from projects.models import Project, ProjectShare
from reviews.models import MOST_REVIEWERS, Assignment, Form, Guideline, Item, Kind, Member, Queue, Review, State
from reviews.questions import PAIR, SCALE, SINGLE, YES_NO, check_answers, read_questions, tidied

MAX_NAME = 100
MAX_GUIDELINE = 100_000
PAGES = {"new", "coverage", "keys"}  # they stand where a queue of that key would
CHANGEABLE = {"name", "kind", "reviewers", "blind", "open_to_all"}


# -- finding --------------------------------------------------------------------------------------
def queues_of(project):
    """The project's Queues, those that are open first, by name; each with `.n_items`, `.n_open` (still asking for
    answers, gold aside) and `.n_conflicts`."""
    there = Q(items__removed_at=None)
    return (
        Queue.objects.filter(project=project)
        .annotate(
            n_items=Count("items", filter=there),
            n_open=Count("items", filter=there & Q(items__open=True, items__gold__isnull=True)),
            n_conflicts=Count("items", filter=there & Q(items__conflict=True)),
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


def item_or_404(queue, item_id):
    """An Item of the queue, removed ones too; EntityNotFound."""
    item = Item.objects.filter(queue=queue, pk=item_id).first()
    if item is None:
        raise EntityNotFound("Item", item_id)
    item.queue = queue
    return item


def guideline_of(queue):
    """The newest Guideline or None."""
    return Guideline.objects.filter(queue=queue).select_related("by").order_by("-version").first()


def form_of(queue):
    """The newest Form or None."""
    return Form.objects.filter(queue=queue).select_related("by").order_by("-version").first()


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


# -- the queue itself -----------------------------------------------------------------------------
@transaction.atomic
def create_queue(
    *, project, key="", name, by, kind=Kind.SINGLE, reviewers=1, blind=True, open_to_all=True, guideline="", questions
):
    """A new Queue with its first guideline and questions. Without a key it is made of the name. RecordError names what
    is wrong, Conflict tells that the key is taken."""
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
    _must_be_able(users, may)
    Member.objects.filter(queue=queue).exclude(user__in=wanted).delete()
    Member.objects.bulk_create([Member(queue=queue, user=user) for user in users], ignore_conflicts=True)


def _must_be_able(users, may):
    if others := sorted(user.email for user in users if user.pk not in may):
        raise RecordError({"users": [f"{', '.join(others)} may not review in this project."]})


# -- what is asked --------------------------------------------------------------------------------
@transaction.atomic
def write_guideline(*, queue, text, by):
    """A new version; the text that stands already makes none, nor does an empty first one. The Guideline or None."""
    if not isinstance(text, str) or len(text) > MAX_GUIDELINE or text_fault(text):
        raise RecordError({"guideline": [f"Send Markdown of at most {MAX_GUIDELINE:,} characters."]})
    Queue.objects.select_for_update().get(pk=queue.pk)
    last = guideline_of(queue)
    if text == (last.text if last else ""):
        return last
    return Guideline.objects.create(queue=queue, version=last.version + 1 if last else 1, text=text, by=by)


@transaction.atomic
def write_questions(*, queue, questions, by):
    """A new Form version; the same questions again make none. RecordError names what is wrong by its path, beginning
    with `questions`; what answers become must fit the project's feedback keys. Answers given before keep theirs."""
    try:
        read = read_questions(questions)
        _check_for(queue, read)
    except RecordError as error:
        raise RecordError({f"questions{path}": texts for path, texts in error.fields.items()}) from None
    Queue.objects.select_for_update().get(pk=queue.pk)
    last = form_of(queue)
    if last and last.questions == read:
        return last
    return Form.objects.create(queue=queue, version=last.version + 1 if last else 1, questions=read, by=by)


def _check_for(queue, questions):
    """What only the queue and the project's feedback keys can tell."""
    errors, keys = {}, keys_of(queue.project)
    for place, question in enumerate(questions):
        path, [(name, key)] = f"[{place}]", (question["writes"] or {None: None}).items()
        is_pair = question["kind"] == PAIR
        if is_pair and queue.kind != Kind.PAIR:
            tell(errors, f"{path}.kind", "Only a queue of pairs asks which of two is better.")
        if queue.kind == Kind.PAIR and name and not is_pair:
            tell(errors, f"{path}.writes", "In a queue of pairs only the question which is better writes; send null.")
        if name not in {"feedback", "preference"}:
            continue
        if key not in keys:
            tell(errors, f"{path}.writes.{name}", f"This project has no feedback key {key!r}.")
        elif name == "feedback" and (fault := _key_fault(keys[key], question)):
            tell(errors, f"{path}.writes.feedback", fault)
    if errors:
        raise RecordError(errors)


def _key_fault(key, question):
    """Why the key does not take every answer to the question, or None."""
    if question["kind"] == YES_NO:
        values = [0, 1]
    elif question["kind"] == SCALE:
        values = [question["least"], question["most"]]
        if key.kind == FeedbackKey.Kind.BOOL:
            return f"{key.key} takes yes or no, not a scale."
    else:
        values = [float(option["value"]) for option in question["options"] if question["kind"] == SINGLE]
    try:
        for value in values:
            checked_value(key, value)
    except ValueError as error:
        return str(error)
    return None


# -- what is in it --------------------------------------------------------------------------------
@transaction.atomic
def assign(*, queue, item_ids, users):
    """These items go to these people alone; no users: to everybody again. RecordError where one may not review here.
    How many items."""
    may = set(people_who_review(queue.project).values_list("pk", flat=True))
    if not queue.open_to_all:
        may &= set(Member.objects.filter(queue=queue).values_list("user_id", flat=True))
    _must_be_able(users, may)
    items = Item.objects.filter(queue=queue, pk__in=item_ids, removed_at=None).order_by("pk").select_for_update()
    found = [item.pk for item in items]
    Assignment.objects.filter(item__in=found).delete()
    Assignment.objects.bulk_create(Assignment(item_id=one, user=user) for one in found for user in users)
    return Item.objects.filter(pk__in=found).update(assigned=bool(users))


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
