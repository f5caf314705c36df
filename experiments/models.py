"""A/B tests: which of several models is better for the people who use them, and how that was decided.

A test takes a share of its project's units (end users, else sessions), and gives each of them to one arm for good.
"""

import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from accounts.models import User
from feedback.models import FeedbackKey, Numeric
from projects.models import Project
from registry.models import Attachment, Model

BUCKETS = 10_000  # that a project's units fall into; each running test has some of them for itself
LEAST_UNITS = 50  # in an arm, below which nothing is computed
MOST_KEYS = 5  # that a test watches beside its own; statistics.watching.MOST_KEYS is the same


class State(models.TextChoices):
    WARMUP = "warmup", "Collecting"  # not all arms have had traffic
    IN_PROGRESS = "in_progress", "Running"
    DONE = "done", "Decided"
    CANCELLED = "cancelled", "Cancelled"


RUNNING = [State.WARMUP, State.IN_PROGRESS]


class JudgedBy(models.TextChoices):
    METRIC = "metric", "Feedback"
    PREFERENCE = "preference", "Preferences"


class ABTest(models.Model):
    """One question to the traffic. `buckets` are [start, end) pairs of the project's units that take part, together
    `traffic_split` of all. A `sequence` is a time in which no arm's weight was changed; figures never mix two."""

    id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="ab_tests")
    key = models.CharField(max_length=100)
    name = models.CharField(max_length=100)
    feedback_key = models.ForeignKey(FeedbackKey, on_delete=models.PROTECT, related_name="+")
    judged_by = models.CharField(max_length=10, choices=JudgedBy, default=JudgedBy.METRIC)
    lower_is_better = models.BooleanField(default=False)  # as the key said when the test was made
    traffic_split = models.FloatField(default=1.0)
    buckets = ArrayField(ArrayField(models.IntegerField(), size=2), default=list)
    smallest_effect = models.FloatField(default=0.0)
    planned_n = models.IntegerField(default=200)  # units with a value, in each arm
    planned_days = models.FloatField(default=3.0)
    auto_deploy = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=State, default=State.WARMUP)
    paused_at = models.DateTimeField(null=True)
    sequence = models.SmallIntegerField(default=1)
    sequence_started_at = models.DateTimeField(db_default=Now())
    first_unit_at = models.DateTimeField(null=True)  # of the sequence
    paused_for = models.DurationField(default=datetime.timedelta)  # since then, but for the pause that lasts
    recount_after = models.UUIDField(null=True)  # the id behind which its interactions are to be counted again
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="ab_test_project_key_unique"),
            models.CheckConstraint(
                condition=models.Q(traffic_split__gt=0, traffic_split__lte=1), name="ab_test_traffic_split"
            ),
            models.CheckConstraint(condition=models.Q(smallest_effect__gte=0), name="ab_test_smallest_effect"),
            models.CheckConstraint(condition=models.Q(planned_n__gte=LEAST_UNITS), name="ab_test_planned_n"),
            models.CheckConstraint(condition=models.Q(planned_days__gte=0), name="ab_test_planned_days"),
            models.CheckConstraint(condition=models.Q(state__in=State.values), name="ab_test_state_known"),
        ]

    def __str__(self):
        return self.name

    def ran_for(self, now):
        """How long units have met its arms up to this moment, as a timedelta: from the sequence's first unit on, pauses
        left out."""
        if self.first_unit_at is None:
            return datetime.timedelta()
        return max(datetime.timedelta(), now - self._begun_at - self.pauses(now))

    def pauses(self, now):
        """How long it was paused since its first unit, as a timedelta."""
        if not (self.paused_at and self.first_unit_at):
            return self.paused_for
        return self.paused_for + max(datetime.timedelta(), now - max(self.paused_at, self._begun_at))

    @property
    def _begun_at(self):
        return max(self.first_unit_at, self.sequence_started_at)  # what was logged late is older than its test


