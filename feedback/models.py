"""What is asked of an interaction (the key), and what people and programs said of it: feedback, preferences between
two completions, better answers. Given things are never changed: what corrects them is a new row.

The heavy tables are partitioned by the interaction's id like the interactions themselves; an `id` is a UUIDv7, so it
is the time.
"""

from django.db import models
from django.db.models.functions import Now

from accounts.models import Team, User
from interactions import ids
from interactions.models import small
from projects.models import Project
from registry.models import Model


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
    step = models.FloatField(null=True, blank=True)
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
            models.CheckConstraint(
                condition=models.Q(step=None) | models.Q(step__gt=0), name="feedback_key_step_positive"
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


class CurrentQuerySet(models.QuerySet):
    def current(self):
        """What holds now: neither superseded by a correction nor withdrawn."""
        return self.filter(superseded_by=None)


class Origin(models.TextChoices):
    USER = "user", "User"
    REVIEWER = "reviewer", "Reviewer"
    GRADER = "grader", "Grader"
    SYSTEM = "system", "System"


class Feedback(models.Model):
    """One value somebody gave. `superseded_by` names the row that took its place; a row that names itself withdrew the
    one before it, and says by whom and when."""

    pk = models.CompositePrimaryKey("interaction_id", "id")
    interaction_id = models.UUIDField()
    id = models.UUIDField()
    feedback_key = small(FeedbackKey)
    value = models.FloatField()
    details = models.TextField(blank=True)
    user = models.CharField(max_length=200, blank=True)
    origin = models.CharField(max_length=10, choices=Origin)
    by = small(User, null=True)
    external_id = models.CharField(max_length=200, null=True)
    superseded_by = models.UUIDField(null=True)

    objects = CurrentQuerySet.as_manager()

    @property
    def created_at(self):
        return ids.time_of(self.id)


class Correction(models.Model):
    """The better answer that somebody wrote; kept beside the completion, superseded and withdrawn like feedback."""

    pk = models.CompositePrimaryKey("interaction_id", "id")
    interaction_id = models.UUIDField()
    id = models.UUIDField()
    completion = models.TextField()
    by = small(User, null=True)
    superseded_by = models.UUIDField(null=True)

    objects = CurrentQuerySet.as_manager()

    @property
    def created_at(self):
        return ids.time_of(self.id)


class Outcome(models.TextChoices):
    """How a comparison ended for the interaction whose row it is."""

    WON = "won", "Won"
    LOST = "lost", "Lost"
    TIED = "tied", "Tied"
    TIED_GOOD = "tied_good", "Tied, both good"
    TIED_BAD = "tied_bad", "Tied, both bad"


class Preference(models.Model):
    """One side of a comparison. The other side is the row of `other_id` with the same `id`."""

    pk = models.CompositePrimaryKey("interaction_id", "id")
    interaction_id = models.UUIDField()
    id = models.UUIDField()
    other_id = models.UUIDField()
    project = small(Project)
    feedback_key = small(FeedbackKey)
    model = small(Model, null=True)
    other_model = small(Model, null=True)
    outcome = models.CharField(max_length=10, choices=Outcome)
    user = models.CharField(max_length=200, blank=True)
    origin = models.CharField(max_length=10, choices=Origin)
    by = small(User, null=True)
    external_id = models.CharField(max_length=200, null=True)

    @property
    def created_at(self):
        return ids.time_of(self.id)


class Numeric(models.Field):
    """PostgreSQL's `numeric` of any length, so that sums lose no digit."""

    def db_type(self, connection):
        return "numeric"


class Given(models.Model):
    """What was given to a project's interactions of an hour (UTC): by key and model, 0 for no model.

    `n`, `total` and `squares` are of the current values, as exact decimals so that what is added can be taken away
    again; `interactions` have any such value, `ones` of them the value 1, `zeros` the value 0. The key ANY stands for
    feedback under any key, REVIEWED for feedback by a reviewer; both count interactions only.
    """

    ANY = 0
    REVIEWED = -1

    project = small(Project)
    hour = models.DateTimeField()
    key_id = models.IntegerField()
    model_id = models.IntegerField()
    n = models.BigIntegerField()
    total = Numeric()
    squares = Numeric()
    interactions = models.BigIntegerField()
    ones = models.BigIntegerField()
    zeros = models.BigIntegerField()

    class Meta:
        abstract = True


class GivenRollup(Given):
    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key_id", "model_id", "hour"], name="given_rollup_unique")
        ]


class GivenDelta(Given):
    """Not yet folded into the roll-up. Appended in the transaction that it counts; read as the sum of both."""

    class Meta:
        indexes = [models.Index(fields=["project", "key_id"], name="given_delta_project")]


class Pairs(models.Model):
    """How often comparisons of two models ended so: `model_id` is the smaller of the two, 0 for no model, and the
    outcome is its own."""

    project = small(Project)
    key_id = models.IntegerField()
    model_id = models.IntegerField()
    other_model_id = models.IntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    n = models.BigIntegerField()

    class Meta:
        abstract = True


class PairRollup(Pairs):
    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "key_id", "model_id", "other_model_id", "outcome"], name="pair_rollup_unique"
            )
        ]


class PairDelta(Pairs):
    """Not yet folded into the roll-up. Appended in the transaction that it counts; read as the sum of both."""

    class Meta:
        indexes = [models.Index(fields=["project", "key_id"], name="pair_delta_project")]
