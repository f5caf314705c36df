"""Projects, and whom they are shared with."""

import uuid

from django.db import models
from django.db.models.functions import Now

from accounts.models import Role, Team, User

MOST_DAYS = 36_500


class ProjectQuerySet(models.QuerySet):
    def lock(self, project):
        """Until the transaction's end changes of what the project uses wait for one another; what is logged meanwhile
        does not."""
        self.select_for_update(no_key=True).get(pk=project.pk)


class Project(models.Model):
    """What one application's interactions belong to. They are kept for `keep_days`, null for ever."""

    id = models.AutoField(primary_key=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="projects")
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.SlugField(max_length=64)
    name = models.CharField(max_length=100)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    keep_days = models.PositiveIntegerField(null=True)
    archived_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "key"], name="project_team_key_unique"),
            models.CheckConstraint(
                condition=models.Q(keep_days=None) | models.Q(keep_days__range=(1, MOST_DAYS)),
                name="project_keep_days_in_range",
            ),
        ]

    def __str__(self):
        return self.name


class ProjectShare(models.Model):
    """Another team may use the project, in a role of the owning team."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="shares")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="shared_projects")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "team"], name="project_share_unique")]
