"""Feedback keys over REST: made, linked, read, changed, unlinked; what they refuse, and who may."""

import threading

import pytest
from django.db import connection, transaction

from feedback.giving import give_feedback
from feedback.models import Feedback, FeedbackKey
from feedback.services import checked_value, create_feedback_key, update_feedback_key
from interactions.models import Interaction
from interactions.rules import Conflict
from tests.conftest import Api
from tests.factories import make_interaction, make_project, make_team, make_user, owner_of

STARS = {"key": "stars", "kind": "scalar", "name": "Stars", "minimum": 1, "maximum": 5, "step": 0.5}


@pytest.fixture
def stars(project):
    return create_feedback_key(
        team=project.team, key="stars", kind="scalar", minimum=1, maximum=5, step=1, projects=[project]
    )[0]


def patch(api, project, body, key="stars"):
    return api.send("patch", f"feedback-keys/{key}?project={project.key}", body)


def keys(api, project):
    return [one["key"] for one in api.get("feedback-keys", {"project": project.key}).json()]


def test_a_key_comes_back_as_it_was_sent(api, project):
    made = api.post("feedback-keys", {"project": project.key, **STARS, "lower_is_better": True})
    assert made.status_code == 201
    assert made.json() == {**STARS, "description": "", "lower_is_better": True}
    assert api.get("feedback-keys/stars", {"project": project.key}).json() == made.json()


def test_all_but_the_key_can_be_changed(api, project, stars):
    changes = {"name": "Rating", "description": "At the end", "minimum": 0, "maximum": 10, "step": 0.5}
    answer = patch(api, project, {**changes, "lower_is_better": True, "kind": "scalar", "key": "stars"})
    assert answer.status_code == 200
    expected = {**changes, "key": "stars", "kind": "scalar", "lower_is_better": True}
    assert api.get("feedback-keys/stars", {"project": project.key}).json() == answer.json() == expected
    renamed = patch(api, project, {"key": "rating"})
    assert renamed.status_code == 400
    assert "stars" in renamed.json()["fields"]["key"][0]


def test_members_and_words_that_it_does_not_know_are_refused_and_change_nothing(api, project, stars):
    answers = [
        api.post("feedback-keys", {"project": project.key, "key": "good", "kind": "scalar", "min": 1}),
        patch(api, project, {"name": "Rating", "min": 1}),
        api.get("feedback-keys", {"project": project.key, "min": "1"}),
        api.get("feedback-keys/stars", {"project": project.key, "min": "1"}),
        api.get("feedback-keys/stars/preferences", {"project": project.key, "min": "1"}),
    ]
    assert [(one.status_code, list(one.json()["fields"])) for one in answers] == [(400, ["min"])] * len(answers)
    assert [(key.key, key.name) for key in FeedbackKey.objects.all()] == [("stars", "stars")]


def test_what_is_not_sent_stays(api, project, stars):
    assert patch(api, project, {"maximum": 7}).json()["minimum"] == 1
    assert patch(api, project, {"minimum": None}).json() == {
        "key": "stars",
        "kind": "scalar",
        "name": "stars",
        "description": "",
        "minimum": None,
        "maximum": 7,
        "step": 1,
        "lower_is_better": False,
    }
    refused = patch(api, project, {"minimum": 7})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["maximum"])


@pytest.mark.parametrize("withdrawn", [False, True])
def test_the_kind_changes_until_something_was_given(api, project, stars, withdrawn):
    as_bool = {"kind": "bool", "minimum": None, "maximum": None, "step": None}
    assert patch(api, project, as_bool).json()["kind"] == "bool"
    pk = make_interaction(project).pk
    given = api.post(f"interactions/{pk}/feedback", {"feedback_key": "stars", "value": True}).json()["feedback_id"]
    if withdrawn:
        assert api.delete(f"interactions/{pk}/feedback/{given}").status_code in {200, 204}
        assert not Feedback.objects.current().exists()
    refused = patch(api, project, {"kind": "scalar"})
    assert (refused.status_code, refused.json()["fields"]) == (409, {})
    assert "bool" in refused.json()["error"]
    assert patch(api, project, {"kind": "bool", "name": "Still"}).status_code == 200


def test_of_a_used_key_the_kind_stays_before_its_range_is_asked_for(api, project, stars):
    make_interaction(project, feedbacks=[{"metric": "stars", "value": 5}])
    refused = patch(api, project, {"kind": "bool"})
    assert refused.status_code == 409 and "its kind stays scalar" in refused.json()["error"]


