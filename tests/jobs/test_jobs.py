"""Background work: asked for, done in slices that are kept, ended early, and seen by who may see it."""

import pytest
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from jobs import tasks
from jobs.models import Job, State
from jobs.services import begin
from jobs.work import TRIES, Refused, run_job
from projects.models import Project
from tests.conftest import Api
from tests.factories import make_project, make_user, owner_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_breaks(monkeypatch):
    monkeypatch.setattr("jobs.work.BREAK", 0)


@pytest.fixture
def project():
    return make_project()


def make_job(project, by=None, **more):
    return begin(project=project, by=by or owner_of(project), kind="tests.count", title="Counting", **more)


class Counting:
    """Names its project anew, once a slice: how often it did can be told afterwards."""

    def __init__(self, slices=3, at=None):
        self.slices, self.at, self.seen = slices, at or {}, []

    def __call__(self, work):
        work.expect(self.slices)
        for number in range(work.place or 0, self.slices):
            with work.slice():
                self.seen.append(number)
                Project.objects.filter(pk=work.project.pk).update(name=f"Slice {number}")
                if number in self.at:
                    self.at.pop(number)()
                work.advance(1, number + 1)
        return {"text": f"Counted {self.slices}."}


def test_what_is_asked_for_is_queued_with_the_transaction_that_asks(project):
    job = make_job(project)
    [queued] = ProcrastinateJob.objects.filter(task_name="tests.count")
    assert queued.args == {"job_id": str(job.pk)}
    with pytest.raises(RuntimeError), transaction.atomic():
        make_job(project)
        raise RuntimeError
    assert Job.objects.count() == ProcrastinateJob.objects.filter(task_name="tests.count").count() == 1


def test_it_is_done_slice_by_slice_and_tells_what_came_of_it(client, project):
    job = make_job(project)
    run_job(Counting(), job.pk)
    told = Api(client, owner_of(project)).get(f"projects/{project.key}/jobs/{job.pk}").json()
    assert (told["state"], told["done"], told["total"], told["result"]["text"]) == ("done", 3, 3, "Counted 3.")
    assert told["started_at"] and told["ended_at"]


def test_killed_it_goes_on_where_it_was(project):
    def die():
        raise SystemExit  # as a killed worker: nothing is written down

    job, counting = make_job(project), Counting(at={1: die})
    with pytest.raises(SystemExit):
        run_job(counting, job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.place) == (State.RUNNING, 1, 1)
    run_job(counting, job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, counting.seen) == (State.DONE, 3, [0, 1, 1, 2])


def test_what_ended_is_not_done_again(project):
    job, counting = make_job(project), Counting()
    run_job(counting, job.pk)
    run_job(counting, job.pk)
    assert counting.seen == [0, 1, 2]


def test_cancelled_while_it_runs_it_keeps_whole_slices_and_takes_the_one_under_way_back(client, project):
    job = make_job(project)
    address = f"projects/{project.key}/jobs/{job.pk}"
    api = Api(client, owner_of(project))
    run_job(Counting(at={1: lambda: api.delete(address)}), job.pk)
    told = api.get(address).json()
    assert (told["state"], told["done"], told["total"]) == ("cancelled", 1, 3)
    assert Project.objects.get(pk=project.pk).name == "Slice 0"
    assert api.delete(address).status_code == 409


def test_cancelled_before_it_began_it_never_does(client, project):
    job, counting = make_job(project), Counting()
    client.force_login(owner_of(project))
    assert client.post(f"/p/{project.key}/jobs/{job.pk}/cancel").status_code == 302
    run_job(counting, job.pk)
    assert counting.seen == [] and Job.objects.get().state == State.CANCELLED
    assert "nothing was done" in client.get(f"/p/{project.key}/jobs/{job.pk}").content.decode()


def test_what_cannot_be_done_says_why(client, project):
    def refuse(work):
        raise Refused("There is nothing of that name.")

    job = make_job(project)
    run_job(refuse, job.pk)
    client.force_login(owner_of(project))
    page = client.get(f"/p/{project.key}/jobs").content.decode()
    assert "Failed" in page and "There is nothing of that name." in page


def test_what_nobody_foresaw_is_tried_again_and_told_without_its_inside(project):
    def break_down(work):
        raise ZeroDivisionError("inside")

    job = make_job(project)
    for _ in range(TRIES):
        with pytest.raises(ZeroDivisionError):
            run_job(break_down, job.pk)
        assert Job.objects.get().state == State.RUNNING
    run_job(break_down, job.pk)
    job.refresh_from_db()
    assert job.state == State.FAILED and "inside" not in job.error and job.error


def test_one_sees_ones_own_and_who_manages_the_project_all(client, project):
    reviewer, other = make_user(team=project.team, role="reviewer"), make_user(team=project.team, role="reviewer")
    job = make_job(project, by=reviewer)
    seen = {
        name: [one["id"] for one in Api(client, user).get(f"projects/{project.key}/jobs").json()["results"]]
        for name, user in {"own": reviewer, "other": other, "manager": owner_of(project)}.items()
    }
    assert seen == {"own": [str(job.pk)], "other": [], "manager": [str(job.pk)]}
    api = Api(client, other)
    assert api.get(f"projects/{project.key}/jobs/{job.pk}").status_code == 404
    assert api.delete(f"projects/{project.key}/jobs/{job.pk}").status_code == 404
    assert Api(client, make_user()).get(f"projects/{project.key}/jobs").status_code == 404


def test_the_page_asks_again_until_it_has_ended(client, project):
    job = make_job(project)
    client.force_login(owner_of(project))
    part = client.get(f"/p/{project.key}/jobs/{job.pk}", headers={"HX-Request": "true"}).content.decode()
    assert "every 1s" in part and "<html" not in part
    run_job(Counting(), job.pk)
    part = client.get(f"/p/{project.key}/jobs/{job.pk}", headers={"HX-Request": "true"}).content.decode()
    assert "every 1s" not in part and "Counted 3." in part


def test_nobody_asked_yet(client, project):
    client.force_login(owner_of(project))
    assert "Nothing was asked for yet" in client.get(f"/p/{project.key}/jobs").content.decode()
    client.force_login(make_user(team=project.team, role="auditor"))  # who sees none but her own
    for page, said in (("jobs", "You have asked for nothing yet"), ("exports", "You have exported nothing yet")):
        assert said in client.get(f"/p/{project.key}/{page}").content.decode()


def test_of_a_deleted_project_nothing_is_done(project):
    job, counting = make_job(project), Counting()
    Project.objects.filter(pk=project.pk).update(deleted_at=job.created_at)
    run_job(counting, job.pk)
    assert counting.seen == []


def test_the_old_ones_are_forgotten(project):
    job, waiting = make_job(project), make_job(project)
    run_job(Counting(), job.pk)
    Job.objects.update(ended_at="2020-01-01T00:00:00Z")
    Job.objects.filter(pk=waiting.pk).update(ended_at=None)
    tasks.forget.func(0)
    assert [one.pk for one in Job.objects.all()] == [waiting.pk]
