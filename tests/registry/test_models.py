"""REST of models and of those that a project uses; logging and the registry side by side."""

import pytest

from projects.access import EntityNotFound
from registry.endpoints import NotCallable, endpoint_of_model
from registry.models import Attachment, Model
from registry.providers import create_provider
from registry.services import attach, attached, default_of, detach, register_model, resolve_models, set_default
from tests.conftest import Api
from tests.factories import make_project, make_team, make_user, owner_of
from tests.registry.conftest import KEY

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(project):
    return f"teams/{project.team.key}/models"


@pytest.fixture
def used(project):
    return f"projects/{project.key}/models"


@pytest.fixture
def record(provider):
    return {"key": "big", "name": "Big", "provider": "pool", "external_id": "org/big", "parameters": {"top_k": 3}}


def another(model, key):
    return register_model(team=model.team, key=key, provider=model.provider, external_id=key, by=None)


def test_a_model_is_registered_and_can_be_called(call, owner, path, record):
    answer = call("post", path, record, by=owner)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["key"], told["capabilities"], told["state"]) == ("big", ["text"], "unknown")
    endpoint = endpoint_of_model(Model.objects.get(key="big"))
    assert (endpoint.external_id, endpoint.parameters, endpoint.api_key) == ("org/big", {"top_k": 3}, KEY)
    assert call("get", f"{path}/big", by=owner).json() == told
    assert call("get", path, by=owner).json() == {"results": [told], "next": ""}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": ""}, "key"),
        ({"key": "a//b"}, "key"),
        ({"key": "../b"}, "key"),
        ({"key": "a/check"}, "key"),
        ({"key": " a"}, "key"),
        ({"key": "a\nb"}, "key"),
        ({"key": "a\x00"}, "key"),
        ({"key": "k" * 201}, "key"),
        ({"name": "n" * 201}, "name"),
        ({"external_id": ""}, "external_id"),
        ({"external_id": "a\nb"}, "external_id"),
        ({"external_id": None}, "external_id"),
        ({"capabilities": []}, "capabilities"),
        ({"capabilities": ["text", "text"]}, "capabilities"),
        ({"capabilities": "text"}, "capabilities"),
        ({"parameters": []}, "parameters"),
        ({"parameters": {"model": "other"}}, "parameters"),
        ({"parameters": {"stream": True}}, "parameters"),
        ({"parameters": {"x": "\x00"}}, "parameters"),
        ({"parameters": {"x": "\ud800"}}, "parameters"),
        ({"parameters": {"x": "y" * 10_001}}, "parameters"),
        ({"unheard": 1}, "unheard"),
    ],
)
def test_bad_input_names_the_field_and_registers_nothing(call, owner, path, record, change, field):
    answer = call("post", path, record | change, by=owner)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert not Model.objects.exists()


def test_a_model_that_was_only_logged_gets_its_provider(call, api, owner, path, project, record):
    assert api.log(project, model="big").status_code == 201
    logged = Model.objects.get()
    with pytest.raises(NotCallable, match="only known from what was logged"):
        endpoint_of_model(logged)
    assert call("get", f"{path}?of=logged", by=owner).json()["results"][0]["provider"] is None
    assert call("post", path, record, by=owner).status_code == 201
    logged.refresh_from_db()
    assert endpoint_of_model(logged).external_id == "org/big"
    answer = call("post", path, record, by=owner)
    assert answer.status_code == 409 and "big" in answer.json()["error"]


def test_a_model_is_changed_and_must_be_checked_anew(call, owner, path, model):
    call("post", f"{path}/small/check", by=owner)
    told = call("patch", f"{path}/small", {"name": "Smaller"}, by=owner).json()
    assert (told["name"], told["state"]) == ("Smaller", "online")
    told = call("patch", f"{path}/small", {"external_id": "s2", "parameters": {"seed": 1}}, by=owner).json()
    assert (told["external_id"], told["parameters"], told["state"]) == ("s2", {"seed": 1}, "unknown")
    told = call("patch", f"{path}/small", {"provider": None}, by=owner).json()
    assert (told["provider"], told["external_id"]) == (None, "")
    assert call("patch", f"{path}/small", {"key": "other"}, by=owner).status_code == 400


def test_another_teams_provider_serves_nothing_here(call, owner, path, record):
    other = make_team()
    create_provider(team=other, key="theirs", kind="vllm", address="http://10.1.2.3/v1", by=make_user())
    assert call("post", path, record | {"provider": "theirs"}, by=owner).status_code == 404
    assert call("get", f"teams/{other.key}/models", by=owner).status_code == 404


