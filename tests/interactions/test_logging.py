"""Logging one interaction over REST."""

from interactions.models import Interaction


def test_what_was_logged_is_read_back_by_the_next_request(api, project):
    logged = api.log(project, labels={"intent": "cover"}, model="harbor-8b")
    assert logged.status_code == 201
    read = api.get(f"interactions/{logged.json()['completion_id']}").json()
    assert read["messages"] == [{"role": "user", "content": "Am I covered?"}]
    assert (read["completion"], read["model"], read["labels"]) == ("Yes.", "harbor-8b", {"intent": "cover"})


def test_tokens_are_read_by_either_name_and_what_else_a_usage_holds_is_kept(api, project):
    usage = {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 2}
    logged = api.log(project, usage=usage).json()["completion_id"]
    assert api.get(f"interactions/{logged}").json()["usage"] == usage
    row = Interaction.objects.get(pk=logged)
    assert (row.prompt_tokens, row.completion_tokens) == (3, 4)


def test_the_calls_that_a_completion_makes_are_found(api, project):
    called = [{"id": "c", "type": "function", "function": {"name": "rates", "arguments": "{}"}}]
    logged = api.log(project, completion="", metadata={"tool_calls": called}).json()["completion_id"]
    for none in ({"tool_calls": "rates"}, {"tool_calls": [1, {"function": {}}]}, {}):
        api.log(project, metadata=none)
    found = api.get("interactions", {"project": project.key, "has_tools": "true"}).json()["results"]
    assert [one["id"] for one in found] == [logged]


def test_a_zone_whose_plus_became_a_blank_on_the_way_is_read(api, project):
    logged = api.log(project, created_at="2026-05-01T12:00:00+02:00").json()["completion_id"]
    for after, found in (
        ("2026-05-01T12:00:00 02:00", [logged]),
        ("2026-05-01 13:00 0200", []),
        ("2026-05-01 11:00", []),
    ):
        answer = api.get("interactions", {"project": project.key, "after": after})
        assert [one["id"] for one in answer.json()["results"]] == found, after


def test_the_preview_is_of_the_last_thing_that_the_user_said(api, project):
    use = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "9 mm"}
    messages = [
        {"role": "user", "content": "Am I covered?"},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [result]},
    ]
    logged = api.log(project, messages=messages).json()["completion_id"]
    assert Interaction.objects.get(pk=logged).prompt_preview == "Am I covered?"
    alone = api.log(project, messages=[{"role": "user", "content": [result]}]).json()["completion_id"]
    assert Interaction.objects.get(pk=alone).prompt_preview == ""
