"""What a person may call: the models of her projects, and the projects themselves where they have a default."""

from typing import NamedTuple

from django.db.models import Q

from accounts.models import Membership
from accounts.permissions import CALL
from projects.access import projects_of
from projects.models import Project, ProjectShare
from registry.models import Attachment


class Offer(NamedTuple):
    """What is sent as `model`, and since when (seconds since 1970)."""

    name: str
    created: int


def offers(user, only=None):
    """An Offer for each model, by project; of the project with the uid `only` alone where it is given."""
    refs = {project.pk: project.ref for project in projects_of(user) if only in (None, project.uid)}
    projects = _callable(user).filter(pk__in=refs)
    attached = Attachment.objects.filter(
        project__in=projects, detached_at=None, desired_online=True, model__provider__isnull=False
    )
    found = []
    for one in attached.select_related("model").order_by("project_id", "-is_default", "model__key"):
        created, ref = int(one.created_at.timestamp()), refs[one.project_id]
        if one.is_default:
            found.append(Offer(ref, created))
        found.append(Offer(f"{ref}/{one.model.key}", created))
    return found


def _callable(user):
    """The projects whose models the user may call."""
    may = {"role__permissions__contains": [CALL]}
    own = Membership.objects.filter(user=user, **may).values("team")
    shared = ProjectShare.objects.filter(team__memberships__user=user, **may).values("project")
    return Project.objects.filter(Q(team__in=own) | Q(pk__in=shared), deleted_at=None, archived_at=None)
