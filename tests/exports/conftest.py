"""A project to export, and a folder of one's own for its files."""

import pytest

from feedback.giving import give_feedback
from feedback.services import create_feedback_key
from interactions.labels import set_label
from tests.factories import make_interaction
from tests.interactions.pixels import data_uri, picture, shows, user_says


@pytest.fixture(autouse=True)
def folder(settings, tmp_path, monkeypatch):
    """DATA_DIR; nobody waits between two slices."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr("jobs.work.BREAK", 0)
    return tmp_path / "exports"


@pytest.fixture
def varied(project, owner):
    """Interactions of every make, labelled and judged since."""
    for key, kind in (("good", "bool"), ("stars", "scalar")):
        create_feedback_key(team=project.team, key=key, kind=kind, projects=[project])
    jpg = data_uri(picture("JPEG"), "data:image/jpg;base64")
    pictures = [shows(data_uri()), shows({"url": jpg, "detail": "low"}), shows("https://e.org/a.png")]
    first = make_interaction(project, messages=user_says({"type": "text", "text": "See"}, *pictures), labels={"a": "b"})
    judged = {"feedbacks": [{"metric": "stars", "value": 2.5, "details": "d"}], "metadata": {"n": 1.5}}
    at = "2026-03-01T10:00:00.123456+02:00"
    second = make_interaction(project, created_at=at, session_id="s", user="u", external_id="e", **judged)
    call = {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    talk = [
        {"role": "user", "content": "Covered?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "nothing"},
    ]
    make_interaction(
        project, messages=talk, completion="No.", corrected_completion="Yes, covered.", labels={"z": "退款"}
    )
    make_interaction(project, messages=None, prompt="退款", latency_ms=12, model=None, completion="")
    set_label(interaction=first, key="a", value="changed", by=owner)
    give_feedback(interaction=second, key=project.feedback_keys.get(key="good"), value=True, by=owner, user="u9")
    return project
