"""Comparisons of two completions: give one or many, and what they amount to."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import FEEDBACK
from feedback.matrix import win_matrix
from feedback.services import key_or_404, keys_of
from interactions.calls import project_asked
from interactions.ingest.http import BatchView
from interactions.ingest.preferences import take_many, take_preferences
from interactions.models import Interaction
from interactions.preference_records import read_preference
from interactions.rules import ORIGINS, RecordError
from interactions.serializers import BatchShape, MessageShape
from projects.access import EntityNotFound, project_or_404

PROJECT = OpenApiParameter("project", required=True, description="key or id of the project")


class ComparisonShape(serializers.Serializer):
    feedback_key = serializers.CharField(help_text="Or `metric`; of either kind.")
    preferred_completion = serializers.JSONField(help_text="The id of an interaction, {external_id}, or {model, text}.")
    other_completion = serializers.JSONField(help_text="The same; both need not be given in the same way.")
    messages = MessageShape(many=True, required=False, help_text="Or `prompt`, a text. Needed for completions as text.")
    tied = serializers.JSONField(required=False, help_text='"good", "bad" or true; false or null: one was preferred')
    user = serializers.CharField(required=False, help_text="Or `user_id`: whose preference it is.")
    origin = serializers.ChoiceField(ORIGINS, required=False, help_text="user unless said")
    external_id = serializers.CharField(required=False, help_text="The same again is stored once.")
    project = serializers.CharField(required=False, help_text="Needed where neither completion is given by id.")
    ab_campaign = serializers.CharField(required=False, help_text="The A/B test that both completions are arms of.")


class ComparedShape(serializers.Serializer):
    comparison_id = serializers.UUIDField()


class StandingShape(serializers.Serializer):
    model = serializers.CharField(allow_null=True)
    strength = serializers.FloatField(help_text="Bradley-Terry, log-odds, centred to mean 0")
    low = serializers.FloatField(help_text="lower end of the 95 % interval")
    high = serializers.FloatField()
    rank_low = serializers.IntegerField(help_text="the best rank it may have")
    rank_high = serializers.IntegerField(help_text="the worst")
    wins = serializers.IntegerField()
    losses = serializers.IntegerField()
    ties = serializers.IntegerField()
    comparisons = serializers.IntegerField()
    win_rate = serializers.FloatField(help_text="a tie as half")
    group = serializers.IntegerField(help_text="strengths compare within one group only")


class PairShape(serializers.Serializer):
    a = serializers.CharField(allow_null=True)
    b = serializers.CharField(allow_null=True)
    a_wins = serializers.IntegerField()
    b_wins = serializers.IntegerField()
    ties = serializers.IntegerField(help_text="all of them")
    ties_good = serializers.IntegerField()
    ties_bad = serializers.IntegerField()
    a_win_rate = serializers.FloatField(help_text="a tie as half")
    a_win_rate_low = serializers.FloatField(help_text="lower end of the 95 % interval")
    a_win_rate_high = serializers.FloatField()


class WithinShape(serializers.Serializer):
    model = serializers.CharField(allow_null=True)
    decided = serializers.IntegerField()
    ties = serializers.IntegerField()
    ties_good = serializers.IntegerField()
    ties_bad = serializers.IntegerField()


class MatrixShape(serializers.Serializer):
    models = StandingShape(many=True, help_text="strongest first")
    pairs = PairShape(many=True, help_text="each once, by the keys")
    within = WithinShape(many=True, help_text="two completions of one model: in no rate and no strength")
    connected = serializers.BooleanField(help_text="false: not every two models met, even by way of others")


class ComparisonList(APIView):
    """Preferences between two completions."""

    @extend_schema(request=ComparisonShape, responses={201: ComparedShape, 200: ComparedShape})
    def post(self, request):
        """Tell which of two completions is preferred. 201 means committed; 200 that the external_id was given before
        with the same payload. Completions sent as text point to the newest equal interaction, or make one."""
        project = self._project(request.user, read_preference(request.data))
        [outcome] = take_preferences(project=project, records=[request.data], by=request.user)
        if outcome.error:
            raise outcome.error
        code = status.HTTP_200_OK if outcome.duplicate else status.HTTP_201_CREATED
        return Response({"comparison_id": str(outcome.id)}, status=code)

    def _project(self, user, record):
        """The project named, or that of the interactions."""
        if record.project is not None:
            return project_or_404(user, record.project, FEEDBACK)
        named = next((side for side in record.sides if isinstance(side, UUID)), None)
        if named is None:
            raise RecordError({"project": ["Name the project by its key or id."]})
        row = Interaction.objects.select_related("project").filter(pk=named).first()
        try:
            if row is None:
                raise EntityNotFound("Interaction", named)
            return project_or_404(user, row.project.uid, FEEDBACK)
        except EntityNotFound:
            raise EntityNotFound("Interaction", named) from None


class ComparisonBatch(BatchView):
    """Give many preferences at once."""

    @extend_schema(
        parameters=[PROJECT],
        request={"application/json": ComparisonShape(many=True), "application/x-ndjson": OpenApiTypes.STR},
        responses={201: BatchShape, 200: BatchShape},
    )
    def post(self, request):
        """NDJSON (or a JSON array up to 32 MB), gzip or zstd welcome, answered like a batch of interactions. Each
        stands alone; 201 where any was accepted, and what was accepted is committed."""

        def take(admit, numbered):
            return take_many(admit=admit, numbered=numbered, by=request.user)

        return self.answered(request, FEEDBACK, take)


class FeedbackKeyPreferences(APIView):
    """What the comparisons under a key amount to."""

    @extend_schema(parameters=[PROJECT], responses=MatrixShape)
    def get(self, request, key):
        """Strengths of the models, strongest first, and how every two did against each other. Comparisons with a
        simulated completion are not counted. They are of all time: it takes no filter."""
        project = project_asked(request)
        matrix = win_matrix(project, key_or_404(keys_of(project), key))
        return Response(
            {
                "models": [_model(one) for one in matrix.models],
                "pairs": [_pair(pair) for pair in matrix.pairs],
                "within": [_named(one, WithinShape) for one in matrix.within],
                "connected": matrix.connected,
            }
        )


def _model(one):
    return _named(one, StandingShape) | {"win_rate": one.win_rate.rate}


def _pair(pair):
    rate, low, high = pair.a_win_rate
    rates = {"a_win_rate": rate, "a_win_rate_low": low, "a_win_rate_high": high}
    return {name: getattr(pair, name) for name in PairShape._declared_fields if name not in rates} | rates


def _named(one, shape):
    return {name: getattr(one, name) for name in shape._declared_fields}
