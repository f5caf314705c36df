"""What changes feedback keys, and what a key takes."""

import math

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import F

from accounts import prepared
from accounts.audit import record
from feedback.models import Feedback, FeedbackKey, Preference, ProjectFeedbackKey
from interactions.rules import Conflict, RecordError, text_fault
from projects.access import EntityNotFound
from projects.models import Project

LARGEST = 1e12
_BETWEEN = 1e-6  # of a step: nearer to one it is rounding
MAX_KEY = 100
WHERE_KEYS_ARE_MADE = "Keys are made on the project's page Feedback, or by POST /api/v1/feedback-keys."
_KEYS = f"""
    SELECT {prepared.columns(FeedbackKey, "k")} FROM feedback_feedbackkey k
    JOIN feedback_projectfeedbackkey p ON p.feedback_key_id = k.id WHERE p.project_id = %s ORDER BY k.id
"""
# a key is a part of addresses: these ends are taken by the pages and calls about it
TAKEN_ENDS = ("comparisons", "edit", "pairs", "preferences", "stats", "unlink")


def key_fault(key):
    """Why this cannot be a feedback key's key, or None."""
    if not 1 <= len(key) <= MAX_KEY:
        return f"A key has 1 to {MAX_KEY} characters; this has {len(key)}."
    if fault := text_fault(key):
        return fault
    if not key.isprintable() or key != key.strip():
        return "A key is one line, without control characters and without blanks at its ends."
    parts = key.split("/")
    if "." in parts or ".." in parts or "" in parts:
        return "A key has no part between slashes that is empty, . or .., which addresses leave out."
    if len(parts) > 1 and parts[-1] in TAKEN_ENDS:
        return f"A key does not end in /{parts[-1]}: there is a page at that address."
    return None


def range_faults(kind, minimum=None, maximum=None, step=None):
    """{name: why} of a range and a step that no key of this kind can have. They shape forms, histograms and new
    values; values that are stored may lie outside."""
    given = {"minimum": minimum, "maximum": maximum, "step": step}
    given = {name: value for name, value in given.items() if value is not None}
    if kind == FeedbackKey.Kind.BOOL:
        return dict.fromkeys(given, "A yes or no has no range and no step; send null, or leave it out.")
    faults = {
        name: f"Send a finite number of at most {LARGEST:g} in size."
        for name, value in given.items()
        if not abs(value) <= LARGEST
    }
    if faults:
        return faults
    if minimum is not None and maximum is not None and minimum >= maximum:
        faults["maximum"] = f"Send more than the minimum, {minimum:g}."
    if step is not None and step <= 0:
        faults["step"] = "Send a number above 0."
    return faults


def guard_key(*, user, project, name, changes=False):
    """PermissionDenied where a guest, who reaches the project by a share, would link a key of the team that is not
    the project's, or change one that other projects use too."""
    if project.team.memberships.filter(user=user).exists():
        return
    key = FeedbackKey.objects.filter(team=project.team, key=name).first()
    users = set(key.links.values_list("project_id", flat=True)) if key else {project.pk}
    if changes and users - {project.pk}:
        raise PermissionDenied(f"Other projects of {project.team.name} use {name}: ask its people to change it.")
    if not changes and project.pk not in users:
        raise PermissionDenied(f"{name} is a key of {project.team.name}: ask its people to link it to this project.")


@transaction.atomic
def create_feedback_key(*, team, key, kind, name="", projects=(), by=None, **described):
    """(the key, whether it is new). The same key and kind again is the same key; another kind is a Conflict, a range
    that the kind cannot have a RecordError.

    `described`: description, minimum, maximum, step, lower_is_better.
    """
    ends = (described.get(name) for name in ("minimum", "maximum", "step"))
    if (faults := range_faults(kind, *ends)) and not FeedbackKey.objects.filter(team=team, key=key).exists():
        raise RecordError({name: [text] for name, text in faults.items()})
    made, created = FeedbackKey.objects.get_or_create(
        team=team, key=key, defaults={"kind": kind, "name": name or key, **described}
    )
    if made.kind != kind:
        raise Conflict(f"The feedback key {key!r} exists and is of the kind {made.kind}; send {made.kind}.")
    for project in projects:
        link_feedback_key(project=project, key=made, by=by)
    return made, created


