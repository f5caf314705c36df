"""What was done with an interaction, and the record as it was received, over REST."""

import hashlib

import pytest

from feedback.services import create_feedback_key
from interactions import jsontext
from interactions.api import history
from interactions.models import Interaction
from tests.conftest import Api
from tests.factories import make_interaction, owner_of


@pytest.mark.django_db
def test_all_that_was_done_is_told_page_by_page(api, project, monkeypatch):
    create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    here = f"interactions/{make_interaction(project, labels={'is': 'app'}).pk}"
    api.put(f"{here}/labels/is", {"value": "web"})
    given = api.post(f"{here}/feedback", {"feedback_key": "good", "value": True}).json()["feedback_id"]
    corrected = api.put(f"{here}/feedback/{given}", {"value": False}).json()["feedback_id"]
    api.delete(f"{here}/feedback/{corrected}")
    api.put(f"{here}/correction", {"completion": "No."})
    api.put(f"{here}/correction", {"completion": "Never."})
    api.delete(f"feedback-keys/good?project={project.key}")
    whole = api.get(f"{here}/history").json()
    assert [one["what"] for one in whole["results"]] == [
        "correction", "correction", "feedback_withdrawn", "feedback", "feedback", "label",
    ]  # fmt: skip
    assert [one["completion"] for one in whole["results"][:2]] == ["Never.", "No."]
    second, first = whole["results"][3:5]
    assert (first["feedback"]["value"], first["former_feedback"]) == (True, None)
    assert (second["feedback"]["value"], second["former_feedback"]["value"]) == (False, True)
    label, owner = whole["results"][-1], owner_of(project)
    assert (label["former_label"], label["label"]) == ({"key": "is", "value": "app"}, {"key": "is", "value": "web"})
    assert label["by"] == {"name": str(owner), "email": owner.email} and whole["next"] is None
    monkeypatch.setattr(history, "PAGE", 4)
    page = api.get(f"{here}/history").json()
    rest = api.get(f"{here}/history", {"before": page["next"]}).json()
    assert page["results"] + rest["results"] == whole["results"] and rest["next"] is None
    assert api.get(f"{here}/history", {"before": "x"}).status_code == 400


@pytest.mark.django_db
def test_the_record_is_told_as_it_was_received_with_its_hash(api, project):
    record = {
        "completion": "Yes.",
        "prompt": "Am I?",
        "metadata": {"n": 1.5},
        "external_id": "t-1",
        "labels": {"a": "b"},
    }
    logged = api.log(project, **record).json()["completion_id"]
    api.put(f"interactions/{logged}/labels/a", {"value": "c"})
    told = api.get(f"interactions/{logged}/payload").json()
    assert told["record"] == record
    assert told["sha256"] == hashlib.sha256(jsontext.canonical(record)).hexdigest()
    assert told["logged_by"]["email"] == owner_of(project).email and told["received_at"].endswith("Z")
    key = Interaction.objects.get(pk=logged).api_key
    assert told["api_key"] == {"name": key.name, "hint": key.hint} and key.user == owner_of(project)


@pytest.mark.django_db
def test_what_a_key_logged_is_found_by_how_it_begins(api, project):
    by_one, by_other = api.log(project), Api(api.client, owner_of(project)).log(project)
    first, second = (Interaction.objects.get(pk=one.json()["completion_id"]).api_key for one in (by_one, by_other))
    assert first != second
    asked = {"project": project.key, "fields": "id"}
    for logged, key in ((by_one, first), (by_other, second)):
        found = api.get("interactions", {**asked, "api_key": key.hint}).json()["results"]
        assert [one["id"] for one in found] == [logged.json()["completion_id"]]
    refused = api.get("interactions", {**asked, "api_key": "mg_12345"})
    assert refused.status_code == 400 and "8 characters" in refused.json()["fields"]["api_key"][0]
