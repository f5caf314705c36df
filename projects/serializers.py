"""Projects on the wire."""

from rest_framework import serializers

from accounts.models import Team
from accounts.names import check_name
from accounts.permissions import CREATE_PROJECT
from interactions.calls import Strict
from projects.access import EntityNotFound
from projects.models import MOST_DAYS, Project
from projects.services import check_key


class ProjectSerializer(serializers.ModelSerializer):
    """A project as calls see it."""

    id = serializers.UUIDField(source="uid", read_only=True)
    team = serializers.SlugRelatedField(slug_field="key", read_only=True)

    class Meta:
        model = Project
        fields = ["id", "key", "name", "team", "created_at", "archived_at", "keep_days"]


class ProjectListSerializer(serializers.Serializer):
    results = ProjectSerializer(many=True)


class NewProjectSerializer(Strict):
    key = serializers.SlugField(max_length=64, validators=[check_key])
    name = serializers.CharField(max_length=100, validators=[check_name])
    team = serializers.CharField(
        max_length=64,
        required=False,
        help_text="Key of the team that will own it; needed where you may create in several.",
    )

    def validate(self, record):
        teams = {team.key: team for team in Team.objects.where(self.context["request"].user, CREATE_PROJECT)}
        record["team"] = self._team(teams, record.get("team"))
        return record

    def _team(self, teams, key):
        if key is None and len(teams) == 1:
            return next(iter(teams.values()))
        if key is None:
            keys = ", ".join(sorted(teams))
            raise serializers.ValidationError({"team": f"You may create projects in several teams: {keys}. Name one."})
        if key not in teams:
            raise EntityNotFound("Team", key)
        return teams[key]


class ProjectChangeSerializer(Strict):
    """What of a project may be changed: its name, whether it is archived, for how many days it keeps."""

    name = serializers.CharField(max_length=100, required=False, validators=[check_name])
    archived = serializers.BooleanField(required=False)
    keep_days = serializers.IntegerField(
        min_value=1, max_value=MOST_DAYS, required=False, allow_null=True, help_text="whole days; null: for ever"
    )
