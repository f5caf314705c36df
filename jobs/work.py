"""Doing the work of a Job: in slices that each commit with how far it is, so that killed it goes on where it was."""

import functools
import logging
import time
from contextlib import contextmanager

from django.db import Error, close_old_connections, connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from jobs.models import Job, State

BREAK = 0.5  # of the time of a slice, given to others after it
TRIES = 3  # after the first, from one place on
KILLED = 20  # times that its worker was killed from one place on, after which it is thought to be why
BROKEN = "Something went wrong that is not your doing; the server's log tells what."
logger = logging.getLogger(__name__)


class Cancelled(Exception):
    """Somebody asked for the end of the work: the slice that is under way is not kept."""


class Refused(Exception):
    """The work cannot be done; what it says is told to who asked for it."""


class Busy(Exception):
    """Another thread is at this very Job: to be asked again later."""


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
        # only a place further on is an end to bad luck: what begins again where it was would fail there for ever
        afresh = {} if place == self.place else {"beginnings": 0, "failures": 0}
        if not going.update(done=F("done") + number, place=place, **afresh):
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
        # no bound on how often: that is told by the Job, as a worker without a database can write down neither
        @app.task(name=kind, retry=RetryStrategy(wait=5))
        @functools.wraps(function)
        def run(job_id):
            close_old_connections()  # a worker's thread keeps its own, and the database may have been started anew
            with alone(job_id):
                run_job(function, job_id)

        return run

    return name


@contextmanager
def alone(job_id):
    """Nobody else is at this Job meanwhile; Busy where somebody is. A clock that jumps makes a worker look dead that is
    not, and its work is handed out again. The lock is the session's: it goes with the connection, as does the work."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [str(job_id)])
        if not cursor.fetchone()[0]:
            raise Busy
    try:
        yield
    finally:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [str(job_id)])
        except Error:
            connection.close()


def run_job(function, job_id):
    """Do it, and write down how it ended. What nobody foresaw is raised, to be tried again; it is the end where that
    happened often without getting on, and so is a worker killed each time."""
    if not _begin(job_id):
        return
    try:
        result = function(Work(Job.objects.select_related("project__team", "by").get(pk=job_id)))
    except Cancelled:
        end(job_id, State.CANCELLED)
    except Refused as why:
        end(job_id, State.FAILED, error=str(why))
    except Exception:
        logger.exception("The job %s failed", job_id)
        Job.objects.filter(pk=job_id).update(failures=F("failures") + 1)
        if not Job.objects.filter(pk=job_id, failures__gt=TRIES).exists():
            raise
        end(job_id, State.FAILED, error=BROKEN)
    else:
        end(job_id, State.DONE, result=result or {})


def _begin(job_id):
    """Whether there is something to do, which is then written down as running."""
    going = Job.objects.under_way().filter(pk=job_id, project__deleted_at=None)
    started = Coalesce("started_at", Now())
    if not going.update(state=State.RUNNING, started_at=started, beginnings=F("beginnings") + 1):
        return False
    if going.filter(beginnings__gt=KILLED).exists():
        end(job_id, State.FAILED, error=BROKEN)
        return False
    return True


def end(job_id, state, **more):
    """Write down that it ended so."""
    Job.objects.filter(pk=job_id).update(state=state, ended_at=timezone.now(), **more)
