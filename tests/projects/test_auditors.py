"""Who audits reads what was done, and writes nothing."""

import pytest

from exports.models import SavedView
from interactions.labels.keys import describe_key
from reviews.filling import fill
from reviews.services import create_queue
from tests.conftest import Api
from tests.factories import make_interaction, make_user, owner_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def sample(project):
    """What filled a queue named all."""
    make_interaction(project, labels={"channel": "app"})
    describe_key(project=project, key="channel", description="Where it came from")
    asked = {"key": "said", "kind": "text", "text": "Why?"}
    queue = create_queue(project=project, key="all", name="All", by=owner_of(project), questions=[asked])
    return fill(queue=queue, query="", by=owner_of(project))[0]


@pytest.mark.parametrize(("role", "told"), [("auditor", 200), ("annotator", 403), ("engineer", 200)])
def test_auditors_read_queues_and_label_keys(client, project, sample, role, told):
    person = make_user(team=project.team, role=role)
    api, of_queue = Api(client, person), f"projects/{project.key}/queues/all"
    for part in ("items", "samples", f"samples/{sample.pk}/again", "report"):
        assert api.get(f"{of_queue}/{part}").status_code in (told, 409), part
    client.force_login(person)
    for address in ("reviews/all/report", "reviews/all/report.json"):
        assert client.get(f"/p/{project.key}/{address}").status_code == told, address
    for address in ("labels", "labels/channel"):
        assert api.get(f"projects/{project.key}/{address}").status_code == 200
    for address in ("labels", "labels/keys/channel"):
        assert client.get(f"/p/{project.key}/{address}").status_code == 200, address
    may = role == "engineer"
    assert (api.post(f"{of_queue}/samples", {"query": ""}).status_code == 202) is may
    changed = api.send("patch", f"projects/{project.key}/labels/channel", {"description": "Where from"})
    assert (changed.status_code == 200) is may


@pytest.mark.parametrize(("role", "may"), [("auditor", False), ("program", False), ("annotator", True)])
def test_who_only_reads_shares_no_view(client, project, role, may):
    person = make_user(team=project.team, role=role)
    api, address = Api(client, person), f"projects/{project.key}/views"
    assert api.post(address, {"name": "Mine", "filter": ""}).status_code == 201
    assert api.post(address, {"name": "Ours", "filter": "", "shared": True}).status_code == (201 if may else 403)
    assert api.send("patch", f"{address}/mine", {"shared": True}).status_code == (200 if may else 403)
    client.force_login(person)
    client.post(f"/p/{project.key}/views/new", {"name": "By form", "is_shared": "on"})
    assert SavedView.objects.get(name="By form").is_shared is may
