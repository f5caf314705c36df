"""Bad input: each refused by name and place, with nothing stored, and never by an error of ours."""

import gzip
import json

import pytest
import zstandard

from feedback.services import WHERE_KEYS_ARE_MADE, create_feedback_key
from interactions import jsontext, pictures
from registry.models import Model
from tests.factories import make_interaction, make_project
from tests.interactions.batch import send_batch
from tests.interactions.pixels import data_uri, picture, png_that_says, shows, user_says
from tests.interactions.stored import stored

HELLO = [{"role": "user", "content": "Hello"}]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

REFUSED = [
    # (what is sent beside an ordinary record, where it is wrong, a word of what is said)
    ({"messages": []}, "messages", "at least one"),
    ({"messages": None}, "messages", "at least one"),
    ({"messages": {"role": "user"}}, "messages", "list"),
    ({"messages": ["Hello"]}, "messages[0]", "object"),
    ({"messages": [*HELLO, {"role": "user"}]}, "messages[1].content", "text or a list"),
    ({"messages": [{"content": "Hello"}]}, "messages[0].role", "assistant"),
    ({"messages": [{"role": "wizard", "content": "Hello"}]}, "messages[0].role", "assistant"),
    ({"messages": [{"role": ["user"], "content": "Hello"}]}, "messages[0].role", "assistant"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", "text or a list"),
    ({"messages": [{"role": "user", "content": None}]}, "messages[0].content", "null only of an assistant"),
    ({"messages": [{"role": "user", "content": []}]}, "messages[0].content", "at least one"),
    ({"messages": [{"role": "assistant", "content": "", "tool_calls": "f"}]}, "messages[0].tool_calls", "list"),
    ({"messages": [{"role": "assistant", "content": "", "tool_calls": [1]}]}, "messages[0].tool_calls[0]", "name"),
    ({"messages": user_says({"type": ""})}, "messages[0].content[0]", "image_url"),
    ({"messages": user_says({"type": ["text"]})}, "messages[0].content[0]", "image_url"),
    ({"messages": user_says("Hello")}, "messages[0].content[0]", "object"),
    ({"messages": user_says({"type": "text", "text": 5})}, "messages[0].content[0].text", "not a number"),
    ({"messages": user_says({"type": "text", "text": "a"}, shows(5))}, "messages[0].content[1].image_url", "address"),
    ({"messages": user_says(shows({"url": ""}))}, "messages[0].content[0].image_url.url", "address"),
    ({"messages": user_says(shows("marginalia-blob:" + "0" * 64 + ";x"))}, "messages[0].content[0].image_url", "taken"),
    ({"prompt": 5}, "prompt", "not a number"),
    ({"prompt": "Hello", "messages": HELLO}, "prompt", "either"),
    ({"completion": 5}, "completion", "not a number"),
    ({"completion": None}, "completion", "may be empty"),
    ({"completion": ["a"]}, "completion", "not a list"),
    ({"completion": "a\0b"}, "completion", "NUL"),
    ({"completion": "a\ud800b"}, "completion", "surrogate"),
    ({"messages": [{"role": "user", "content": "a\0b"}]}, "messages[0].content", "NUL"),
    ({"messages": [{"role": "user", "content": "a", "name": "\udfff"}]}, "messages[0].name", "surrogate"),
    ({"messages": [{"role": "user", "content": "a", "x\0": 1}]}, "messages[0]", "NUL"),
    ({"metadata": {"a": [1, {"b": "\0"}]}}, "metadata.a[1].b", "NUL"),
    ({"metadata": ["a"]}, "metadata", "object"),
    ({"metadata": {"n": 10**400}}, "metadata.n", "too large"),
    ({"usage": 5}, "usage", "object"),
    ({"usage": {"prompt_tokens": "5"}}, "usage.prompt_tokens", "whole number"),
    ({"usage": {"completion_tokens": -1}}, "usage.completion_tokens", "whole number"),
    ({"usage": {"output_tokens": -1}}, "usage.output_tokens", "whole number"),
    ({"usage": {"total_tokens": True}}, "usage.total_tokens", "whole number"),
    ({"latency_ms": -1}, "latency_ms", "whole number"),
    ({"latency_ms": "fast"}, "latency_ms", "whole number"),
    ({"latency_ms": 2**31}, "latency_ms", "whole number"),
    ({"labels": ["a"]}, "labels", "object"),
    ({"labels": {"intent": 5}}, "labels.intent", "text"),
    ({"labels": {"intent": None}}, "labels.intent", "text"),
    ({"labels": {"intent": ""}}, "labels.intent", "500"),
    ({"labels": {"": "a"}}, "labels.", "100"),
    ({"labels": {"intent": "x" * 501}}, "labels.intent", "500"),
    ({"labels": {"k" * 10_000: "a"}}, f"labels.{'k' * 60}", "10000"),
    ({"labels": {f"k{n}": "a" for n in range(200)}}, "labels", "64"),
    ({"labels": {"a\0": "b"}}, "labels", "NUL"),
    ({"feedbacks": {}}, "feedbacks", "list"),
    ({"feedbacks": [1]}, "feedbacks[0]", "object"),
    ({"feedbacks": [{"value": 1}]}, "feedbacks[0].feedback_key", "key"),
    ({"feedbacks": [{"metric": "stars"}]}, "feedbacks[0].value", "number"),
    ({"feedbacks": [{"metric": "stars", "value": "5"}]}, "feedbacks[0].value", "not text"),
    ({"feedbacks": [{"metric": "stars", "value": True}]}, "feedbacks[0].value", "not true or false"),
    ({"feedbacks": [{"metric": "stars", "value": 6}]}, "feedbacks[0].value", "at most 5"),
    ({"feedbacks": [{"metric": "stars", "value": 0}]}, "feedbacks[0].value", "at least 1"),
    ({"feedbacks": [{"metric": "size", "value": 1e300}]}, "feedbacks[0].value", "finite"),
    ({"feedbacks": [{"metric": "good", "value": 2}]}, "feedbacks[0].value", "true or false"),
    ({"feedbacks": [{"metric": "good", "value": 0.5}]}, "feedbacks[0].value", "true or false"),
    ({"feedbacks": [{"metric": "good", "value": 1, "details": 5}]}, "feedbacks[0].details", "text"),
    ({"feedbacks": [{"metric": "good", "value": 1}, {"metric": "stars", "value": 9}]}, "feedbacks[1].value", "at most"),
    ({"feedbacks": [{"metric": "good", "value": 1}] * 101}, "feedbacks", "100"),
    ({"feedbacks": [{"metric": "good", "value": 1, "detail": "x"}]}, "feedbacks[0].detail", "Unknown member"),
    ({"feedbacks": [{"metric": "good", "value": 1, "external_id": "x"}]}, "feedbacks[0].external_id", "Unknown"),
    ({"created_at": "yesterday"}, "created_at", "ISO 8601"),
    ({"created_at": "1970-01-01T00:00:00Z"}, "created_at", "2000"),
    ({"created_at": "2100-01-01T00:00:00Z"}, "created_at", "one day ahead"),
    ({"created_at": 0}, "created_at", "2000"),
    ({"created_at": True}, "created_at", "ISO 8601"),
    ({"created_at": 1.5}, "created_at", "ISO 8601"),
    ({"created_at": "2026-13-01"}, "created_at", "ISO 8601"),
    ({"external_id": ""}, "external_id", "1 to 200"),
    ({"external_id": "x" * 201}, "external_id", "201"),
    ({"external_id": 5}, "external_id", "not a number"),
    ({"session_id": 5}, "session_id", "not a number"),
    ({"user": "u" * 201}, "user", "201"),
    ({"model": "a", "model_service": "b"}, "model_service", "either"),
    ({"model": 5}, "model", "not a number"),
    ({"model": ".."}, "model", "addresses"),
    ({"model": "org/./m"}, "model", "addresses"),
    ({"model": "org//m"}, "model", "addresses"),
    ({"model": "org/m/check"}, "model", "/check"),
    ({"model": "m\u200b"}, "model", "one line"),
    ({"model": "m\n"}, "model", "one line"),
    ({"model": "m "}, "model", "blanks"),
    ({"labels": {"nl\n": "x"}}, "labels.nl\n", "U+000A"),
    ({"labels": {"a\u202eb": "x"}}, "labels.a\u202eb", "U+202E"),
    ({"labels": {"..": "x"}}, "labels...", "addresses"),
    ({"labels": {"a/.": "x"}}, "labels.a/.", "addresses"),
    ({"source": "dream"}, "source", "logged"),
    ({"source": ["live"]}, "source", "logged"),
    ({"ab_campaign": 5}, "ab_campaign", "not a number"),
    ({"mood": "good"}, "mood", "Unknown member"),
]
PICTURES = [
    (data_uri(b"no picture at all"), "no png"),
    (data_uri(SVG), "no png"),
    (data_uri(SVG, "data:image/svg+xml;base64"), "svg+xml"),
    (" " + data_uri(SVG, "data:image/svg+xml;base64"), "form"),
    ("data:image/svg+xml;utf8,<svg/>", "form"),
    ("data:,", "form"),
    (data_uri(picture("JPEG")), "says it is png but is jpeg"),
    (data_uri(picture("BMP"), "data:image/bmp;base64"), "bmp"),
    (data_uri(picture("BMP")), "no png"),
    (data_uri(picture(size=(90, 90))[:100]), "broken"),
    (data_uri(png_that_says(50_000, 10)), "50000 by 10"),
    (data_uri(png_that_says(50_000, 50_000)), "pixels"),
    ("data:image/png;base64,****", "not base64"),
    (data_uri(picture("PNG", size=(1, 1)))[:-1], "base64"),
    ("data:image/png;base64,", "no png"),
]


def name_of(case):
    return json.dumps(case)[:50] if isinstance(case, dict) else str(case)[:40]


def record_with(changes):
    """A record that would be sound, and bring a model and a label, but for these changes."""
    record = {"model": "new-model", "labels": {"new": "label"}, "completion": "Yes."} | changes
    return record if "prompt" in changes else {"messages": HELLO} | record


@pytest.fixture
def keyed(project):
    """The project with a key of each kind."""
    create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    create_feedback_key(team=project.team, key="stars", kind="scalar", minimum=1, maximum=5, projects=[project])
    create_feedback_key(team=project.team, key="size", kind="scalar", projects=[project])
    return project


@pytest.mark.parametrize(("changes", "path", "said"), REFUSED, ids=name_of)
def test_a_bad_record_is_refused_by_name_and_leaves_nothing(api, keyed, changes, path, said):
    before = stored()
    answer = api.post("interactions", {"project": keyed.key, **record_with(changes)})
    assert answer.status_code == 400
    assert path in answer.json()["fields"], answer.json()
    assert said in " ".join(answer.json()["fields"][path])
    assert path in answer.json()["error"]
    assert stored() == before


def test_a_model_that_is_there_goes_on_under_whatever_key(api, project):
    Model.objects.create(team=project.team, key="org/m/check ", name="m")
    assert api.log(project, model="org/m/check ").status_code == 201


def test_a_batch_of_bad_records_names_them_all_and_leaves_nothing(api, keyed):
    before = stored()
    lines = [json.dumps(record_with(changes)).encode() for changes, *_ in REFUSED]
    status, answer = send_batch(api, keyed, b"\n".join(lines))
    assert (status, answer["accepted"], answer["ids"]) == (200, 0, [None] * len(REFUSED))
    for position, (refused, (_, path, said)) in enumerate(zip(answer["rejected"], REFUSED, strict=True)):
        assert refused["position"] == position
        assert said in " ".join(refused["fields"][path])
    assert stored() == before


@pytest.mark.parametrize(("uri", "said"), PICTURES, ids=name_of)
@pytest.mark.parametrize("nested", [False, True])
def test_what_is_no_picture_is_refused(api, project, uri, said, nested):
    before = stored()
    part = shows({"url": uri} if nested else uri)
    answer = api.log(project, messages=user_says({"type": "text", "text": "Look"}, shows(data_uri()), part))
    assert answer.status_code == 400
    path = "messages[0].content[2].image_url" + (".url" if nested else "")
    assert said in answer.json()["fields"][path][0]
    assert stored() == before


def test_the_pictures_of_a_record_are_bounded_together_and_what_comes_twice_is_decoded_once(api, project, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_DECODED", 10)
    first, second = (shows(data_uri(picture(colour=colour))) for colour in ("red", "blue"))  # of 6 pixels each
    assert api.log(project, messages=user_says(first, first, first)).status_code == 201
    before = stored()
    answer = api.log(project, messages=user_says(first, second))
    assert answer.status_code == 400
    assert "too many pixels together" in answer.json()["fields"]["messages[0].content[1].image_url"][0]
    assert stored() == before


def test_of_one_who_has_no_key_no_picture_is_decoded(api, project, monkeypatch):
    opened = []
    monkeypatch.setattr(pictures.Image, "open", lambda *arguments, **named: opened.append(arguments))
    api.headers = {"Authorization": "Bearer mg_unheard_of"}
    for parts in ([shows(data_uri())], [{"type": "text", "text": "Look"}, shows({"url": data_uri()})]):
        assert api.log(project, messages=user_says(*parts)).status_code == 401
    assert opened == []


@pytest.mark.parametrize(
    ("changes", "entity"),
    [
        ({"model_service": "unheard-of"}, "Model 'unheard-of'"),
        (
            {"feedbacks": [{"metric": "unheard-of", "value": 1}]},
            f"FeedbackKey (metric) 'unheard-of'. {WHERE_KEYS_ARE_MADE}",
        ),
        ({"project": "unheard-of"}, "Project 'unheard-of'"),
        ({"project": "\ud800"}, None),
        ({"project": 5}, None),
    ],
)
def test_what_is_unknown_is_not_found_and_leaves_nothing(api, project, changes, entity):
    before = stored()
    record = {"project": project.key, "messages": HELLO, "completion": "", "labels": {"a": "b"}} | changes
    answer = api.post("interactions", record)
    if entity:
        assert (answer.status_code, answer.json()["error"]) == (404, f"EntityNotFound: {entity}")
    else:
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["project"])
    assert stored() == before


def test_anothers_project_and_one_that_never_was_answer_alike(api):
    other = make_project("someone-elses")
    answers = [api.log(other), api.post("interactions", {"project": "never-was", "messages": HELLO, "completion": ""})]
    assert [answer.status_code for answer in answers] == [404, 404]
    texts = [answer.json()["error"] for answer in answers]
    assert texts == ["EntityNotFound: Project 'someone-elses'", "EntityNotFound: Project 'never-was'"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "project"),
        (b"{", "not JSON"),
        (b"[1]", "JSON object"),
        (b'"text"', "JSON object"),
        (b"\xff\xfe{}", "UTF-8"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "digits"),
        (b'{"a": ' * 300_000 + b"1" + b"}" * 300_000, "deeply"),
        (b"[" * 3_000_000, "deeply"),
        (b'{"a": "line\nbreak"}', "not JSON"),
    ],
    ids=name_of,
)
def test_a_body_that_is_no_json_object_is_refused(api, raw, said):
    answer = api.post("interactions", raw=raw)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_what_the_address_of_a_record_says_is_not_passed_over(api, project):
    record = {"project": project.key, "messages": HELLO, "completion": "Yes."}
    answer = api.post("interactions?project=another", record)
    assert (answer.status_code, set(answer.json()["fields"])) == (400, {"project"})
    assert "takes no such words" in answer.json()["error"]


