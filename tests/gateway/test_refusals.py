"""Requests that are not served: nothing is called, nothing is logged, and the answer says what to send."""

import gzip
import json
import socket

import httpx
import openai
import pytest

from accounts.models import ApiKey
from accounts.services import revoke_api_key
from gateway import tokens
from gateway.tokens import playground_token
from interactions import pictures
from projects.services import archive_project
from registry.services import attach, detach
from tests.factories import make_api_key, make_interaction, make_project, make_team, make_user
from tests.gateway.conftest import said
from tests.interactions.pixels import data_uri, shows, user_says

CHAT = "/openai/v1/chat/completions"


def client_of(served, key):
    return openai.OpenAI(base_url=f"{served.address}/openai/v1", api_key=key, max_retries=0)


def refused(client, model="desk/good", **more):
    """(status, code) of the error."""
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model=model, messages=said(), **more)
    return caught.value.status_code, caught.value.body["code"]


def test_only_a_key_that_may_call_here_opens_the_door(served, desk, upstream, logged):
    def of(role, team=desk.project.team):
        return client_of(served, make_api_key(make_user(team=team, role=role)))

    assert refused(client_of(served, "mg_wrong")) == (401, "invalid_api_key")
    assert httpx.post(served.address + CHAT, json={}).status_code == 401
    assert refused(of("annotator")) == (403, "permission_denied")
    assert refused(of("administrator", make_team())) == (404, "model_not_found")
    assert of("program").chat.completions.create(model="desk", messages=said()).choices
    assert len(upstream.calls) == 1
    logged(1)


def test_a_packed_body_is_refused_for_that(served, desk, upstream, key):
    headers = {"Authorization": f"Bearer {key}", "Content-Encoding": "gzip"}
    answer = httpx.post(served.address + CHAT, content=gzip.compress(b"{}"), headers=headers)
    assert (answer.status_code, "Content-Encoding" in answer.json()["error"]["message"]) == (415, True)
    assert not upstream.calls


@pytest.mark.parametrize("path", [CHAT, "/api/v1/chat/completions"])
def test_a_host_that_this_server_does_not_go_by_is_named(served, desk, key, path):
    headers = {"Authorization": f"Bearer {key}", "Host": "marginalia:8000"}
    answer = httpx.post(served.address + path, json={"model": "desk", "messages": said()}, headers=headers)
    error = answer.json()["error"]
    text = error["message"] if path == CHAT else error
    assert answer.status_code == 400 and "'marginalia:8000'" in text and "ALLOWED_HOSTS" in text


def test_of_one_who_has_no_key_no_picture_is_decoded(served, desk, monkeypatch):
    opened = []
    monkeypatch.setattr(pictures.Image, "open", lambda *arguments, **named: opened.append(arguments))
    messages = user_says(shows({"url": data_uri()}))
    body, headers = {"model": "desk/good", "messages": messages}, {"Authorization": "Bearer mg_x"}
    assert httpx.post(served.address + CHAT, json=body, headers=headers).status_code == 401
    assert opened == []


def test_a_revoked_key_opens_nothing_from_the_next_call_on(served, desk, client, key):
    client.chat.completions.create(model="desk", messages=said())
    used = ApiKey.objects.get(user=desk.owner)
    assert used.last_used_at
    revoke_api_key(key=used)
    assert refused(client) == (401, "invalid_api_key")


def test_a_pass_of_the_playground_opens_its_project_alone_and_not_for_long(served, desk, logged, monkeypatch):
    client = client_of(served, playground_token(user=desk.owner, project=desk.project))
    make_project("second", team=desk.project.team)
    assert refused(client, "second/good") == (404, "model_not_found")
    assert list(client.chat.completions.create(model="desk/good", messages=said(), stream=True))
    assert {model.id for model in client.models.list()} >= {"desk", "desk/good"}
    assert logged(1)[0].source == "playground"
    monkeypatch.setattr(tokens, "LIVES", -1)
    assert refused(client) == (401, "invalid_api_key")


def test_models_that_cannot_answer_say_why(client, desk, upstream, logged):
    make_interaction(desk.project, model="only-logged")
    attach(project=desk.project, model=desk.models["echo"], by=desk.owner, desired_online=False)
    detach(project=desk.project, model=desk.models["good"], by=desk.owner)
    assert refused(client, "desk/only-logged") == (400, "model_not_callable")
    assert refused(client, "desk/echo") == (400, "model_offline")
    assert refused(client, "desk/good") == (404, "model_not_found")
    assert refused(client, "desk/never-was") == (404, "model_not_found")
    assert refused(client, "desk") == (400, "no_default_model")
    with pytest.raises(openai.BadRequestError, match=f"name one, as {desk.project.uid}/MODEL"):
        client.chat.completions.create(model=str(desk.project.uid), messages=said())
    assert refused(client, "desk/embed") == (400, "wrong_capability")
    with pytest.raises(openai.BadRequestError, match="makes no embeddings"):
        client.embeddings.create(model="desk/tools", input="one")
    archive_project(project=desk.project)
    assert refused(client, "desk/tools") == (409, "archived")
    assert upstream.calls == []
    logged(1)


