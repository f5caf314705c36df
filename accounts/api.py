"""REST: the people of a team, and its audit log."""

from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import audited_team_or_404, managed_team_or_404
from accounts.audit import PAGE, VERBS, entries_of, page_of
from accounts.models import User
from accounts.services import (
    LAST_ADMINISTRATOR,
    AlreadyMember,
    LastAdministrator,
    change_role,
    invite_member,
    remove_member,
)
from interactions.calls import OneOf, Strict, refuse_unknown
from interactions.rules import Conflict
from projects.access import EntityNotFound

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
    verb = OneOf(list(VERBS), required=False)
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


# -- members --------------------------------------------------------------------------------------
class MemberKeyShape(serializers.Serializer):
    name = serializers.CharField()
    hint = serializers.CharField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)


class MemberShape(serializers.Serializer):
    email = serializers.CharField(source="user.email")
    name = serializers.CharField(source="user.name")
    role = serializers.CharField(source="role.key")
    is_active = serializers.BooleanField(source="user.is_active")
    since = serializers.DateTimeField(source="created_at")
    api_keys = MemberKeyShape(many=True, source="user.keys")


class InvitationShape(serializers.Serializer):
    email = serializers.CharField(source="user.email")
    role = serializers.CharField(source="role.key")
    since = serializers.DateTimeField(source="created_at")


class MemberListShape(serializers.Serializer):
    results = MemberShape(many=True)
    invitations = InvitationShape(many=True)


class RoleOf(Strict):
    role = serializers.CharField(max_length=64)

    def validate_role(self, key):
        roles = list(self.context["team"].roles.order_by("pk").values_list("key", flat=True))
        if key not in roles:
            raise serializers.ValidationError(f"Send one of {', '.join(roles)}.")
        return key


class NewMember(RoleOf):
    email = serializers.EmailField(max_length=254)
    name = serializers.CharField(max_length=100, required=False, help_text="for somebody new; else the name stays")


class AddedShape(serializers.Serializer):
    """`one_time_password` is told this once, of somebody new; whoever has an account is `invited`."""

    email = serializers.CharField()
    invited = serializers.BooleanField()
    one_time_password = serializers.CharField(allow_null=True)


@extend_schema(tags=["teams"])
class TeamMembers(APIView):
    """The people of a team, for its administrators."""

    @extend_schema(
        operation_id="team_members_list",
        summary="Who is in a team",
        responses=forced_singular_serializer(MemberListShape),
    )
    def get(self, request, team):
        """With their roles and their keys that were not revoked, and who is invited."""
        team = managed_team_or_404(request.user, team)
        invitations = team.invitations.select_related("user", "role").order_by("pk")
        return Response(MemberListShape({"results": team.memberships.with_people(), "invitations": invitations}).data)

    @extend_schema(summary="Add somebody to a team", request=NewMember, responses={201: AddedShape})
    def post(self, request, team):
        """Who has no account is made one; who has one is invited, and decides herself. 409 for a member."""
        team = managed_team_or_404(request.user, team)
        given = _given(NewMember, request, team)
        given.setdefault("name", given["email"].partition("@")[0])
        try:
            user, password = invite_member(team=team, by=request.user, **given)
        except AlreadyMember:
            raise Conflict(f"{given['email']} is in the team already; change the role by PATCH.") from None
        told = {"email": user.email, "invited": password is None, "one_time_password": password}
        return Response(AddedShape(told).data, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


@extend_schema(tags=["teams"])
class TeamMember(APIView):
    """One person of a team, named by her e-mail address."""

    @extend_schema(summary="Change a member's role", request=RoleOf, responses=MemberShape)
    def patch(self, request, team, email):
        """409 where the team would be left without an administrator."""
        team = managed_team_or_404(request.user, team)
        member = _member(team, email)
        given = _given(RoleOf, request, team)
        if not _keeping_one(change_role, member=member, by=request.user, **given):
            raise EntityNotFound("Member", email)
        return Response(MemberShape(_member(team, email)).data)

    @extend_schema(summary="Remove a member", responses={204: None})
    def delete(self, request, team, email):
        """Out of the team, and of all of its projects. The account stays. 409 as above."""
        team = managed_team_or_404(request.user, team)
        if not _keeping_one(remove_member, member=_member(team, email), by=request.user):
            raise EntityNotFound("Member", email)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _given(shape, request, team):
    form = shape(data=request.data, context={"team": team})
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def _member(team, email):
    user = None if "\x00" in email else User.objects.at(email).first()
    member = user and team.memberships.with_people().select_related("team").filter(user=user).first()
    if member is None:
        raise EntityNotFound("Member", email)
    return member


def _keeping_one(change, **given):
    try:
        return change(**given)
    except LastAdministrator:
        raise Conflict(LAST_ADMINISTRATOR) from None
