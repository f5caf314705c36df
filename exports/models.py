"""What of a project is looked at again and again, under a name; and what was written to files of it."""

import datetime
import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from jobs.models import Job, State
from projects.models import Project

KEPT = datetime.timedelta(days=7)  # from its end on


class SavedViewQuerySet(models.QuerySet):
    def visible_to(self, user):
        """One's own, and those that are shared with the project."""
        return self.filter(models.Q(owner=user) | models.Q(is_shared=True))


class SavedView(models.Model):
    """A filter of a project's interactions under a name: `query` is the filter's query string in its one form, without
    a page; `columns` are those of its exports, none for the usual ones."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="saved_views")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    key = models.SlugField(max_length=64)
    name = models.CharField(max_length=100)
    query = models.TextField(blank=True)
    columns = models.JSONField(default=list)
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="saved_view_key_unique")]

    def __str__(self):
        return self.name


class Format(models.TextChoices):
    JSONL = "jsonl", "JSON Lines"
    CSV = "csv", "CSV"
    PARQUET = "parquet", "Parquet"
    OPENAI = "openai", "OpenAI fine-tuning"
    DPO = "dpo", "Preference pairs (DPO)"
    COMPARISONS = "comparisons", "Comparisons"


class Pictures(models.TextChoices):
    INSIDE = "inside", "Inside, as data URIs"
    FILES = "files", "As files beside it, in a tar"
    LEFT_OUT = "left_out", "Left out"


class Export(models.Model):
    """One file of what a filter matched, or of the interactions that `ids` names in its place; of comparisons those
    under `feedback_key`, empty for all. Until its `job` has ended there is none; `number` lines (or rows), `size` in
    bytes and the SHA-256 (hex) are of the finished one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="exports")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    job = models.OneToOneField(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    view = models.CharField(max_length=100, blank=True)
    query = models.TextField(blank=True)
    ids = ArrayField(models.UUIDField(), null=True)
    format = models.CharField(max_length=20, choices=Format)
    columns = models.JSONField(default=list)
    pictures = models.CharField(max_length=10, choices=Pictures)
    corrected = models.BooleanField(default=False)
    feedback_key = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    file_name = models.CharField(max_length=120)
    number = models.BigIntegerField(null=True)
    size = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(format__in=Format.values), name="export_format_known"),
            models.CheckConstraint(condition=models.Q(pictures__in=Pictures.values), name="export_pictures_known"),
        ]
        indexes = [models.Index(fields=["project", "-created_at"], name="export_project_newest")]

    def __str__(self):
        return self.file_name

    @property
    def state(self):
        """The job's while that goes on: it has yet to say what came of it. What lost its job without an end failed."""
        if self.finished_at and (self.job is None or self.job.has_ended):
            return State.DONE
        return self.job.state if self.job else State.FAILED

    @property
    def is_under_way(self):
        return self.state in {State.WAITING, State.RUNNING}

    @property
    def expires_at(self):
        """When its file goes, or None while there is none."""
        return self.finished_at and self.finished_at + KEPT