def test_values_outside_a_new_range_stay_and_new_ones_are_refused(api, project, stars):
    pk = api.log(project, feedbacks=[{"metric": "stars", "value": 5}]).json()["completion_id"]
    assert patch(api, project, {"maximum": 3, "step": 2}).status_code == 200
    assert api.get(f"interactions/{pk}").json()["feedbacks"][0]["value"] == 5
    assert Interaction.objects.get(pk=pk).feedbacks == {"stars": 5.0}
    assert api.post(f"interactions/{pk}/feedback", {"feedback_key": "stars", "value": 4}).status_code == 400
    between = api.post(f"interactions/{pk}/feedback", {"feedback_key": "stars", "value": 2.5})
    assert between.json()["fields"]["value"] == ["stars goes in steps of 2 from 1: send 1 or 3, not 2.5."]
    assert api.post(f"interactions/{pk}/feedback", {"feedback_key": "stars", "value": 3}).status_code == 201


@pytest.mark.parametrize(
    ("minimum", "step", "value", "is_taken"),
    [
        (0, 0.1, 0.1 + 0.2, True),
        (None, 0.25, -7.75, True),
        (0.5, 1, 2, False),
        (0.5, 1, 2.5, True),
        (None, 3, 1e12, False),
    ]
    + [(1, 0.01, 4.99, True), (1, 0.01, 4.995, False), (None, 1e-9, 1e12, True)],
)
def test_a_key_with_a_step_takes_what_lies_on_one_but_for_rounding(minimum, step, value, is_taken):
    key = FeedbackKey(key="csat", kind="scalar", minimum=minimum, step=step)
    if is_taken:
        assert checked_value(key, value) == value
    else:
        with pytest.raises(ValueError, match="csat goes in steps of"):
            checked_value(key, value)


def test_unlinking_hides_and_linking_again_shows(api, project, stars):
    pk = api.log(project, feedbacks=[{"metric": "stars", "value": 4}]).json()["completion_id"]
    gone = api.delete(f"feedback-keys/stars?project={project.key}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert keys(api, project) == []
    for answer in (
        api.get("feedback-keys/stars", {"project": project.key}),
        api.delete(f"feedback-keys/stars?project={project.key}"),
        patch(api, project, {"name": "x"}),
        api.post(f"interactions/{pk}/feedback", {"feedback_key": "stars", "value": 4}),
    ):
        assert answer.status_code == 404, answer.content
        assert answer.json()["error"].startswith("EntityNotFound: FeedbackKey")
    assert FeedbackKey.objects.filter(pk=stars.pk).exists()
    linked = api.post("feedback-keys", {"project": project.key, "key": "stars", "kind": "scalar", "name": "Other"})
    assert (linked.status_code, linked.json()["name"], linked.json()["maximum"]) == (200, "stars", 5)
    found = api.get("interactions", {"project": project.key, "feedback": "stars:4", "fields": "id"}).json()["results"]
    assert [row["id"] for row in found] == [pk]


def test_unlinking_leaves_the_other_projects_their_key(api, project, stars):
    other = make_project(team=project.team)
    api.post("feedback-keys", {"project": other.key, "key": "stars", "kind": "scalar"})
    api.delete(f"feedback-keys/stars?project={project.key}")
    assert (keys(api, project), keys(api, other)) == ([], ["stars"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"step": 0}, "step"),
        ({"step": -1}, "step"),
        ({"step": 1e13}, "step"),
        ({"minimum": 5}, "maximum"),
        ({"minimum": 6}, "maximum"),
        ({"minimum": -1e13}, "minimum"),
        ({"minimum": True}, "minimum"),
        ({"maximum": "5"}, "maximum"),
        ({"maximum": [5]}, "maximum"),
        ({"name": ""}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": None}, "name"),
        ({"description": "a\x00b"}, "description"),
        ({"kind": "stars"}, "kind"),
        ({"kind": "bool"}, "minimum"),
        ({"lower_is_better": "rather"}, "lower_is_better"),
    ],
)
def test_what_a_key_cannot_be_is_refused_by_name(api, project, stars, changes, field):
    for answer in (
        patch(api, project, changes),
        api.post("feedback-keys", {"project": project.key, **STARS, "key": "new", **changes}),
    ):
        assert answer.status_code == 400, answer.content
        assert field in answer.json()["fields"]
    assert keys(api, project) == ["stars"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "1" + "0" * 400])
@pytest.mark.parametrize("field", ["minimum", "maximum", "step"])
def test_no_range_is_infinite(api, project, stars, field, number):
    raw = f'{{"project": "{project.key}", "key": "new", "kind": "scalar", "{field}": {number}}}'
    made = api.post("feedback-keys", raw=raw)
    changed = api.send("patch", f"feedback-keys/stars?project={project.key}", raw=raw)
    assert (made.status_code, changed.status_code) == (400, 400)


