"""What the commands on a project's interactions have in common: which project, who acts, which file."""

import uuid
from pathlib import Path

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError
from django.db.models import Q
from django.http import Http404

from accounts.models import User
from accounts.permissions import MANAGE_TEAM
from projects.access import project_or_404
from projects.models import Project

ENCODINGS = {".gz": "gzip", ".zst": "zstd"}


def encoding_of(path):
    """gzip, zstd or identity, by the file's name."""
    return ENCODINGS.get(Path(path).suffix, "identity")


def project_and_person(key, email, permission):
    """The project of this key (or id), and who acts in it: of this address, else its team's first administrator."""
    project = project_named(key)
    person = User.objects.at(email).first() if email else _administrator(project)
    if person is None:
        raise CommandError(f"There is no user {email}." if email else f"The team of {key} has no administrator.")
    try:
        return project_or_404(person, project.uid, permission), person
    except (Http404, PermissionDenied) as error:
        raise CommandError(f"{person.email}: {error}") from None


def project_named(key):
    """The project of this key or id; CommandError where there is none, or more than one."""
    try:
        named = Q(uid=uuid.UUID(key))
    except ValueError:
        named = Q(key=key)
    found = list(Project.objects.filter(named, deleted_at=None).select_related("team"))
    if not found:
        raise CommandError(f"There is no project {key}.")
    if len(found) > 1:
        which = ", ".join(f"{project.uid} ({project.team})" for project in found)
        raise CommandError(f"Several teams have a project {key}; name it by its id: {which}.")
    return found[0]


def _administrator(project):
    members = project.team.memberships.filter(role__permissions__contains=[MANAGE_TEAM], user__is_active=True)
    first = members.select_related("user").order_by("pk").first()
    return first and first.user
