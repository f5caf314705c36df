"""REST: what comes out of a queue, and how much of a time people have seen."""

from dataclasses import asdict
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from interactions.rules import RecordError, moment_of
from projects.access import project_or_404
from reviews.answers import answers_of
from reviews.api.gate import audited
from reviews.coverage import coverage
from reviews.report import report
from reviews.serializers import AnswerListShape, ProjectCoverageShape, ReportShape, SampleSerializer

LIMIT = 200  # answers a page


def told(one):
    """A part of the report for the wire: people are told by their address."""
    parts = {name: getattr(one, name) for name in one.__dataclass_fields__}
    return {name: _told(value) for name, value in parts.items()}


def _told(value):
    if hasattr(value, "email"):
        return value.email
    if isinstance(value, (list, tuple)):
        return [_told(one) for one in value]
    return told(value) if hasattr(value, "__dataclass_fields__") else value


class QueueReport(APIView):
    """What came out of a queue."""

    @extend_schema(responses=ReportShape)
    def get(self, request, project, queue):
        """Progress, people, agreement by question with intervals, confusion, defects, and how it was drawn."""
        found = report(audited(request, project, queue))
        return Response(
            {
                "totals": told(found.totals),
                "people": [told(one) for one in found.people],
                "questions": [told(one) for one in found.questions],
                "samples": SampleSerializer(found.samples, many=True).data,
                "rule": found.rule,
                "at": found.at,
            }
        )


class AnswerList(APIView):
    """What was answered in a queue."""

    @extend_schema(
        operation_id="queue_answers_list",
        parameters=[
            OpenApiParameter("by", description="a person's address"),
            OpenApiParameter("after", description="`next` of the page before"),
        ],
        responses=AnswerListShape,
    )
    def get(self, request, project, queue):
        """Two hundred, by item; of a blind queue those of items whose answers are all in."""
        queue = audited(request, project, queue)
        by, after = request.query_params.get("by", ""), request.query_params.get("after", "")
        rows = list(answers_of(queue, request.user, by=by.replace("\x00", ""), after=_after(after), limit=LIMIT + 1))
        last = rows[LIMIT - 1] if len(rows) > LIMIT else None
        return Response({"results": rows[:LIMIT], "next": last and f"{last['item']}.{last['id']}"})


def _after(text):
    item, _, review = text.partition(".")
    try:
        return (int(item), UUID(review)) if text else None
    except ValueError:
        raise RecordError({"after": ["Send `next` of the page before."]}) from None


class ProjectCoverage(APIView):
    """Which share of a time's interactions a person has seen."""

    @extend_schema(
        parameters=[
            OpenApiParameter("after", description="ISO 8601 time, inclusive, cut to its hour"),
            OpenApiParameter("before", description="ISO 8601 time, exclusive, widened to its hour"),
        ],
        responses=ProjectCoverageShape,
    )
    def get(self, request, project):
        """In all, by model and by label: reviewed in a queue, or given feedback to by a reviewer."""
        project = project_or_404(request.user, project)
        ends = [_moment(request, name) for name in ("after", "before")]
        found = coverage(project, *ends)
        return Response(
            {
                "after": found.after,
                "before": found.before,
                "all": _share(found.all),
                "models": [_share(one) for one in found.models],
                "labels": [_share(one) for one in found.labels],
            }
        )


def _share(one):
    return {**asdict(one), "share": one.share}


def _moment(request, name):
    text = request.query_params.get(name)
    moment = moment_of(text) if text else None
    if text and moment is None:
        raise RecordError({name: ["Send an ISO 8601 time such as 2026-05-01T12:30:00Z."]})
    return moment
