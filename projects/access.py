"""The one gate to a project: every page, call and job comes through here."""

import uuid

from django.core.exceptions import PermissionDenied
from django.core.validators import slug_re
from django.db.models import Q
from django.http import Http404

from accounts.models import Role
from accounts.permissions import READ
from projects.models import Project


class EntityNotFound(Http404):
    """What was named does not exist, or not for this person: nothing tells the two apart."""

    def __init__(self, entity, key):
        super().__init__(f"EntityNotFound: {entity} {str(key)[:200]!r}")


def permissions_in(user, project):
    """The set of what this person may do in the project, from her own team's role and from shares."""
    roles = Role.objects.filter(
        Q(memberships__user=user, memberships__team=project.team_id)
        | Q(pk__in=project.shares.filter(team__memberships__user=user).values("role"))
    )
    return {permission for granted in roles.values_list("permissions", flat=True) for permission in granted}


def _named(key):
    # text that the database cannot take, such as NUL, is no key either
    key = str(key)
    if not slug_re.match(key):
        raise EntityNotFound("Project", key)
    try:
        return Q(key=key) | Q(uid=uuid.UUID(key))
    except ValueError:
        return Q(key=key)


def project_or_404(user, key, permission=READ):
    """The project of this key (or uid) with `.permissions` and `.ref`, the word it was asked for by.

    EntityNotFound (404) to strangers, PermissionDenied (403) to those who may see it but not do this.
    """
    named = _named(key)
    project = Project.objects.visible_to(user).filter(named).select_related("team").order_by("pk").first()
    if project is None:
        raise EntityNotFound("Project", key)
    project.ref = key
    project.permissions = permissions_in(user, project)
    if permission not in project.permissions:
        raise PermissionDenied(f"You may not do this in {project.key}: it needs the permission {permission}.")
    return project


def projects_of(user):
    """All projects this person may see, by name, each with its team and `.ref`, the word that leads to it alone."""
    projects = list(Project.objects.visible_to(user).select_related("team").order_by("pk"))
    taken = set()
    for project in projects:
        # two teams may use one key; project_or_404 takes it for the older, so the younger goes by its uid
        project.ref = str(project.uid) if project.key in taken else project.key
        taken.add(project.key)
    return sorted(projects, key=lambda project: (project.name.casefold(), project.pk))


def ref_of(user, project):
    """The word that leads this person to this project: its key, or its uid where an older one has the same key."""
    return next(one.ref for one in projects_of(user) if one.pk == project.pk)
