"""REST: the people of a team, and its audit log."""

from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import audited_team_or_404
from accounts.audit import PAGE, VERBS, entries_of, page_of
from interactions.calls import refuse_unknown

MOST = 1_000
WORDS = {
    "person": "who did it, by e-mail address",
    "verb": f"what was done: {', '.join(VERBS)}",
    "after": "from this time on, ISO 8601",
    "before": "before this time, ISO 8601",
    "cursor": "`next` of the page before",
    "limit": f"lines of a page, 1 to {MOST:,}; {PAGE} unless said",
}


class AuditQuery(serializers.Serializer):
    person = serializers.EmailField(required=False)
    verb = serializers.ChoiceField(list(VERBS), required=False)
    after = serializers.DateTimeField(required=False)
    before = serializers.DateTimeField(required=False)
    cursor = serializers.RegexField(r"^[0-9]{1,18}\Z", required=False, default="")
    limit = serializers.IntegerField(min_value=1, max_value=MOST, required=False, default=PAGE)


class ActorShape(serializers.Serializer):
    email = serializers.CharField()
    name = serializers.CharField()


class KeyShape(serializers.Serializer):
    name = serializers.CharField()
    hint = serializers.CharField()


class AuditEntryShape(serializers.Serializer):
    """What was done: by whom (null: the server itself, or a command there), by which API key (null: in the browser)."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = ActorShape(allow_null=True)
    key = KeyShape(allow_null=True)
    project = serializers.CharField(source="project_key", allow_null=True)
    verb = serializers.CharField()
    object = serializers.CharField()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)

    def to_representation(self, entry):
        told = super().to_representation(entry)
        return {**told, "project": told["project"] or None}


class AuditPageShape(serializers.Serializer):
    results = AuditEntryShape(many=True)
    next = serializers.CharField(allow_null=True)


@extend_schema(tags=["teams"])
class TeamAudit(APIView):
    """What was changed in a team and its projects, and by whom."""

    @extend_schema(
        summary="A team's audit log",
        parameters=[OpenApiParameter(name, description=told) for name, told in WORDS.items()],
        responses=forced_singular_serializer(AuditPageShape),
    )
    def get(self, request, team):
        """The newest lines first. For administrators and auditors; nothing in it is ever changed or removed."""
        team = audited_team_or_404(request.user, team)
        refuse_unknown(request.query_params, WORDS)
        query = AuditQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        wanted = dict(query.validated_data)
        cursor, limit = wanted.pop("cursor"), wanted.pop("limit")
        entries, older = page_of(entries_of(team, **wanted), cursor, limit)
        return Response(AuditPageShape({"results": entries, "next": older or None}).data)
