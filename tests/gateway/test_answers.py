"""Answers as providers other than OpenAI write them: what reaches the client is what is logged."""

import json

import openai
import pytest

from tests.gateway.conftest import said, told
from tests.upstream import whole

COUNTED = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


@pytest.fixture
def provider(upstream, monkeypatch):
    """`.answers(answer)` whole from then on, `.streams(bytes, …)` in these pieces."""

    class Provider:
        def answers(self, answer):
            async def plain(asked, receive, send):
                await whole(send, 200, answer)

            monkeypatch.setattr(upstream, "plain", plain)

        def streams(self, *pieces):
            async def stream(asked, receive, send):
                start = [(b"content-type", b"text/event-stream")]
                await send({"type": "http.response.start", "status": 200, "headers": start})
                for piece in pieces:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b""})

            monkeypatch.setattr(upstream, "stream", stream)

        def says(self, *events):
            """A stream of these, without [DONE]."""
            self.streams(*(f"data: {json.dumps(event)}\n\n".encode() for event in events))

    return Provider()


def choices(*given, **more):
    return {"id": "up-1", "choices": list(given), **more}


def message(content, **more):
    return {"role": "assistant", "content": content, **more}


def asked(client, stream=False, **more):
    return client.chat.completions.create(model="desk", messages=said(), stream=stream, **more)


def heard(chunks):
    """{index: words} of a stream."""
    words = {}
    for chunk in chunks:
        for choice in chunk.choices:
            words[choice.index] = words.get(choice.index, "") + (choice.delta.content or "")
    return words


@pytest.mark.parametrize("last", [{}, {"delta": None}])
def test_a_streams_end_without_a_delta_is_its_end(client, logged, provider, last):
    provider.says(
        choices({"index": 0, "delta": {"content": "Yes."}}), choices({"index": 0, "finish_reason": "length", **last})
    )
    chunks = list(asked(client, stream=True))
    assert (heard(chunks), chunks[-1].choices[0].finish_reason) == ({0: "Yes."}, "length")
    [row] = logged(1)
    assert (row.body.completion, told(row)["finish_reason"], "error" in told(row)) == ("Yes.", "length", False)


CALLED = {"name": "lookup", "arguments": '{"plan": "gold"}'}


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_under_its_older_name_is_one(client, http, logged, provider, stream):
    provider.answers(
        choices({"index": 0, "message": message(None, function_call=CALLED), "finish_reason": "function_call"})
    )
    pieces = [{"name": "lookup", "arguments": ""}, {"arguments": CALLED["arguments"][:5]},
              {"arguments": CALLED["arguments"][5:]}]  # fmt: skip
    provider.says(
        *(choices({"index": 0, "delta": {"function_call": piece}}) for piece in pieces),
        choices({"index": 0, "delta": {}, "finish_reason": "function_call"}),
    )
    answer = asked(client, stream)
    first = list(answer)[0].choices[0].delta if stream else answer.choices[0].message
    assert first.function_call.name == "lookup"
    call = {"type": "function", "function": CALLED}
    [row] = logged(1)
    assert (told(row)["tool_calls"], json.loads(row.body.completion)) == ([call], [call])
    assert ("ttft_ms" in told(row)) is stream
    answer = http.post("/api/v1/chat/completions", json={"model": "desk", "messages": said(), "stream": stream}).text
    assert '"tool_calls"' in answer and "lookup" in answer


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_said_aloud_is_the_completion_in_words(client, http, logged, provider, stream):
    provider.answers(
        choices({
            "index": 0, "finish_reason": "stop",
            "message": message(None, audio={"id": "a-1", "data": "UklGRg==", "transcript": "Yes, you are."}),
        })
    )  # fmt: skip
    provider.says(
        choices({"index": 0, "delta": {"audio": {"id": "a-1", "transcript": "Yes, "}}}),
        choices({"index": 0, "delta": {"audio": {"data": "UklGRg=="}}}),
        choices({"index": 0, "delta": {"audio": {"transcript": "you are."}}, "finish_reason": "stop"}),
    )
    answer = asked(client, stream)
    assert "UklGRg==" in "".join(str(one) for one in ([answer] if not stream else answer))
    [row] = logged(1)
    assert row.body.completion == "Yes, you are."
    assert "UklGRg" not in json.dumps(row.body.envelope)
    assert ("ttft_ms" in told(row)) is stream
    answer = http.post("/api/v1/chat/completions", json={"model": "desk", "messages": said(), "stream": stream}).text
    assert "Yes, " in answer and "you are." in answer


