"""REST of providers: who may, what is refused, and that address and key never come out again."""

import pytest

from registry.endpoints import endpoint_of_provider
from registry.models import Provider
from registry.providers import create_provider
from tests.factories import make_project, make_team, make_user, owner_of
from tests.registry.conftest import KEY

pytestmark = pytest.mark.django_db
HOST = "10.20.30.40"
RECORD = {"key": "pool", "kind": "vllm", "address": f"http://{HOST}:8000/v1", "api_key": KEY}


@pytest.fixture
def path(project):
    return f"teams/{project.team.key}/providers"


@pytest.fixture
def there(project, owner):
    return create_provider(team=project.team, by=owner, **RECORD)


def is_silent(answer):
    return not any(secret in answer.content.decode() for secret in (KEY, HOST, KEY[:12]))


def test_what_is_added_is_shown_without_address_and_key(call, owner, path):
    answer = call("post", path, RECORD | {"name": "Pool", "is_pool": True}, by=owner)
    assert answer.status_code == 201
    told = answer.json()
    assert told.pop("created_at")
    assert told == {
        "key": "pool",
        "name": "Pool",
        "kind": "vllm",
        "is_pool": True,
        "has_api_key": True,
        "state": "unknown",
        "fault": "",
        "checked_at": None,
        "reported": [],
    }
    for again in (answer, call("get", path, by=owner), call("get", f"{path}/pool", by=owner)):
        assert is_silent(again)
    assert endpoint_of_provider(Provider.objects.get()).address == f"http://{HOST}:8000/v1"


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("openai", "https://api.openai.com/v1"),
        ("mistral", "https://api.mistral.ai/v1"),
        ("anthropic", "https://api.anthropic.com/v1"),
        ("google", "https://generativelanguage.googleapis.com/v1beta/openai"),
    ],
)
def test_a_kind_with_one_address_for_all_needs_none(call, owner, path, kind, address):
    assert call("post", path, {"key": kind, "kind": kind, "api_key": KEY}, by=owner).status_code == 201
    assert endpoint_of_provider(Provider.objects.get()).address == address


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": "two words"}, "key"),
        ({"key": "k" * 101}, "key"),
        ({"key": None}, "key"),
        ({"kind": "openia"}, "kind"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"address": "http://127.0.0.1:5432"}, "address"),
        ({"address": "http://[::ffff:169.254.169.254]/latest/meta-data"}, "address"),
        ({"address": "http://0x7f.1"}, "address"),
        ({"address": f"http://user:{KEY}@{HOST}"}, "address"),
        ({"address": ["http://x"]}, "address"),
        ({"address": "ftp://example.org"}, "address"),
        ({"kind": "azure", "address": ""}, "address"),
        ({"kind": "openai", "api_key": ""}, "api_key"),
        ({"api_key": "two\nlines"}, "api_key"),
        ({"api_key": "schlüssel"}, "api_key"),
        ({"api_key": "k" * 2001}, "api_key"),
        ({"is_pool": "yes"}, "is_pool"),
        ({"address_": "x"}, "address_"),
    ],
)
def test_bad_input_names_the_field_and_keeps_nothing(call, owner, path, change, field):
    answer = call("post", path, RECORD | change, by=owner)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert KEY not in answer.content.decode()
    assert not Provider.objects.exists()


@pytest.mark.parametrize("record", [[], "text", 7, None, {}])
def test_what_is_no_provider_is_refused(call, owner, path, record):
    assert call("post", path, record, by=owner).status_code == 400


def test_the_same_key_again_is_a_conflict_in_the_team_and_none_elsewhere(call, owner, path, there):
    assert call("post", path, RECORD, by=owner).status_code == 409
    other = make_team()
    assert call("post", f"teams/{other.key}/providers", RECORD, by=other.members.get()).status_code == 201


def test_the_key_is_not_sent_to_another_host_by_who_does_not_know_it(call, owner, path, there):
    """An address is changed; with it goes the key, unless it is sent anew."""
    for change in ({"address": "http://10.66.66.66/v1"}, {"address": f"https://{HOST}:8000/v1"}, {"kind": "other"}):
        there.delete()
        there = create_provider(team=there.team, by=owner, **RECORD)
        told = call("patch", f"{path}/pool", change, by=owner).json()
        assert told["has_api_key"] is False, change
    told = call("patch", f"{path}/pool", {"address": "http://10.7.7.7/v1", "api_key": "new-key"}, by=owner).json()
    assert told["has_api_key"] is True
    assert endpoint_of_provider(Provider.objects.get()).api_key == "new-key"