def test_who_calls_amiss_is_told_how_to_call(client, api):
    unkeyed = client.post("/api/v1/interactions", "{}", content_type="application/json")
    assert (unkeyed.status_code, "Authorization: Bearer" in unkeyed.json()["error"]) == (401, True)
    for path in ("/api/v1/interactions/abc", "//api/v1/interactions"):
        nowhere = client.get("/", PATH_INFO=path, headers=api.headers)  # which would take the first part for a host
        assert (nowhere.status_code, "UUIDs" in nowhere.json()["error"]) == (404, True)
    for path in ("/api/v1/interactions", "/login"):
        elsewhere = client.get(path, headers={"Host": "marginalia:8000"})
        assert elsewhere.status_code == 400
        assert b"'marginalia:8000'; its operator adds it to ALLOWED_HOSTS" in elsewhere.content


def test_a_member_that_is_there_twice_is_named(api, project):
    before = stored()
    raw = '{"prompt": "Q", "completion": "A", "metadata": {"a": [{}, {"b\\u0062": 1, "bb": 2}], "c": 3, "c": 4}}'
    answer = api.post("interactions", raw=raw)
    assert (answer.status_code, answer.json()["fields"]) == (400, {"metadata.a[1].bb": [jsontext.TWICE]})
    [refused] = send_batch(api, project, raw.encode())[1]["rejected"]
    assert refused["fields"] == answer.json()["fields"]
    whole = api.post(f"interactions/batch?project={project.key}", raw=f"[{raw}]")
    assert (whole.status_code, json.loads(whole.getvalue())["error"][:21]) == (400, "[0].metadata.a[1].bb:")
    assert stored() == before


