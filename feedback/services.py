"""What changes feedback: keys, and the values given under them."""

import math
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from feedback.models import Feedback, FeedbackKey, ProjectFeedbackKey
from interactions import bulk, ids
from interactions.models import Interaction
from interactions.rules import Conflict
from projects.access import EntityNotFound

LARGEST = 1e12


@dataclass(slots=True)
class NewFeedback:
    """A checked value, ready to be stored."""

    id: UUID
    interaction_id: UUID
    key: FeedbackKey
    value: float
    details: str
    user: str


@transaction.atomic
def create_feedback_key(*, team, key, kind, name="", description="", minimum=None, maximum=None,
                        lower_is_better=False, projects=()):  # fmt: skip
    """(the key, whether it is new). The same key and kind again is the same key; another kind is a Conflict."""
    made, created = FeedbackKey.objects.get_or_create(
        team=team,
        key=key,
        defaults={
            "kind": kind,
            "name": name or key,
            "description": description,
            "minimum": minimum,
            "maximum": maximum,
            "lower_is_better": lower_is_better,
        },
    )
    if made.kind != kind:
        raise Conflict(f"The feedback key {key!r} exists and is of the kind {made.kind}; a key never changes its kind.")
    ProjectFeedbackKey.objects.bulk_create(
        [ProjectFeedbackKey(project=project, feedback_key=made) for project in projects], ignore_conflicts=True
    )
    return made, created


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
    if abs(value) > LARGEST or not math.isfinite(value):
        raise ValueError(f"{key.key} takes a finite number of at most {LARGEST:g} in size.")
    if key.minimum is not None and value < key.minimum:
        raise ValueError(f"{key.key} takes a number of at least {key.minimum:g}.")
    if key.maximum is not None and value > key.maximum:
        raise ValueError(f"{key.key} takes a number of at most {key.maximum:g}.")
    return float(value)


def insert_feedback(rows, *, origin, by):
    """Store NewFeedback rows; the caller has the transaction."""
    bulk.insert(
        "feedback_feedback",
        {
            "interaction_id": ("uuid", [row.interaction_id for row in rows]),
            "id": ("uuid", [row.id for row in rows]),
            "feedback_key_id": ("integer", [row.key.pk for row in rows]),
            "value": ("float8", [row.value for row in rows]),
            "details": ("text", [row.details for row in rows]),
            "user": ("text", [row.user for row in rows]),
            "origin": ("text", [origin] * len(rows)),
            "by_id": ("bigint", [by.pk if by else None] * len(rows)),
        },
    )


@transaction.atomic
def give_feedback(*, interaction, key, value, by, details="", user="", origin=Feedback.Origin.USER):
    """A new current value of the interaction; returns its id. ValueError where the key does not take the value."""
    Interaction.objects.select_for_update().get(pk=interaction.pk)
    row = NewFeedback(ids.make(ids.now()), interaction.pk, key, checked_value(key, value), details, user)
    insert_feedback([row], origin=origin, by=by)
    _show_latest(interaction.pk)
    return row.id


def _show_latest(interaction_id):
    """Bring the row's copy for display up to date; its row is locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE interactions_interaction SET feedbacks = (
                SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM (
                    SELECT DISTINCT ON (k.key) k.key, f.value FROM feedback_feedback f
                    JOIN feedback_feedbackkey k ON k.id = f.feedback_key_id
                    WHERE f.interaction_id = %s AND f.superseded_by IS NULL ORDER BY k.key, f.id DESC) AS latest)
            WHERE id = %s
            """,
            [interaction_id, interaction_id],
        )
