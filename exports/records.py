"""An interaction as the door takes it, with what is known of it today: what one installation writes another reads."""

from feedback.models import Feedback
from feedback.services import keys_of
from interactions.ids import wire_time
from interactions.messages import payload_with

GIVEN = ("feedback_key", "value", "details", "user", "origin")


def feedback_of(project, rows):
    """{interaction id: its current feedback under the project's keys as it can be given again, oldest first}."""
    found, keys = {}, {key.pk: key.key for key in keys_of(project).values()}
    current = Feedback.objects.current().filter(
        interaction_id__in=[row.pk for row in rows], feedback_key__in=list(keys)
    )
    for one in current.order_by("id"):
        given = (keys[one.feedback_key_id], one.value, one.details, one.user, one.origin)
        told = {name: value for name, value in zip(GIVEN, given, strict=True) if value != ""}
        found.setdefault(one.interaction_id, []).append(told)
    return found


def as_record(row, body, messages, feedbacks, corrected):
    """What was sent (`messages` with their pictures placed), with the labels, feedback and better answer of today, and
    with what was filled in when it came."""
    payload = payload_with(body, messages)
    today = {
        "model": row.model.key if row.model_id else None,
        "session_id": row.session,
        "created_at": payload.get("created_at") or wire_time(row.created_at),
        "labels": {label.key: label.value for label in row.labels},
        "feedbacks": feedbacks,
        "corrected_completion": corrected,
    }
    # model_service would have to be known where it goes
    kept = {name: value for name, value in payload.items() if name not in today and name != "model_service"}
    return kept | {name: value for name, value in today.items() if value}
