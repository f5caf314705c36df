"""What was done with an interaction, and the record that it was made from: what an audit reads."""

import uuid

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READ
from feedback.corrections import corrections_history
from feedback.giving import history_of
from interactions.api.interactions import interaction_or_404
from interactions.api.notes import NoteShape, PersonShape, person, present_note
from interactions.ids import among, time_of
from interactions.labels import history
from interactions.messages import payload_of
from interactions.notes import notes_history
from interactions.rules import RecordError
from interactions.serializers import FeedbackShape, present_feedback, wire_time
from reviews.reading import reviews_of, submitted

PAGE = 100  # events
DONE = (
    "label", "label_renamed", "feedback", "feedback_withdrawn", "correction", "correction_withdrawn", "note",
    "note_deleted", "review",
)  # fmt: skip
BEFORE = OpenApiParameter("before", str, description="`next` of the page before")


class ApiKeyShape(serializers.Serializer):
    name = serializers.CharField()
    hint = serializers.CharField(help_text="how it begins")


class EventShape(serializers.Serializer):
    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    by = PersonShape(allow_null=True, help_text="null: nobody who has an account")
    what = serializers.ChoiceField(DONE)
    label = serializers.DictField(required=False, allow_null=True, help_text="key and value; null: it was taken away")
    former_label = serializers.DictField(required=False, allow_null=True, help_text="what it took the place of")
    feedback = FeedbackShape(required=False, help_text="of a withdrawal: what was taken back")
    former_feedback = FeedbackShape(required=False, allow_null=True, help_text="what it corrected")
    completion = serializers.CharField(required=False, help_text="the better answer; of a withdrawal the one before")
    note = NoteShape(required=False, help_text="as it was then; of a deletion: what was deleted")
    former_note = NoteShape(required=False, allow_null=True, help_text="what it said before")
    review = serializers.DictField(required=False, help_text="id, queue, item, and whether it decides: an answer")


class HistoryShape(serializers.Serializer):
    results = EventShape(many=True)
    next = serializers.CharField(allow_null=True)


class PayloadShape(serializers.Serializer):
    record = serializers.DictField(help_text="as it was received, but for its project; pictures as data URIs")
    sha256 = serializers.CharField(help_text="of the record in the form of RFC 8785")
    received_at = serializers.DateTimeField()
    logged_by = PersonShape(allow_null=True)
    api_key = ApiKeyShape(allow_null=True, help_text="by which it was logged; null in the browser and by commands")


class InteractionHistory(APIView):
    """The history of an interaction."""

    @extend_schema(parameters=[BEFORE], responses=HistoryShape)
    def get(self, request, interaction_id):
        """All that was done with its labels, feedback, better answers and notes, newest first, a hundred at a time:
        feedback under keys that were unlinked, and by programs, too; and the reviews that you may read. Labels that
        came with the record are no events."""
        row = interaction_or_404(request.user, interaction_id, READ)
        events = [*_labels(row), *_feedback(row), *_corrections(row), *_notes(row), *_reviews(row, request.user)]
        events.sort(key=lambda one: one["id"], reverse=True)
        if (before := _id(request.query_params.get("before"))) is not None:
            events = [one for one in events if one["id"] < before]
        page = events[:PAGE]
        return Response({"results": page, "next": page[-1]["id"] if len(events) > PAGE else None})


class InteractionPayload(APIView):
    """The record that an interaction was made from."""

    @extend_schema(responses=PayloadShape)
    def get(self, request, interaction_id):
        """Read the record as it was received, its hash, and who logged it when."""
        row = interaction_or_404(request.user, interaction_id, READ)
        return Response(
            {
                "record": payload_of(row.body),
                "sha256": bytes(row.body.payload_sha256).hex(),
                "received_at": wire_time(row.received_at),
                "logged_by": person(row.logged_by),
                "api_key": ApiKeyShape(row.api_key).data if row.api_key else None,
            }
        )


def _id(text):
    """The id as text, as events have it; None where none is given."""
    if text is None:
        return None
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise RecordError({"before": ["Send the 'next' of an answer."]}) from None


def _labels(row):
    return [
        _event(
            one, "label_renamed" if one.is_rename else "label", label=_label(one.label), former_label=_label(one.former)
        )
        for one in history(row)
    ]


def _label(label):
    return {"key": label.key, "value": label.value} if label else None


def _feedback(row):
    found = []
    for one, former in history_of(row.pk):
        what = "feedback_withdrawn" if one.superseded_by == one.id else "feedback"
        told = present_feedback(former) if former else None
        found.append(_event(one, what, feedback=present_feedback(one), former_feedback=told))
    return found


def _corrections(row):
    return [
        _event(
            one,
            "correction_withdrawn" if one.superseded_by == one.id else "correction",
            completion=one.completion,
        )
        for one in corrections_history(row.pk)
    ]


def _notes(row):
    return [
        _event(
            one,
            "note_deleted" if one.is_deletion else "note",
            note=present_note(one),
            former_note=present_note(former) if former else None,
        )
        for one, former in notes_history(row.pk)
    ]


def _reviews(row, user):
    return [
        {
            "id": str(among(one.ended_at, one.pk)),
            "at": wire_time(one.ended_at),
            "by": person(one.by),
            "what": "review",
            "review": {"id": str(one.pk), "queue": one.item.queue.key, "item": one.item_id, "decides": one.decides},
        }
        for one in submitted(reviews_of(row.project, row.pk, user))
    ]


def _event(one, what, **told):
    return {"id": str(one.id), "at": wire_time(time_of(one.id)), "by": person(one.by), "what": what, **told}