def test_the_list_is_read_a_page_at_a_time_and_searched(call, owner, path, model):
    rows = [Model(team=model.team, key=f"logged-{n:03}", name=f"Logged {n:03}") for n in range(120)]
    Model.objects.bulk_create(rows)
    seen, query = [], ""
    for _ in range(3):
        page = call("get", path + query, by=owner).json()
        seen += [one["key"] for one in page["results"]]
        cursor = page["next"]
        query = f"?cursor={cursor}"
    assert (len(seen), len(set(seen)), cursor) == (121, 121, "")
    assert [one["key"] for one in call("get", f"{path}?of=called", by=owner).json()["results"]] == ["small"]
    found = call("get", f"{path}?q=LOGGED-00", by=owner).json()["results"]
    assert len(found) == 10
    assert call("get", f"{path}?cursor=x", by=owner).status_code == 404


def test_attached_it_is_listed_and_detached_it_stays_as_history(call, owner, used, project, model):
    answer = call("post", used, {"model": "small"}, by=owner)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["key"], told["is_default"], told["desired_online"], told["can_be_called"]) == (
        "small",
        False,
        True,
        True,
    )
    first = Attachment.objects.get()
    assert first.attached_by == owner
    assert call("post", used, {"model": "small", "desired_online": False}, by=owner).json()["desired_online"] is False
    assert Attachment.objects.get().pk == first.pk
    assert call("delete", f"{used}/small", by=owner).status_code == 204
    assert call("delete", f"{used}/small", by=owner).status_code == 404
    assert call("get", used, by=owner).json()["results"] == []
    [ended] = call("get", f"{used}?detached=true", by=owner).json()["results"]
    assert ended["key"] == "small" and ended["detached_at"]
    assert call("post", used, {"model": "small"}, by=owner).status_code == 201
    assert Attachment.objects.filter(model=model).count() == 2
    first.refresh_from_db()
    assert first.detached_at and first.detached_by == owner


@pytest.mark.parametrize("word", ["detatched=true", "detached=yes", "of=cold"])
def test_a_word_that_it_does_not_know_is_refused(call, owner, used, word):
    answer = call("get", f"{used}?{word}", by=owner)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [word.partition("=")[0]])


def test_logging_never_attaches_again_what_was_detached(api, call, owner, used, project):
    api.log(project, model="seen")
    assert [one["key"] for one in call("get", used, by=owner).json()["results"]] == ["seen"]
    call("delete", f"{used}/seen", by=owner)
    for record in ({"model": "seen"}, {"model": "new"}):
        assert api.log(project, **record).status_code == 201
    assert [one["key"] for one in call("get", used, by=owner).json()["results"]] == ["new"]
    assert Attachment.objects.filter(model__key="seen").count() == 1


def test_one_model_is_the_default_and_its_successor_takes_over(call, owner, used, project, model):
    other = another(model, "other")
    assert call("post", used, {"model": "small", "is_default": True}, by=owner).json()["is_default"] is True
    call("post", used, {"model": "other"}, by=owner)
    assert default_of(project) == model
    assert call("patch", f"{used}/other", {"is_default": True}, by=owner).json()["is_default"] is True
    assert default_of(project) == other
    assert [one.model.key for one in attached(project)] == ["other", "small"]
    assert set_default(project=project, model=model, by=owner) == other
    assert call("patch", f"{used}/small", {"is_default": False}, by=owner).json()["is_default"] is False
    assert default_of(project) is None


def test_a_default_that_is_detached_leaves_none(project, owner, model):
    attach(project=project, model=model, by=owner)
    assert set_default(project=project, model=model, by=owner) is None
    detach(project=project, model=model, by=owner)
    assert default_of(project) is None
    attach(project=project, model=model, by=owner)
    assert default_of(project) is None


def test_what_is_not_attached_is_no_default_and_the_former_stays(project, owner, model):
    attach(project=project, model=model, by=owner)
    set_default(project=project, model=model, by=owner)
    with pytest.raises(EntityNotFound):
        set_default(project=project, model=another(model, "other"), by=owner)
    assert default_of(project) == model


@pytest.mark.parametrize(
    "body", [{}, [], {"model": ["small"]}, {"model": "small", "desired_online": "yes"}, {"model": ""}]
)
def test_what_is_no_attachment_is_refused(call, owner, used, model, body):
    assert call("post", used, body, by=owner).status_code == 400


