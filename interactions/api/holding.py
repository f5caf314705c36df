"""REST: legal holds, and what the rule of days takes of a project."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import MANAGE_PROJECT, READ
from interactions import ids
from interactions.api.interactions import interaction_or_404
from interactions.calls import object_of
from interactions.retention import holds
from interactions.retention.rule import next_run, plan
from interactions.retention.run import departures
from interactions.serializers import wire_time
from projects.access import project_or_404

SHOWN = 1_000


class ReasonShape(serializers.Serializer):
    reason = serializers.CharField(max_length=holds.MAX_REASON)


class HoldShape(serializers.Serializer):
    reason = serializers.CharField()
    by = serializers.CharField()
    at = serializers.DateTimeField()
    released_because = serializers.CharField()
    released_by = serializers.CharField(allow_null=True)
    released_at = serializers.DateTimeField(allow_null=True)


class HeldShape(serializers.Serializer):
    held = serializers.BooleanField()
    history = HoldShape(many=True)


class HeldInteractionShape(HoldShape):
    interaction_id = serializers.UUIDField()


class HeldListShape(serializers.Serializer):
    results = HeldInteractionShape(many=True)
    count = serializers.IntegerField()


class ExpiryShape(serializers.Serializer):
    n = serializers.IntegerField(help_text="interactions that go")
    start = serializers.DateTimeField(allow_null=True, help_text="when the oldest was created")
    end = serializers.DateTimeField(help_text="what was created before this goes")
    months = serializers.IntegerField(help_text="months among them that go whole")
    held = serializers.IntegerField(help_text="what stays of that time: held, or compared with what is")


class DepartureShape(serializers.Serializer):
    at = serializers.DateTimeField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    n = serializers.IntegerField()
    held = serializers.IntegerField()
    way = serializers.ChoiceField(["month", "slice"])


class RetentionShape(serializers.Serializer):
    keep_days = serializers.IntegerField(allow_null=True, help_text="null: for ever")
    next_run = serializers.DateTimeField()
    would_go = ExpiryShape(allow_null=True)
    gone = DepartureShape(many=True)


def _hold(one):
    return {
        "reason": one.reason,
        "by": str(one.by),
        "at": wire_time(one.at),
        "released_because": one.released_because,
        "released_by": str(one.released_by) if one.released_by else None,
        "released_at": wire_time(one.released_at) if one.released_at else None,
    }


class InteractionHold(APIView):
    """The legal hold on an interaction: while it stands nobody and no rule can delete it."""

    @extend_schema(responses=HeldShape)
    def get(self, request, interaction_id):
        """Read whether it is held, and all holds there were, newest first."""
        return self._told(interaction_or_404(request.user, interaction_id, READ))

    @extend_schema(request=ReasonShape, responses=HeldShape)
    def put(self, request, interaction_id):
        """Hold it. A hold that stands stays as it is, with its reason."""
        row = interaction_or_404(request.user, interaction_id, MANAGE_PROJECT)
        reason = object_of(request, "reason").get("reason")
        holds.hold(project=row.project, ids=[row.pk], reason=reason, by=request.user)
        return self._told(row)

    @extend_schema(request=ReasonShape, responses={200: HeldShape})
    def delete(self, request, interaction_id):
        """Release it; why may be said in a body, `{"reason": text}`. 200 also where it was not held."""
        row = interaction_or_404(request.user, interaction_id, MANAGE_PROJECT)
        reason = object_of(request, "reason").get("reason") if request.data else None
        holds.release(project=row.project, ids=[row.pk], by=request.user, reason=reason)
        return self._told(row)

    def _told(self, row):
        history = holds.history(row.pk)
        held = any(one.released_at is None for one in history)
        return Response({"held": held, "history": [_hold(one) for one in history]})


class ProjectHolds(APIView):
    """The interactions of a project that are held."""

    @extend_schema(responses=HeldListShape)
    def get(self, request, project):
        """List them, the newest 1,000 holds first."""
        project = project_or_404(request.user, project)
        rows = holds.standing(project, SHOWN)
        results = [{"interaction_id": str(one.interaction_id), **_hold(one)} for one in rows]
        return Response({"results": results, "count": holds.number(project)})


class ProjectRetention(APIView):
    """How long a project keeps its interactions."""

    @extend_schema(responses=RetentionShape)
    def get(self, request, project):
        """Read the rule, what would go in the coming night, and what went. PATCH the project to change `keep_days`."""
        project = project_or_404(request.user, project)
        night = next_run(ids.now())
        would = [_expiry(one) for one in plan(night, project)]
        return Response(
            {
                "keep_days": project.keep_days,
                "next_run": wire_time(night),
                "would_go": would[0] if would else None,
                "gone": [_departure(one) for one in departures(project, SHOWN)],
            }
        )


def _expiry(one):
    told = one.as_dict()
    return {**told, "start": wire_time(one.start) if one.start else None, "end": wire_time(one.end)}


def _departure(one):
    times = {name: wire_time(getattr(one, name)) for name in ("at", "start", "end")}
    return {**times, "n": one.n, "held": one.held, "way": one.way}
