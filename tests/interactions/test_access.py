"""Who comes in by the door: every call as owner, lesser teammate, partner and stranger."""

import pytest
from django.test import Client

from accounts.models import ApiKey, Role
from accounts.services import revoke_api_key
from interactions.models import Interaction
from projects.services import archive_project, delete_project, share_project, unarchive_project
from tests.conftest import Api
from tests.factories import make_interaction, make_project, make_team, make_user
from tests.interactions.batch import send_batch
from tests.interactions.pixels import data_uri, shows, user_says


def calls(api, project, interaction):
    """{what is tried: status} of each call once, deleting last."""
    one = f"interactions/{interaction.pk}"
    return {
        "list": api.get("interactions", {"project": project.key}).status_code,
        "read": api.get(one).status_code,
        "picture": api.client.get(picture_of(interaction), headers=api.headers).status_code,
        "log": api.log(project).status_code,
        "batch": send_batch(api, project, [{"prompt": "a", "completion": "b"}])[0],
        "label": api.put(f"{one}/labels/a", {"value": "b"}).status_code,
        "unlabel": api.delete(f"{one}/labels/came").status_code,
        "feedback": api.get(f"{one}/feedback").status_code,
        "key": api.post("feedback-keys", {"project": project.key, "key": "k", "kind": "bool"}).status_code,
        "delete": api.delete(one).status_code,
    }


def picture_of(interaction):
    [url] = [part["image_url"] for part in interaction.body.messages[0]["content"] if part["type"] == "image_url"]
    return f"/blobs/{interaction.project.uid}/{url.partition(':')[2].partition(';')[0]}"


ALL = {"list": 200, "read": 200, "picture": 200, "log": 201, "batch": 201, "label": 200, "unlabel": 200,
       "feedback": 200, "key": 201, "delete": 204}  # fmt: skip
READS = ALL | dict.fromkeys(["log", "batch", "label", "unlabel", "key", "delete"], 403)
LABELS = READS | {"label": 200, "unlabel": 200}
MAY = {
    "administrator": ALL,
    "engineer": ALL,
    "reviewer": LABELS,
    "annotator": LABELS,
    "auditor": READS,
    "program": READS | {"log": 201, "batch": 201},
}
NOTHING = dict.fromkeys(ALL, 404)


@pytest.fixture
def interaction(project):
    return make_interaction(project, messages=user_says(shows(data_uri())), labels={"came": "along"})


@pytest.mark.parametrize(("role", "may"), MAY.items())
def test_a_teammate_may_what_her_role_says(client, project, interaction, role, may):
    assert calls(Api(client, make_user(team=project.team, role=role)), project, interaction) == may


@pytest.mark.parametrize(("role", "may"), MAY.items())
def test_a_team_that_shares_the_project_may_what_the_share_says(client, project, interaction, role, may):
    """Whatever its members are at home."""
    partner = make_user(team=make_team())
    share_project(project=project, team=partner.teams.get(), role=Role.objects.get(team=project.team, key=role))
    assert calls(Api(client, partner), project, interaction) == may


def test_a_stranger_finds_nothing_and_changes_nothing(client, project, interaction):
    stranger = Api(client, make_user(team=make_team()))
    assert calls(stranger, project, interaction) == NOTHING
    never = "00000000-0000-7000-8000-000000000000"
    texts = [stranger.get(f"interactions/{pk}").json()["error"].replace(str(pk), "?") for pk in (interaction.pk, never)]
    assert texts[0] == texts[1] == "EntityNotFound: Interaction '?'"
    assert Interaction.objects.filter(pk=interaction.pk).exists()


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer mg_wrong", "Basic bWc6bWc=", "Bearer é"])
def test_without_a_good_key_nobody_comes_in(client, project, interaction, header):
    headers = {"Authorization": header} if header is not None else {}
    for method, path in [
        ("get", "interactions"), ("post", "interactions"), ("post", f"interactions/batch?project={project.key}"),
        ("get", f"interactions/{interaction.pk}"), ("delete", f"interactions/{interaction.pk}"),
        ("put", f"interactions/{interaction.pk}/labels/a"), ("get", "projects"), ("post", "feedback-keys"),
    ]:  # fmt: skip
        answer = client.generic(method.upper(), f"/api/v1/{path}", "{}", "application/json", headers=headers)
        assert answer.status_code == 401
        assert set(answer.json()) == {"error", "fields"}
        assert answer["WWW-Authenticate"] == "Bearer"


def test_a_revoked_key_opens_nothing(api, project):
    assert api.log(project).status_code == 201
    revoke_api_key(key=ApiKey.objects.get())
    assert api.log(project).status_code == 401


def test_the_key_of_somebody_inactive_opens_nothing(api, project, owner):
    owner.is_active = False
    owner.save()
    assert api.log(project).status_code == 401


def test_the_last_use_of_a_key_is_noted(api, project):
    assert ApiKey.objects.get().last_used_at is None
    api.log(project)
    assert ApiKey.objects.get().last_used_at is not None


def test_a_session_reads_and_writes_only_with_its_token(project, owner, interaction):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.get(f"/api/v1/interactions/{interaction.pk}").status_code == 200
    assert client.get(picture_of(interaction)).status_code == 200
    record = {"project": project.key, "prompt": "a", "completion": "b"}
    refused = client.post("/api/v1/interactions", record, "application/json")
    assert (refused.status_code, set(refused.json())) == (403, {"error", "fields"})
    client.cookies["csrftoken"] = token = "a" * 32
    headers = {"X-CSRFToken": token, "Origin": "http://testserver"}
    assert client.post("/api/v1/interactions", record, "application/json", headers=headers).status_code == 201


def test_an_archived_project_is_read_but_takes_nothing(api, project, interaction):
    archive_project(project=project)
    assert api.get("interactions", {"project": project.key}).json()["count"] == 1
    refused = api.log(project)
    assert (refused.status_code, "archived" in refused.json()["error"]) == (409, True)
    assert send_batch(api, project, [{"prompt": "a", "completion": "b"}])[0] == 409
    unarchive_project(project=project)
    assert api.log(project).status_code == 201


def test_a_deleted_project_is_not_found(api, project, interaction):
    delete_project(project=project)
    assert calls(api, project, interaction) == NOTHING


def test_a_project_is_named_by_its_key_or_its_id(api, project):
    for name in (project.key, str(project.uid), str(project.uid).upper()):
        logged = api.post("interactions", {"project": name, "prompt": "a", "completion": "b"})
        assert logged.status_code == 201
        assert api.get("interactions", {"project": name}).status_code == 200


def test_of_two_projects_of_one_key_each_team_reaches_its_own(client, db):
    for project in (make_project("same"), make_project("same")):
        mine = Api(client, project.team.members.get())
        logged = mine.log(project).json()["completion_id"]
        assert Interaction.objects.get(pk=logged).project == project
        assert mine.get("interactions", {"project": "same"}).json()["count"] == 1
