"""What was sent is what comes back: messages, completion, pictures and payload."""

import hashlib
import json

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from experiments.models import ABTest, State
from feedback.services import create_feedback_key
from interactions import serializers
from interactions.ingest import ingest
from interactions.messages import payload_of
from interactions.models import BlobContent, Interaction, InteractionBody
from registry.models import Model
from tests.factories import owner_of
from tests.interactions.batch import send_batch
from tests.interactions.pixels import camera_picture, data_uri, picture, shows, user_says
from tests.interactions.stored import canonical_form

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([1.0, 1e3])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
strangers = st.dictionaries(st.sampled_from(["name", "Name", "naïve", "cache_control", "ID", "id"]), values, max_size=3)
remote = st.sampled_from(["https://example.org/a.png", "http://x/#é", "javascript:alert(1)", "marginalia-blobs"])
kept_parts = st.sampled_from(["input_audio", "file", "refusal", "video_url", "tool_result"])
parts = st.one_of(
    st.builds(lambda text, more: more | {"type": "text", "text": text}, texts, strangers),
    st.builds(lambda url, more: more | {"type": "image_url", "image_url": url}, remote, strangers),
    st.builds(lambda url, more: {"type": "image_url", "image_url": {"url": url} | more}, remote, strangers),
    st.builds(lambda kind, value: {"type": kind, kind: value}, kept_parts, values),
)
calls = st.lists(
    st.builds(lambda name, more: {"id": "c", "function": {"name": name, "arguments": more}}, texts, values), min_size=1
)
messages = st.lists(
    st.one_of(
        st.builds(
            lambda role, content, more: more | {"role": role, "content": content},
            st.sampled_from(["system", "developer", "user", "assistant", "tool", "function"]),
            texts | st.lists(parts, min_size=1, max_size=3),
            strangers,
        ),
        st.builds(lambda made: {"role": "assistant", "content": None, "tool_calls": made}, calls),
        st.builds(lambda text: {"role": "tool", "tool_call_id": "c", "content": text}, texts),
    ),
    min_size=1,
    max_size=4,
)
records = st.fixed_dictionaries(
    {"messages": messages, "completion": texts},
    optional={
        "metadata": st.dictionaries(texts, values, max_size=3),
        "labels": st.dictionaries(texts.filter(str.isprintable).filter(bool), texts.filter(bool), max_size=3),
        "usage": st.fixed_dictionaries({"prompt_tokens": st.integers(0, 9)}, optional={"more": values}),
        "latency_ms": st.integers(0, 9_000) | st.floats(0, 9_000),
        "user": texts,
        "prompt": st.none(),
        "created_at": st.sampled_from(["2026-05-01T12:30:00.123456Z", "2026-05-01", 1767225600000, None]),
    },
)


def same(one, other):
    """Equal as JSON values, true and 1 told apart, 1 and 1.0 not."""
    return canonical_form(one) == canonical_form(other)


@given(records)
def test_messages_completion_and_payload_come_back_equal(api, project, record):
    logged = api.post("interactions", {"project": project.key, **record})
    assert logged.status_code == 201, logged.content
    read = api.get(f"interactions/{logged.json()['completion_id']}").json()
    assert same(read["messages"], record["messages"])
    assert read["completion"] == record["completion"]
    assert same(read["metadata"], record.get("metadata", {}))
    assert read["labels"] == record.get("labels", {})
    body = InteractionBody.objects.get(pk=read["id"])
    assert same(payload_of(body), record)
    assert bytes(body.payload_sha256) == hashlib.sha256(canonical_form(record)).digest()
    assert api.get("interactions", {"project": project.key, "limit": 1, "fields": "messages"}).status_code == 200


def test_the_members_of_a_message_keep_their_order_and_their_numbers(api, project):
    sent = [{"zeta": 1.0, "role": "user", "alpha": {"b": 1e3, "a": 12345678901234567890}, "content": "x"}]
    logged = api.log(project, messages=sent).json()
    text = api.get(f"interactions/{logged['completion_id']}").content.decode()
    assert '"messages":[{"zeta":1.0,"role":"user","alpha":{"b":1000.0,"a":12345678901234567890},"content":"x"}]' in text


PICTURE_HEADS = [
    "data:image/png;base64",
    "data:image/PNG;charset=x;base64",
    "DATA:image/png;BASE64",
    "data:image/png ;base64",
    'data:image/png;name="a b";base64',
]


