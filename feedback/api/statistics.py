"""What the values of a key amount to, on any interactions."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback.services import key_or_404, keys_of
from interactions.calls import project_asked
from interactions.filters import REPEATED, InteractionFilter, read_wanted
from interactions.rules import RecordError, text_fault
from interactions.search.values import coverage, value_stats

GROUPINGS = ("model", "day")
PARAMETERS = [
    OpenApiParameter("project", required=True, description="key or id of the project"),
    OpenApiParameter("group_by", description="model, day (UTC) or label:KEY; one group unless said"),
    *(
        OpenApiParameter(name, many=name in REPEATED, description=filter_.extra["help_text"])
        for name, filter_ in InteractionFilter.base_filters.items()
    ),
]


class BarShape(serializers.Serializer):
    start = serializers.FloatField(help_text="inclusive")
    end = serializers.FloatField(help_text="exclusive, but in the last bar")
    count = serializers.IntegerField()


class GroupShape(serializers.Serializer):
    key = serializers.CharField(allow_null=True, help_text="null: no model, or without the label")
    count = serializers.IntegerField(help_text="current values")
    interactions = serializers.IntegerField(help_text="that have any of them")
    mean = serializers.FloatField()
    stddev = serializers.FloatField(allow_null=True, help_text="of a sample; null below two values")
    min = serializers.FloatField()
    max = serializers.FloatField()
    quantiles = serializers.DictField(child=serializers.FloatField())
    histogram = BarShape(many=True)


class CoverageShape(serializers.Serializer):
    interactions = serializers.IntegerField()
    with_feedback = serializers.IntegerField()
    reviewed = serializers.IntegerField()
    is_capped = serializers.BooleanField()


class StatsShape(serializers.Serializer):
    groups = GroupShape(many=True)
    groups_are_capped = serializers.BooleanField(help_text="there are more than these 1,000, the largest")
    approximate = serializers.BooleanField()
    sampled = serializers.IntegerField(allow_null=True, help_text="newest interactions looked at, where not all")
    coverage = CoverageShape()


class FeedbackKeyStats(APIView):
    """Statistics of a key's current values."""

    @extend_schema(parameters=PARAMETERS, responses=StatsShape)
    def get(self, request, key):
        """Count, mean, deviation, quantiles and histogram of the key on the interactions that the filter finds, by
        group; and which share of these has feedback at all."""
        project = project_asked(request)
        key = key_or_404(keys_of(project), key)
        wanted = read_wanted(request.query_params, project, {"group_by"})
        stats = value_stats(project, key, wanted, self._grouping(request))
        covered = coverage(project, wanted)
        return Response(
            {
                "groups": [_shown(group) for group in stats.groups],
                "groups_are_capped": stats.capped,
                "approximate": stats.approximate,
                "sampled": stats.sampled,
                "coverage": {
                    "interactions": covered.interactions,
                    "with_feedback": covered.with_feedback,
                    "reviewed": covered.reviewed,
                    "is_capped": covered.capped,
                },
            }
        )

    def _grouping(self, request):
        text = request.query_params.get("group_by") or None
        if text is None or text in GROUPINGS:
            return text
        label = text.removeprefix("label:")
        if label == text or not label or text_fault(label):
            raise RecordError({"group_by": ["Send model, day or label:KEY."]})
        return text


def _shown(group):
    return {
        "key": group.key,
        "count": group.count,
        "interactions": group.interactions,
        "mean": group.mean,
        "stddev": group.stddev,
        "min": group.minimum,
        "max": group.maximum,
        "quantiles": {f"p{round(100 * share)}": value for share, value in group.quantiles.items()},
        "histogram": [{"start": bar.start, "end": bar.end, "count": bar.count} for bar in group.bars],
    }
