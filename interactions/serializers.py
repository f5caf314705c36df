"""Interactions on the wire: how they are shown, and the shapes that the API's description tells."""

from collections import Counter

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import prepared
from experiments.models import Arm
from feedback.corrections import corrections_of
from feedback.models import FeedbackKey
from feedback.services import keys_of
from interactions import bulk, ids
from interactions.ids import wire_time
from interactions.message_records import ROLES
from interactions.messages import image_urls, with_addresses, with_data
from interactions.models import Blob, InteractionBody
from interactions.notes import numbers_of
from interactions.pictures import reference
from interactions.records import SOURCES
from interactions.rules import ORIGINS, RecordError

FIELDS = (
    "id", "external_id", "project", "project_id", "model", "messages", "completion", "labels", "feedbacks", "user",
    "session_id", "created_at", "source", "metadata", "usage", "latency_ms", "corrected_completion", "notes",
    "ab_campaign", "arm", "near_hash", "prompt_hash",
)  # fmt: skip
# fields of a row that go over no wire
UNSENT = (
    "prompt_preview", "completion_preview", "images", "tools", "prompt_tokens", "completion_tokens",
    "content_hash", "logged_by", "api_key", "received_at", "failed",
)  # fmt: skip
# the bounds once more: the server leaves out the months of others by them, not by the list
_CURRENT = """
    SELECT interaction_id, feedback_key_id, id, value, details, "user", origin FROM feedback_feedback
    WHERE interaction_id = ANY(%s::uuid[]) AND interaction_id >= %s::uuid AND interaction_id <= %s::uuid
        AND superseded_by IS NULL AND feedback_key_id = ANY(%s::integer[])
    ORDER BY id
"""
MB = 1024 * 1024
MOST_INLINE = 64 * MB  # of pictures in one answer, of which several copies are made on its way
_IN_BODY = {"external_id", "messages", "completion", "metadata", "usage"}


def blob_address(project, sha256):
    """Our own address of a stored picture."""
    return settings.ADDRESS + reverse("blob", args=[project.uid, sha256])


def present(project, rows, *, fields=FIELDS, inline=False):
    """Interactions (with `.labels`) as dictionaries of these fields. `inline` gives pictures back as data URIs.

    A fixed number of queries, whatever the number of rows; bodies are read only where a field lies in them.
    """
    wanted = set(fields)
    bodies = InteractionBody.objects.in_bulk([row.pk for row in rows]) if wanted & _IN_BODY else {}
    messages = _messages(project, rows, bodies, inline) if "messages" in wanted else {}
    feedbacks = _feedbacks(project, rows) if "feedbacks" in wanted else {}
    corrected = corrections_of([row.pk for row in rows]) if "corrected_completion" in wanted else {}
    notes = numbers_of([row.pk for row in rows]) if "notes" in wanted else {}
    tests = _tests(rows) if "ab_campaign" in wanted else {}
    shown = []
    for row in rows:
        body = bodies.get(row.pk)
        envelope = body.envelope if body else {}
        whole = {
            "id": str(row.pk),
            "external_id": envelope.get("external_id"),
            "project": project.key,
            "project_id": str(project.uid),
            "model": row.model.key if row.model_id else None,
            "messages": messages.get(row.pk),
            "completion": body.completion if body else None,
            "labels": {label.key: label.value for label in row.labels},
            "feedbacks": feedbacks.get(row.pk, []),
            "user": row.user or None,
            "session_id": row.session,
            "created_at": wire_time(row.created_at),
            "source": row.source,
            "metadata": envelope.get("metadata") or {},
            "usage": envelope.get("usage"),
            "latency_ms": row.latency_ms,
            "corrected_completion": corrected.get(row.pk),
            "notes": notes.get(row.pk, 0),
            "ab_campaign": tests.get(row.arm),
            "arm": row.arm,
            "near_hash": row.near_hash.hex,
            "prompt_hash": row.prompt_hash.hex,
        }
        shown.append({name: whole[name] for name in FIELDS if name in wanted})
    return shown


def _tests(rows):
    """{arm: the key of its A/B test}."""
    arms = {row.arm for row in rows} - {None}
    return dict(Arm.objects.filter(pk__in=arms).values_list("pk", "test__key")) if arms else {}


