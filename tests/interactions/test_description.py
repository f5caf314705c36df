"""The API's description: valid OpenAPI 3.1, made without a warning, with a page of our own to read it."""

import json
import re

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from config.examples import EXAMPLES
from feedback.services import create_feedback_key
from interactions.filters import REPEATED
from registry.providers import create_provider
from registry.services import attach, register_model
from tests.conftest import Api
from tests.factories import make_interaction, make_team, make_user


def test_it_is_valid_and_made_without_a_warning(capsys):
    call_command("spectacular", validate=True, fail_on_warn=True, format="openapi-json")
    described = json.loads(capsys.readouterr().out)
    assert described["openapi"] == "3.1.0"
    assert set(described["paths"]) >= {
        "/api/v1/interactions", "/api/v1/interactions/batch", "/api/v1/interactions/{interaction_id}",
        "/api/v1/interactions/{interaction_id}/labels/{key}", "/api/v1/interactions/{interaction_id}/feedback",
        "/api/v1/projects", "/api/v1/feedback-keys",
    }  # fmt: skip
    validate_schema(SchemaGenerator().get_schema(request=None, public=True))


def test_every_filter_is_described():
    described = SchemaGenerator().get_schema(request=None, public=True)
    listed = described["paths"]["/api/v1/interactions"]["get"]
    names = {parameter["name"]: parameter for parameter in listed["parameters"]}
    assert set(names) >= {
        "project", "label", "not_label", "after", "before", "model", "feedback", "session", "user", "source", "latency",
        "has_images", "has_tools", "has_error", "q", "order", "limit", "cursor", "fields", "images",
    }  # fmt: skip
    assert all(parameter["description"] for name, parameter in names.items() if name != "images")
    assert listed["operationId"] == "interactions_list"


def test_it_is_served_to_anybody(client, db):
    answer = client.get("/api/schema/", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["openapi"]) == (200, "3.1.0")


def test_its_page_keeps_to_the_policy(client, db):
    answer = client.get("/api/docs")
    text = answer.content.decode()
    policy = answer["Content-Security-Policy"]
    assert answer.status_code == 200
    assert "unsafe" not in policy
    assert "<style" not in text and " style=" not in text and " onload" not in text
    assert all(">" in part and "src=" in part.partition(">")[0] for part in text.split("<script")[1:])
    assert "https://" not in text and "cdn" not in text


