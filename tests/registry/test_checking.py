"""Checks that really call, and what they say of providers that answer with anything but what they should."""

import logging
import time

import pytest

from registry import checking
from registry.providers import change_provider, create_provider
from registry.services import register_model
from tests.registry.conftest import KEY


@pytest.fixture
def check(call, project, owner, open_upstream):
    """check(behaviour, kind="vllm"): what REST answers when a provider that behaves so is checked."""

    def check(behaviour, **described):
        values = {"kind": "vllm", "api_key": KEY, "address": open_upstream.url(behaviour)} | described
        create_provider(team=project.team, key=behaviour, by=owner, **values)
        answer = call("post", f"teams/{project.team.key}/providers/{behaviour}/check", by=owner)
        assert answer.status_code == 200
        assert KEY not in answer.content.decode() and "127.0.0.1" not in answer.content.decode()
        return answer.json()

    return check


def test_a_provider_that_answers_is_online_with_the_models_it_reports(check, open_upstream):
    told = check("v1")
    assert (told["state"], told["fault"]) == ("online", "")
    assert told["reported"] == ["small", "Qwen/Qwen3-8B"]
    assert told["checked_at"]
    [(method, path, headers, _)] = open_upstream.seen
    assert (method, path, headers["Authorization"]) == ("GET", "/v1/models", f"Bearer {KEY}")


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        ("redirect", "redirect (302)"),
        ("refuses", "refuses the key (401): Incorrect API key provided: …, … at all"),
        ("busy", "(429): slow down"),
        ("fails", "It fails (500)."),
        ("garbage", "not with JSON"),
        ("nested", "not with JSON"),
        ("list", "not with a list of models"),
        ("huge", "larger than 4 MB"),
        ("bomb", "compressed"),
        ("half", "breaks off"),
    ],
)
def test_what_else_it_may_answer_is_said_honestly(check, open_upstream, behaviour, says):
    told = check(behaviour)
    assert told["state"] == "failing"
    assert says in told["fault"]
    assert told["reported"] == []
    assert len(open_upstream.seen) == 1


def test_one_that_reports_nothing_is_online(check):
    told = check("empty")
    assert (told["state"], told["reported"]) == ("online", [])


def test_an_answer_that_never_ends_is_given_up(check, monkeypatch):
    monkeypatch.setattr(checking, "DEADLINE", 0.4)
    began = time.monotonic()
    assert "no answer came in time" in check("drips")["fault"]
    assert time.monotonic() - began < 3


def test_where_nothing_listens_the_connection_is_refused(check, settings):
    settings.ALLOWED_UPSTREAMS = ["127.0.0.1"]
    assert check("nobody", address="http://127.0.0.1:1/v1")["fault"].startswith("The connection is refused")


def test_plain_http_behind_https_is_said(check, open_upstream):
    told = check("tls", address=open_upstream.url().replace("http:", "https:"))
    assert "does not speak TLS" in told["fault"]


def test_an_address_that_turned_inside_is_not_called(check, open_upstream, settings, call, project, owner):
    check("v1")
    settings.ALLOWED_UPSTREAMS = []
    told = call("post", f"teams/{project.team.key}/providers/v1/check", by=owner).json()
    assert "leads to this machine itself" in told["fault"]
    assert told["reported"] == ["small", "Qwen/Qwen3-8B"]  # what it last told stays
    assert len(open_upstream.seen) == 1


def test_nothing_of_a_call_is_logged(check, caplog):
    for name in ("httpx", "httpcore", "asyncio", "registry", "django"):
        assert logging.getLogger(name).isEnabledFor(logging.WARNING)
    caplog.set_level(logging.DEBUG)
    check("v1")
    check("refuses")
    assert KEY not in caplog.text and "127.0.0.1" not in caplog.text


@pytest.mark.parametrize(
    ("kind", "path", "header"),
    [
        ("openai", "/v1/models", "Authorization"),
        ("mistral", "/v1/models", "Authorization"),
        ("google", "/v1/models", "Authorization"),
        ("anthropic", "/v1/models?limit=1000", "X-Api-Key"),
        ("azure", "/v1/models", "Api-Key"),
    ],
)
def test_each_kind_is_asked_in_its_own_way(check, open_upstream, kind, path, header):
    assert check("v1", kind=kind)["state"] == "online"
    [(_, asked, headers, _)] = open_upstream.seen
    sent = {name.lower(): value for name, value in headers.items()}
    assert asked == path
    assert KEY in sent[header.lower()]
    assert sum(KEY in value for value in sent.values()) == 1


def test_azures_older_addresses_name_the_deployment(project, owner, open_upstream, call):
    address = f"http://127.0.0.1:{open_upstream.port}?api-version=2024-10-21"
    azure = create_provider(team=project.team, key="azure", kind="azure", address=address, api_key=KEY, by=owner)
    register_model(team=project.team, key="m", provider=azure, external_id="my deployment", by=owner)
    assert call("post", f"teams/{project.team.key}/providers/azure/check", by=owner).json()["state"] == "online"
    assert call("post", f"teams/{project.team.key}/models/m/check", by=owner).json()["state"] == "online"
    assert [path for _, path, *_ in open_upstream.seen] == [
        "/openai/models?api-version=2024-10-21",
        "/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21",
    ]


def check_model(call, model, owner):
    answer = call("post", f"teams/{model.team.key}/models/{model.key}/check", by=owner)
    assert answer.status_code == 200
    assert KEY not in answer.content.decode()
    return answer.json()


def test_a_model_is_asked_for_one_word(call, owner, model, open_upstream):
    told = check_model(call, model, owner)
    assert (told["state"], told["fault"]) == ("online", "")
    [(_, path, _, body)] = open_upstream.seen
    assert path == "/v1/chat/completions"
    assert (body["model"], body["max_tokens"]) == ("small", 1)


def test_a_model_that_only_embeds_is_asked_for_an_embedding(call, owner, project, provider, open_upstream):
    model = register_model(
        team=project.team, key="e", provider=provider, external_id="e", capabilities=["embedding"], by=owner
    )
    assert check_model(call, model, owner)["state"] == "online"
    assert open_upstream.seen[0][1] == "/v1/embeddings"


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [("garbage", "not with JSON"), ("list", "choice"), ("fails", "500"), ("redirect", "redirect"), ("half", "breaks")],
)
def test_a_model_that_answers_otherwise_is_failing(call, owner, model, provider, open_upstream, behaviour, says):
    change_provider(provider=provider, address=open_upstream.url(behaviour), by=owner)
    told = check_model(call, model, owner)
    assert told["state"] == "failing" and says in told["fault"]


def test_a_model_without_a_provider_is_told_so(call, owner, api, project):
    api.log(project, model="seen")
    told = call("post", f"teams/{project.team.key}/models/seen/check", by=owner).json()
    assert told["state"] == "failing" and "no provider" in told["fault"]


def test_more_checks_at_once_than_there_may_be_are_turned_away(call, owner, model, monkeypatch, open_upstream):
    for _ in range(checking.MOST_AT_ONCE):
        assert checking._places.acquire(blocking=False)
    try:
        answer = call("post", f"teams/{model.team.key}/models/small/check", by=owner)
        assert (answer.status_code, open_upstream.seen) == (429, [])
    finally:
        for _ in range(checking.MOST_AT_ONCE):
            checking._places.release()
    assert check_model(call, model, owner)["state"] == "online"
