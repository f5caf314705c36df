"""The one gate to a team's own pages."""

from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import Team
from accounts.permissions import MANAGE_TEAM


def managed_team_or_404(user, key):
    """The team of this key: 404 to those outside it, PermissionDenied (403) to members who may not manage it."""
    team = Team.objects.filter(key=key, memberships__user=user).first()
    if team is None:
        raise Http404(f"EntityNotFound: Team {key[:64]!r}")
    if not Team.objects.where(user, MANAGE_TEAM).filter(pk=team.pk).exists():
        raise PermissionDenied(f"Only an administrator of {team.name} may see and change its members.")
    return team