A, B = {"message": message("one"), "finish_reason": "stop"}, {"message": message("two"), "finish_reason": "stop"}


@pytest.mark.parametrize(
    "given",
    [
        [A, B],
        [{**A, "index": 0}, {**B, "index": 0}],
        [{**A, "index": None}, {**B, "index": "1"}],
        [{**B, "index": 1}, A],
        [{**A, "index": 7}, {**B, "index": 8}],
        [{**A, "index": 0}, {**B, "index": 2}],
        [{**A, "index": 0}, {**B, "index": 1}, {"index": 2, "message": message("three")}],
    ],
)
def test_each_choice_is_logged_as_it_was_delivered_however_it_is_numbered(client, logged, provider, given):
    provider.answers(choices(*given, usage=COUNTED))
    answer = asked(client, n=2)
    rows = {str(row.pk): row.body.completion for row in logged(2)}
    told = [(choice.index, choice.message.content, rows[choice.completion_id]) for choice in answer.choices]
    assert told == [(0, "one", "one"), (1, "two", "two")]


def test_one_choice_is_the_one_that_was_asked_for(client, logged, provider):
    provider.answers(choices({**A, "index": 1}))
    assert [(choice.index, choice.message.content) for choice in asked(client).choices] == [(0, "one")]
    provider.says(
        choices({"index": 1, "delta": {"content": "two"}}), choices({"index": 2, "delta": {"content": "three"}}),
        choices({"index": 1, "delta": {}, "finish_reason": "stop"}),
    )  # fmt: skip
    assert heard(asked(client, stream=True)) == {0: "two"}
    assert [row.body.completion for row in logged(2)] == ["one", "two"]


@pytest.mark.parametrize("numbers", [(0, 1), (1, 2), (None, None)])
def test_pieces_that_come_together_are_told_apart(client, logged, provider, numbers):
    def both(*deltas):
        return choices(*({"index": i, "delta": delta} for i, delta in zip(numbers, deltas, strict=True)))

    pieces = [both({"content": "o"}, {"content": "t"}), both({"content": "ne"}, {"content": "wo"})]
    provider.streams(*(f"data: {json.dumps(piece)}\n\n".encode() for piece in pieces), b"data: [DONE]\n\n")
    words = heard(asked(client, stream=True, n=2))
    assert sorted(words) == [0, 1] and sorted(words.values()) == ["one", "two"]
    assert [row.body.completion for row in logged(2)] == [words[0], words[1]]


@pytest.mark.parametrize("answer", [choices(), choices({"index": 0}), choices({"index": 0, "message": None}), {}])
def test_an_answer_without_a_choice_is_garbage(client, logged, provider, answer):
    provider.answers(answer)
    with pytest.raises(openai.InternalServerError, match="holds no choice"):
        asked(client)
    assert told(logged(1)[0])["error"]["code"] == "garbage"


def test_an_error_that_comes_as_an_answer_is_told(client, logged, provider):
    provider.answers({"error": {"message": "Nobody serves it. sk-secret", "code": 503}})
    with pytest.raises(openai.InternalServerError, match="The provider answered with an error: Nobody serves it. …"):
        asked(client)
    assert told(logged(1)[0])["error"]["code"] == "provider_failed"


DETAILS = {"prompt_tokens_details": {"cached_tokens": 5}, "completion_tokens_details": {"reasoning_tokens": 2}}


@pytest.mark.parametrize("stream", [False, True])
def test_all_that_is_told_of_the_tokens_is_kept(client, http, logged, provider, stream):
    usage = {**COUNTED, **DETAILS, "cost": 0.25, "note": "a\x00b", "input_tokens": "7"}
    provider.answers(choices({**A, "index": 0}, usage=usage))
    provider.says(
        choices({"index": 0, "delta": {"content": "one"}, "finish_reason": "stop"}),
        choices(usage={"prompt_tokens": 7}), choices(usage=usage),
    )  # fmt: skip
    answer = asked(client, stream)
    assert list(answer)
    [row] = logged(1)
    assert (row.prompt_tokens, row.completion_tokens) == (7, 3)
    assert row.body.envelope["usage"] == {**COUNTED, **DETAILS, "cost": 0.25, "note": "a\ufffdb"}
    options = {"stream": stream, "stream_options": {"include_usage": True}}
    answer = http.post("/api/v1/chat/completions", json={"model": "desk", "messages": said(), **options}).text
    assert '"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}' in answer