def _messages(project, rows, bodies, inline):
    kept = [row.pk for row in rows if row.pk in bodies]
    stored = [bodies[pk].messages for pk in kept]
    if inline:
        _check_size(project, stored)
        return dict(zip(kept, with_data(stored), strict=True))

    def address(sha256):
        return blob_address(project, sha256)

    return {pk: with_addresses(messages, address) for pk, messages in zip(kept, stored, strict=True)}


def _check_size(project, stored):
    """RecordError where the pictures in these lists of messages are more than one answer may carry."""
    often = Counter(found[0] for messages in stored for url in image_urls(messages) if (found := reference(url)))
    sizes = Blob.objects.filter(project=project, content__in=often).values_list("content", "size") if often else ()
    length = sum(often[sha256] * size for sha256, size in sizes)
    if length > MOST_INLINE:
        told = f"The pictures of this page have {length // MB:,} MB; at most {MOST_INLINE // MB} are sent inline."
        raise RecordError({"images": [f"{told} Ask with a smaller 'limit', or without 'images'."]})


def _feedbacks(project, rows):
    """{interaction id: its current feedback under the project's keys, oldest first}."""
    found, keys = {}, {key.pk: key for key in keys_of(project).values()}
    wanted = [row.pk for row in rows if row.feedbacks]  # its copy of the latest values tells that there are any
    if not wanted or not keys:
        return found
    values = [bulk.array(wanted), str(min(wanted)), str(max(wanted)), bulk.array(keys)]
    for interaction_id, key_id, *told in prepared.rows(_CURRENT, values):
        found.setdefault(interaction_id, []).append(_feedback(keys[key_id], *told))
    return found


def present_feedback(feedback):
    """One feedback as the API shows it."""
    key, value = feedback.feedback_key, feedback.value
    return _feedback(key, feedback.id, value, feedback.details, feedback.user, feedback.origin)


def _feedback(key, feedback_id, value, details, user, origin):
    return {
        "id": str(feedback_id),
        "feedback_key": key.key,
        "value": bool(value) if key.kind == FeedbackKey.Kind.BOOL else value,
        "details": details or None,
        "user": user or None,
        "origin": origin,
        "created_at": wire_time(ids.time_of(feedback_id)),
    }


# -- what the API's description tells; records themselves are read by interactions.records, in one pass ------------
class MessageShape(serializers.Serializer):
    role = serializers.ChoiceField(sorted(ROLES))
    content = serializers.JSONField(help_text="Text, or a list of parts; null only where tool_calls are given.")


@extend_schema_field({"anyOf": [{"type": "number"}, {"type": "boolean"}]})
class ValueField(serializers.JSONField):
    """What is given under a key."""

    def __init__(self, help_text="true, false, 1 or 0 for a bool key; a number for a scalar one."):
        super().__init__(help_text=help_text)


@extend_schema_field({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "integer"}, {"type": "null"}]})
class MomentField(serializers.JSONField):
    """A time as it is sent."""


class GivenFeedbackShape(serializers.Serializer):
    feedback_key = serializers.CharField(required=False, help_text="Or `metric`.")
    metric = serializers.CharField(required=False, help_text="In the place of feedback_key.")
    value = ValueField()
    details = serializers.CharField(required=False, allow_null=True)
    user = serializers.CharField(required=False, allow_null=True, help_text="Or `user_id`.")
    user_id = serializers.CharField(required=False, allow_null=True)
    origin = serializers.ChoiceField(ORIGINS, required=False, help_text="user unless said")


class GivenValueShape(GivenFeedbackShape):
    external_id = serializers.CharField(required=False, help_text="The same again is stored once.")
    project = serializers.CharField(required=False, help_text="Where given, the interaction must be of it.")


class GivenShape(serializers.Serializer):
    feedback_id = serializers.UUIDField()


