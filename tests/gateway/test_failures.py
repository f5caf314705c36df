"""Providers that do not do what they are asked: what the client is told, and what is kept of it."""

import json
import time

import openai
import pytest

from gateway import providers
from registry.providers import change_provider
from tests.gateway.conftest import said, told
from tests.upstream import whole

# model: (our status, code, words, the provider's own status)
FAILING = {
    "fail500": (502, "provider_failed", "answered 500: Failing with 500 as asked.", 500),
    "fail400": (400, "test", "refused the request (400): Failing with 400 as asked.", 400),
    "fail401": (502, "provider_key", "refused our key (401)", 401),
    "garbage": (502, "garbage", "no JSON object", 200),
    "redirect": (502, "redirect", "a redirect (302), which is not followed", 302),
    "silent": (504, "timeout", "sent nothing for 0.5 seconds", None),
    "huge": (502, "too_large", "larger than", 200),
}


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(providers, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(providers, "MOST", 2 * 1024 * 1024)
    monkeypatch.setattr(providers, "MOST_EVENT", 1024 * 1024)


@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_that_fails_is_told_and_the_call_is_kept(client, desk, logged, stream):
    for place, (name, (status, code, words, upstream_status)) in enumerate(FAILING.items(), 1):
        desk.add(name)
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(model=f"desk/{name}", messages=said(), stream=stream)
        error = caught.value
        assert (name, error.status_code, error.body["code"]) == (name, status, code)
        assert words in error.body["message"]
        assert error.body["param"] == ("temperature" if name == "fail400" else None)
        assert error.response.headers["x-should-retry"] == "false"
        assert error.response.headers["x-completion-ids"] == str(logged(place)[-1].pk)
        row = logged(place)[-1]
        assert (row.body.completion, row.model.key, told(row).get("upstream_status")) == ("", name, upstream_status)
        assert (told(row)["error"]["code"], "sk-secret" in json.dumps(row.body.envelope)) == (code, False)
        assert "broke_off" not in told(row)


def test_a_stream_that_breaks_off_is_told_and_what_came_is_kept(client, desk, logged):
    for place, (name, code, words) in enumerate(
        [("half", "broken_off", "broke off"), ("stalls", "timeout", "nothing came for 0.5 seconds")], 1
    ):
        desk.add(name)
        came = []
        with pytest.raises(openai.APIError, match=words):
            for chunk in client.chat.completions.create(model=f"desk/{name}", messages=said(), stream=True):
                came.append(chunk.choices[0].delta.content)
        assert "".join(came) == "the answer "
        row = logged(place)[-1]
        assert (row.body.completion, told(row)["broke_off"], told(row)["error"]["code"]) == (
            "the answer ", "provider", code
        )  # fmt: skip
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="desk/half", messages=said())
    assert told(logged(3)[-1])["error"]["code"] == "broken_off"


ODD = "It is \x00 or \ud83d"  # NUL, and half a surrogate pair


def test_what_no_database_can_keep_of_an_errors_words_loses_nothing(client, desk, logged, upstream, monkeypatch):
    async def refuse(asked, send):
        await whole(send, 400, {"error": {"message": ODD}})
        return True

    async def events(asked, came=upstream.events):
        number = 0
        async for event in came(asked):
            yield event if number < 3 else {"error": {"message": ODD}}
            number += 1

    with monkeypatch.context() as patch:
        patch.setattr(upstream, "misbehave", refuse)
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model="desk", messages=said())
    assert "x-marginalia-logged" not in caught.value.response.headers
    monkeypatch.setattr(upstream, "events", events)
    with pytest.raises(openai.APIError, match="It is"):
        list(client.chat.completions.create(model="desk", messages=said(), stream=True))
    rows = logged(2)
    assert [told(row)["error"]["message"][-12:] for row in rows] == ["It is \ufffd or \ufffd"] * 2
    assert (rows[1].body.completion, told(rows[1])["broke_off"]) == ("the answer ", "provider")


