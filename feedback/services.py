"""What changes feedback keys, and what a key takes."""

from django.db import transaction

from feedback.models import Feedback, FeedbackKey, Preference, ProjectFeedbackKey
from interactions.rules import Conflict
from projects.access import EntityNotFound

LARGEST = 1e12


@transaction.atomic
def create_feedback_key(*, team, key, kind, name="", projects=(), **described):
    """(the key, whether it is new). The same key and kind again is the same key; another kind is a Conflict.

    `described`: description, minimum, maximum, step, lower_is_better.
    """
    made, created = FeedbackKey.objects.get_or_create(
        team=team, key=key, defaults={"kind": kind, "name": name or key, **described}
    )
    if made.kind != kind:
        raise Conflict(f"The feedback key {key!r} exists and is of the kind {made.kind}; send {made.kind}.")
    for project in projects:
        link_feedback_key(project=project, key=made)
    return made, created


@transaction.atomic
def update_feedback_key(*, key, **changes):
    """Change name, description, kind, minimum, maximum, step or lower_is_better. Conflict for another kind once
    anything was given under the key, in whatever project."""
    key = FeedbackKey.objects.select_for_update().get(pk=key.pk)
    if changes.get("kind", key.kind) != key.kind and is_used(key):
        raise Conflict(f"Values of {key.key} are stored: its kind stays {key.kind}. Make another key instead.")
    for name, value in changes.items():
        setattr(key, name, value)
    key.save(update_fields=list(changes))
    return key


def is_used(key):
    """Whether anything was ever given under the key."""
    return any(model.objects.filter(feedback_key=key).exists() for model in (Feedback, Preference))


def link_feedback_key(*, project, key):
    """The project uses the key; what it was given before shows again."""
    ProjectFeedbackKey.objects.bulk_create(
        [ProjectFeedbackKey(project=project, feedback_key=key)], ignore_conflicts=True
    )


def unlink_feedback_key(*, project, key):
    """The project no longer uses the key; what was given is hidden and stays."""
    ProjectFeedbackKey.objects.filter(project=project, feedback_key=key).delete()


def keys_of(project):
    """{key: FeedbackKey} of the project, in the order they were made."""
    return {key.key: key for key in FeedbackKey.objects.filter(projects=project).order_by("pk")}


def key_or_404(keys, name):
    """The project's key of this name; EntityNotFound where it has none."""
    if name not in keys:
        raise EntityNotFound("FeedbackKey (metric)", name)
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
    return float(value) + 0.0  # -0.0 is 0
