"""Whatever is sent, the answer is 2xx or 4xx in the one shape of errors."""

import copy
import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from feedback.services import create_feedback_key
from interactions.filters import InteractionFilter
from tests.factories import make_interaction
from tests.interactions.batch import send_batch
from tests.interactions.pixels import data_uri, shows

RECORD = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Look"}, shows(data_uri()), shows({"url": "http://x"})]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": ""}}]},
        {"role": "tool", "tool_call_id": "1", "content": "5"},
    ],
    "completion": "Yes.",
    "model": "m",
    "labels": {"intent": "cover"},
    "feedbacks": [{"metric": "good", "value": True, "details": "d", "user": "u"}],
    "user": "u",
    "session_id": "s",
    "created_at": "2026-05-01T12:30:00Z",
    "external_id": "e",
    "metadata": {"a": [1, {"b": None}]},
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    "latency_ms": 5,
    "source": "live",
}
texts = st.text(st.characters(), max_size=20) | st.sampled_from(
    ["", "\0", "\ud800", "data:", "data:image/png;base64,", "x" * 999]
)
numbers = st.integers() | st.integers(-(10**320), 10**320) | st.floats(allow_nan=False, allow_infinity=False)
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def places(value, path=()):
    """The paths of everything inside a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield from places(inner, (*path, name))


def changed(record, path, value):
    record = copy.deepcopy(record)
    if not path:
        return value
    inside = record
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = value
    return record


def is_told_well(answer):
    """2xx, or 4xx whose body is {"error": text, "fields": {path: [text]}}."""
    if 200 <= answer.status_code < 300:
        return True
    told = json.loads(answer.getvalue() if answer.streaming else answer.content)
    return (
        400 <= answer.status_code < 500
        and isinstance(told["error"], str)
        and bool(told["error"])
        and all(isinstance(text, str) for texts in told["fields"].values() for text in texts)
    )


@given(st.lists(st.tuples(st.sampled_from(list(places(RECORD))), anything), min_size=1, max_size=2))
def test_a_record_with_anything_anywhere(api, project, changes):
    create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    record = RECORD
    for path, value in changes:
        try:
            record = changed(record, path, value)
        except (KeyError, TypeError, IndexError):
            continue  # the first change took the second one's place away
    if isinstance(record, dict) and "project" not in record:
        record = {"project": project.key} | record
    raw = json.dumps(record)
    answer = api.post("interactions", raw=raw)
    assert is_told_well(answer), answer.content
    status, told = send_batch(api, project, raw.encode() + b"\n")
    assert status in {200, 201}
    assert len(told["ids"]) == 1
    assert is_told_well(api.get("interactions", {"project": project.key}))


@given(st.binary(max_size=200), st.sampled_from(["application/json", "application/x-ndjson"]))
def test_bytes_of_any_kind(api, project, raw, content_type):
    assert is_told_well(api.post("interactions", raw=raw, content_type=content_type))
    for packing in ("identity", "gzip", "zstd"):
        answer = api.post(
            f"interactions/batch?project={project.key}", raw=raw, content_type=content_type, content_encoding=packing
        )
        assert is_told_well(answer)


words = st.text(st.characters(), max_size=20) | st.sampled_from(
    ["good", "good:", "good: ", "stars:>=", "stars:..", "stars:1..2..3", "\\", "a\\", "::", "|", '"', "*", '""*', "'",
     "&|!()", "2026-05-01", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "1", "9" * 30, "-1", "true", "..",
     "1..", "𝔘", "١٢", "中文*", "ไทย", "a" * 3_000, "\u202e", "<->"]
)  # fmt: skip
NAMES = [*InteractionFilter.base_filters, "limit", "cursor", "fields", "images", "project"]


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(words, min_size=1, max_size=2), max_size=4))
@example({"q": ["a" * 3_000]})
@example({"q": [" ".join(f"w{n}" for n in range(900))]})
@example({"q": ["' & | ! ( ) <-> : * \\"]})
@example({"after": ["0001-01-01T00:00:00+23:59"], "before": ["9999-12-31T23:59:59-23:59"]})
def test_a_query_string_of_anything(api, project, query):
    create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    create_feedback_key(team=project.team, key="stars", kind="scalar", projects=[project])
    make_interaction(project, labels={"a": "b"}, created_at="2026-05-01")
    query = {name: [text.encode("utf-8", "replace").decode() for text in texts] for name, texts in query.items()}
    assert is_told_well(api.get("interactions", {"project": project.key, **query}))


@settings(max_examples=settings().max_examples // 3)
@given(anything, st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_a_body_of_anything_for_the_smaller_calls(api, project, body, key):
    create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    interaction = make_interaction(project)
    one = f"interactions/{interaction.pk}"
    key = "".join(f"%{byte:02x}" for byte in key.encode())
    for path in (f"{one}?images={key}&fields={key}", f"feedback-keys/{key}?project={project.key}"):
        assert is_told_well(api.get(path))
    for method, path, record in [
        ("put", f"{one}/labels/{key}", {"value": body}),
        ("delete", f"{one}/labels/{key}", {}),
        ("put", f"{one}/labels/{key}", body),
        ("post", f"{one}/feedback", {"feedback_key": body, "value": 1}),
        ("post", f"{one}/feedback", {"feedback_key": "good", "value": body}),
        ("post", f"{one}/feedback", {"feedback_key": "good", "value": 1, "details": body, "user": body}),
        ("post", "feedback-keys", {"key": body, "kind": "bool", "project": project.key}),
        ("post", "feedback-keys", {"key": "k", "kind": body, "project": body}),
        (
            "post",
            "feedback-keys",
            {"key": "k", "kind": "scalar", "project": project.key, "minimum": body, "name": body},
        ),
        ("post", "feedback-keys", body),
        ("post", "projects", {"key": body, "name": body, "team": body}),
    ]:
        assert is_told_well(api.send(method, path, record)), (path, record)