def test_no_part_of_a_key_is_told_where_an_errors_words_are_cut(client, desk, logged, upstream, monkeypatch):
    words = "x" * 495 + "sk-secret and more"

    async def refuse(asked, send):
        if not asked.get("stream"):
            await whole(send, 400, {"error": {"message": words}})
        return not asked.get("stream")

    async def events(asked):
        yield {"error": {"message": words}}

    monkeypatch.setattr(upstream, "misbehave", refuse)
    monkeypatch.setattr(upstream, "events", events)
    for place, stream in enumerate([False, True], 1):
        with pytest.raises(openai.APIError) as caught:
            list(client.chat.completions.create(model="desk", messages=said(), stream=stream))
        for text in (caught.value.message, told(logged(place)[-1])["error"]["message"]):
            assert ("xxx…" in text, "sk-" in text) == (True, False)


def test_no_part_of_a_key_is_told_of_a_content_type_that_is_cut(client, desk, logged, upstream, monkeypatch):
    async def misbehave(asked, send):
        kind = b"text/" + b"x" * 50 + b"sk-secret"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": b"{}"})
        return True

    monkeypatch.setattr(upstream, "misbehave", misbehave)
    with pytest.raises(openai.InternalServerError, match="xxx…") as caught:
        client.chat.completions.create(model="desk", messages=said(), stream=True)
    assert "sk-" not in caught.value.message + told(logged(1)[0])["error"]["message"]


@pytest.mark.parametrize(
    ("theirs", "words"), [("i", "Failing with 400 as asked."), ("as asked", "Failing with 400 ….")]
)
def test_a_short_key_does_not_mangle_the_providers_words(client, desk, logged, theirs, words):
    change_provider(provider=desk.provider, by=desk.owner, api_key=theirs)
    desk.add("fail400")
    with pytest.raises(openai.BadRequestError, match=words):
        client.chat.completions.create(model="desk/fail400", messages=said())
    assert words in told(logged(1)[0])["error"]["message"]


def test_a_call_is_tried_again_before_anything_came(client, desk, logged, upstream):
    desk.add("fail500:2")
    assert client.chat.completions.create(model="desk/fail500-2", messages=said()).choices[0].message.content
    assert [path for path, *_ in upstream.calls] == ["/v1/chat/completions"] * 3
    assert "error" not in told(logged(1)[0])
    upstream.failed.clear()
    desk.add("fail400:1")
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="desk/fail400-1", messages=said())
    assert len(upstream.calls) == 4


def test_retry_after_is_kept_to_within_bounds_and_else_passed_on(client, desk, monkeypatch, upstream):
    desk.add("fail429:1")
    start = time.monotonic()
    assert list(client.chat.completions.create(model="desk/fail429-1", messages=said(), stream=True))
    assert 1 <= time.monotonic() - start < 3
    monkeypatch.setattr(providers, "LONGEST_PAUSE", 0.5)
    desk.add("fail429")
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="desk/fail429", messages=said())
    assert caught.value.response.headers["retry-after"] == "1"
    assert "x-should-retry" not in caught.value.response.headers
    assert len(upstream.calls) == 3


def test_a_provider_that_is_not_there_or_inside_is_told(client, desk, logged, settings):
    settings.ALLOWED_UPSTREAMS = ["127.0.0.2"]
    change_provider(provider=desk.provider, by=desk.owner, address="http://127.0.0.2:1/v1", api_key="sk-secret")
    with pytest.raises(openai.InternalServerError, match="cannot be reached"):
        client.chat.completions.create(model="desk/echo", messages=said())
    settings.ALLOWED_UPSTREAMS = []
    with pytest.raises(openai.InternalServerError, match="leads to this machine itself"):
        client.chat.completions.create(model="desk/echo", messages=said())
    assert [told(row)["error"]["code"] for row in logged(2)] == ["unreachable"] * 2


def test_vectors_that_cannot_be_read_are_told(client, desk):
    for name in ("garbage", "silent", "fail500"):
        desk.add(name, ["embedding"])
        with pytest.raises(openai.InternalServerError) as caught:
            client.embeddings.create(model=f"desk/{name}", input="one")
        assert caught.value.body["code"] == FAILING[name][1]
