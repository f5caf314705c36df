"""The gate to what a team has registered."""

from django.core.exceptions import PermissionDenied
from django.core.validators import slug_re

from accounts.models import Membership
from accounts.permissions import MANAGE_MODELS, READ
from projects.access import EntityNotFound


def team_or_404(user, key, permission=READ):
    """The team of this key with `.permissions`: EntityNotFound (404) to those outside it, PermissionDenied (403) to
    members who may not do this."""
    held = Membership.objects.filter(user=user, team__key=str(key)).select_related("team", "role")
    member = held.first() if slug_re.match(str(key)) else None
    if member is None:
        raise EntityNotFound("Team", key)
    team = member.team
    team.permissions = set(member.role.permissions)
    if permission not in team.permissions:
        raise PermissionDenied(f"You may not do this in {team.name}: it needs the permission {permission}.")
    return team


def managed_team_or_404(user, key):
    """The same for who registers models and providers."""
    return team_or_404(user, key, MANAGE_MODELS)
