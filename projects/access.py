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

    def __init__(self, entity, key, hint=""):
        super().__init__(f"EntityNotFound: {entity} {str(key)[:200]!r}{hint and f'. {hint}'}")


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
# whether a project may be shared with her, or she be taken into a team: neither changes what a key means to her.
# Deleted ones are among them (of her own teams: a share ends with its project): their keys go on to mean them
_ORDER = "ORDER BY granted.shared, granted.since, granted.share, p.id"
_SEEN = f"""
    SELECT {prepared.columns(Project, "p")}, {prepared.columns(Team, "t")}, granted.shared, granted.permissions
    FROM projects_project p JOIN accounts_team t ON t.id = p.team_id {_GRANTED}
    WHERE granted.roles > 0
"""
_GATE = f"{_SEEN} AND (p.key = %(key)s OR p.uid = %(uid)s) {_ORDER}"
_MINE = f"{_SEEN} {_ORDER}"
_OPEN = "SELECT archived_at, deleted_at FROM projects_project WHERE id = %s FOR KEY SHARE"


def _seen(sql, values):
    """The projects that a statement finds, each with its team, `.is_shared` (by another team) and `.permissions`."""
    for row in prepared.rows(sql, values):
        project, rest = prepared.instance(Project, row)
        project.team, [project.is_shared, permissions] = prepared.instance(Team, rest)
        project.permissions = set(permissions or ())
        yield project


def _meant(candidates):
    """Which of the projects with one key it means: the first of them. Where that one was deleted, what her own teams
    have made under the key since, and never one that was behind it: a call sent once more would reach that."""
    deleted_at = None
    for project in candidates:
        if deleted_at and (project.is_shared or project.created_at < deleted_at):
            continue
        if project.deleted_at is None:
            return project
        deleted_at = max(deleted_at or project.deleted_at, project.deleted_at)
    return None


def _uid(key):
    try:
        return uuid.UUID(key)
    except ValueError:
        return None


def project_or_404(user, key, permission=READ, *others):
    """The project of this key (or uid) with `.permissions`, `.is_shared` (it is another team's) and `.ref`, the word it
    was asked for by.

    EntityNotFound (404) to strangers, PermissionDenied (403) to those who may see it but not do this: who has any of
    the permissions may.
    """
    text = str(key)
    # text that the database cannot take, such as NUL, is no key either
    found = slug_re.match(text) and _seen(_GATE, {"user": user.pk, "key": text, "uid": _uid(text)})
    project = _meant(found or ())
    if project is None:
        raise EntityNotFound("Project", key)
    project.ref = key
    if project.permissions.isdisjoint({permission, *others}):
        raise PermissionDenied(needs(project, permission))
    return project


def keep_open(project):
    """Inside a transaction: nobody archives or deletes the project before that has ended; whoever does it waits. Its
    `.archived_at` is as of now; EntityNotFound where it was deleted."""
    [found] = prepared.rows(_OPEN, [project.pk])
    project.archived_at, project.deleted_at = found
    if project.deleted_at:
        raise EntityNotFound("Project", project.key)


def needs(project, permission):
    """Why somebody who sees the project may not do this, in the words of the table of roles too."""
    said = f"it needs the permission {permission} (“{PERMISSIONS[permission]}”)"
    return f"You may not do this in {project.key}: {said}."


def projects_of(user):
    """All projects this person may see, by name, each with its team and `.ref`, the word that leads to it alone."""
    projects, by_key = [], {}
    for project in _seen(_MINE, {"user": user.pk}):
        by_key.setdefault(project.key, []).append(project)
    for key, candidates in by_key.items():
        meant = _meant(candidates)
        for project in candidates:
            # two teams may use one key; project_or_404 takes it for one of them, so the others go by their uid
            project.ref = key if project is meant else str(project.uid)
            if project.deleted_at is None:
                projects.append(project)
    return sorted(projects, key=lambda project: (project.name.casefold(), project.pk))


def ref_of(user, project):
    """The word that leads this person to this project: its key, or its uid where another one goes by the same key."""
    return next(one.ref for one in projects_of(user) if one.pk == project.pk)
