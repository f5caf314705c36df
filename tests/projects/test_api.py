"""REST of projects."""

import datetime

import pytest
from django.utils import timezone

from accounts.models import Membership
from accounts.services import add_member
from interactions.models import Interaction
from projects.access import project_or_404, projects_of
from projects.models import Project, ProjectShare
from tests.factories import bearer, make_project, make_team, make_user, owner_of

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/projects"


@pytest.fixture
def owner():
    return make_user()


@pytest.fixture
def team(owner):
    return make_team("claims-desk", owner=owner)


@pytest.fixture
def call(client, owner, team):
    def call(method, address, record=None, by=owner):
        body = {} if record is None else {"data": record, "content_type": "application/json"}
        return getattr(client, method)(f"{ADDRESS}{address}", headers=bearer(by), **body)

    return call


def test_a_project_is_created_in_the_only_team(call, team, owner):
    answer = call("post", "", {"key": "motor", "name": "Motor"})
    assert answer.status_code == 201
    record = answer.json()
    assert (record["key"], record["name"], record["team"], record["archived_at"]) == (
        "motor",
        "Motor",
        "claims-desk",
        None,
    )
    project = Project.objects.get()
    assert (record["id"], project.created_by) == (str(project.uid), owner)
    assert call("get", "/motor").json() == call("get", f"/{record['id']}").json() == record
    assert call("get", "").json() == {"results": [record]}


def test_the_same_key_again_is_a_conflict_in_the_team_and_none_elsewhere(call, team):
    assert call("post", "", {"key": "motor", "name": "Motor"}).status_code == 201
    answer = call("post", "", {"key": "motor", "name": "Another"})
    assert answer.status_code == 409
    assert "motor" in answer.json()["error"] and answer.json()["fields"] == {}
    other = make_team()
    assert call("post", "", {"key": "motor", "name": "Motor"}, by=other.members.get()).status_code == 201


def test_the_key_of_a_deleted_project_stays_reserved(call, team):
    call("post", "", {"key": "motor", "name": "Motor"})
    assert call("delete", "/motor").status_code == 202
    assert call("get", "/motor").status_code == 404
    assert call("delete", "/motor").status_code == 404
    assert "deleted" in call("post", "", {"key": "motor", "name": "Motor"}).json()["error"]


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"name": "Motor"}, "key"),
        ({"key": "motor"}, "name"),
        ({"key": "two words", "name": "Motor"}, "key"),
        ({"key": "a/b", "name": "Motor"}, "key"),
        ({"key": "k" * 65, "name": "Motor"}, "key"),
        ({"key": "0198c5d5-0000-7000-8000-000000000000", "name": "Motor"}, "key"),
        ({"key": "motor", "name": ""}, "name"),
        ({"key": "motor", "name": "a\x00b"}, "name"),
        ({"key": "motor", "name": "\ud800"}, "name"),
        ({"key": "motor", "name": ["Motor"]}, "name"),
        ({"key": "motor", "name": "n" * 101}, "name"),
    ],
)
def test_bad_input_names_the_field_and_makes_nothing(call, record, field):
    answer = call("post", "", record)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert field in answer.json()["error"]
    assert not Project.objects.exists()


@pytest.mark.parametrize("record", [[], "text", 7, None])
def test_what_is_no_object_is_refused(call, record):
    assert call("post", "", record if record is not None else "null").status_code == 400


def test_with_several_teams_one_must_be_named(call, owner, team):
    make_team("motor-desk", owner=owner)
    answer = call("post", "", {"key": "motor", "name": "Motor"})
    assert answer.status_code == 400
    assert "claims-desk, motor-desk" in answer.json()["fields"]["team"][0]
    answer = call("post", "", {"key": "motor", "name": "Motor", "team": "motor-desk"})
    assert answer.json()["team"] == "motor-desk"


