"""Queues of interactions that people judge: what is asked, what is in them, who looked, and what they said."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from interactions.models import small
from jobs.models import Job
from projects.models import Project

MOST_REVIEWERS = 10  # an item


class Kind(models.TextChoices):
    SINGLE = "single", "One interaction at a time"
    PAIR = "pair", "Two completions beside each other"


class Queue(models.Model):
    """Items to judge. Each takes `reviewers` submitted answers, of so many people; `blind` hides what others said, and
    for pairs which model said it. `open_to_all`: everybody who may review, else its members alone.

    While `rule` is set, new arrivals that meet its filter (`rule["query"]`) come in, `rule["share"]` of them (0 to 1)
    drawn by `rule["seed"]`; all that was received up to `rule_reached` was looked at.
    """

    id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="queues")
    key = models.SlugField(max_length=64)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.SINGLE)
    reviewers = models.PositiveSmallIntegerField(default=1)
    blind = models.BooleanField(default=True)
    open_to_all = models.BooleanField(default=True)
    rule = models.JSONField(null=True)
    rule_reached = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="queue_project_key_unique"),
            models.CheckConstraint(condition=models.Q(reviewers__range=(1, MOST_REVIEWERS)), name="queue_reviewers"),
        ]

    def __str__(self):
        return self.name


class Member(models.Model):
    """Who reviews in a queue that is not open to all."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "user"], name="member_unique")]


class Guideline(models.Model):
    """One version of what reviewers are told, as Markdown."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="guidelines")
    version = models.PositiveIntegerField()
    text = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "version"], name="guideline_unique")]


class Form(models.Model):
    """One version of the questions, never changed: answers keep the version that they were given to (questions.py)."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="forms")
    version = models.PositiveIntegerField()
    questions = models.JSONField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "version"], name="form_unique")]


class Sample(models.Model):
    """One filling of a queue: what was drawn from what, so that anybody can draw it again.

    The population is what met the `query` of those received up to `drawn_at`; `method` all, random or stratified (by
    the values of the label key `strata`, `size` of each); `size` null takes all. An interaction's place is its SHA-256
    with the `seed`. `picked` are the ids that were drawn, of pairs one after the other, so that a filling that was cut
    short goes on with the same; null where all are taken, as they come. Of a stratified one `picked_strata` has the
    value of each unit, and `strata_sizes` {value: [how many there were, how many were drawn]}. All of a `size`: not
    drawn, but put in by hand, `picked` by this person.
    """

    class Method(models.TextChoices):
        ALL = "all", "All of them"
        RANDOM = "random", "A random sample"
        STRATIFIED = "stratified", "A sample as large of each value"

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="samples")
    query = models.TextField(blank=True)
    method = models.CharField(max_length=10, choices=Method)
    strata = models.CharField(max_length=100, blank=True)
    size = models.PositiveIntegerField(null=True)
    seed = models.BigIntegerField()
    drawn_at = models.DateTimeField()
    population = models.BigIntegerField(null=True)
    drawn = models.BigIntegerField(null=True)
    picked = ArrayField(models.UUIDField(), null=True)
    picked_strata = ArrayField(models.TextField(), null=True)
    strata_sizes = models.JSONField(null=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")

    @property
    def is_by_hand(self):
        return self.method == self.Method.ALL and self.size is not None


class Item(models.Model):
    """An interaction (or two, of a pair) that is to be judged. `place` orders the queue. What a person removed keeps
    its row, so that no rule puts it back. `gold` holds the answers that are known to be right; reviewers do not see it.

    `submitted` counts what `reviewers` asks for, and until they are all there the item is `open`; `conflict` says that
    these differ, until a third person has decided. `assigned`: only certain people are given it. `sample`: what brought
    it in; others that drew it too have it in their `picked`.
    """

    id = models.BigAutoField(primary_key=True)
    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="items")
    interaction_id = models.UUIDField()
    other_id = models.UUIDField(null=True)
    sample = models.ForeignKey(Sample, on_delete=models.SET_NULL, null=True, related_name="items")
    place = models.BigIntegerField()
    gold = models.JSONField(null=True)
    submitted = models.PositiveSmallIntegerField(default=0)
    open = models.BooleanField(default=True)
    assigned = models.BooleanField(default=False)
    conflict = models.BooleanField(default=False)
    decided = models.BooleanField(default=False)
    added_at = models.DateTimeField(db_default=Now())
    removed_at = models.DateTimeField(null=True)
    removed_by = small(User, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "interaction_id", "other_id"], name="item_unique", nulls_distinct=False
            )
        ]
        indexes = [
            models.Index(fields=["queue", "place", "id"], condition=models.Q(removed_at=None), name="item_queue_place"),
            # what anybody may be given next, and the few that are mixed in or wait for a third person
            models.Index(
                fields=["queue", "place", "id"],
                condition=models.Q(removed_at=None, open=True, assigned=False, gold__isnull=True),
                name="item_free",
            ),
            models.Index(fields=["queue", "place", "id"], condition=models.Q(gold__isnull=False), name="item_gold"),
            models.Index(fields=["queue", "id"], condition=models.Q(conflict=True), name="item_conflict"),
            models.Index(fields=["interaction_id"], name="item_interaction"),
            models.Index(fields=["other_id"], condition=models.Q(other_id__isnull=False), name="item_other"),
            # with the unique one, the interactions of a queue in their order
            models.Index(
                fields=["queue", "other_id"], condition=models.Q(other_id__isnull=False), name="item_queue_other"
            ),
        ]


