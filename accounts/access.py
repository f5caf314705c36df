"""The gates to a team's own pages and calls."""

from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import Team
from accounts.permissions import AUDIT, MANAGE_TEAM


def managed_team_or_404(user, key):
    """The team of this key: 404 to those outside it, PermissionDenied (403) to members who may not manage it."""
    return _team_or_404(user, key, MANAGE_TEAM, "Only an administrator of {team} may see and change its members.")


def audited_team_or_404(user, key):
    """The same for who reads its audit log."""
    return _team_or_404(user, key, AUDIT, "Only administrators and auditors of {team} read its audit log.")


def _team_or_404(user, key, permission, refusal):
    team = Team.objects.filter(key=key, memberships__user=user).first()
    if team is None:
        raise Http404(f"EntityNotFound: Team {key[:64]!r}")
    if not Team.objects.where(user, permission).filter(pk=team.pk).exists():
        raise PermissionDenied(refusal.format(team=team.name))
    return team