RECORD = {"completion": "Yes.", "labels": {"intent": "cover"}, "model": "m", "usage": {"total_tokens": 3}}
CALLS = [
    ("post", "interactions", RECORD | {"project": "{project}", "messages": [{"role": "user", "content": "Am I?"}]}),
    (
        "post",
        "interactions",
        dict.fromkeys(["user", "session_id", "external_id", "metadata", "usage", "latency_ms", "ab_campaign", "model"])
        | {"project": "{project}", "prompt": "Am I?", "completion": "Yes.", "created_at": 1_780_000_000_000}
        | {"corrected_completion": None, "feedbacks": [{"metric": "good", "value": True, "user": None}]},
    ),
    ("post", "interactions/batch?project={project}", [RECORD | {"prompt": "Am I?"}, RECORD]),
    ("get", "interactions?project={project}", None),
    ("get", "interactions?project={project}&fields=id,labels", None),
    ("get", "interactions/{id}", None),
    ("put", "interactions/{id}/labels/tone", {"value": "kind"}),
    ("delete", "interactions/{id}/labels/tone", None),
    ("post", "interactions/{id}/feedback", {"feedback_key": "good", "value": True, "external_id": "v"}),
    ("post", "interactions/{id}/feedback", {"feedback_key": "good", "value": True, "external_id": "v"}),
    ("get", "interactions/{id}/feedback", None),
    ("put", "interactions/{id}/feedback/{given}", {"value": False, "details": "No."}),
    ("put", "interactions/{id}/correction", {"completion": "No."}),
    ("get", "interactions/{id}/correction", None),
    ("delete", "interactions/{id}/correction", None),
    ("post", "interactions/{id}/notes", {"text": "Is this the wrong plan?"}),
    ("get", "interactions/{id}/notes", None),
    ("get", "interactions/{id}/history", None),
    ("get", "interactions/{id}/payload", None),
    ("put", "interactions/{id}/hold", {"reason": "A claim"}),
    ("get", "projects/{project}/holds", None),
    ("delete", "interactions/{id}/hold", None),
    ("get", "interactions/{id}/hold", None),
    ("post", "feedback", {"completion_id": "{id}", "feedback_key": "good", "value": 1}),
    ("post", "feedback", [{"completion_id": "{id}", "feedback_key": "good", "value": one} for one in (True, 7)]),
    ("post", "feedback-keys", {"project": "{project}", "key": "stars", "kind": "scalar"}),
    ("get", "feedback-keys?project={project}", None),
    ("patch", "feedback-keys/stars?project={project}", {"minimum": 1}),
    ("get", "feedback-keys/good/stats?project={project}&group_by=model", None),
    ("post", "comparison", {"feedback_key": "good", "preferred_completion": "{id}", "other_completion": "{other}"}),
    ("get", "feedback-keys/good/preferences?project={project}", None),
    ("delete", "feedback-keys/stars?project={project}", None),
    ("get", "projects", None),
    ("get", "projects/{project}", None),
    ("patch", "projects/{project}", {"keep_days": 30}),
    ("get", "projects/{project}/retention", None),
    ("get", "projects/{project}/labels", None),
    ("patch", "projects/{project}/labels/intent", {"values": None}),
    ("post", "projects/{project}/label-jobs?label=intent", {"key": "tone", "value": None}),
    ("post", "projects/{project}/label-renames", {"key": "intent", "to": "about"}),
    ("get", "projects/{project}/models", None),
    ("get", "projects/{project}/models/m", None),
    ("post", "projects/{project}/views", {"name": "All"}),
    ("get", "projects/{project}/views", None),
    ("get", "projects/{project}/views/all", None),
    ("post", "projects/{project}/exports", {"format": "jsonl"}),
    ("get", "projects/{project}/exports", None),
    ("delete", "interactions/{id}", None),
]


@pytest.fixture(scope="module")
def described():
    return json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))


def operation_of(described, method, path):
    """What is described of the call; of several addresses that fit the one with the least to fill in."""
    fitting = [
        (one.count("{"), operations[method])
        for one, operations in described["paths"].items()
        if method in operations and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), f"/api/v1/{path.partition('?')[0]}")
    ]
    return min(fitting, key=lambda one: one[0])[1]


def faults(described, content, told):
    [media] = [one["schema"] for name, one in content.items() if name == "application/json"]
    schema = {**media, "components": described["components"]}
    return [(list(one.absolute_path), one.message) for one in Draft202012Validator(schema).iter_errors(told)]


def filled(text, known):
    return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], found[0]), text)


def test_what_is_sent_and_answered_is_what_is_described(api, project, described):
    create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    one, other = make_interaction(project).pk, make_interaction(project).pk
    known = {"project": project.key, "id": str(one), "other": str(other)}
    for method, path, body in CALLS:
        path, sent = filled(path, known), "" if body is None else filled(json.dumps(body), known)
        operation = operation_of(described, method, path)
        answer = api.get(path) if method == "get" else api.send(method, path, raw=sent)
        text = answer.getvalue()
        assert str(answer.status_code) in operation["responses"], (method, path, text)
        if sent:
            assert not faults(described, operation["requestBody"]["content"], json.loads(sent)), (method, path)
        content = operation["responses"][str(answer.status_code)].get("content")
        assert bool(content) == bool(text), (method, path)
        if content:
            told = json.loads(text)
            assert not faults(described, content, told), (method, path)
            known |= {"given": told["feedback_id"]} if "feedback_id" in told else {}


