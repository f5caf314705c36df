"""Values: give one or many."""

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback.incoming import take_feedback
from interactions.rules import RecordError
from interactions.serializers import BatchShape, GivenShape, GivenValueShape

MOST = 10_000  # values a request


class TooMany(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"A request takes at most {MOST:,} values; send the rest in further requests."


class ValueShape(GivenValueShape):
    completion_id = serializers.UUIDField(required=False, help_text="The interaction.")
    completion_external_id = serializers.CharField(
        required=False, help_text="In the place of completion_id: your own id of it, beside its project."
    )


ONE_OR_MANY = PolymorphicProxySerializer("OneValueOrMany", [ValueShape, ValueShape(many=True)], None, many=False)
ANSWER = PolymorphicProxySerializer("GivenOrBatch", [GivenShape, BatchShape], None)


class FeedbackList(APIView):
    """Feedback on interactions."""

    @extend_schema(request=ONE_OR_MANY, responses={201: ANSWER, 200: ANSWER})
    def post(self, request):
        """Give a value, or up to 10,000 as a list. 201 means committed; 200 that the external_id was given before
        with the same. Of a list each stands alone, and the answer is that of a batch of interactions."""
        if isinstance(request.data, list):
            return self._many(request)
        [outcome] = take_feedback([request.data], by=request.user)
        if outcome.error:
            raise outcome.error
        code = status.HTTP_200_OK if outcome.duplicate else status.HTTP_201_CREATED
        return Response({"feedback_id": str(outcome.id)}, status=code)

    def _many(self, request):
        if len(request.data) > MOST:
            raise TooMany
        outcomes = take_feedback(request.data, by=request.user)
        rejected = [
            {
                "position": position,
                "error": str(outcome.error),
                "fields": outcome.error.fields if isinstance(outcome.error, RecordError) else {},
            }
            for position, outcome in enumerate(outcomes)
            if outcome.error
        ]
        duplicates = sum(outcome.duplicate for outcome in outcomes)
        accepted = len(outcomes) - len(rejected) - duplicates
        return Response(
            {
                "accepted": accepted,
                "duplicates": duplicates,
                "rejected": rejected,
                "ids": [str(outcome.id) if outcome.id else None for outcome in outcomes],
            },
            status=status.HTTP_201_CREATED if accepted else status.HTTP_200_OK,
        )
