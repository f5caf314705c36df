"""Feedback: keys of two kinds, values that came with the record or later, and what is shown and found of them."""

import pytest

from feedback.models import Feedback, FeedbackKey
from feedback.services import WHERE_KEYS_ARE_MADE, create_feedback_key
from interactions.models import Interaction
from tests.conftest import Api
from tests.factories import make_interaction, make_project, make_user


@pytest.fixture
def keyed(project):
    """The project with a key of each kind."""
    create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    create_feedback_key(team=project.team, key="stars", kind="scalar", minimum=1, maximum=5, projects=[project])
    return project


def shown(api, pk):
    return [(one["feedback_key"], one["value"]) for one in api.get(f"interactions/{pk}").json()["feedbacks"]]


def found(api, project, condition):
    query = {"project": project.key, "feedback": condition, "fields": "id"}
    return [row["id"] for row in api.get("interactions", query).json()["results"]]


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("good", True, 1.0),
        ("good", 0, 0.0),
        ("good", 1.0, 1.0),
        ("stars", 1, 1.0),
        ("stars", 4.5, 4.5),
        ("stars", 5, 5.0),
    ],
)
def test_a_value_comes_with_the_record_or_later(api, keyed, key, value, kept):
    with_it = api.log(keyed, feedbacks=[{"metric": key, "value": value, "details": "why", "user": "u1"}]).json()
    later = api.log(keyed).json()["completion_id"]
    answer = api.post(f"interactions/{later}/feedback", {"feedback_key": key, "value": value, "details": "why"})
    assert answer.status_code == 201
    for pk, user in ((with_it["completion_id"], "u1"), (later, None)):
        [one] = api.get(f"interactions/{pk}/feedback").json()
        assert (one["feedback_key"], one["value"], one["details"], one["user"]) == (key, kept, "why", user)
        assert api.get(f"interactions/{pk}").json()["feedbacks"] == [one]
        assert Interaction.objects.get(pk=pk).feedbacks == {key: kept}
    assert with_it["feedback_ids"] == [api.get(f"interactions/{with_it['completion_id']}/feedback").json()[0]["id"]]
    assert answer.json()["feedback_id"] == one["id"]


def test_the_ids_come_in_the_order_of_the_feedbacks(api, keyed):
    given = [{"metric": "stars", "value": n} for n in (3, 1, 5)] + [{"metric": "good", "value": False}]
    logged = api.log(keyed, feedbacks=given).json()
    values = {str(one.id): one.value for one in Feedback.objects.all()}
    assert [values[one] for one in logged["feedback_ids"]] == [3, 1, 5, 0]


def test_what_is_shown_and_what_is_found_agree(api, keyed):
    pk = api.log(keyed, feedbacks=[{"metric": "stars", "value": 2}]).json()["completion_id"]
    none = api.log(keyed).json()["completion_id"]
    assert found(api, keyed, "stars:<=2") == [pk]
    assert found(api, keyed, "stars:none") == [none]
    api.post(f"interactions/{pk}/feedback", {"feedback_key": "stars", "value": 5})
    api.post(f"interactions/{none}/feedback", {"feedback_key": "good", "value": True})
    assert shown(api, pk) == [("stars", 2.0), ("stars", 5.0)]
    assert Interaction.objects.get(pk=pk).feedbacks == {"stars": 5.0}
    assert found(api, keyed, "stars:2") == found(api, keyed, "stars:5") == [pk]
    assert found(api, keyed, "stars:3..4") == []
    assert found(api, keyed, "good:true") == [none]
    assert found(api, keyed, "good:none") == [pk]


def test_a_key_is_made_in_the_projects_team_and_attached(api, project):
    record = {"project": project.key, "key": "csat", "kind": "scalar", "minimum": 1, "maximum": 5, "name": "CSAT"}
    made = api.post("feedback-keys", record)
    assert made.status_code == 201
    assert api.post("feedback-keys", record).status_code == 200
    other = api.post("feedback-keys", {**record, "kind": "bool"})
    assert (other.status_code, other.json()["fields"]) == (409, {})
    key = FeedbackKey.objects.get()
    assert (key.team, key.name, key.minimum, list(key.projects.all())) == (project.team, "CSAT", 1.0, [project])
    assert api.get("feedback-keys", {"project": project.key}).json() == [made.json()]
    assert api.get("feedback-keys/csat", {"project": project.key}).json() == made.json()
    unknown = api.get("feedback-keys/nps", {"project": project.key})
    assert (unknown.status_code, unknown.json()["error"][:15]) == (404, "EntityNotFound:")


def test_a_key_of_another_project_is_not_known_here(api, keyed):
    other = make_project(team=keyed.team)
    answer = api.log(other, feedbacks=[{"metric": "good", "value": 1}])
    assert (answer.status_code, answer.json()["error"]) == (
        404,
        f"EntityNotFound: FeedbackKey (metric) 'good'. {WHERE_KEYS_ARE_MADE}",
    )
    assert api.get("interactions", {"project": other.key, "feedback": "good"}).status_code == 400
    attached = api.post("feedback-keys", {"project": other.key, "key": "good", "kind": "bool"})
    assert attached.status_code == 200
    assert api.log(other, feedbacks=[{"metric": "good", "value": 1}]).status_code == 201
    assert FeedbackKey.objects.filter(key="good").count() == 1


@pytest.mark.parametrize(
    ("role", "gives", "makes"),
    [
        ("administrator", 201, 201),
        ("engineer", 201, 201),
        ("annotator", 201, 403),
        ("auditor", 403, 403),
        ("program", 201, 403),
    ],
)
def test_who_may_give_feedback_and_make_keys(client, keyed, role, gives, makes):
    pk = make_interaction(keyed).pk
    api = Api(client, make_user(team=keyed.team, role=role))
    assert api.post(f"interactions/{pk}/feedback", {"metric": "good", "value": 1}).status_code == gives
    assert api.post("feedback-keys", {"project": keyed.key, "key": "new", "kind": "bool"}).status_code == makes
    assert api.get(f"interactions/{pk}/feedback").status_code == 200
    stranger = Api(client, make_user())
    assert stranger.post(f"interactions/{pk}/feedback", {"metric": "good", "value": 1}).status_code == 404
    assert stranger.get(f"interactions/{pk}/feedback").status_code == 404
    assert stranger.get("feedback-keys", {"project": keyed.key}).status_code == 404