class ArmQuerySet(models.QuerySet):
    def with_off(self):
        """Arms with their models; `.off` where the model is detached from the test's project, or switched off."""
        current = Attachment.objects.filter(
            project=OuterRef("test__project"), model=OuterRef("model"), detached_at=None, desired_online=True
        )
        return self.select_related("model").annotate(off=~Exists(current)).order_by("position")


class Arm(models.Model):
    """One of a test's models; the first is the control. Its id is what interactions keep as their arm."""

    id = models.AutoField(primary_key=True)
    test = models.ForeignKey(ABTest, on_delete=models.CASCADE, related_name="arms")
    position = models.SmallIntegerField()
    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="+")
    weight = models.FloatField(default=1.0)  # its part of the test's traffic, beside the other arms' weights

    objects = ArmQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["test", "position"], name="arm_position_unique"),
            models.UniqueConstraint(fields=["test", "model"], name="arm_model_unique"),
            models.CheckConstraint(condition=models.Q(weight__gte=0), name="arm_weight"),
        ]

    @property
    def letter(self):
        return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[self.position]


class WatchedKey(models.Model):
    """A feedback key that a test watches beside the one that it is judged by: an arm that is behind the control by less
    than `margin` for certain is no worse under it."""

    test = models.ForeignKey(ABTest, on_delete=models.CASCADE, related_name="watched_keys")
    feedback_key = models.ForeignKey(FeedbackKey, on_delete=models.PROTECT, related_name="+")
    lower_is_better = models.BooleanField()  # as the key said when it was named
    margin = models.FloatField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["test", "feedback_key"], name="watched_key_unique"),
            models.CheckConstraint(condition=models.Q(margin__gt=0), name="watched_key_margin"),
        ]


class Evaluation(models.Model):
    """What a test's figures said at a moment: written by the worker, never changed. `figures` is what
    statistics.judge answered, with what was `watched`, `gates` the ticks, `leader` the arm for which all but the last
    held."""

    test = models.ForeignKey(ABTest, on_delete=models.CASCADE, related_name="evaluations")
    sequence = models.SmallIntegerField()
    at = models.DateTimeField(db_default=Now())
    figures = models.JSONField()
    gates = models.JSONField()
    leader = models.ForeignKey(Arm, on_delete=models.CASCADE, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["test", "-at"], name="evaluation_newest")]


