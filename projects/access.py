"""The one gate to a project: every page, call and job comes through here."""

import uuid

from django.core.exceptions import PermissionDenied
from django.core.validators import slug_re
from django.http import Http404

from accounts import prepared
from accounts.models import Team
from accounts.permissions import PERMISSIONS, READ
from projects.models import Project


class EntityNotFound(Http404):
    """What was named does not exist, or not for this person: nothing tells the two apart."""

    def __init__(self, entity, key):
        super().__init__(f"EntityNotFound: {entity} {str(key)[:200]!r}")


# whoever has a role in it may see a project: by her own team, or by a share with a team of hers
_GRANTED = """
    CROSS JOIN LATERAL (
        SELECT count(*) AS roles, bool_and(share IS NOT NULL) AS shared, min(since) AS since, min(share) AS share,
            array_agg(DISTINCT permission) FILTER (WHERE permission IS NOT NULL) AS permissions
        FROM (
            SELECT m.role_id, greatest(m.created_at, p.created_at) AS since, NULL::bigint AS share
            FROM accounts_membership m WHERE m.team_id = p.team_id AND m.user_id = %(user)s
            UNION ALL
            SELECT s.role_id, NULL, s.id
            FROM projects_projectshare s JOIN accounts_membership m ON m.team_id = s.team_id
            WHERE s.project_id = p.id AND m.user_id = %(user)s
        ) AS held JOIN accounts_role r ON r.id = held.role_id LEFT JOIN unnest(r.permissions) AS permission ON true
    ) AS granted
"""
# of several with one key: those of her own teams first, and of these whichever she could see first. Nobody is asked
# whether a project may be shared with her, or she be taken into a team: neither changes what a key means to her
_ORDER = "ORDER BY granted.shared, granted.since, granted.share, p.id"
_GATE = f"""
    SELECT {prepared.columns(Project, "p")}, {prepared.columns(Team, "t")}, granted.permissions
    FROM projects_project p JOIN accounts_team t ON t.id = p.team_id {_GRANTED}
    WHERE (p.key = %(key)s OR p.uid = %(uid)s) AND p.deleted_at IS NULL AND granted.roles > 0
    {_ORDER} LIMIT 1
"""
_MINE = f"""
    SELECT {prepared.columns(Project, "p")}, {prepared.columns(Team, "t")}
    FROM projects_project p JOIN accounts_team t ON t.id = p.team_id {_GRANTED}
    WHERE p.deleted_at IS NULL AND granted.roles > 0
    {_ORDER}
"""


def _uid(key):
    try:
        return uuid.UUID(key)
    except ValueError:
        return None


def project_or_404(user, key, permission=READ):
    """The project of this key (or uid) with `.permissions` and `.ref`, the word it was asked for by.

    EntityNotFound (404) to strangers, PermissionDenied (403) to those who may see it but not do this.
    """
    text = str(key)
    # text that the database cannot take, such as NUL, is no key either
    found = slug_re.match(text) and prepared.rows(_GATE, {"user": user.pk, "key": text, "uid": _uid(text)})
    if not found:
        raise EntityNotFound("Project", key)
    project, rest = prepared.instance(Project, found[0])
    project.team, [permissions] = prepared.instance(Team, rest)
    project.ref = key
    project.permissions = set(permissions or ())
    if permission not in project.permissions:
        raise PermissionDenied(needs(project, permission))
    return project


def needs(project, permission):
    """Why somebody who sees the project may not do this, in the words of the table of roles too."""
    said = f"it needs the permission {permission} (“{PERMISSIONS[permission]}”)"
    return f"You may not do this in {project.key}: {said}."


def projects_of(user):
    """All projects this person may see, by name, each with its team and `.ref`, the word that leads to it alone."""
    projects, taken = [], set()
    for found in prepared.rows(_MINE, {"user": user.pk}):
        project, rest = prepared.instance(Project, found)
        project.team, _ = prepared.instance(Team, rest)
        projects.append(project)
        # two teams may use one key; project_or_404 takes it for the first, so the others go by their uid
        project.ref = str(project.uid) if project.key in taken else project.key
        taken.add(project.key)
    return sorted(projects, key=lambda project: (project.name.casefold(), project.pk))


def ref_of(user, project):
    """The word that leads this person to this project: its key, or its uid where another one goes by the same key."""
    return next(one.ref for one in projects_of(user) if one.pk == project.pk)
