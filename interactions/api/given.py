"""What is said of one interaction: its feedback, and the better answer to it."""

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import FEEDBACK, READ
from feedback.corrections import correct_completion, correction_of, withdraw_correction
from feedback.giving import correct_feedback, withdraw_feedback
from feedback.incoming import MEMBERS, NAMING, take_feedback
from feedback.models import Feedback
from feedback.services import keys_of
from interactions.api.interactions import interaction_or_404
from interactions.calls import object_of
from interactions.rules import RecordError, kind_of, text_fault
from interactions.serializers import (
    FeedbackShape,
    GivenShape,
    GivenValueShape,
    ValueField,
    present_feedback,
    wire_time,
)
from projects.access import EntityNotFound


class NewValueShape(serializers.Serializer):
    value = ValueField()
    details = serializers.CharField(required=False, help_text="those of before unless said")


class CorrectionShape(serializers.Serializer):
    completion = serializers.CharField()


class WrittenCorrectionShape(CorrectionShape):
    by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class CorrectionIdShape(serializers.Serializer):
    correction_id = serializers.UUIDField()


class InteractionFeedback(APIView):
    """The feedback on an interaction."""

    @extend_schema(responses=FeedbackShape(many=True))
    def get(self, request, interaction_id):
        """List what is current under the project's keys, oldest first."""
        row = interaction_or_404(request.user, interaction_id, READ)
        keys = [key.pk for key in keys_of(row.project).values()]
        current = Feedback.objects.current().filter(interaction_id=row.pk, feedback_key__in=keys)
        return Response([present_feedback(one) for one in current.select_related("feedback_key").order_by("id")])

    @extend_schema(request=GivenValueShape, responses={201: GivenShape, 200: GivenShape})
    def post(self, request, interaction_id):
        """Give feedback. 201 means committed; 200 that the external_id was given before with the same."""
        interaction_or_404(request.user, interaction_id, FEEDBACK)
        sent = object_of(request, *MEMBERS - NAMING)
        [outcome] = take_feedback([{**sent, "completion_id": str(interaction_id)}], by=request.user)
        if outcome.error:
            raise outcome.error
        code = status.HTTP_200_OK if outcome.duplicate else status.HTTP_201_CREATED
        return Response({"feedback_id": str(outcome.id)}, status=code)


class InteractionFeedbackValue(APIView):
    """One value that is current: correct it, or take it back. What was given stays as history."""

    @extend_schema(request=NewValueShape, responses={201: GivenShape})
    def put(self, request, interaction_id, feedback_id):
        """Put another value in its place; the answer has the id of the new one. 409 where it is no longer current."""
        row = _given_or_404(request.user, interaction_id, feedback_id)
        value, details = object_of(request, "value", "details").get("value"), request.data.get("details")
        if not isinstance(value, (int, float)):
            raise RecordError({"value": [f"Send a number, true or false, not {kind_of(value)}."]})
        if details is not None and (not isinstance(details, str) or len(details) > 100_000 or text_fault(details)):
            raise RecordError({"details": ["Send text of at most 100,000 characters, without NUL."]})
        try:
            change = correct_feedback(
                interaction=row, feedback_id=feedback_id, value=value, details=details, by=request.user
            )
        except ValueError as error:
            raise RecordError({"value": [str(error)]}) from None
        return Response({"feedback_id": str(change.id)}, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def delete(self, request, interaction_id, feedback_id):
        """Take it back. 409 where it is no longer current."""
        row = _given_or_404(request.user, interaction_id, feedback_id)
        withdraw_feedback(interaction=row, feedback_id=feedback_id, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _given_or_404(user, interaction_id, feedback_id):
    """The interaction; EntityNotFound where the value is not one of its own under the project's keys."""
    row = interaction_or_404(user, interaction_id, FEEDBACK)
    given = Feedback.objects.filter(interaction_id=row.pk, id=feedback_id, feedback_key__links__project=row.project_id)
    if not given.exists():
        raise EntityNotFound("Feedback (score)", feedback_id)
    return row


class InteractionCorrection(APIView):
    """The better answer to an interaction."""

    @extend_schema(responses=WrittenCorrectionShape)
    def get(self, request, interaction_id):
        """Read it, with who wrote it and when."""
        row = interaction_or_404(request.user, interaction_id, READ)
        current = correction_of(row.pk)
        if current is None:
            raise exceptions.NotFound(f"EntityNotFound: Correction of {str(row.pk)!r}")
        return Response(
            {
                "completion": current.completion,
                "by": str(current.by) if current.by else None,
                "created_at": wire_time(current.created_at),
            }
        )

    @extend_schema(request=CorrectionShape, responses={201: CorrectionIdShape})
    def put(self, request, interaction_id):
        """Write it; what was written before stays as history."""
        row = interaction_or_404(request.user, interaction_id, FEEDBACK)
        completion = object_of(request, "completion").get("completion")
        written = correct_completion(interaction=row, completion=completion, by=request.user)
        return Response({"correction_id": str(written.id)}, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def delete(self, request, interaction_id):
        """Take it back."""
        row = interaction_or_404(request.user, interaction_id, FEEDBACK)
        withdraw_correction(interaction=row, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