@pytest.mark.parametrize(
    "key",
    ["", " ", "k" * 101, "a\x00b", "a\nb", " a", "a ", "..", "a/../b", "a/", "a//b", "a/edit", "a/stats", "\u202eab"],
)
def test_a_key_is_what_an_address_can_hold(api, project, key):
    answer = api.post("feedback-keys", {"project": project.key, "key": key, "kind": "bool"})
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["key"]
    surrogate = api.post("feedback-keys", raw=f'{{"project": "{project.key}", "kind": "bool", "key": "a\\ud800"}}')
    assert surrogate.status_code == 400


@pytest.mark.parametrize("key", ["k" * 100, "ä ö:ü", "a/b", "100 %", "什么?", "a#b&c=d", "edit", '"<b>\\'])
def test_whatever_names_a_key_leads_to_it(api, client, project, key):
    assert api.post("feedback-keys", {"project": project.key, "key": key, "kind": "bool"}).status_code == 201
    client.force_login(api.user)
    page = client.get(f"/p/{project.key}/feedback")
    [row] = page.context["rows"]
    assert row.key.key == key
    detail = client.get(client.get(f"/p/{project.key}/feedback").context["rows"][0].address)
    assert (detail.status_code, detail.context["key"]) == (200, row.key)


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, 400), ([], 400), ({"project": []}, 400), ({"project": "nowhere", "key": "a", "kind": "bool"}, 404)],
)
def test_a_body_that_is_no_key_is_told(api, project, body, code):
    assert api.post("feedback-keys", body).status_code == code


@pytest.mark.parametrize(
    ("role", "code"),
    [("administrator", 200), ("engineer", 200), ("annotator", 403), ("auditor", 403), ("program", 403)],
)
def test_who_may_change_and_unlink(client, project, stars, role, code):
    api = Api(client, make_user(team=project.team, role=role))
    assert patch(api, project, {"name": "N"}).status_code == code
    assert api.delete(f"feedback-keys/stars?project={project.key}").status_code == (204 if code == 200 else 403)


def test_a_stranger_finds_no_key(client, project, stars):
    stranger = Api(client, make_user())
    assert patch(stranger, project, {"name": "N"}).status_code == 404
    assert stranger.delete(f"feedback-keys/stars?project={project.key}").status_code == 404
    assert FeedbackKey.objects.get(projects=project).name == "stars"


@pytest.mark.django_db(transaction=True)
def test_a_value_that_was_checked_against_the_former_kind_is_not_stored():
    """One changes the kind and has not committed; another has checked 3.7 against the number that the key was."""
    project = make_project()
    key, _ = create_feedback_key(team=project.team, key="stars", kind="scalar", projects=[project])
    interaction, told = make_interaction(project), []

    def give():
        try:
            give_feedback(interaction=interaction, key=key, value=3.7, by=owner_of(project))
            told.append("stored")
        except Conflict as conflict:
            told.append(str(conflict))
        connection.close()

    other = threading.Thread(target=give)
    with transaction.atomic():
        update_feedback_key(key=key, kind="bool")
        other.start()
        other.join(0.5)
        assert told == []  # it waits for who has the key
    other.join(10)
    assert ["kind" in text for text in told] == [True]
    assert not Feedback.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_kind_waits_for_the_values_that_are_being_stored():
    project = make_project()
    key, _ = create_feedback_key(team=project.team, key="stars", kind="scalar", projects=[project])
    interaction, told = make_interaction(project), []

    def change():
        try:
            told.append(update_feedback_key(key=key, kind="bool").kind)
        except Conflict as conflict:
            told.append(str(conflict))
        connection.close()

    other = threading.Thread(target=change)
    with transaction.atomic():
        give_feedback(interaction=interaction, key=key, value=3.7, by=owner_of(project))
        other.start()
        other.join(0.5)
        assert told == []
    other.join(10)
    assert ["stays scalar" in text for text in told] == [True]


def test_a_guest_touches_no_key_of_the_team_but_the_projects_own(client, project):
    elsewhere = make_project(team=project.team)
    for name, projects in (("own", [project]), ("shared", [project, elsewhere]), ("theirs", [elsewhere])):
        create_feedback_key(team=project.team, key=name, kind="scalar", projects=projects)
    guest = make_user(team=(guests := make_team()))
    project.shares.create(team=guests, role=project.team.roles.get(key="engineer"))
    api = Api(client, guest)
    codes = {name: patch(api, project, {"minimum": 1}, key=name).status_code for name in ("own", "shared", "theirs")}
    assert codes == {"own": 200, "shared": 403, "theirs": 404}
    body = {"project": project.key, "kind": "scalar"}
    made = [api.post("feedback-keys", {**body, "key": name}).status_code for name in ("own", "theirs", "new")]
    assert made == [200, 403, 201]
    assert not project.feedback_keys.filter(key="theirs").exists()
