"""What makes, changes and ends a project."""

import uuid

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from accounts.audit import record
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
            project = Project.objects.create(team=team, key=key, name=name, created_by=by)
            record("project.create", by=by, project=project, what=key, after={"name": name})
            return project
    except IntegrityError:
        raise ProjectExists(_taken(team, key)) from None


def _taken(team, key):
    if Project.objects.filter(team=team, key=key).exclude(deleted_at=None).exists():
        return f"The key {key} belonged to a project that was deleted; keys are never given twice."
    return f"{team.name} has a project with the key {key} already."


# -- changing it: `by` as in the audit log, None for who runs the server --------------------------
@transaction.atomic
def rename_project(*, project, name, by=None):
    _change(project, "name", name, "project.rename", by)


@transaction.atomic
def keep_for(*, project, days, by=None):
    """Keep its interactions for so many whole days, 1 to MOST_DAYS; None for ever. What is older goes at night."""
    _change(project, "keep_days", days, "project.keep", by)


@transaction.atomic
def archive_project(*, project, by=None):
    """Readable from now on, but closed to new interactions."""
    locked = Project.objects.select_for_update().get(pk=project.pk)  # after the pieces of batches that are being stored
    project.archived_at = locked.archived_at
    if project.archived_at is None:
        _change(project, "archived_at", timezone.now(), "project.archive", by)


@transaction.atomic
def unarchive_project(*, project, by=None):
    _change(project, "archived_at", None, "project.unarchive", by)


def _change(project, name, value, verb, by):
    former = getattr(Project.objects.select_for_update(no_key=True).get(pk=project.pk), name)  # `project` may be old
    setattr(project, name, value)
    if value == former:
        return
    project.save(update_fields=[name])
    told = {"before": {name: former}, "after": {name: value}} if name != "archived_at" else {}
    record(verb, by=by, project=project, what=project.key, **told)


@transaction.atomic
def share_project(*, project, team, role, by=None):
    """The team may use the project in this role of the owning team; a second time changes the role."""
    Project.objects.lock(project)
    former = ProjectShare.objects.filter(project=project, team=team).select_related("role").first()
    share, _ = ProjectShare.objects.update_or_create(project=project, team=team, defaults={"role": role})
    before = {"role": former.role.key} if former else None
    record("share.set", by=by, project=project, what=team.key, before=before, after={"role": role.key})
    return share


@transaction.atomic
def unshare_project(*, share, by=None):
    """Whether it was shared still."""
    if not ProjectShare.objects.filter(pk=share.pk).delete()[0]:
        return False
    record("share.end", by=by, project=share.project, what=share.team.key, before={"role": share.role.key})
    return True


@transaction.atomic
def delete_project(*, project, by=None):
    """Gone for everybody at once; a job clears its content away, and its key stays reserved. ProjectHeld where
    interactions are under a legal hold."""
    Project.objects.select_for_update().get(pk=project.pk)  # who holds one locks it too
    if held := project.holds.filter(released_at=None).count():
        what = "1 interaction is" if held == 1 else f"{held:,} interactions are"
        raise ProjectHeld(f"{what} under a legal hold. Release {'it' if held == 1 else 'them'} before you delete this.")
    if not Project.objects.filter(pk=project.pk, deleted_at=None).update(deleted_at=timezone.now()):
        return
    record("project.delete", by=by, project=project, what=project.key, before={"name": project.name})
    for share in project.shares.select_related("team", "role", "project"):
        unshare_project(share=share, by=by)
    app.configure_task(DELETION).defer(project_id=project.pk)
