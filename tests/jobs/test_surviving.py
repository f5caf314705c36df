"""Work whose worker is killed, whose database goes, and that falls out of the queue: it ends all the same."""

import contextlib

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from jobs import tasks
from jobs.models import Job, State
from jobs.services import begin, cancel
from jobs.work import KILLED, TRIES, Busy, alone, run_job, work
from projects.models import Project
from tests.factories import owner_of

pytestmark = pytest.mark.django_db
KIND = "tests.count"


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    """Without breaks, and on the test's own connection."""
    monkeypatch.setattr("jobs.work.BREAK", 0)
    for module in ("jobs.tasks", "jobs.work"):
        monkeypatch.setattr(f"{module}.close_old_connections", lambda: None)


@pytest.fixture
def known():
    """The worker knows the kind."""
    work(KIND)(two_slices())
    yield
    del app.tasks[KIND]


@pytest.fixture
def job(project):
    return begin(project=project, by=owner_of(project), kind=KIND, title="Counting")


def two_slices(between=lambda: None):
    """Work of two slices; `between` is called behind the first."""

    def count(work):
        for number in range(work.place or 0, 2):
            with work.slice():
                work.advance(1, number + 1)
            between()
        return {"text": "Counted."}

    return count


def killed():
    raise SystemExit


def fail():
    raise ZeroDivisionError


def run(job, function, times, raised):
    for _ in range(times):
        with pytest.raises(raised):
            run_job(function, job.pk)
    job.refresh_from_db()
    return job.state


def queued():
    return ProcrastinateJob.objects.filter(task_name=KIND, status="todo")


def fall_out():
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE task_name = %s", [KIND])


def resume():
    async_to_sync(tasks.resume.func)(0)


def test_a_passing_failure_is_no_end_however_often_the_worker_was_killed_before(job):
    assert run(job, lambda work: killed(), TRIES + 1, SystemExit) == State.RUNNING
    assert run(job, lambda work: fail(), 1, ZeroDivisionError) == State.RUNNING
    run_job(two_slices(), job.pk)
    job.refresh_from_db()
    assert job.state == State.DONE


def test_what_gets_on_may_fail_again_and_again(job):
    def fail_behind_each(work):
        number = work.place or 0
        if number == 3 * TRIES:
            return {}
        with work.slice():
            work.advance(1, number + 1)
        raise ZeroDivisionError

    assert run(job, fail_behind_each, 3 * TRIES, ZeroDivisionError) == State.RUNNING
    run_job(fail_behind_each, job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == (State.DONE, 3 * TRIES)


def test_what_counts_without_getting_on_to_another_place_fails_in_the_end(job):
    def look_and_fail(work):
        with work.slice():
            work.advance(1, None)
        raise ZeroDivisionError

    run(job, look_and_fail, TRIES, ZeroDivisionError)
    run_job(look_and_fail, job.pk)
    job.refresh_from_db()
    assert job.state == State.FAILED


def test_what_kills_its_worker_at_one_place_each_time_is_not_begun_for_ever(job):
    assert run(job, lambda work: killed(), KILLED, SystemExit) == State.RUNNING
    run_job(two_slices(), job.pk)
    job.refresh_from_db()
    assert job.state == State.FAILED and job.error and job.done == 0


def test_what_fell_out_of_the_queue_comes_back_to_it_in_its_lane(known, job):
    lane = queued().get().lock
    fall_out()
    resume()
    again = queued().get()
    assert (again.args, again.lock) == ({"job_id": str(job.pk)}, lane)


@pytest.mark.parametrize("status", ["todo", "doing"])
def test_what_is_in_the_queue_is_not_put_there_twice(known, job, status):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = %s, worker_id = %s WHERE task_name = %s",
            [status, cursor.fetchone()[0], KIND],
        )
    resume()
    assert ProcrastinateJob.objects.get(task_name=KIND).status == status


def test_what_ended_or_whose_project_is_deleted_is_not_put_there_again(known, job, project):
    fall_out()
    Project.objects.filter(pk=project.pk).update(deleted_at=job.created_at)
    resume()
    Project.objects.filter(pk=project.pk).update(deleted_at=None)
    Job.objects.update(state=State.DONE)
    resume()
    assert not queued().exists()


def test_the_end_that_was_asked_for_comes_though_it_fell_out_of_the_queue(known, job):
    run(job, two_slices(killed), 1, SystemExit)
    cancel(job=job)
    fall_out()
    resume()
    assert queued().exists()
    run_job(two_slices(), job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == (State.CANCELLED, 1)


@pytest.mark.parametrize(("asked", "state"), [(False, State.FAILED), (True, State.CANCELLED)])
def test_what_no_worker_knows_how_to_do_ends(job, asked, state):
    Job.objects.update(state=State.RUNNING)
    if asked:
        cancel(job=job)
    fall_out()
    resume()
    job.refresh_from_db()
    assert job.state == state and job.ended_at and bool(job.error) != asked
    assert not queued().exists()


@pytest.fixture
def other():
    """Another thread's connection."""
    with contextlib.closing(connection.copy()) as other:
        yield other


def may_take(other, job):
    """Whether that thread may do the Job now; it does not keep it."""
    taken = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AND pg_advisory_unlock(hashtextextended(%s, 0))"
    with other.cursor() as cursor:
        cursor.execute(taken, [str(job.pk)] * 2)
        return cursor.fetchone()[0]


def test_what_is_handed_out_again_while_it_is_being_done_waits_for_that_one(known, job, other):
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [str(job.pk)])
        with pytest.raises(Busy) as busy:
            app.tasks[KIND].func(str(job.pk))
        job.refresh_from_db()
        assert (job.state, job.beginnings) == (State.WAITING, 0)
        waited_long = queued().get().procrastinate_job.evolve(attempts=500)
        assert app.tasks[KIND].get_retry_exception(busy.value, waited_long)
        cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [str(job.pk)])
    app.tasks[KIND].func(str(job.pk))
    job.refresh_from_db()
    assert job.state == State.DONE


@pytest.mark.parametrize("how", [lambda: None, fail, killed])
def test_a_job_is_one_threads_until_it_leaves_it_however_it_does(job, other, how):
    with contextlib.suppress(ZeroDivisionError, SystemExit), alone(str(job.pk)):
        assert not may_take(other, job)
        how()
    assert may_take(other, job)


def test_a_job_is_nobodys_whose_connection_went(job, other, monkeypatch):
    with contextlib.closing(connection.copy()) as gone:
        monkeypatch.setattr("jobs.work.connection", gone)
        with alone(job.pk):
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [gone.connection.info.backend_pid])
            assert may_take(other, job)
        assert gone.connection is None
