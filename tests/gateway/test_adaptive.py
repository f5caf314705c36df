"""The dialect of the adaptive-sdk client, driven by the published package."""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from adaptive_sdk import Adaptive, AsyncAdaptive

from interactions.labels import labels_of
from registry.services import attach, detach, set_default
from tests.gateway.conftest import said, told
from tests.interactions.pixels import data_uri


@pytest.fixture
def adaptive(served, key):
    client = Adaptive(served.address, key)
    client.set_default_project("desk")
    return client


def test_a_chat_is_answered_and_logged(adaptive, desk, logged, upstream):
    user, session = uuid.uuid4(), uuid.uuid4()
    answer = adaptive.chat.create(
        said(), model="good", max_tokens=2, stop=["END"], temperature=0.5, top_p=1.0, user=user, session_id=session,
        labels={"channel": "app"},
    )  # fmt: skip
    [choice] = answer.choices
    assert (choice.message.content, choice.model, choice.finish_reason) == ("the answer [65]", "good", "stop")
    assert (answer.session_id, answer.usage.completion_tokens) == (session, 3)
    [row] = logged(1)
    assert (choice.completion_id, row.user, row.session) == (str(row.pk), str(user), str(session))
    assert [(label.key, label.value) for label in labels_of([row])[0].labels] == [("channel", "app")]
    assert upstream.calls[0][2] == {
        "model": "good", "messages": said(), "max_tokens": 2, "stop": ["END"], "temperature": 0.5, "top_p": 1.0
    }  # fmt: skip


def test_a_picture_goes_to_the_provider_as_openai_has_it(adaptive, desk, logged, upstream):
    picture = data_uri()
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": picture}}]
    adaptive.chat.create([{"role": "user", "content": parts}], model="echo")
    assert upstream.calls[0][2]["messages"][0]["content"] == parts
    assert logged(1)[0].images == 1


def test_a_stream_has_a_text_in_every_chunk(adaptive, served, key, desk, logged):
    chunks = list(adaptive.chat.create(said(), stream=True, stream_include_usage=True))
    text = "".join(choice.delta.content for chunk in chunks for choice in chunk.choices)
    assert text == "the answer is that you [65]"
    assert chunks[-1].choices == [] and chunks[-1].usage.total_tokens == 13

    async def streamed():
        client = AsyncAdaptive(served.address, key)
        client.set_default_project("desk")
        return [chunk async for chunk in await client.chat.create(said(), stream=True, model="good")]

    with ThreadPoolExecutor(1) as apart:  # this thread may have an event loop already
        chunks = apart.submit(asyncio.run, streamed()).result()
    first, second = logged(2)
    assert {choice.completion_id for chunk in chunks for choice in chunk.choices} == {str(second.pk)}
    assert {chunk.session_id for chunk in chunks} == {uuid.UUID(second.session)}
    assert [row.body.completion for row in (first, second)] == [text, text]
    assert told(first)["finish_reason"] == "stop"


def test_of_a_model_that_reasons_the_client_gets_what_it_says(adaptive, desk, logged):
    attach(project=desk.project, model=desk.add("reasons"), by=desk.owner)
    assert adaptive.chat.create(said(), model="reasons").choices[0].message.content == "the answer is that you "
    chunks = adaptive.chat.create(said(), model="reasons", stream=True)
    pieces = [choice.delta.content for chunk in chunks for choice in chunk.choices]
    assert "".join(pieces) == "the answer is that you "
    logged(2)


def test_vectors_come_as_numbers_or_as_one_text(adaptive, desk, upstream):
    attach(project=desk.project, model=desk.models["embed"], by=desk.owner)
    [one] = adaptive.embeddings.create("three", model="embed").data
    assert one.embedding == [5.0, 0.5, -1.0]
    set_default(project=desk.project, model=desk.models["embed"], by=desk.owner)
    [one] = adaptive.embeddings.create("three", encoding_format="Base64").data
    assert one.embedding == "AACgQAAAAD8AAIC/"


def test_what_is_wrong_is_told_in_one_text(adaptive, desk, logged):
    detach(project=desk.project, model=desk.models["tools"], by=desk.owner)
    with pytest.raises(Exception, match="EntityNotFound: Model 'tools'"):
        adaptive.chat.create(said(), model="tools")
    with pytest.raises(Exception, match="EntityNotFound: Project 'nowhere'"):
        adaptive.chat.create(said(), model="good", project="nowhere")
    with pytest.raises(Exception, match="answers no chat"):
        adaptive.chat.create(said(), model="embed")
    with pytest.raises(Exception, match="makes no embeddings"):
        adaptive.embeddings.create("three", model="good")
    logged(0)
