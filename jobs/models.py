"""Background work that somebody asked for: how far it is, and what came of it."""

import uuid

from django.db import models
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Now
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from projects.models import Project


class State(models.TextChoices):
    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


ENDED = {State.DONE, State.FAILED, State.CANCELLED}


class JobQuerySet(models.QuerySet):
    def under_way(self):
        """Those that have not ended."""
        return self.exclude(state__in=ENDED)

    def fallen_out(self):
        """Those that have not ended although nothing in the queue would go on with them."""
        queued = ProcrastinateJob.objects.filter(status__in=["todo", "doing"]).annotate(of=KT("args__job_id"))
        this = Cast(models.OuterRef("pk"), models.TextField())
        return self.under_way().filter(~models.Exists(queued.filter(of=this)), project__deleted_at=None)


class Job(models.Model):
    """One piece of work of one `kind`, on one project, for the person who asked for it.

    `place` says where to go on, and is written in the transactions that do the work, with `done` (of `total`, null
    where nobody knows). What came of it is in `result`: `text` for people, and what the kind adds. `beginnings` and
    `failures` count since it last got on to another place.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="jobs")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=300)
    parameters = models.JSONField(default=dict)
    place = models.JSONField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cancel_asked_at = models.DateTimeField(null=True)
    beginnings = models.SmallIntegerField(db_default=0)
    failures = models.SmallIntegerField(db_default=0)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=State.values), name="job_state_known"),
            models.CheckConstraint(condition=models.Q(done__gte=0), name="job_done_counts"),
        ]
        indexes = [models.Index(fields=["project", "-created_at"], name="job_project_newest")]

    def __str__(self):
        return self.title

    @property
    def has_ended(self):
        return self.state in ENDED

    @property
    def share(self):
        """How much of it is done, 0 to 100, or None where nobody knows."""
        return min(100, self.done * 100 // self.total) if self.total else None