def test_nesting_is_named_where_it_is_too_deep(api, project):
    deep = "x"
    for _ in range(70):
        deep = [deep]
    answer = api.log(project, metadata={"deep": deep})
    assert answer.status_code == 400
    [[path, [text]]] = answer.json()["fields"].items()
    assert path.startswith("metadata.deep[0]") and "64 levels" in text


def test_several_faults_are_told_at_once(api, project):
    answer = api.log(project, messages=[{"role": "x", "content": 5}], completion=1, labels={"a": 1}, source="x")
    assert set(answer.json()["fields"]) == {
        "messages[0].role", "messages[0].content", "completion", "labels.a", "source",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content_type", "status"), [("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("", 415)]
)
def test_another_content_type_is_refused(api, content_type, status):
    answer = api.post("interactions", raw="a=b", content_type=content_type)
    assert (answer.status_code, set(answer.json())) == (status, {"error", "fields"})
    assert "Content-Type: application/json" in answer.json()["error"]


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_body_may_be_packed(api, project, packing, monkeypatch):
    pack = {"gzip": gzip.compress, "zstd": zstandard.compress}[packing]
    raw = json.dumps({"project": project.key, "messages": HELLO, "completion": "Yes. " * 1_000}).encode()
    packed = pack(raw)
    assert api.post("interactions", raw=packed, content_encoding=packing).status_code == 201
    before = stored()
    cut_off = api.post("interactions", raw=packed[:-5], content_encoding=packing)
    assert (cut_off.status_code, f"The {packing} stream is broken" in cut_off.json()["error"]) == (400, True)
    unknown = api.post("feedback", raw=packed, content_encoding="br")
    assert (unknown.status_code, "identity, gzip, zstd" in unknown.json()["error"]) == (415, True)
    monkeypatch.setattr("config.api.MAX_BODY", 2_000)
    assert api.post("interactions", raw=packed, content_encoding=packing).status_code == 413
    api.headers = {"Authorization": "Bearer mg_unheard_of"}
    monkeypatch.setattr("config.api.unpacked", None)  # of a stranger's nothing is unpacked
    assert api.post("interactions", raw=packed, content_encoding=packing).status_code == 401
    assert stored() == before