class RecordShape(serializers.Serializer):
    project = serializers.CharField(required=False, help_text="Key or id of the project; needed in the single call.")
    messages = MessageShape(many=True, required=False, help_text="Or `prompt`.")
    prompt = serializers.CharField(required=False, allow_null=True, help_text="A text, in the place of messages.")
    completion = serializers.CharField(allow_blank=True)
    model = serializers.CharField(required=False, allow_null=True, help_text="Registered where new.")
    model_service = serializers.CharField(
        required=False, allow_null=True, help_text="In the place of model: it must be known."
    )
    labels = serializers.DictField(child=serializers.CharField(), required=False)
    feedbacks = GivenFeedbackShape(many=True, required=False)
    user = serializers.CharField(required=False, allow_null=True)
    session_id = serializers.CharField(required=False, allow_null=True)
    created_at = MomentField(required=False, help_text="ISO 8601, or whole milliseconds")
    external_id = serializers.CharField(required=False, allow_null=True, max_length=200)
    metadata = serializers.DictField(required=False, allow_null=True)
    usage = serializers.DictField(required=False, allow_null=True)
    latency_ms = serializers.IntegerField(required=False, allow_null=True)
    source = serializers.ChoiceField(sorted(SOURCES), required=False)
    ab_campaign = serializers.CharField(required=False, allow_null=True)
    corrected_completion = serializers.CharField(required=False, allow_null=True, help_text="The better answer.")


class LoggedShape(serializers.Serializer):
    completion_id = serializers.UUIDField()
    session_id = serializers.CharField()
    feedback_ids = serializers.ListField(child=serializers.UUIDField())
    note = serializers.CharField(required=False, help_text="that it counts in no arm of the A/B test that it names")


class RejectedShape(serializers.Serializer):
    position = serializers.IntegerField()
    error = serializers.CharField()
    fields = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    completion_id = serializers.UUIDField(required=False, help_text="What holds the external_id.")


class BatchShape(serializers.Serializer):
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    notes = serializers.ListField(child=serializers.CharField(), required=False, help_text="as the note of one")
    rejected = RejectedShape(many=True)
    ids = serializers.ListField(child=serializers.UUIDField(allow_null=True))


class FeedbackShape(serializers.Serializer):
    id = serializers.UUIDField()
    feedback_key = serializers.CharField()
    value = ValueField(help_text="true or false of a bool key, a number of a scalar one")
    details = serializers.CharField(allow_null=True)
    user = serializers.CharField(allow_null=True)
    origin = serializers.ChoiceField(ORIGINS)
    created_at = serializers.DateTimeField()


class InteractionShape(serializers.Serializer):
    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    project = serializers.CharField(help_text="its key")
    project_id = serializers.UUIDField(help_text="which project it is, also where several have the key")
    model = serializers.CharField(allow_null=True)
    messages = MessageShape(many=True)
    completion = serializers.CharField()
    labels = serializers.DictField(child=serializers.CharField())
    feedbacks = FeedbackShape(many=True)
    user = serializers.CharField(allow_null=True)
    session_id = serializers.CharField()
    created_at = serializers.DateTimeField()
    source = serializers.ChoiceField(sorted(SOURCES))
    metadata = serializers.DictField()
    usage = serializers.DictField(allow_null=True)
    latency_ms = serializers.IntegerField(allow_null=True)
    corrected_completion = serializers.CharField(allow_null=True)
    notes = serializers.IntegerField(help_text="how many people wrote on it")
    ab_campaign = serializers.CharField(allow_null=True, help_text="key of the A/B test that it is part of")
    arm = serializers.IntegerField(allow_null=True, help_text="id of its arm there")
    near_hash = serializers.CharField(help_text="that of all that is alike, for the filter's near")
    prompt_hash = serializers.CharField(help_text="that of all that answers the same messages, for the filter's prompt")


class ListedShape(InteractionShape):
    """All of it, or what `fields` asks for."""

    def get_fields(self):
        found = super().get_fields()
        for one in found.values():
            one.required = False
        return found


class PageShape(serializers.Serializer):
    results = ListedShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    count = serializers.IntegerField(allow_null=True, help_text="null where counting would take longer than the page")
    count_is_capped = serializers.BooleanField(help_text="there are at least so many")
    searched_to = serializers.DateTimeField(allow_null=True)


class LabelValue(serializers.Serializer):
    value = serializers.CharField(max_length=500, trim_whitespace=False)


class LabelsShape(serializers.Serializer):
    labels = serializers.DictField(child=serializers.CharField())