BAD = [
    (b"", "not JSON"),
    (b"{", "not JSON"),
    (b"[]", "Send a JSON object, not a list."),
    (b'{"model": "desk/good", "messages": [], "n": 1e999}', "too large"),
    ({"model": None, "messages": said()}, "project/model"),
    ({"model": 7, "messages": said()}, "project/model"),
    ({"model": "desk/\x00", "messages": said()}, "project/model"),
    ({}, "at least one message"),
    ({"messages": "hello"}, "at least one message"),
    ({"messages": [{"role": "pope", "content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": "user", "content": "a\x00b"}]}, "NUL"),
    ({"messages": said(), "n": 0}, "from 1 to 16"),
    ({"messages": said(), "n": "two"}, "from 1 to 16"),
    ({"messages": said(), "stream": "yes"}, "stream: send true or false, not text."),
    ({"messages": said(), "stream_options": []}, "stream_options"),
    ({"messages": said(), "labels": {"a": 1}}, "labels.a"),
    ({"messages": said(), "labels": {"a\nb": "x"}}, "labels.a\nb: A name is one line"),
    ({"messages": said(), "labels": ["a"]}, "labels: send an object, not a list."),
    ({"messages": said(), "session_id": "x" * 300}, "session_id"),
    ({"messages": said(), "user": 7}, "user: send text, not a number."),
    ({"messages": said(), "metadata": "x"}, "metadata"),
    ({"messages": said(), "store": "no"}, "store"),
    ({"messages": said(), "ab_campaign": "nowhere"}, "EntityNotFound: A/B test 'nowhere'"),
    ({"messages": said(), "tags": ["a"]}, "tags"),
    ({"messages": said(), "stop": "a\x00"}, "NUL"),
]


@pytest.mark.parametrize("path", [CHAT, "/api/v1/chat/completions"])
def test_a_bad_request_is_told_what_is_wrong_with_it(http, desk, upstream, logged, path):
    for sent, words in BAD:
        body = sent if isinstance(sent, bytes) else json.dumps({"model": "desk/good", **sent}).encode()
        answer = http.post(path, content=body)
        error = answer.json()["error"]
        text = error["message"] if path == CHAT else error
        assert (words, answer.status_code in (400, 404), words in text) == (words, True, True), (sent, text)
    assert upstream.calls == []
    logged(0)


def test_other_addresses_methods_and_sizes_are_told(http, desk, served):
    assert http.get(CHAT).status_code == 405
    assert "chat/completions" in http.post("/openai/v1/responses", json={}).json()["error"]["message"]
    assert http.get("/openai/v1/models/desk/never").status_code == 404
    assert httpx.get(f"{served.address}/openai/v1/models").status_code == 401
    assert httpx.get(f"{served.address}/openai/v1/metrics").status_code == 401
    for sent in ({}, {"input": []}, {"input": 7}):
        assert http.post("/openai/v1/embeddings", json={"model": "desk/embed", **sent}).status_code == 400
        assert http.post("/api/v1/embeddings", json={"model": "desk/embed", **sent}).status_code == 400
    large = http.post(CHAT, content=b" " * (32 * 1024 * 1024 + 1))
    assert (large.status_code, "32 MB" in large.json()["error"]["message"]) == (413, True)
    stranger = {"Authorization": "Bearer mg_wrong"}
    assert http.post(CHAT, content=b"x" * 100_000, headers=stranger).status_code == 401
    told = http.get("/openai/v1/metrics")
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'marginalia_gateway_answers_total{call="openai.chat",status="413"} 1' in told.text


def test_the_words_of_a_header_cannot_be_broken_out_of(http, desk, logged):
    answer = http.post(CHAT, json={"model": "desk", "messages": said(), "session_id": "a\r\nx-evil: 1"})
    assert (answer.status_code, "x-evil" in answer.headers, "x-session-id" in answer.headers) == (200, False, False)
    assert logged(1)[0].session == "a\r\nx-evil: 1"


def test_headers_without_end_are_broken_off(served):
    host, port = served.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection, pytest.raises(OSError):
        connection.sendall(b"GET /openai/v1/models HTTP/1.1\r\n")
        for number in range(10_000):
            connection.sendall(b"X-Long-%d: %s\r\n" % (number, b"x" * 1_000))


def test_a_body_that_takes_too_long_is_told(served, key, monkeypatch):
    monkeypatch.setattr("gateway.http.LATE", 0.2)
    host, port = served.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        head = f"POST {CHAT} HTTP/1.1\r\nAuthorization: Bearer {key}\r\nContent-Length: 50\r\n\r\n{{"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