class State(models.TextChoices):
    PENDING = "pending", "Pending"
    DRAFT = "draft", "Draft"
    SUBMITTED = "submitted", "Submitted"
    SKIPPED = "skipped", "Skipped"


class Review(models.Model):
    """What one person does with one item. Others find the item taken until `locked_until`.

    `answers` {question key: answer} belong to `form`. `first` are those she gave before she could know better, where
    she changed them or took them back since: agreement and gold go by them. `swapped`: of a pair, this person sees the
    other one as A. `place` orders her own items where she put one off. `decides`: a third person's word on a conflict,
    who sees what the others said. `written` says what her answers wrote elsewhere, for the undo. `seconds` is all her
    time on it. `asks_lead` until a lead has settled it, whose `reply` she reads on the item.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="reviews")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="reviews")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    form = models.ForeignKey(Form, on_delete=models.PROTECT, related_name="+")
    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, null=True, related_name="+")
    answers = models.JSONField(default=dict)
    first = models.JSONField(null=True)
    comment = models.TextField(blank=True)
    swapped = models.BooleanField(default=False)
    decides = models.BooleanField(default=False)
    place = models.BigIntegerField(null=True)
    locked_until = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    seconds = models.FloatField(null=True)
    written = models.JSONField(default=dict)
    asks_lead = models.BooleanField(default=False)
    reply = models.TextField(blank=True, default="", db_default="")
    replied_by = small(User, null=True)
    replied_at = models.DateTimeField(null=True)
    reply_read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "by"], name="review_unique"),
            models.CheckConstraint(condition=models.Q(state__in=State.values), name="review_state_known"),
        ]
        indexes = [
            models.Index(fields=["queue", "by", "state"], name="review_of_person"),
            models.Index(fields=["queue", "by", "-ended_at"], name="review_in_order"),
            models.Index(
                fields=["queue", "locked_until"], condition=models.Q(state__in=["pending", "draft"]), name="review_held"
            ),
            models.Index(fields=["queue", "item"], condition=models.Q(asks_lead=True), name="review_asks_lead"),
        ]


class Seat(models.Model):
    """One person at one queue. Whatever she does there locks it, so that two windows of hers take turns.

    `given` items she has had; up to `reached` (a place) what was free was offered to her, and she looks on from there.
    """

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="seats")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    reached = models.BigIntegerField(default=0)
    given = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "user"], name="seat_unique")]


class Step(models.Model):
    """One thing a reviewer did to a review, and what it was before: undone newest first, twenty deep."""

    id = models.BigAutoField(primary_key=True)
    seat = models.ForeignKey(Seat, on_delete=models.CASCADE, related_name="steps")
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="steps")
    what = models.CharField(max_length=10)
    before = models.JSONField()
    at = models.DateTimeField(db_default=Now())
    undone_at = models.DateTimeField(null=True)


class Remap(models.Model):
    """A person's own keys for the desk: {action: key}; `letters` off leaves only named keys, and those with a
    modifier."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+", primary_key=True)
    letters = models.BooleanField(default=True)
    keys = models.JSONField(default=dict)


class Assignment(models.Model):
    """An item that certain people are to judge: nobody else is given it."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="assignments")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "user"], name="assignment_unique")]