def test_a_foreign_team_and_one_that_is_none_get_the_same_answer(call):
    make_team("foreign")
    answers = [call("post", "", {"key": "m", "name": "M", "team": key}) for key in ("foreign", "nothing")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json()["error"].replace("foreign", "nothing") == answers[1].json()["error"]


@pytest.mark.parametrize("role", ["reviewer", "annotator", "auditor", "program"])
def test_creating_changing_and_deleting_need_the_permission(call, team, role):
    project = make_project("motor", team=team)
    person = make_user(team=team, role=role)
    assert call("get", "/motor", by=person).status_code == 200
    assert call("post", "", {"key": "new", "name": "New"}, by=person).status_code == 403
    assert call("patch", "/motor", {"name": "Other"}, by=person).status_code == 403
    assert call("delete", "/motor", by=person).status_code == 403
    project.refresh_from_db()
    assert (project.name, project.deleted_at) == ("Motor", None)


@pytest.mark.parametrize("key", ["motor", "nothing", "%00", "a%2Fb", "%ED%A0%80", "x" * 5000])
def test_a_foreign_project_and_one_that_is_none_get_the_same_answer(call, key):
    make_project("motor")
    for method in ("get", "patch", "delete"):
        answer = call(method, f"/{key}", {} if method == "patch" else None)
        assert answer.status_code == 404
        assert set(answer.json()) == {"error", "fields"}


def test_nobody_elsewhere_changes_what_the_key_of_an_own_project_means(client, owner, team):
    older = make_project("support")
    own = make_project("support", team=team)
    record = {"project": "support", "messages": [{"role": "user", "content": "Hello"}], "completion": "Hi."}
    ProjectShare.objects.create(project=older, team=team, role=older.team.roles.get(key="program"))
    add_member(team=older.team, user=owner, role="administrator")
    sent = client.post("/api/v1/interactions", record, content_type="application/json", headers=bearer(owner))
    assert sent.status_code == 201 and Interaction.objects.get().project_id == own.pk
    refs = {one.pk: one.ref for one in projects_of(owner)}
    assert refs == {own.pk: "support", older.pk: str(older.uid)}
    assert project_or_404(owner, str(older.uid)).pk == older.pk


def test_of_two_teams_of_hers_the_key_goes_on_to_mean_the_project_that_she_saw_first(owner, team):
    other = make_project("support")
    add_member(team=other.team, user=owner, role="administrator")
    assert project_or_404(owner, "support").pk == other.pk
    make_project("support", team=team)  # which she was in before
    assert project_or_404(owner, "support").pk == other.pk


def test_of_two_shared_projects_the_key_goes_on_to_mean_the_one_that_was_there_first(owner, team):
    older, younger = make_project("support"), make_project("support")
    for project in (younger, older):
        ProjectShare.objects.create(project=project, team=team, role=project.team.roles.get(key="auditor"))
    assert project_or_404(owner, "support").pk == younger.pk
    assert {one.pk: one.ref for one in projects_of(owner)} == {younger.pk: "support", older.pk: str(older.uid)}


def test_a_project_made_later_in_a_team_joined_earlier_takes_no_key_that_is_in_use(owner, team):
    second = make_team(owner=owner)
    older, younger = make_project("support", team=second), make_project("support", team=team)
    joined = [Membership.objects.get(team=one) for one in (team, second)]
    for place, row in enumerate((*joined, older, younger)):
        at = timezone.now() - datetime.timedelta(days=10 - place)  # one transaction has one time
        type(row).objects.filter(pk=row.pk).update(created_at=at)
    assert project_or_404(owner, "support").pk == older.pk


def test_the_key_of_a_deleted_project_leads_to_no_other_one_until_it_is_used_anew(call, owner, team):
    own, other = make_project("support", team=team), make_project("support")
    ProjectShare.objects.create(project=other, team=team, role=other.team.roles.get(key="engineer"))
    assert [call("delete", "/support").status_code for _ in range(2)] == [202, 404]
    assert call("get", "/support").status_code == 404
    assert [(one.pk, one.ref) for one in projects_of(owner)] == [(other.pk, str(other.uid))]
    assert call("get", f"/{other.uid}").json()["team"] == other.team.key
    # of another team of hers it was there before, and stays what only its id leads to; what is made now has the key
    add_member(team=other.team, user=owner, role="administrator")
    assert call("get", "/support").status_code == 404
    anew = make_project("support", team=make_team(owner=owner))
    assert call("get", "/support").json()["id"] == str(anew.uid)
    assert {one.pk: one.ref for one in projects_of(owner)} == {anew.pk: "support", other.pk: str(other.uid)}
    assert Project.objects.get(pk=own.pk).deleted_at


def test_what_another_team_shares_is_changed_and_deleted_by_its_id_alone(call, team):
    other = make_project("motor")
    ProjectShare.objects.create(project=other, team=team, role=other.team.roles.get(key="engineer"))
    for method in ("patch", "delete"):
        answer = call(method, "/motor", {"name": "Ours"})
        assert answer.status_code == 403 and str(other.uid) in answer.json()["error"]
    assert call("patch", f"/{other.uid}", {"name": "Theirs"}).json()["name"] == "Theirs"
    assert call("delete", f"/{other.uid}").status_code == 202


def test_members_that_it_does_not_know_are_refused_and_change_nothing(call, team):
    answer = call("post", "", {"key": "motor", "name": "Motor", "keep_days": 30})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["keep_days"])
    assert not Project.objects.exists()
    make_project("motor", team=team)
    answer = call("patch", "/motor", {"name": "Motor desk", "keepdays": 30})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["keepdays"])
    assert (call("get", "/motor").json()["name"], call("get", "/motor").json()["keep_days"]) == ("Motor", None)


def test_it_is_renamed_archived_and_opened_again(call, team):
    make_project("motor", team=team)
    assert call("patch", "/motor", {"name": "Motor desk"}).json()["name"] == "Motor desk"
    archived = call("patch", "/motor", {"archived": True}).json()
    assert archived["archived_at"] and archived["name"] == "Motor desk"
    assert call("patch", "/motor", {"archived": True}).json() == archived
    assert call("patch", "/motor", {"archived": False}).json()["archived_at"] is None
    assert call("patch", "/motor", {"archived": "perhaps"}).status_code == 400
    assert call("patch", "/motor", {"name": ""}).status_code == 400


def test_a_stranger_lists_nothing(call):
    project = make_project("motor")
    assert call("get", "").json() == {"results": []}
    assert [one["key"] for one in call("get", "", by=owner_of(project)).json()["results"]] == ["motor"]