class Decision(models.Model):
    """How a test ended, for good: the winner (null: none), by whom (null: by auto_deploy) and why, with the numbers and
    the rule that it went by. `former` was the project's default before; a decision can be rolled back once."""

    test = models.OneToOneField(ABTest, on_delete=models.CASCADE, related_name="decision")
    at = models.DateTimeField(db_default=Now())
    winner = models.ForeignKey(Arm, on_delete=models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField()
    rule = models.TextField()
    figures = models.JSONField()
    gates = models.JSONField()
    deployed = models.BooleanField(default=False)
    former = models.ForeignKey(Model, on_delete=models.PROTECT, null=True, related_name="+")
    rolled_back_at = models.DateTimeField(null=True)
    rolled_back_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")


class Event(models.Model):
    """A line of a test's log: who (null: the product itself) did what."""

    test = models.ForeignKey(ABTest, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    text = models.CharField(max_length=500)

    class Meta:
        indexes = [models.Index(fields=["test", "-at"], name="ab_event_newest")]


# -- figures: what folding.py keeps, so that nothing has to be counted when somebody looks -----------
class Counted(models.Model):
    """An interaction as it is counted in its arm now, so that what changes can be taken away to the last digit. `unit`
    is a digest of what folding calls the unit, `value` the mean of its current feedback under the test's key."""

    interaction_id = models.UUIDField(primary_key=True)
    arm = models.IntegerField()
    sequence = models.SmallIntegerField()
    unit = models.UUIDField()
    value = Numeric(null=True)
    latency_ms = models.IntegerField(null=True)  # null too where the call failed
    completion_tokens = models.IntegerField(null=True)  # likewise
    failed = models.BooleanField(db_default=False)


class CountedVote(models.Model):
    """A comparison of two arms (ids, `one` the smaller) as it is counted now; `points` of the one: 2 won, 1 tied,
    0 lost."""

    comparison_id = models.UUIDField(primary_key=True)
    test_id = models.IntegerField()
    sequence = models.SmallIntegerField()
    judge = models.UUIDField()
    one = models.IntegerField()
    other = models.IntegerField()
    points = models.SmallIntegerField()

    class Meta:
        indexes = [models.Index(fields=["test_id", "sequence", "judge"], name="counted_vote_judge")]


class Seen(models.Model):
    """A unit in an arm: `n` interactions (comparisons, in a test by preferences), of which `answered` have a value.
    One with n = 0 is no longer there."""

    pk = models.CompositePrimaryKey("test_id", "sequence", "unit", "arm")
    test_id = models.IntegerField()
    sequence = models.SmallIntegerField()
    unit = models.UUIDField()
    arm = models.IntegerField()
    first_at = models.DateTimeField()
    n = models.IntegerField()
    answered = models.IntegerField()
    total = Numeric()
    latency_ms = models.BigIntegerField()
    timed = models.IntegerField()
    completion_tokens = models.BigIntegerField(db_default=0)
    tokened = models.IntegerField(db_default=0)  # interactions of which the tokens are known
    failed = models.IntegerField(db_default=0)


class Cell(models.Model):
    """An arm's units whose first interaction was on this day (UTC): exact sums over one value a unit, the mean of its
    interactions' values. A unit that was seen in two arms is `crossed` in the one that it met first, and nowhere else.
    `interactions`, of them those that `failed`, and the latency of the `timed` others, are of all units."""

    test = models.ForeignKey(ABTest, on_delete=models.CASCADE, related_name="cells")
    sequence = models.SmallIntegerField()
    arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    units = models.IntegerField()
    answered = models.IntegerField()
    crossed = models.IntegerField()
    total = Numeric()
    squares = Numeric()
    interactions = models.BigIntegerField()
    latency_ms = models.BigIntegerField()
    timed = models.BigIntegerField()
    failed = models.BigIntegerField(db_default=0)
    folded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["test", "sequence", "arm", "day"], name="cell_unique"),
        ]


class VoteCell(models.Model):
    """How the votes of a group of judges between two arms ended for `one`, which has the smaller id."""

    test = models.ForeignKey(ABTest, on_delete=models.CASCADE, related_name="votes")
    sequence = models.SmallIntegerField()
    judges = models.SmallIntegerField()
    one = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="+", db_index=False)
    other = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="+", db_index=False)
    wins = models.IntegerField()
    losses = models.IntegerField()
    ties = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["test", "sequence", "judges", "one", "other"], name="vote_cell_unique"),
        ]


class CountedUnder(models.Model):
    """What an interaction was given under a key that its test watches, as it is counted now: the mean of its current
    values."""

    pk = models.CompositePrimaryKey("interaction_id", "feedback_key_id")
    interaction_id = models.UUIDField()
    feedback_key_id = models.IntegerField()
    arm = models.IntegerField()
    sequence = models.SmallIntegerField()
    unit = models.UUIDField()
    value = Numeric()


class SeenUnder(models.Model):
    """The same of a unit in an arm: `answered` interactions, and the sum of their values."""

    pk = models.CompositePrimaryKey("test_id", "sequence", "unit", "arm", "feedback_key_id")
    test_id = models.IntegerField()
    sequence = models.SmallIntegerField()
    unit = models.UUIDField()
    arm = models.IntegerField()
    feedback_key_id = models.IntegerField()
    answered = models.IntegerField()
    total = Numeric()


class WatchedCell(models.Model):
    """A watched figure of an arm's units whose first interaction was on this day (UTC): exact sums over one value a
    unit. `figure` is a feedback key's id, or one of watching.py's."""

    test = models.ForeignKey(ABTest, on_delete=models.CASCADE, related_name="watched_cells")
    sequence = models.SmallIntegerField()
    arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="+", db_index=False)
    figure = models.IntegerField()
    day = models.DateField()
    units = models.IntegerField()
    total = Numeric()
    squares = Numeric()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["test", "sequence", "arm", "figure", "day"], name="watched_cell_unique"),
        ]
