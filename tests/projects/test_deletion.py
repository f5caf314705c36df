"""A deleted project's content goes in the background."""

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from interactions.models import Blob, Interaction, InteractionBody, Label, LabelPosting
from interactions.rollups import activity
from projects import tasks
from projects.models import Project
from projects.services import DELETION, delete_project
from tests.factories import make_interaction, make_project, make_team

pytestmark = pytest.mark.django_db


def fill(project, n=5):
    return [make_interaction(project, labels={"channel": "app"}) for _ in range(n)]


def test_deleting_hides_it_at_once_and_queues_one_job():
    project = make_project()
    project.shares.create(team=make_team(), role=project.team.roles.first())
    delete_project(project=project)
    delete_project(project=project)
    assert ProcrastinateJob.objects.filter(task_name=DELETION, args={"project_id": project.pk}).count() == 1
    assert not project.shares.exists()
    assert Project.objects.get(pk=project.pk).deleted_at


def test_the_job_clears_all_of_it_slice_by_slice_and_nothing_of_others(monkeypatch):
    monkeypatch.setattr(tasks, "SLICE", 2)
    project, other = make_project(), make_project()
    fill(project)
    kept = fill(other, 2)
    delete_project(project=project)
    tasks.delete_content(project.pk)
    assert set(Interaction.objects.values_list("pk", flat=True)) == {one.pk for one in kept}
    assert InteractionBody.objects.count() == LabelPosting.objects.count() == 2
    assert not Label.objects.filter(project=project).exists() and not Blob.objects.filter(project=project).exists()
    assert activity([project, other]) == {other.pk: activity([other])[other.pk]}
    tasks.delete_content(project.pk)
    assert Project.objects.filter(pk=project.pk).exists()  # its key stays reserved


def test_the_job_leaves_a_living_project_alone():
    project = make_project()
    fill(project, 1)
    tasks.delete_content(project.pk)
    assert Interaction.objects.count() == 1
