"""The models we know, and the projects they are attached to."""

from django.db import models
from django.db.models.functions import Now

from accounts.models import Team
from projects.models import Project


class Model(models.Model):
    """A language model as the team calls it."""

    id = models.AutoField(primary_key=True)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="models")
    key = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    projects = models.ManyToManyField(Project, through="Attachment", related_name="models")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "key"], name="model_team_key_unique")]

    def __str__(self):
        return self.key


class Attachment(models.Model):
    """The project uses this model."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="attachments")
    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="attachments")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "model"], name="attachment_unique")]