@transaction.atomic
def update_feedback_key(*, key, **changes):
    """Change name, description, kind, minimum, maximum, step or lower_is_better. Conflict for another kind once
    anything was given under the key, in whatever project, and for a range that contradicts what another change left."""
    key = FeedbackKey.objects.select_for_update().get(pk=key.pk)
    if changes.get("kind", key.kind) != key.kind:
        _await_writers()
        refuse_other_kind(key, changes["kind"])
    for name, value in changes.items():
        setattr(key, name, value)
    if faults := range_faults(key.kind, key.minimum, key.maximum, key.step):
        raise Conflict("; ".join(f"{name}: {text}" for name, text in faults.items()))
    key.save(update_fields=list(changes))
    return key


def refuse_other_kind(key, kind):
    """Conflict where the key is of another kind, and anything was ever given under it."""
    if kind != key.kind and is_used(key):
        raise Conflict(f"Values of {key.key} are stored: its kind stays {key.kind}. Make another key instead.")


def _await_writers():
    """Nobody is about to store a value that was checked against the kind so far; who comes later is told the new one
    by the statement that stores it (`insert_feedback`)."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE feedback_feedback, feedback_preference IN SHARE MODE")


def is_used(key):
    """Whether anything was ever given under the key: what is current, withdrawn or compared has an index each."""
    given = Feedback.objects.filter(feedback_key=key)
    compared = Preference.objects.filter(project__in=Project.objects.filter(team=key.team_id), feedback_key=key)
    return given.current().exists() or given.filter(superseded_by=F("id")).exists() or compared.exists()


@transaction.atomic
def link_feedback_key(*, project, key, by=None):
    """The project uses the key; what it was given before shows again."""
    if ProjectFeedbackKey.objects.filter(project=project, feedback_key=key).exists():
        return
    ProjectFeedbackKey.objects.bulk_create(
        [ProjectFeedbackKey(project=project, feedback_key=key)], ignore_conflicts=True
    )
    record("feedback-key.link", by=by, project=project, what=key.key)


@transaction.atomic
def unlink_feedback_key(*, project, key, by=None):
    """The project no longer uses the key; what was given is hidden and stays."""
    gone, _ = ProjectFeedbackKey.objects.filter(project=project, feedback_key=key).delete()
    if gone:
        record("feedback-key.unlink", by=by, project=project, what=key.key)


def keys_of(project):
    """{key: FeedbackKey} of the project, in the order they were made."""
    found = (prepared.instance(FeedbackKey, row)[0] for row in prepared.rows(_KEYS, [project.pk]))
    return {key.key: key for key in found}


def key_or_404(keys, name):
    """The project's key of this name; EntityNotFound where it has none."""
    if name not in keys:
        raise EntityNotFound("FeedbackKey (metric)", name, WHERE_KEYS_ARE_MADE)
    return keys[name]


def checked_value(key, value):
    """The value as a float; ValueError says why the key does not take it."""
    if key.kind == FeedbackKey.Kind.BOOL:
        if value not in (0, 1):
            raise ValueError(f"{key.key} takes true or false (1 or 0).")
        return float(value)
    if isinstance(value, bool):
        raise ValueError(f"{key.key} takes a number, not true or false.")
    if not abs(value) <= LARGEST:
        raise ValueError(f"{key.key} takes a finite number of at most {LARGEST:g} in size.")
    if key.minimum is not None and value < key.minimum:
        raise ValueError(f"{key.key} takes a number of at least {key.minimum:g}.")
    if key.maximum is not None and value > key.maximum:
        raise ValueError(f"{key.key} takes a number of at most {key.maximum:g}.")
    if key.step is not None:
        _check_step(key, value)
    return float(value) + 0.0  # -0.0 is 0


def _check_step(key, value):
    """ValueError for what lies between two steps; they are counted from the minimum where there is one, else from 0."""
    start = key.minimum or 0.0
    steps = (value - start) / key.step
    whole = math.floor(steps + 0.5)
    if abs(steps - whole) > max(_BETWEEN, 4 * math.ulp(steps)):  # 0.1 + 0.2 is 0.3
        low = start + math.floor(steps) * key.step
        near = [one for one in (low, low + key.step) if key.maximum is None or one <= key.maximum]
        send = " or ".join(f"{one:g}" for one in near)
        raise ValueError(f"{key.key} goes in steps of {key.step:g} from {start:g}: send {send}, not {value:g}.")
