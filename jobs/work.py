"""Doing the work of a Job: in slices that each commit with how far it is, so that killed it goes on where it was."""

import functools
import logging
import time
from contextlib import contextmanager

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from jobs.models import ENDED, Job, State

BREAK = 0.5  # of the time of a slice, given to others after it
TRIES = 3  # after the first
KILLED = 20  # times that its worker was killed, after which it is thought to be why
BROKEN = "Something went wrong that is not your doing; the server's log tells what."
logger = logging.getLogger(__name__)


class Cancelled(Exception):
    """Somebody asked for the end of the work: the slice that is under way is not kept."""


class Refused(Exception):
    """The work cannot be done; what it says is told to who asked for it."""


class Work:
    """A Job under way, for the function that does it."""

    def __init__(self, job):
        self.job, self.parameters, self.place = job, job.parameters, job.place
        self.project, self.by = job.project, job.by

    def expect(self, total):
        """So much there is to do."""
        Job.objects.filter(pk=self.job.pk).update(total=total)

    def advance(self, number, place):
        """Inside the transaction of a slice: so many more are done, and the next begins at `place` (JSON). Cancelled,
        which takes the slice back, where the end was asked for."""
        going = Job.objects.filter(pk=self.job.pk, cancel_asked_at=None)
        if not going.update(done=F("done") + number, place=place):
            raise Cancelled
        self.place = place

    @contextmanager
    def slice(self):
        """One slice: a transaction of its own, and a break for others after it."""
        begun = time.monotonic()
        with transaction.atomic():
            yield
        time.sleep(min((time.monotonic() - begun) * BREAK, 1))


def work(kind):
    """Names the function that does the jobs of a kind. It takes a Work and returns the result (JSON); it may be called
    again for a Job whose earlier slices are done. Cancelled and Refused may come out of it."""

    def name(function):
        @app.task(name=kind, retry=RetryStrategy(max_attempts=TRIES, wait=5), pass_context=True)
        @functools.wraps(function)
        def run(context, job_id):
            run_job(function, job_id, tried=context.job.attempts)

        return run

    return name


def run_job(function, job_id, tried=TRIES):
    """Do it, and write down how it ended. What nobody foresaw is raised, to be tried again; it is the end where it was
    `tried` often enough, and so is a worker killed each time."""
    going = Job.objects.filter(pk=job_id, project__deleted_at=None).exclude(state__in=ENDED)
    if not going.update(state=State.RUNNING, started_at=Coalesce("started_at", Now())):
        return
    if tried > KILLED:
        _end(job_id, State.FAILED, error=BROKEN)
        return
    try:
        result = function(Work(Job.objects.select_related("project__team", "by").get(pk=job_id)))
    except Cancelled:
        _end(job_id, State.CANCELLED)
    except Refused as why:
        _end(job_id, State.FAILED, error=str(why))
    except Exception:
        logger.exception("The job %s failed", job_id)
        if tried < TRIES:
            raise
        _end(job_id, State.FAILED, error=BROKEN)
    else:
        _end(job_id, State.DONE, result=result or {})


def _end(job_id, state, **more):
    Job.objects.filter(pk=job_id).update(state=state, ended_at=timezone.now(), **more)
