"""The batch call of interactions."""

from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema

from accounts.permissions import LOG
from interactions.ingest.batches import ingest_many
from interactions.ingest.http import BatchView
from interactions.rules import RecordError
from interactions.serializers import BatchShape, RecordShape

ARMS = OpenApiParameter(
    "arms", enum=["none"], description="none: the records take part in no A/B test, whichever they name"
)


class InteractionBatch(BatchView):
    """Log many interactions at once."""

    @extend_schema(
        parameters=[OpenApiParameter("project", required=True, description="key or id of the project"), ARMS],
        request={"application/json": RecordShape(many=True), "application/x-ndjson": OpenApiTypes.STR},
        responses={201: BatchShape, 200: BatchShape},
    )
    def post(self, request):
        """NDJSON (or a JSON array up to 32 MB), gzip or zstd welcome. Each record stands alone; 201 where any was
        accepted, and what was accepted is committed."""

        arms = request.query_params.get("arms")

        def take(admit, numbered):
            return ingest_many(admit=admit, numbered=numbered, by=request.user, no_arms=arms == "none")

        if arms not in {None, "none"}:
            raise RecordError({"arms": ["Send none, or leave it out."]})
        return self.answered(request, LOG, take, {"arms"})
