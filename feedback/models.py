"""What is asked of an interaction (the key), and what people and programs said of it (the feedback)."""

from django.db import models
from django.db.models.functions import Now

from accounts.models import Team, User
from interactions.models import small
from projects.models import Project


class FeedbackKey(models.Model):
    """One question of a team: a yes or no, or a number."""

    class Kind(models.TextChoices):
        BOOL = "bool", "Yes or no"
        SCALAR = "scalar", "Number"

    id = models.AutoField(primary_key=True)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="feedback_keys")
    key = models.CharField(max_length=100)
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=10, choices=Kind)
    lower_is_better = models.BooleanField(default=False)
    minimum = models.FloatField(null=True, blank=True)
    maximum = models.FloatField(null=True, blank=True)
    projects = models.ManyToManyField(Project, through="ProjectFeedbackKey", related_name="feedback_keys")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "key"], name="feedback_key_team_key_unique"),
            models.CheckConstraint(condition=models.Q(kind__in=["bool", "scalar"]), name="feedback_key_kind_known"),
            models.CheckConstraint(
                condition=models.Q(minimum=None) | models.Q(maximum=None) | models.Q(minimum__lt=models.F("maximum")),
                name="feedback_key_range_in_order",
            ),
        ]

    def __str__(self):
        return self.name


class ProjectFeedbackKey(models.Model):
    """The project uses this key."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    feedback_key = models.ForeignKey(FeedbackKey, on_delete=models.CASCADE, related_name="links")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "feedback_key"], name="project_feedback_key_unique")]


class FeedbackQuerySet(models.QuerySet):
    def current(self):
        """What holds now: not superseded by a correction."""
        return self.filter(superseded_by=None)


class Feedback(models.Model):
    """One value somebody gave. Never changed: a correction is a new row that supersedes this one.

    Partitioned by interaction_id like the interactions themselves; `id` is a UUIDv7, so it is the time.
    """

    class Origin(models.TextChoices):
        USER = "user", "User"
        REVIEWER = "reviewer", "Reviewer"
        GRADER = "grader", "Grader"
        SYSTEM = "system", "System"

    pk = models.CompositePrimaryKey("interaction_id", "id")
    interaction_id = models.UUIDField()
    id = models.UUIDField()
    feedback_key = small(FeedbackKey)
    value = models.FloatField()
    details = models.TextField(blank=True)
    user = models.CharField(max_length=200, blank=True)
    origin = models.CharField(max_length=10, choices=Origin)
    by = small(User, null=True)
    superseded_by = models.UUIDField(null=True)

    objects = FeedbackQuerySet.as_manager()