def test_a_body_over_the_limit_is_refused(api, project):
    answer = api.log(project, completion="x" * (32 * 1024 * 1024))
    assert answer.status_code == 413
    assert "32 MB" in answer.json()["error"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": "soon"}, "after"),
        ({"labels": "intent"}, "labels"),
        ({"images": "no"}, "images"),
        ({"before": "2026-99-99"}, "before"),
        ({"label": ":x"}, "label"),
        ({"not_label": ":x"}, "not_label"),
        ({"feedback": "unheard-of"}, "feedback"),
        ({"feedback": "stars:"}, None),
        ({"feedback": "stars: "}, "feedback"),
        ({"feedback": "stars:>="}, "feedback"),
        ({"feedback": "stars:4\n5"}, "feedback"),
        ({"feedback": "stars:nan"}, "feedback"),
        ({"feedback": "stars:1..b"}, "feedback"),
        ({"source": "dream"}, "source"),
        ({"latency": "fast"}, "latency"),
        ({"latency": ".."}, "latency"),
        ({"has_images": "maybe"}, "has_images"),
        ({"has_tools": "2"}, "has_tools"),
        ({"q": "-- !"}, "q"),
        ({"q": "a\0b"}, "q"),
        ({"label": "a\0b"}, "label"),
        ({"session": "a\0b"}, "session"),
        ({"model": "a\0b"}, "model"),
        ({"order": "completion"}, "order"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "٣"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"cursor": "none"}, "cursor"),
        ({"cursor": "é"}, "cursor"),
        ({"cursor": "A" * 10_000}, "cursor"),
        ({"cursor": "AP" + "_" * 21, "order": "created_at"}, "cursor"),
        ({"fields": "id,secrets"}, "fields"),
    ],
    ids=name_of,
)
def test_a_filter_that_makes_no_sense_is_named(api, keyed, query, field):
    answer = api.get("interactions", {"project": keyed.key, **query})
    if field is None:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


