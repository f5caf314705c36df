"""Legal holds over REST: who may, what they keep, how they are told and released."""

import uuid

import pytest
from django.test import Client

from feedback.services import create_feedback_key
from interactions.models import Hold, Interaction
from tests.conftest import Api
from tests.factories import make_interaction, make_project, make_team, make_user, owner_of

WHY = {"reason": "Case 7, counsel's letter of 3 May"}


def teammate(project, role):
    return Api(Client(), make_user(team=project.team, role=role))


def put(api, pk, body=WHY):
    return api.put(f"interactions/{pk}/hold", body)


def test_a_held_interaction_cannot_be_deleted_until_it_is_released(api, project):
    pk = make_interaction(project).pk
    told = put(api, pk).json()
    assert (told["held"], told["history"][0]["reason"]) == (True, WHY["reason"])
    answer = api.delete(f"interactions/{pk}")
    assert (answer.status_code, answer.json()["error"]) == (
        409, "This interaction is under a legal hold. Release it before you delete it.",
    )  # fmt: skip
    assert Interaction.objects.filter(pk=pk).exists()
    told = api.send("delete", f"interactions/{pk}/hold", {"reason": "Settled"}).json()
    assert (told["held"], told["history"][0]["released_because"]) == (False, "Settled")
    assert told["history"][0]["by"] == told["history"][0]["released_by"] == str(api.user)
    assert api.delete(f"interactions/{pk}").status_code == 204
    assert not Hold.objects.exists()


def test_what_is_held_twice_is_held_once_and_all_holds_are_remembered(api, project):
    pk = make_interaction(project).pk
    put(api, pk)
    assert [one["reason"] for one in put(api, pk, {"reason": "Another"}).json()["history"]] == [WHY["reason"]]
    api.delete(f"interactions/{pk}/hold")
    assert [one["reason"] for one in put(api, pk, {"reason": "Another"}).json()["history"]] == [
        "Another",
        WHY["reason"],
    ]
    assert api.delete(f"interactions/{pk}/hold").json()["held"] is False
    assert api.delete(f"interactions/{pk}/hold").status_code == 200


def test_what_a_held_one_is_compared_with_stays_too(api, project):
    create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    held, other, third = (make_interaction(project, completion=text).pk for text in "abc")
    for one, two in ((held, other), (other, third)):
        api.post(
            "comparison",
            {"metric": "good", "preferred_completion": str(one), "other_completion": str(two)},
        )
    put(api, held)
    answer = api.delete(f"interactions/{other}")
    assert (answer.status_code, "compared with one under a legal hold" in answer.json()["error"]) == (409, True)
    assert api.delete(f"interactions/{third}").status_code == 204
    api.delete(f"interactions/{held}/hold")
    assert api.delete(f"interactions/{other}").status_code == 204


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 501}, {"reason": 7}, [], {"reason": "a\0"}]
)
def test_a_hold_needs_a_reason(api, project, body):
    pk = make_interaction(project).pk
    assert put(api, pk, body).status_code == 400
    assert api.get(f"interactions/{pk}/hold").json() == {"held": False, "history": []}


@pytest.mark.parametrize(
    ("role", "read", "write"),
    [("engineer", 200, 200), ("reviewer", 200, 403), ("auditor", 200, 403), ("program", 200, 403)],
)
def test_who_manages_the_project_holds_and_her_teammates_see_it(project, role, read, write):
    pk, person = make_interaction(project).pk, teammate(project, role)
    assert person.get(f"interactions/{pk}/hold").status_code == read
    assert put(person, pk).status_code == write
    assert person.delete(f"interactions/{pk}/hold").status_code == write
    assert person.get(f"projects/{project.key}/holds").status_code == read


def test_strangers_find_nothing_to_hold(api, project):
    pk = make_interaction(project).pk
    put(api, pk)
    stranger = Api(Client(), make_user(team=make_team()))
    for answer in (
        stranger.get(f"interactions/{pk}/hold"), put(stranger, pk), stranger.delete(f"interactions/{pk}/hold"),
        stranger.get(f"projects/{project.key}/holds"), put(api, uuid.uuid4()),
    ):  # fmt: skip
        assert answer.status_code == 404
    assert api.get(f"interactions/{pk}/hold").json()["held"]


def test_the_holds_of_a_project_are_listed(api, project):
    first, second = (make_interaction(project).pk for _ in "ab")
    other = make_interaction(make_project(team=project.team)).pk
    for pk in (first, second, other):
        put(api, pk)
    told = api.get(f"projects/{project.key}/holds").json()
    assert [one["interaction_id"] for one in told["results"]] == [str(second), str(first)]
    assert told["count"] == 2


def test_a_project_with_held_ones_is_not_deleted(api, client, project):
    pk = make_interaction(project).pk
    put(api, pk)
    answer = api.delete(f"projects/{project.key}")
    assert (answer.status_code, answer.json()["error"]) == (
        409, "1 interaction is under a legal hold. Release it before you delete this.",
    )  # fmt: skip
    client.force_login(owner_of(project))
    page = client.post(f"/p/{project.key}/delete", {"key": project.key})
    assert (page.status_code, b"under a legal hold" in page.content) == (422, True)
    api.delete(f"interactions/{pk}/hold")
    assert api.delete(f"projects/{project.key}").status_code == 202
    assert put(api, pk).status_code == 404


def test_deleting_ticked_rows_tells_how_many_are_held(api, client, project):
    held, free = (make_interaction(project).pk for _ in "ab")
    put(api, held)
    client.force_login(owner_of(project))
    page = client.post(f"/p/{project.key}/interactions/delete", {"id": [held, free], "sure": 1}, follow=True)
    assert "Deleted 1 interaction; 1 stays: under a legal hold" in page.content.decode()
    assert [row.pk for row in Interaction.objects.all()] == [held]
