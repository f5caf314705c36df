"""The rule of days by REST, by page and by command: the same is told everywhere, and is what goes."""

import datetime

import pytest
from django.core.management import call_command
from django.test import Client

from interactions import ids, tasks
from interactions.models import Interaction
from interactions.retention.rule import next_run
from projects.models import Project
from tests.conftest import Api
from tests.factories import make_interaction, make_project, make_team, make_user

pytestmark = pytest.mark.usefixtures("no_past_months")


def days_ago(days):
    return (ids.now() - datetime.timedelta(days=days)).isoformat()


@pytest.fixture
def aged(project):
    """The project with four old interactions, one of them simulated, and a young one."""
    for n in range(3):
        make_interaction(project, created_at=days_ago(200 + n))
    make_interaction(project, created_at=days_ago(200), source="simulation")
    make_interaction(project)
    return project


def test_days_are_set_by_rest_and_what_would_go_is_told(api, aged):
    address = f"projects/{aged.key}"
    told = api.get(f"{address}/retention").json()
    assert (told["keep_days"], told["would_go"], told["gone"]) == (None, None, [])
    answer = api.send("patch", address, {"keep_days": 100})
    assert (answer.status_code, answer.json()["keep_days"]) == (200, 100)
    told = api.get(f"{address}/retention").json()
    assert (told["keep_days"], told["would_go"]["n"], told["would_go"]["held"]) == (100, 4, 0)
    assert told["next_run"] > told["would_go"]["end"] > told["would_go"]["start"]
    tasks.retain(next_run(ids.now()).isoformat())
    told = api.get(f"{address}/retention").json()
    assert told["would_go"]["n"] == 0
    assert sum(one["n"] for one in told["gone"]) == 4
    assert api.send("patch", address, {"keep_days": None}).json()["keep_days"] is None
    assert Interaction.objects.count() == 1


@pytest.mark.parametrize("days", [0, -1, 36_501, "many", 1.5, True, [], {}])
def test_days_that_are_none_are_refused_and_nothing_changes(api, project, days):
    answer = api.send("patch", f"projects/{project.key}", {"keep_days": days})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["keep_days"])
    assert Project.objects.get().keep_days is None


@pytest.mark.parametrize(
    ("role", "read", "write"), [("engineer", 200, 200), ("reviewer", 200, 403), ("auditor", 200, 403), (None, 404, 404)]
)
def test_who_manages_the_project_sets_days_and_her_teammates_read_them(project, role, read, write):
    person = make_user(team=project.team, role=role) if role else make_user(team=make_team())
    api = Api(Client(), person)
    assert api.get(f"projects/{project.key}/retention").status_code == read
    assert api.send("patch", f"projects/{project.key}", {"keep_days": 5}).status_code == write
    client = Client()
    client.force_login(person)
    assert client.post(f"/p/{project.key}/keep", {"days": 5}).status_code == (302 if write == 200 else write)


def test_the_page_tells_what_goes_tonight(client, owner, aged):
    client.force_login(owner)
    page = client.post(f"/p/{aged.key}/keep", {"days": "100"}, follow=True).content.decode()
    assert "Kept for 100 days." in page and "<b>4</b> interactions go," in page
    tasks.retain(next_run(ids.now()).isoformat())
    page = client.get(f"/p/{aged.key}/settings").content.decode()
    assert "Tonight nothing goes." in page and "What went" in page
    page = client.post(f"/p/{aged.key}/keep", {"days": ""}, follow=True).content.decode()
    assert "Everything is kept for ever." in page
    assert client.post(f"/p/{aged.key}/keep", {"days": "0"}).status_code == 422


def test_the_command_tells_and_then_does_it(api, aged, capsys):
    call_command("retention")
    assert capsys.readouterr().out == "Every project keeps for ever.\n"
    api.send("patch", f"projects/{aged.key}", {"keep_days": 100})
    other = make_project(team=aged.team)
    api.send("patch", f"projects/{other.key}", {"keep_days": 100})
    call_command("retention", "--dry-run")
    out = capsys.readouterr().out
    assert f"{aged.key} ({aged.team.key}) keeps for 100 days: 4 from " in out
    assert f"{other.key} ({other.team.key}) keeps for 100 days: nothing goes." in out
    assert Interaction.objects.count() == 5
    call_command("retention")
    assert capsys.readouterr().out.endswith("4 interactions have gone.\n")
    assert Interaction.objects.count() == 1


def test_the_worker_comes_again_until_all_is_done(aged, api, monkeypatch):
    make_interaction(make_project(team=aged.team), created_at=days_ago(200))
    api.send("patch", f"projects/{aged.key}", {"keep_days": 100})
    monkeypatch.setattr(tasks, "TURN", 0)
    monkeypatch.setattr("interactions.retention.run.SLICE", 1)
    deferred = []
    monkeypatch.setattr(type(tasks.retain), "defer", lambda task, **job: deferred.append((task.name, job)))
    tasks.retention(int(ids.now().timestamp()))
    while deferred and len(deferred) < 50:
        name, job = deferred[-1]
        before = len(deferred)
        tasks.retain(**job)
        if len(deferred) == before:
            break
    assert 4 <= len(deferred) < 50 and {name for name, _ in deferred} == {"interactions.retain"}
    assert Interaction.objects.filter(project=aged).count() == 1
