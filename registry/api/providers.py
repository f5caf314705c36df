"""REST: a team's providers and compute pools."""

from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.response import Response

from registry.access import managed_team_or_404, team_or_404
from registry.api.doors import BUSY, Door
from registry.checking import check_provider
from registry.providers import change_provider, create_provider, delete_provider, provider_or_404, providers_of
from registry.serializers import (
    NewProviderSerializer,
    ProviderChangeSerializer,
    ProviderPageSerializer,
    ProviderSerializer,
)


@extend_schema(tags=["models"])
class ProviderList(Door):
    """The providers of a team."""

    @extend_schema(
        operation_id="api_v1_teams_providers_list",
        summary="A team's providers and compute pools",
        responses=forced_singular_serializer(ProviderPageSerializer),
    )
    def get(self, request, team):
        return Response({"results": ProviderSerializer(providers_of(team_or_404(request.user, team)), many=True).data})

    @extend_schema(summary="Add a provider", request=NewProviderSerializer, responses={201: ProviderSerializer})
    def post(self, request, team):
        """Address and key are kept encrypted and told to nobody. 409 where the key is taken."""
        team = managed_team_or_404(request.user, team)
        provider = create_provider(team=team, by=request.user, **self.body(NewProviderSerializer))
        return Response(ProviderSerializer(provider).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["models"])
class ProviderDetail(Door):
    """One provider."""

    @extend_schema(summary="One provider", responses=ProviderSerializer)
    def get(self, request, team, provider):
        return Response(ProviderSerializer(provider_or_404(team_or_404(request.user, team), provider)).data)

    @extend_schema(summary="Change a provider", request=ProviderChangeSerializer, responses=ProviderSerializer)
    def patch(self, request, team, provider):
        """Another kind or another host takes the key away, unless one is sent with it."""
        provider = provider_or_404(managed_team_or_404(request.user, team), provider)
        changes = self.body(ProviderChangeSerializer)
        return Response(ProviderSerializer(change_provider(provider=provider, by=request.user, **changes)).data)

    @extend_schema(summary="Delete a provider, with its key", responses={204: None})
    def delete(self, request, team, provider):
        """409 while models are registered with it."""
        found = provider_or_404(managed_team_or_404(request.user, team), provider)
        delete_provider(provider=found, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["models"])
class ProviderCheck(Door):
    """Whether a provider answers."""

    @extend_schema(summary="Ask a provider for its models", request=None, responses={200: ProviderSerializer, **BUSY})
    def post(self, request, team, provider):
        """It is really called. `state` is online or failing, `fault` says why; `reported` are the models it told of."""
        provider = provider_or_404(managed_team_or_404(request.user, team), provider)
        check_provider(provider)
        return Response(ProviderSerializer(provider).data)
