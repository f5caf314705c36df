"""Asking for background work, and for its end. What it does is told by whoever is named for its kind (work.py)."""

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from procrastinate.contrib.django import app

from accounts.permissions import MANAGE_PROJECT
from jobs.models import ENDED, Job, State
from projects.access import EntityNotFound

LANES = 2  # pieces of work that run beside each other: what goes by the clock must always find a free thread


class Ended(Exception):
    """The work has ended already."""


@transaction.atomic
def begin(*, project, by, kind, title, parameters=None, total=None):
    """Have the worker do it; begins when the caller's transaction is committed. The Job."""
    job = Job.objects.create(
        project=project, by=by, kind=kind, title=title[:300], parameters=parameters or {}, total=total
    )
    place_in_queue(job).defer(job_id=str(job.pk))
    return job


def place_in_queue(job):
    """What a Job is deferred by, in its lane."""
    return app.configure_task(job.kind, lock=f"jobs.{job.pk.int % LANES}")


def jobs_of(project, user):
    """The Jobs of a project that this person may see, newest first: her own, and all for who manages the project."""
    seen = Q() if MANAGE_PROJECT in project.permissions else Q(by=user)
    return Job.objects.filter(seen, project=project).select_related("by").order_by("-created_at", "pk")


def job_or_404(project, user, job_id):
    """One of `jobs_of`; EntityNotFound else."""
    job = jobs_of(project, user).filter(pk=job_id).first()
    if job is None:
        raise EntityNotFound("Job", job_id)
    return job


def cancel(*, job):
    """Ask for its end: what waits ends at once, what runs after the slice that it is at. Ended where it has."""
    now = timezone.now()
    waiting = Job.objects.filter(pk=job.pk, state=State.WAITING)
    if waiting.update(state=State.CANCELLED, cancel_asked_at=now, ended_at=now):
        return
    if not Job.objects.filter(pk=job.pk).exclude(state__in=ENDED).update(cancel_asked_at=now):
        raise Ended("This has ended already.")