@pytest.mark.parametrize("head", PICTURE_HEADS)
@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_a_data_uri_comes_back_byte_for_byte(api, client, project, head, nested):
    content = picture(colour=(1, 2, 3), size=(40, 30))
    uri = data_uri(content, head)
    part = shows({"url": uri, "detail": "low"} if nested else uri)
    sent = user_says({"type": "text", "text": "See"}, part, shows("https://example.org/remote.png"))
    logged = api.log(project, messages=sent).json()["completion_id"]
    inline = api.get(f"interactions/{logged}", {"images": "inline"}).json()
    assert inline["messages"] == sent
    listed = api.get("interactions", {"project": project.key, "images": "inline"}).json()["results"]
    assert listed[0]["messages"] == sent

    shown = api.get(f"interactions/{logged}").json()["messages"][0]["content"]
    assert shown[2] == sent[0]["content"][2]
    address = shown[1]["image_url"]["url"] if nested else shown[1]["image_url"]
    assert address.startswith("http") and "/blobs/" in address
    served = client.get("/" + address.split("/", 3)[3], headers=api.headers)
    assert (served.status_code, served["Content-Type"], served.content) == (200, "image/png", content)
    assert served["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in served["Cache-Control"] and "private" in served["Cache-Control"]


@pytest.mark.parametrize(
    ("form", "declared", "served_as"),
    [
        ("PNG", "image/png", "image/png"),
        ("JPEG", "image/jpeg", "image/jpeg"),
        ("JPEG", "image/jpg", "image/jpeg"),
        ("GIF", "image/gif", "image/gif"),
        ("WEBP", "image/webp", "image/webp"),
    ],
)
def test_the_four_kinds_of_pictures_are_taken(api, client, project, form, declared, served_as):
    uri = data_uri(picture(form), f"data:{declared};base64")
    logged = api.log(project, messages=user_says(shows(uri)))
    assert logged.status_code == 201
    address = api.get(f"interactions/{logged.json()['completion_id']}").json()["messages"][0]["content"][0]["image_url"]
    served = client.get("/" + address.split("/", 3)[3], headers=api.headers)
    assert served["Content-Type"] == served_as


def test_a_cameras_picture_of_several_is_a_jpeg(api, project):
    uri = data_uri(camera_picture(), "data:image/jpeg;base64")
    logged = api.log(project, messages=user_says(shows(uri)))
    assert logged.status_code == 201, logged.content
    read = api.get(f"interactions/{logged.json()['completion_id']}", {"images": "inline"}).json()
    assert read["messages"] == user_says(shows(uri))


def test_a_picture_is_stored_once_however_often_it_is_sent(api, project):
    uri = data_uri(picture(colour=(9, 8, 7)))
    for _ in range(3):
        assert api.log(project, messages=user_says(shows(uri), shows(uri))).status_code == 201
    assert BlobContent.objects.count() == 1


PAYLOADS = [
    {"prompt": "Am I covered?", "completion": "Yes.", "external_id": "by-prompt"},
    {"messages": [{"role": "user", "content": "x"}], "prompt": None, "completion": "", "external_id": "null-prompt"},
    {"prompt": "y", "messages": None, "completion": "", "external_id": "null-messages"},
    {"messages": user_says(shows(data_uri())), "completion": "é", "external_id": "picture"},
    {"messages": [{"content": "z", "role": "user"}], "completion": "1", "usage": {"prompt_tokens": 3},
     "latency_ms": 1.5, "labels": {"b": "2", "a": "1"}, "metadata": {"n": 2**60, "f": 1e21}, "external_id": "all",
     "user": None, "created_at": "2026-05-01T12:30:00+02:00", "session_id": "s", "source": "live", "ab_campaign": "c"},
]  # fmt: skip


def make_ended_test(project, key):
    """An A/B test that counts nothing any more."""
    feedback_key, _ = create_feedback_key(team=project.team, key="helpful", kind="bool", projects=[project])
    named = {"key": key, "name": key, "feedback_key": feedback_key, "created_by": owner_of(project)}
    test = ABTest.objects.create(project=project, state=State.CANCELLED, ended_at=timezone.now(), **named)
    test.arms.create(position=0, model=Model.objects.create(team=project.team, key="m", name="m"))


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload["external_id"])
def test_the_payload_is_the_same_by_post_batch_and_import(api, project, payload):
    if "ab_campaign" in payload:
        make_ended_test(project, payload["ab_campaign"])
    assert api.post("interactions", {**payload, "project": project.key}).status_code == 201
    status, answer = send_batch(api, project, [payload])
    assert (status, answer["accepted"], answer["duplicates"]) == (200, 0, 1)
    status, answer = send_batch(api, project, [{**payload, "project": str(project.uid)}])
    assert (status, answer["accepted"], answer["duplicates"]) == (200, 0, 1)
    [outcome] = ingest(project=project, records=[payload], by=owner_of(project))
    assert outcome.duplicate
    body = InteractionBody.objects.get(pk=Interaction.objects.get().pk)
    assert payload_of(body) == payload
    assert bytes(body.payload_sha256) == hashlib.sha256(canonical_form(payload)).digest()
    assert json.loads(json.dumps(payload_of(body))) == payload


def test_a_page_carries_only_so_much_of_pictures_inline(api, project, monkeypatch):
    uri = data_uri(picture(size=(40, 40)))
    for _ in range(3):
        api.log(project, messages=user_says(shows(uri), shows(uri)))
    size = len(picture(size=(40, 40)))
    monkeypatch.setattr(serializers, "MOST_INLINE", 4 * size)
    query = {"project": project.key, "images": "inline"}
    assert len(api.get("interactions", {**query, "limit": 2}).json()["results"]) == 2
    answer = api.get("interactions", query)
    assert (answer.status_code, "smaller 'limit'" in answer.json()["fields"]["images"][0]) == (400, True)
    assert api.get("interactions", {"project": project.key}).status_code == 200
