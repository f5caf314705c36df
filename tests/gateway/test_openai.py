"""OpenAI's dialect, driven by the published openai package."""

import uuid

import pytest

from interactions.labels import labels_of
from interactions.models import Interaction
from registry.services import detach
from tests.factories import make_project
from tests.gateway.conftest import said, told
from tests.upstream import THINKING

TOOL = {"type": "function", "function": {"name": "lookup", "parameters": {"type": "object", "properties": {}}}}


def test_a_chat_is_answered_and_logged_whole(client, desk, logged, upstream):
    answer = client.chat.completions.with_raw_response.create(
        model="desk/good",
        messages=said(),
        max_tokens=3,
        temperature=0.2,
        top_p=0.9,
        stop=["END"],
        user="mara",
        metadata={"ticket": "4711"},
        response_format={"type": "json_object"},
        extra_body={"session_id": "s-1", "labels": {"channel": "app"}},
    )
    parsed = answer.parse()
    [choice] = parsed.choices
    assert choice.message.content == "the answer is [65]"
    assert (parsed.usage.prompt_tokens, parsed.usage.completion_tokens, parsed.model) == (7, 4, "desk/good")
    [row] = logged(1)
    assert parsed.id == f"chatcmpl-{row.pk}"
    assert choice.completion_id == answer.headers["x-completion-ids"] == str(row.pk)
    assert (row.source, row.user, row.session, row.model.key) == ("live", "mara", "s-1", "good")
    assert (row.prompt_tokens, row.completion_tokens, row.arm, row.logged_by) == (7, 4, None, desk.owner)
    assert row.latency_ms >= 0
    assert (row.body.messages, row.body.completion) == (said(), "the answer is [65]")
    assert [(label.key, label.value) for label in labels_of([row])[0].labels] == [("channel", "app")]
    kept = told(row)
    assert (kept["ticket"], kept["finish_reason"], kept["upstream_status"]) == ("4711", "stop", 200)
    assert kept["parameters"] == {
        "max_tokens": 3, "temperature": 0.2, "top_p": 0.9, "stop": ["END"], "response_format": {"type": "json_object"}
    }  # fmt: skip
    [(path, headers, sent)] = upstream.calls
    assert headers["authorization"] == "Bearer sk-secret"
    # the end user, labels and the like stay here
    assert sent == {"model": "good", "messages": said(), **kept["parameters"]}


@pytest.mark.parametrize("stream", [False, True])
def test_what_a_request_says_under_names_of_the_gateways_is_kept_apart(client, desk, logged, stream):
    said_so = {"ticket": "4711", "stream": "north", "error": "E-17", "usage": "premium", "request": "r-1"}
    answer = client.chat.completions.create(model="desk", messages=said(), metadata=said_so, stream=stream)
    assert list(answer)
    client.chat.completions.create(model="desk", messages=said(), metadata={"request": "r-2"})
    first, second = map(told, logged(2))
    assert first["request"] == {name: said_so[name] for name in ("stream", "error", "usage", "request")}
    assert (first["ticket"], first["stream"], "error" in first, "usage" in first) == ("4711", stream, False, False)
    assert second["request"] == "r-2"


def test_the_project_alone_stands_for_its_default_and_a_models_own_parameters_are_sent(client, desk, logged, upstream):
    client.chat.completions.create(model="desk", messages=said())
    desk.add("fair", parameters={"temperature": 0.1, "seed": 5})
    client.chat.completions.create(model="desk/fair", messages=said(), temperature=1)
    assert [row.model.key for row in logged(2)] == ["good", "fair"]
    assert upstream.calls[1][2] == {"model": "fair", "messages": said(), "temperature": 1, "seed": 5}
    assert told(logged(2)[1])["parameters"] == {"temperature": 1, "seed": 5}


LENGTHS = ("max_tokens", "max_completion_tokens")


