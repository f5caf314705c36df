"""What a name may hold is the same at every door: of people, projects, keys, queues and views."""

import pytest

from accounts.names import name_fault

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
