"""REST: a team's models."""

from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.response import Response

from registry.access import managed_team_or_404, team_or_404
from registry.api.doors import BUSY, PAGING, Door
from registry.checking import check_model
from registry.listing import models_of
from registry.providers import provider_or_404
from registry.serializers import ModelChangeSerializer, ModelPageSerializer, ModelSerializer, NewModelSerializer
from registry.services import change_model, model_or_404, register_model


@extend_schema(tags=["models"])
class ModelList(Door):
    """The models of a team."""

    @extend_schema(
        operation_id="api_v1_teams_models_list",
        summary="A team's models",
        parameters=PAGING,
        responses=forced_singular_serializer(ModelPageSerializer),
    )
    def get(self, request, team):
        team = team_or_404(request.user, team)
        return self.page(lambda **wanted: models_of(team, **wanted), ModelSerializer)

    @extend_schema(summary="Register a model", request=NewModelSerializer, responses={201: ModelSerializer})
    def post(self, request, team):
        """A model that is only known from what was logged gets the provider; 409 where it has one."""
        team = managed_team_or_404(request.user, team)
        record = self.body(NewModelSerializer)
        provider = provider_or_404(team, record.pop("provider"))
        model = register_model(team=team, provider=provider, by=request.user, **record)
        return Response(ModelSerializer(model).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["models"])
class ModelDetail(Door):
    """One model of a team."""

    @extend_schema(summary="One model", responses=ModelSerializer)
    def get(self, request, team, model):
        return Response(ModelSerializer(model_or_404(team_or_404(request.user, team).models, model)).data)

    @extend_schema(summary="Change a model", request=ModelChangeSerializer, responses=ModelSerializer)
    def patch(self, request, team, model):
        """Without a provider (null) it can no longer be called; what was logged of it stays."""
        team = managed_team_or_404(request.user, team)
        model = model_or_404(team.models, model)
        changes = self.body(ModelChangeSerializer)
        if changes.get("provider") is not None:
            changes["provider"] = provider_or_404(team, changes["provider"])
        return Response(ModelSerializer(change_model(model=model, by=request.user, **changes)).data)


@extend_schema(tags=["models"])
class ModelCheck(Door):
    """Whether a model answers."""

    @extend_schema(summary="Make one tiny call to a model", request=None, responses={200: ModelSerializer, **BUSY})
    def post(self, request, team, model):
        """It is really called, which may cost a few tokens. `state` is online or failing, `fault` says why."""
        model = model_or_404(managed_team_or_404(request.user, team).models, model)
        check_model(model)
        return Response(ModelSerializer(model).data)
