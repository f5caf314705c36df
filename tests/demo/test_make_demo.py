"""The command that fills an empty database with the demo."""

import json
import stat

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from demo import corpus
from demo.management.commands import make_demo
from experiments.models import Evaluation, State
from exports.models import SavedView
from feedback.models import Correction, Feedback, Preference
from interactions.models import Interaction, LabelEvent
from projects.models import Project
from reviews.models import Review
from reviews.services import queues_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    return settings.DATA_DIR


def test_it_fills_one_project_and_leaves_another_empty(folder, client):
    call_command("make_demo")
    opens = json.loads((folder / "demo.json").read_text())
    helpdesk = Project.objects.get(key=opens["project"])
    assert Interaction.objects.filter(project=helpdesk).count() == Interaction.objects.count() == 2400
    assert Project.objects.count() == 2
    assert {event.by.name for event in LabelEvent.objects.select_related("by")} == {"Jonas Okafor", "Ines Adeyemi"}
    assert Feedback.objects.filter(by__name="Jonas Okafor").exists()
    assert Preference.objects.filter(project=helpdesk).count() == 2 * 420
    assert Correction.objects.filter(by__name="Jonas Okafor").count() == 6
    # people can begin with reviewing at once, and there is something to settle
    [queue] = queues_of(helpdesk)
    assert queue.n_items == 40 and 20 < queue.n_open < 40 and queue.n_conflicts
    assert Review.objects.filter(queue=queue, state="submitted", seconds__gt=0).count() == 18 + 14
    assert LabelEvent.objects.filter(label__key="verdict").exists()
    assert [view.name for view in SavedView.objects.filter(project=helpdesk, is_shared=True)] == [
        "Unhappy members",
        "To be audited",
    ]
    # the A/B test is counted, each member in one arm
    evaluation = Evaluation.objects.get(test__project=helpdesk, test__state=State.IN_PROGRESS)
    arms = evaluation.figures["arms"]
    assert [arm["units"] > 80 and arm["n"] > 50 and not arm["crossed"] for arm in arms] == [True, True]
    # what the file says opens the door
    assert User.objects.get(email=opens["login"]).check_password(opens["password"])
    answer = client.get(
        "/api/v1/interactions",
        {"project": opens["project"], "limit": "1"},
        headers={"Authorization": f"Bearer {opens['api_key']}"},
    )
    assert answer.status_code == 200
    assert len(answer.json()["results"]) == 1


def test_the_file_is_for_its_owner_alone(folder, monkeypatch):
    monkeypatch.setattr(make_demo, "fill", lambda *args, **others: None)
    call_command("make_demo")
    assert stat.S_IMODE((folder / "demo.json").stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["demo.json"]


def test_colleagues_cannot_log_in(folder, monkeypatch):
    monkeypatch.setattr(make_demo, "fill", lambda *args, **others: None)
    call_command("make_demo")
    assert [user.has_usable_password() for user in User.objects.order_by("pk")] == [True, False, False]


def test_it_refuses_where_somebody_is_at_home(folder):
    User.objects.create(email="first@example.org", name="First")
    with pytest.raises(CommandError, match="empty database"):
        call_command("make_demo")
    assert not folder.exists()


def test_nothing_is_kept_when_a_record_is_refused(folder, monkeypatch):
    broken = [{**record, "latency_ms": "soon"} for record in list(corpus.records(make_demo.ids.now()))[:3]]
    monkeypatch.setattr(make_demo, "records", lambda now: iter(broken))
    with pytest.raises(CommandError, match="refused"):
        call_command("make_demo")
    assert not User.objects.exists()
    assert not (folder / "demo.json").exists()