@pytest.mark.parametrize("word", ["imagez", "images", "fields"])
def test_one_interaction_refuses_words_that_it_does_not_know(api, project, word):
    answer = api.get(f"interactions/{make_interaction(project).pk}", {word: "id"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [word])


def test_a_list_needs_its_project(api, project):
    key = create_feedback_key(team=project.team, key="stars", kind="scalar", projects=[project])[0].key
    paths = ["interactions", "feedback-keys", *(f"feedback-keys/{key}{end}" for end in ("", "/stats", "/preferences"))]
    answers = [api.get(path, query) for path in paths for query in ({}, {"project": ""})]
    answers += [api.post(path, []) for path in ("interactions/batch", "comparison/batch")]
    answers += [api.send(method, f"feedback-keys/{key}", {}) for method in ("patch", "delete")]
    assert {(answer.status_code, *answer.json()["fields"]) for answer in answers} == {(400, "project")}
    assert api.get("interactions", {"project": "a\0b"}).status_code == 404


@pytest.mark.parametrize(
    ("key", "body", "status"),
    [
        ("intent", {"value": 5}, 400),
        ("intent", {}, 400),
        ("intent", {"value": ""}, 400),
        ("intent", {"value": "x" * 501}, 400),
        ("intent", {"value": "a\0"}, 400),
        ("intent", {"value": "\ud800"}, 400),
        ("intent", ["a"], 400),
        ("%00", {"value": "a"}, 400),
        ("k" * 101, {"value": "a"}, 400),
        ("..", {"value": "a"}, 400),
        ("a/../b", {"value": "a"}, 400),
        ("k" * 5_000, {"value": "a"}, 400),
    ],
)
def test_a_bad_label_is_refused(api, project, key, body, status):
    interaction = make_interaction(project)
    before = stored()
    answer = api.put(f"interactions/{interaction.pk}/labels/{key}", body)
    assert (answer.status_code, set(answer.json())) == (status, {"error", "fields"})
    assert stored() == before


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "feedback_key"),
        ({"feedback_key": "stars"}, 400, "value"),
        ({"feedback_key": "stars", "value": "5"}, 400, "value"),
        ({"feedback_key": "stars", "value": True}, 400, "value"),
        ({"feedback_key": "stars", "value": 10**400}, 400, "value"),
        ({"feedback_key": "good", "value": 2}, 400, "value"),
        ({"feedback_key": "good", "value": 1, "details": "\ud800"}, 400, "details"),
        ({"feedback_key": "good", "value": 1, "details": "x" * 100_001}, 400, "details"),
        ({"feedback_key": "good", "value": 1, "user": "\0"}, 400, "user"),
        ({"feedback_key": "\ud800", "value": 1}, 400, "feedback_key"),
        ({"feedback_key": "good", "value": 1, "detail": "x"}, 400, "detail"),
        ({"feedback_key": "good", "value": 1, "external_id": 7}, 400, "external_id"),
        ({"feedback_key": "good", "value": 1, "completion_id": "7"}, 400, "completion_id"),
        ({"metric": "unheard-of", "value": 1}, 404, None),
        ([1], 400, ""),
    ],
    ids=name_of,
)
def test_bad_feedback_is_refused(api, keyed, body, status, field):
    interaction = make_interaction(keyed)
    before = stored()
    answer = api.post(f"interactions/{interaction.pk}/feedback", body)
    assert answer.status_code == status, answer.content
    assert field is None or field in answer.json()["fields"]
    assert stored() == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "colour"}, "kind"),
        ({"kind": "\ud800"}, "kind"),
        ({"kind": None}, "kind"),
        ({"key": ""}, "key"),
        ({"key": "a\0"}, "key"),
        ({"key": "\ud800"}, "key"),
        ({"key": "k" * 101}, "key"),
        ({"minimum": "low"}, "minimum"),
        ({"minimum": 10**400}, "minimum"),
        ({"minimum": 5, "maximum": 1}, "maximum"),
    ],
    ids=name_of,
)
def test_a_bad_feedback_key_is_refused(api, project, changes, field):
    record = {"project": project.key, "key": "stars", "kind": "scalar"} | changes
    answer = api.post("feedback-keys", record)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field]), answer.content
    assert api.get("feedback-keys", {"project": project.key}).json() == []