def test_with_the_same_host_the_key_stays(call, owner, path, there):
    told = call("patch", f"{path}/pool", {"name": "Renamed", "address": f"http://{HOST}:8000/v2"}, by=owner).json()
    assert (told["name"], told["has_api_key"]) == ("Renamed", True)
    endpoint = endpoint_of_provider(Provider.objects.get())
    assert (endpoint.address, endpoint.api_key) == (f"http://{HOST}:8000/v2", KEY)
    assert call("patch", f"{path}/pool", {"api_key": ""}, by=owner).json()["has_api_key"] is False


def test_a_kind_that_needs_a_key_is_not_left_without(call, owner, path):
    call("post", path, {"key": "o", "kind": "openai", "api_key": KEY}, by=owner)
    for change in ({"api_key": ""}, {"address": "https://10.1.1.1/v1"}, {"kind": "mistral"}):
        answer = call("patch", f"{path}/o", change, by=owner)
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["api_key"]), change
    assert endpoint_of_provider(Provider.objects.get()).api_key == KEY


def test_one_that_serves_models_is_not_deleted(call, owner, project, path, model):
    answer = call("delete", f"{path}/pool", by=owner)
    assert answer.status_code == 409 and "small" in answer.json()["error"]
    call("patch", f"teams/{project.team.key}/models/small", {"provider": None}, by=owner)
    assert call("delete", f"{path}/pool", by=owner).status_code == 204
    assert call("get", f"{path}/pool", by=owner).status_code == 404


def test_who_may_do_what(call, owner, people, path, there):
    writes = [
        ("post", path, RECORD | {"key": "another"}),
        ("patch", f"{path}/pool", {"name": "Other"}),
        ("post", f"{path}/pool/check", None),
        ("delete", f"{path}/pool", None),
    ]
    for role in ("reviewer", "annotator", "auditor", "program"):
        assert call("get", f"{path}/pool", by=people[role]).status_code == 200
        for method, address, body in writes:
            assert call(method, address, body, by=people[role]).status_code == 403, (role, method)
    for method, address, body in [("get", path, None), ("get", f"{path}/pool", None), *writes]:
        answer = call(method, address, body, by=people["stranger"])
        assert answer.status_code == 404
        assert is_silent(answer)
    assert Provider.objects.get().name == "pool"
    assert call("patch", f"{path}/pool", {"name": "Other"}, by=people["engineer"]).status_code == 200


def test_a_guest_of_a_project_sees_no_provider_of_its_team(call, project, path, there):
    other = make_project()
    project.shares.create(team=other.team, role=project.team.roles.get(key="engineer"))
    assert call("get", path, by=owner_of(other)).status_code == 404


@pytest.mark.parametrize("key", ["nothing", "%00", "a%2Fb", "x" * 3000])
def test_one_that_is_none_and_another_teams_get_the_same_answer(call, owner, path, key):
    other = make_team()
    create_provider(team=other, by=make_user(), **RECORD)
    for found in (f"{path}/{key}", f"{path}/pool", f"teams/{other.key}/providers/pool", f"teams/{key}/providers"):
        answer = call("get", found, by=owner)
        assert (answer.status_code, set(answer.json())) == (404, {"error", "fields"}), found


def test_a_word_that_is_none_of_some_is_told_them(call, owner, project, path, there):
    models = f"teams/{project.team.key}/models"
    model = {"key": "m", "external_id": "m", "provider": "pool", "capabilities": ["text", "sight"]}
    for method, address, sent, at, words in [
        ("post", path, RECORD | {"kind": "azur"}, "kind", "openai"),
        ("patch", f"{path}/pool", {"kind": 7}, "kind", "openai"),
        ("post", models, model, "capabilities.1", "text, embedding, image."),
        ("post", "feedback-keys", {"key": "k", "kind": "boolean", "project": project.key}, "kind", "bool, scalar."),
        ("get", f"teams/{project.team.key}/audit?verb=ate", None, "verb", ","),
    ]:
        answer = call(method, address, sent, by=owner)
        assert answer.status_code == 400
        [told] = answer.json()["fields"][at]
        assert told.startswith("Send one of ") and words in told