@pytest.mark.parametrize("odd", [{"notes": "x" * 100_000}, {"cost": 1e999}, {"deep": [[[[[[[[[[1]]]]]]]]]]}])
def test_what_cannot_be_kept_beside_the_tokens_takes_nothing_else_with_it(client, logged, provider, odd):
    text = json.dumps(choices({"index": 0, "delta": {"content": "one"}, "finish_reason": "stop"}, usage=COUNTED | odd))
    provider.streams(f"data: {text.replace('Infinity', '1e999')}\n\n".encode())
    assert list(asked(client, stream=True))
    [row] = logged(1)
    assert (row.body.completion, row.body.envelope["usage"]) == ("one", COUNTED)


def test_of_several_choices_the_tokens_are_told_together(client, logged, provider):
    provider.answers(choices(A, B, usage={**COUNTED, **DETAILS}))
    asked(client, n=2)
    for row in logged(2):
        assert row.body.envelope["usage"] == {"prompt_tokens": 7}
        assert told(row)["usage"] == {**COUNTED, **DETAILS}


CITED = {"type": "url_citation", "url_citation": {"url": "https://example.org/terms", "start_index": 0, "end_index": 3}}


@pytest.mark.parametrize("stream", [False, True])
def test_what_an_answer_cites_is_kept(client, logged, provider, stream):
    many = [CITED, {"text": "x" * 5_000}, "odd", *[CITED] * 200]
    provider.answers(choices({"index": 0, "finish_reason": "stop", "message": message("Yes.", annotations=many)}))
    provider.says(
        choices({"index": 0, "delta": {"content": "Yes."}}),
        choices({"index": 0, "delta": {"annotations": many[:3]}}),
        choices({"index": 0, "delta": {"annotations": many[3:]}, "finish_reason": "stop"}),
    )
    answer = asked(client, stream, metadata={"annotations": "mine"})
    assert list(answer) if stream else answer.choices[0].message.annotations
    kept = told(logged(1)[0])
    assert kept["annotations"] == [CITED] * 98
    assert kept["request"] == {"annotations": "mine"}


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (b'event: error\ndata: {"message":"overloaded"}\n\n', "overloaded"),
        (b'event: error\ndata: {"type": "error", "error": {"detail": "overloaded"}}\n\n', "overloaded"),
        (b"event: error\ndata: overloaded\n\n", "overloaded"),
        (b'data: {"error": "overloaded"}\n\n', "overloaded"),
        (b'data: {"error": {"code": 529}}\n\n', '{"code":529}'),
    ],
)
def test_a_providers_words_about_its_end_are_told(client, logged, provider, event, words):
    provider.streams(b'data: {"choices": [{"index": 0, "delta": {"content": "Yes"}}]}\n\n', event)
    with pytest.raises(openai.APIError) as caught:
        list(asked(client, stream=True))
    assert caught.value.message == f"The provider broke the answer off: {words}"
    [row] = logged(1)
    assert (told(row)["error"]["message"], row.body.completion) == (caught.value.message, "Yes")


FIRST = b'data: {"choices": [{"index": 0, "delta": {"content": "Yes"}}]}'
LAST = b'data: {"choices": [{"index": 0, "delta": {"content": "."}, "finish_reason": "stop"}]}'


@pytest.mark.parametrize(
    "pieces",
    [
        [b"\xef\xbb\xbf", FIRST, b"\n\n", LAST, b"\n\n"],
        [FIRST + b"\r\r" + LAST, b"\r\r"],
        [FIRST + b"\r", b"\n\r", b"\n", LAST + b"\r\n\r\n", b"data: [DONE]\r\n\r\n"],
        [b": ping\n\ndata:\n\n" + FIRST, b"\n\ndata: \n\nevent: ping\ndata:\n\n", LAST],
        [FIRST[:20], FIRST[20:], b"\n", b"\n" + LAST + b"\n\n"],
        [FIRST[:7] + b"\n" + b"data:" + FIRST[7:] + b"\n\nid: 7\nretry: 3\n" + LAST + b"\n\ndata: [DONE]\n\n"],
    ],
)
def test_a_stream_is_read_however_its_lines_end(client, logged, provider, pieces):
    provider.streams(*pieces)
    assert heard(asked(client, stream=True)) == {0: "Yes."}
    [row] = logged(1)
    assert (row.body.completion, "error" in told(row)) == ("Yes.", False)


@pytest.mark.parametrize("path", ["/openai/v1/chat/completions/", "/openai/v1/models/", "/openai/v1"])
def test_an_address_with_one_slash_more_is_told_what_there_is(http, desk, path):
    answer = http.post(path, json={}, follow_redirects=False)
    assert answer.status_code in (404, 405) and "location" not in answer.headers
    assert answer.status_code == 405 or "chat/completions" in answer.text
