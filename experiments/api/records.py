"""REST: what a test leaves behind (its log, its decision), and what is explored in it."""

from dataclasses import asdict

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.api.gate import read
from experiments.crossed import crossed_units
from experiments.report import by_label, decision_of, events_of, label_keys
from experiments.serializers import (
    ByLabelShape,
    CrossedListShape,
    DecisionSerializer,
    LogSerializer,
    presented_crossed,
)
from interactions.rules import RecordError, text_fault

MOST_LINES = 1_000


class ABTestLog(APIView):
    """What happened to a test."""

    @extend_schema(responses=LogSerializer)
    def get(self, request, project, ab_test):
        """Its newest thousand lines, the newest first."""
        return Response(LogSerializer({"results": events_of(read(request, project, ab_test), MOST_LINES)}).data)


class ABTestDecision(APIView):
    """How a test ended."""

    @extend_schema(responses={200: DecisionSerializer, 204: None})
    def get(self, request, project, ab_test):
        """With which numbers, by which rule, by whom and why, as a file to keep; 204 where it was not decided."""
        test = read(request, project, ab_test)
        decision = decision_of(test)
        if decision is None:
            return Response(status=204)
        decision.test = test
        name = f"{test.project.key}-{test.key}-decision.json"
        return Response(
            DecisionSerializer(decision).data, headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )


class ABTestCrossed(APIView):
    """Which units were seen in two arms."""

    @extend_schema(responses=CrossedListShape)
    def get(self, request, project, ab_test):
        """The newest 20, who count for no arm; looks for them for three seconds at most."""
        found = crossed_units(read(request, project, ab_test))
        return Response({"results": [presented_crossed(one) for one in found or ()], "timed_out": found is None})


class ABTestLabels(APIView):
    """A test by the values of a label."""

    @extend_schema(
        parameters=[OpenApiParameter("key", description="a label's; the one used most unless said")],
        responses=ByLabelShape,
    )
    def get(self, request, project, ab_test):
        """Exploratory: of many rows some differ by chance. Looks at the newest interactions, for a second at most."""
        test = read(request, project, ab_test)
        key = request.query_params.get("key") or next(iter(label_keys(test)), "")
        if fault := text_fault(key):
            raise RecordError({"key": [fault]})
        return Response({**asdict(by_label(test, key)), "exploratory": True})
