"""What a name may hold is the same at every door: of people, projects, keys, queues and views."""

import re

import pytest

from accounts.names import name_fault
from exports.saved import create_view
from feedback.services import create_feedback_key
from tests.reviews.desks import make_queue

ODD = "Ann\u202ewhy"


@pytest.mark.parametrize("name", [ODD, "gpt\u200b-4o", "\ufeffx", "a\nb", "a\x07", "soft\xad", "x\u200d", "\u2066y"])
def test_what_hides_or_turns_text_is_no_name(name):
    assert "U+" in name_fault(name)


@pytest.mark.parametrize("name", ["Zoë Ångström", "نمی\u200cخواهم", "👩\u200d🔬 lab", "שלום\u200f", "a  b", "漢字"])
def test_names_of_all_scripts_are(name):
    assert name_fault(name) is None


def test_no_door_takes_such_a_name(client, api, project, owner):
    client.force_login(owner)
    here = f"/p/{project.key}"
    pages = {
        "/account": {"name": ODD, "timezone": ""},
        "/api-keys": {"name": ODD},
        f"{here}/feedback/new": {"name": ODD, "key": "odd", "kind": "bool"},
        f"{here}/views/new?user=a": {"name": ODD},
    }
    for address, form in pages.items():
        answer = client.post(address, form)
        assert (answer.status_code, "U+202E" in answer.content.decode()) == (422, True), address
    calls = {
        ("post", "projects"): {"key": "odd", "name": ODD},
        ("patch", f"projects/{project.key}"): {"name": ODD},
        ("post", "feedback-keys"): {"project": project.key, "key": "odd", "kind": "bool", "name": ODD},
        ("post", f"projects/{project.key}/queues"): {"name": ODD, "key": "odd"},
        ("post", f"projects/{project.key}/views"): {"name": ODD, "filter": "user=a"},
    }
    for (method, path), body in calls.items():
        answer = api.send(method, path, body)
        assert (answer.status_code, "U+202E" in answer.content.decode()) == (400, True), path


def test_a_name_that_was_stored_before_is_printed_with_marks_on_every_page(client, project, owner):
    """What is typed into a field comes back as it is; nothing else turns the text around it."""
    queue = make_queue(project)
    key, *_ = create_feedback_key(team=project.team, key="odd", name="Odd", kind="bool", projects=[project])
    view = create_view(project=project, by=owner, name="Odd", query="user=a")
    for one in (project, project.team, owner, queue, key, view):
        type(one).objects.filter(pk=one.pk).update(name=ODD)
    client.force_login(owner)
    here = f"/p/{project.key}"
    addresses = [
        f"{here}{part}" for part in ("/interactions", "/overview", "/settings", "/models", "/ab-tests", "/jobs")
    ]
    addresses += [f"{here}/feedback{part}" for part in ("", "/keys/odd", "/keys/odd/comparisons")]
    addresses += [f"{here}/views", f"{here}/views/{view.key}", f"{here}/reviews"]
    addresses += [
        f"{here}/reviews/{queue.key}{part}" for part in ("", "/edit", "/questions", "/fill", "/report", "/desk")
    ]
    team = f"/teams/{project.team.key}"
    addresses += [
        "/projects",
        "/teams",
        "/account",
        "/api-keys",
        team,
        f"{team}/audit",
        f"{team}/models",
        f"{team}/providers",
    ]
    bare = {}
    for address in addresses:
        answer = client.get(address)
        if answer.status_code != 200:
            bare[address] = answer.status_code
            continue
        html = re.sub(r' value="[^"]*"|<textarea.*?</textarea>', "", answer.content.decode(), flags=re.DOTALL)
        if found := re.findall(".{40}\u202e", html):
            bare[address] = found
    assert bare == {}