def test_who_may_attach_and_who_may_set_the_default(call, owner, project, people, used, model):
    attach(project=project, model=model, by=owner)
    set_default(project=project, model=model, by=owner)
    writes = [
        ("post", used, {"model": "small"}),
        ("patch", f"{used}/small", {"desired_online": False}),
        ("delete", f"{used}/small", None),
    ]
    for role in ("reviewer", "annotator", "auditor", "program"):
        assert call("get", used, by=people[role]).status_code == 200
        for method, address, body in writes:
            assert call(method, address, body, by=people[role]).status_code == 403, (role, method)
    for method, address, body in [("get", used, None), ("get", f"{used}/small", None), *writes]:
        assert call(method, address, body, by=people["stranger"]).status_code == 404
    role = project.team.roles.get(key="engineer")
    role.permissions.remove("model.deploy")
    role.save()
    for method, address, body in [*writes[1:], ("patch", f"{used}/small", {"is_default": False})]:
        assert call(method, address, body, by=people["engineer"]).status_code == 403, (method, body)
    another(model, "other")
    assert call("post", used, {"model": "other", "is_default": True}, by=people["engineer"]).status_code == 403
    assert not Attachment.objects.filter(model__key="other").exists()
    assert call("post", used, {"model": "other"}, by=people["engineer"]).status_code == 201
    assert default_of(project) == model
    assert call("patch", f"{used}/small", {"desired_online": False}, by=owner).status_code == 200
    back = call("patch", f"{used}/small", {"desired_online": True}, by=people["engineer"])
    refused = f"What {project.key} serves by default needs the permission model.deploy."
    assert (back.status_code, back.json()["error"]) == (403, refused)


def test_a_guest_attaches_only_what_the_project_had(call, owner, project, used, model):
    guest = owner_of(make_project())
    project.shares.create(team=guest.teams.get(), role=project.team.roles.get(key="engineer"))
    assert call("post", used, {"model": "small"}, by=guest).status_code == 404
    assert call("post", used, {"model": "nothing"}, by=guest).status_code == 404
    attach(project=project, model=model, by=owner)
    detach(project=project, model=model, by=owner)
    assert call("post", used, {"model": "small"}, by=guest).status_code == 201


def test_a_model_that_is_served_comes_in_offline_by_logging_and_stays_so_for_guests(
    api, call, owner, project, used, model
):
    guest = owner_of(make_project())
    project.shares.create(team=guest.teams.get(), role=project.team.roles.get(key="engineer"))
    theirs = Api(api.client, guest)
    assert theirs.log(project, model="small").status_code == theirs.log(project, model="new").status_code == 201
    shown = {one["key"]: one for one in call("get", used, by=guest).json()["results"]}
    assert (shown["small"]["desired_online"], shown["new"]["desired_online"]) == (False, True)
    online = {"desired_online": True}
    for method, address, body in [("patch", f"{used}/small", online), ("post", used, {"model": "small"})]:
        assert call(method, address, body, by=guest).status_code in (403, 404)
    assert call("delete", f"{used}/small", by=guest).status_code == 204
    assert call("post", used, {"model": "small"}, by=guest).status_code == 404
    assert not Attachment.objects.filter(model=model, desired_online=True).exists()
    assert call("post", used, {"model": "small"}, by=owner).status_code == 201
    for wanted in (False, True):
        assert call("patch", f"{used}/small", {"desired_online": wanted}, by=guest).status_code == 200


def test_what_logging_attached_is_a_guests_to_bring_online_again_once_the_team_did(
    api, call, owner, project, used, model
):
    guest = owner_of(make_project())
    project.shares.create(team=guest.teams.get(), role=project.team.roles.get(key="engineer"))
    api.log(project, model="small")
    assert call("patch", f"{used}/small", {"desired_online": True}, by=owner).status_code == 200
    for wanted in (False, True):
        assert call("patch", f"{used}/small", {"desired_online": wanted}, by=guest).status_code == 200


@pytest.mark.parametrize("model_must_exist", [False, True])
def test_what_logging_attaches_takes_no_more_queries_for_being_served(
    project, model, django_assert_num_queries, model_must_exist
):
    names = {"known": {"small"}} if model_must_exist else {"new": {"small"}}
    with django_assert_num_queries(3 + (not model_must_exist)):
        assert resolve_models(project=project, **names) == {"small": model.pk}
    assert not attached(project)[0].desired_online


def test_another_teams_model_is_not_attached(call, owner, used):
    other = make_team()
    Model.objects.create(team=other, key="theirs", name="Theirs")
    assert call("post", used, {"model": "theirs"}, by=owner).status_code == 404
    assert not Attachment.objects.exists()


def test_a_key_with_slashes_is_found_by_them(call, owner, path, used, record):
    call("post", path, record | {"key": "Qwen/Qwen3-8B"}, by=owner)
    assert call("get", f"{path}/Qwen/Qwen3-8B", by=owner).json()["key"] == "Qwen/Qwen3-8B"
    assert call("post", f"{path}/Qwen/Qwen3-8B/check", by=owner).json()["state"] == "online"
    call("post", used, {"model": "Qwen/Qwen3-8B"}, by=owner)
    assert call("get", f"{used}/Qwen/Qwen3-8B", by=owner).status_code == 200