@pytest.mark.parametrize("said_as", LENGTHS)
@pytest.mark.parametrize("registered_as", LENGTHS)
def test_a_length_that_the_call_says_replaces_the_registered_one(
    client, desk, logged, upstream, said_as, registered_as
):
    desk.add("fair", parameters={registered_as: 500, "seed": 5})
    client.chat.completions.create(model="desk/fair", messages=said(), **{said_as: 3})
    client.chat.completions.create(model="desk/fair", messages=said())
    assert upstream.calls[0][2] == {"model": "fair", "messages": said(), said_as: 3, "seed": 5}
    assert upstream.calls[1][2] == {"model": "fair", "messages": said(), registered_as: 500, "seed": 5}
    assert told(logged(2)[0])["parameters"] == {said_as: 3, "seed": 5}


def test_a_stream_is_passed_on_and_logged_before_its_end_is_told(client, desk, logged):
    with client.chat.completions.with_streaming_response.create(
        model="desk/good", messages=said(), stream=True, stream_options={"include_usage": True}
    ) as response:
        lines = []
        for line in response.iter_lines():
            lines.append(line)
            if line == "data: [DONE]":
                assert Interaction.objects.filter(project=desk.project).count() == 1
    assert lines[-2:] == ["data: [DONE]", ""]
    chunks = list(client.chat.completions.create(model="desk/good", messages=said(), stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "the answer is that you [65]"
    assert all(chunk.usage is None for chunk in chunks)
    first, second = logged(2)
    assert '"usage":{"prompt_tokens":7,"completion_tokens":6' in lines[-4]
    assert {chunk.id for chunk in chunks} == {f"chatcmpl-{second.pk}"}
    assert {chunk.choices[0].completion_id for chunk in chunks} == {str(second.pk)}
    for row in (first, second):
        assert (row.body.completion, row.completion_tokens) == ("the answer is that you [65]", 6)
        assert 0 <= told(row)["ttft_ms"] <= row.latency_ms
        assert told(row)["stream"] is True


@pytest.mark.parametrize("stream", [False, True])
def test_each_choice_is_an_interaction(client, desk, logged, stream):
    answer = client.chat.completions.create(model="desk/good", messages=said(), n=3, max_tokens=2, stream=stream)
    chunks = list(answer) if stream else [answer]
    ids = {choice.index: choice.completion_id for chunk in chunks for choice in chunk.choices}
    rows = logged(3)
    assert [ids[index] for index in range(3)] == [str(row.pk) for row in rows]
    assert len({row.session for row in rows}) == 1
    for row in rows:
        assert (row.body.completion, row.prompt_tokens, row.completion_tokens) == ("the answer [65]", 7, None)
        assert told(row)["usage"]["completion_tokens"] == 9


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_call_is_passed_on_and_logged(client, desk, logged, stream):
    answer = client.chat.completions.create(model="desk/tools", messages=said(), tools=[TOOL], stream=stream)
    if stream:
        pieces = [call for chunk in answer for call in chunk.choices[0].delta.tool_calls or []]
        arguments = "".join(call.function.arguments for call in pieces)
    else:
        arguments = answer.choices[0].message.tool_calls[0].function.arguments
    assert arguments == '{"plan": "gold"}'
    [row] = logged(1)
    call = {"id": "call_1", "type": "function", "function": {"name": "lookup", "arguments": arguments}}
    assert told(row)["tool_calls"] == [call]
    assert '"lookup"' in row.body.completion
    assert told(row)["finish_reason"] == "tool_calls"


def test_calls_that_come_whole_under_one_index_are_each_their_own(client, desk, logged):
    desk.add("parallel")
    assert list(client.chat.completions.create(model="desk/parallel", messages=said(), tools=[TOOL], stream=True))
    [row] = logged(1)
    calls = [(call["id"], call["function"]["arguments"]) for call in told(row)["tool_calls"]]
    assert calls == [("call_1", '{"plan": "gold"}'), ("call_2", '{"plan": "gold"}')]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["reasons", "aloud"])
def test_what_a_model_thought_is_kept_apart_from_what_it_said(client, desk, logged, name, stream):
    desk.add(name)
    answer = client.chat.completions.create(model=f"desk/{name}", messages=said(), stream=stream)
    assert list(answer) if stream else answer.choices[0].message.content
    [row] = logged(1)
    assert row.body.completion.strip() == "the answer is that you"
    assert told(row)["reasoning"] == "Let me see."


def test_a_thought_is_not_the_first_token_of_the_answer(client, desk, logged):
    desk.add("reasons:0.2")
    assert list(client.chat.completions.create(model="desk/reasons-0.2", messages=said(), stream=True))
    assert told(logged(1)[0])["ttft_ms"] >= 200


@pytest.mark.parametrize(
    "answer",
    [
        {"content": None, "refusal": "I cannot help with that."},
        {"content": None, "refusal": None},
        {"content": [*THINKING, {"type": "text", "text": "Yes."}]},
    ],
)
def test_an_answer_is_taken_back_as_history(client, desk, logged, answer):
    history = [*said(), {"role": "assistant", **answer}, *said("And now?")]
    assert client.chat.completions.create(model="desk", messages=history).choices[0].message.content
    assert logged(1)[0].body.messages == history


def test_what_is_not_to_be_stored_is_not(client, desk, logged):
    answer = client.chat.completions.create(model="desk", messages=said(), store=False)
    assert answer.choices[0].message.content and "completion_id" not in answer.choices[0].model_extra
    chunks = list(client.chat.completions.create(model="desk", messages=said(), store=False, stream=True))
    assert chunks and not any("completion_id" in one.model_extra for chunk in chunks for one in chunk.choices)
    raw = client.chat.completions.with_raw_response.create(model="desk", messages=said(), store=False)
    assert "x-completion-ids" not in raw.headers and "x-session-id" in raw.headers
    client.chat.completions.create(model="desk", messages=said("kept"))
    assert logged(1)[0].body.messages == said("kept")


def test_texts_become_vectors_and_nothing_is_logged(client, desk, logged, upstream):
    made = client.embeddings.create(model="desk/embed", input=["one", "three"])
    assert [one.embedding for one in made.data] == [[3.0, 0.5, -1.0], [5.0, 0.5, -1.0]]
    assert made.model == "desk/embed"
    assert upstream.calls[0][2]["encoding_format"] == "base64"  # as the package asks, which reads both
    logged(0)


@pytest.mark.parametrize("path", ["/openai/v1/embeddings", "/api/v1/embeddings"])
def test_what_a_call_for_vectors_says_goes_to_the_provider_over_the_models_parameters(http, desk, upstream, path):
    desk.add("embed:2", ["embedding"], parameters={"truncate": "END", "input_type": "passage", "priority": 1})
    body = {"input": "one", "input_type": "query", "dimensions": 2, "user": "mara", "priority": None, "tags": []}
    assert http.post(path, json={"model": "desk/embed-2", **body}).status_code == 200
    sent = upstream.calls[0][2]
    sent.pop("encoding_format", None)
    assert sent == {
        "model": "embed:2", "input": "one", "input_type": "query", "dimensions": 2, "truncate": "END", "priority": 1
    }  # fmt: skip
    refused = http.post(path, json={"model": "desk/embed-2", "input": "one", "tags": ["a"]})
    assert (refused.status_code, "does nothing with tags" in refused.text) == (400, True)


def test_the_models_are_those_that_the_key_may_call(client, desk):
    stranger = make_project("elsewhere")
    desk.add("fair", name="Fair")
    detach(project=desk.project, model=desk.models["tools"], by=desk.owner)
    names = [model.id for model in client.models.list()]
    assert names == ["desk", "desk/good", "desk/echo", "desk/embed", "desk/fair"]
    assert stranger.key not in "".join(names)
    assert client.models.retrieve("desk/fair").id == "desk/fair"


def test_a_session_is_made_where_none_is_given_and_goes_back_in_a_header(client, desk, logged):
    answer = client.chat.completions.with_raw_response.create(model="desk", messages=said())
    assert logged(1)[0].session == str(uuid.UUID(answer.headers["x-session-id"]))