def test_a_word_that_a_call_does_not_describe_is_refused_whatever_is_read(api, described):
    """Before anything is looked up: to follow the address it need not lead anywhere."""
    filled_in = {"uuid": "0196edee-d79e-766f-9acc-28f9323e66ca", "integer": "1"}
    for path, operations in described["paths"].items():
        if "get" not in operations or not path.startswith("/api/v1/"):
            continue
        parts = {one["name"]: one["schema"] for one in operations["get"].get("parameters", ()) if one["in"] == "path"}
        told = {name: filled_in.get(one.get("format"), filled_in.get(one["type"], "x")) for name, one in parts.items()}
        answer = api.get(filled(path, told).removeprefix("/api/v1/"), {"nonsense": "1"})
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["nonsense"]), path


def test_every_call_describes_its_errors_and_words_that_repeat_are_lists(described):
    calls = [one for path, all_ in described["paths"].items() if "/v1/" in path for one in all_.values()]
    assert len(calls) > 90 and all({"400", "401", "403", "404", "503"} <= set(one["responses"]) for one in calls)
    assert all(({"408", "413", "415"} <= set(one["responses"])) == ("requestBody" in one) for one in calls)
    busy = [path for path, all_ in described["paths"].items() if "429" in all_.get("post", {}).get("responses", ())]
    assert len(busy) == 2 and all(path.endswith("/check") for path in busy)
    assert all("content" in told for one in calls for code, told in one["responses"].items() if code in "408 429 503")
    listed = described["paths"]["/api/v1/interactions"]["get"]["parameters"]
    assert {one["name"] for one in listed if one["schema"]["type"] == "array"} == REPEATED


def test_an_error_is_what_is_described(api, described, project):
    content = operation_of(described, "get", "interactions")["responses"]["400"]["content"]
    assert not faults(described, content, api.get("interactions", {"project": project.key, "user": ""}).json())


def test_the_file_of_an_export_is_described_as_it_comes(described):
    got = described["paths"]["/api/v1/projects/{project}/exports/{export_id}/file"]["get"]
    kinds = {"application/x-ndjson", "text/csv; charset=utf-8", "application/vnd.apache.parquet", "application/x-tar"}
    assert set(got["responses"]["200"]["content"]) == set(got["responses"]["206"]["content"]) == kinds
    assert {"409", "416"} <= set(got["responses"])
    assert "application/json" in got["responses"]["409"]["content"] and "content" not in got["responses"]["416"]
    assert {one["name"] for one in got["parameters"] if one["in"] == "header"} == {"Range", "If-Range"}


def test_the_examples_can_be_sent_one_after_the_other_as_they_stand(client, db, described):
    owner = make_user()
    team, api = make_team(owner=owner), Api(client, owner)
    provider = create_provider(team=team, key="p", kind="other", by=owner, address="http://10.0.0.7/v1", api_key="sk-1")
    models = [
        register_model(team=team, key=key, external_id=key, provider=provider, by=owner)
        for key in ("harbor-8b", "harbor-70b")
    ]
    assert len(EXAMPLES) == 10
    known = {"project": "helpdesk"}
    for path, sent in EXAMPLES.items():
        assert described["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"] == sent
        answer = api.post(filled(path.removeprefix("/api/v1/"), known), sent)
        assert answer.status_code in (201, 202), (path, answer.content)
        if path == "/api/v1/interactions":
            known["interaction_id"] = answer.json()["completion_id"]
        if path == "/api/v1/projects":
            for model in models:
                attach(project=team.projects.get(), model=model, by=owner)
    stored = api.get("interactions", {"project": "helpdesk", "external_id": "ticket-4711-1"}).json()["results"][0]
    assert (stored["completion"], stored["feedbacks"][0]["value"]) == (
        "Yes, third party only, for up to 30 days.", True
    )  # fmt: skip
