"""What makes, changes and ends a project."""

import uuid

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from projects.models import Project, ProjectShare

DELETION = "projects.delete_content"


class ProjectExists(Exception):
    """The team has, or once had, a project of this key."""


class ProjectHeld(Exception):
    """Interactions of the project are under a legal hold."""


def check_key(key):
    """ValidationError for a key that would read as another project's uid."""
    try:
        uuid.UUID(key)
    except ValueError:
        return
    raise ValidationError("A key may not look like a UUID: projects are also found by theirs.")


def create_project(*, team, key, name, by):
    """A new project of the team; ProjectExists where the key is taken, be it by a deleted one."""
    try:
        with transaction.atomic():
            return Project.objects.create(team=team, key=key, name=name, created_by=by)
    except IntegrityError:
        raise ProjectExists(_taken(team, key)) from None


def _taken(team, key):
    if Project.objects.filter(team=team, key=key).exclude(deleted_at=None).exists():
        return f"The key {key} belonged to a project that was deleted; keys are never given twice."
    return f"{team.name} has a project with the key {key} already."


def rename_project(*, project, name):
    project.name = name
    project.save(update_fields=["name"])


def share_project(*, project, team, role):
    """The team may use the project in this role of the owning team; a second time changes the role."""
    share, _ = ProjectShare.objects.update_or_create(project=project, team=team, defaults={"role": role})
    return share


def keep_for(*, project, days):
    """Keep its interactions for so many whole days, 1 to MOST_DAYS; None for ever. What is older goes at night."""
    project.keep_days = days
    project.save(update_fields=["keep_days"])


def unshare_project(*, share):
    share.delete()


def archive_project(*, project):
    """Readable from now on, but closed to new interactions."""
    project.archived_at = project.archived_at or timezone.now()
    project.save(update_fields=["archived_at"])


def unarchive_project(*, project):
    project.archived_at = None
    project.save(update_fields=["archived_at"])


@transaction.atomic
def delete_project(*, project):
    """Gone for everybody at once; a job clears its content away, and its key stays reserved. ProjectHeld where
    interactions are under a legal hold."""
    Project.objects.select_for_update().get(pk=project.pk)  # who holds one locks it too
    if held := project.holds.filter(released_at=None).count():
        what = "1 interaction is" if held == 1 else f"{held:,} interactions are"
        raise ProjectHeld(f"{what} under a legal hold. Release {'it' if held == 1 else 'them'} before you delete this.")
    if not Project.objects.filter(pk=project.pk, deleted_at=None).update(deleted_at=timezone.now()):
        return
    project.shares.all().delete()
    app.configure_task(DELETION).defer(project_id=project.pk)
