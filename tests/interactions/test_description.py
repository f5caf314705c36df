"""The API's description: valid OpenAPI 3.1, made without a warning, with a page of our own to read it."""

import json

from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


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
        "has_images", "has_tools", "q", "order", "limit", "cursor", "fields", "images",
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
