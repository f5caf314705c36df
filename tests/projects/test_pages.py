"""The pages of projects."""

import pytest
from django.urls import reverse

from accounts.models import ApiKey, AuditEntry
from accounts.permissions import ROLES
from projects.models import Project
from projects.services import archive_project, rename_project
from tests.factories import make_interaction, make_project, make_team, make_user, owner_of
from tests.reviews.queues import make_queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(client):
    project = make_project("claims")
    client.force_login(owner_of(project))
    return project


def create(client, **values):
    return client.post(reverse("project_create"), {"name": "Motor", "key": "motor", **values})


def test_the_list_tells_how_many_interactions_and_how_new(client, project):
    empty = make_project("empty", team=project.team)
    make_interaction(project, created_at="2026-03-01T10:20:00Z")
    make_interaction(project, created_at="2026-03-02T11:40:00Z")
    projects = {one.key: one for one in client.get(reverse("project_list")).context["projects"]}
    assert projects["claims"].count == 2
    assert projects["claims"].newest.isoformat() == "2026-03-02T11:00:00+00:00"
    assert (projects[empty.key].count, projects[empty.key].newest) == (0, None)


def test_the_list_takes_as_many_queries_for_one_project_as_for_many(client, project, django_assert_num_queries):
    client.get(reverse("project_list"))
    with django_assert_num_queries(8):
        client.get(reverse("project_list"))
    for _ in range(5):
        make_project(team=project.team)
    with django_assert_num_queries(8):
        client.get(reverse("project_list"))


def test_the_list_tells_what_waits_for_the_reader_and_leads_to_the_queues(client, project):
    make_queue(project, n=3)
    make_queue(make_project("other", team=project.team))
    annotator = make_user(team=project.team, role="annotator")
    client.force_login(annotator)
    page = client.get(reverse("project_list"))
    assert {one.key: one.waiting for one in page.context["projects"]} == {"claims": 3, "other": 0}
    text = page.content.decode()
    assert "For you" in text and f'href="{reverse("queue_list", args=["claims"])}">3<' in text
    client.force_login(make_user(team=project.team, role="auditor"))
    assert "For you" not in client.get(reverse("project_list")).content.decode()


def test_the_address_of_a_project_alone_leads_to_its_interactions(client, project):
    answer = client.get("/p/claims")
    assert (answer.status_code, answer["Location"]) == (302, "/p/claims/interactions")


def test_a_new_project_opens_on_its_interactions(client, project):
    answer = create(client, team=project.team.key)
    assert answer.headers["Location"] == reverse("interaction_list", args=["motor"])
    assert Project.objects.get(key="motor").created_by == owner_of(project)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"key": ""}, "key"),
        ({"key": "two words"}, "key"),
        ({"key": "schlüssel"}, "key"),
        ({"key": "k" * 65}, "key"),
        ({"key": "0198c5d5-0000-7000-8000-000000000000"}, "key"),
        ({"key": "claims"}, "key"),
        ({"team": "nothing"}, "team"),
    ],
)
def test_a_refusal_says_so_beside_its_field(client, project, values, field):
    answer = create(client, **{"team": project.team.key, **values})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert Project.objects.count() == 1


def test_a_project_is_made_only_in_a_team_where_one_may(client, project):
    other = make_team()
    assert create(client, team=other.key).status_code == 422
    client.force_login(make_user(team=project.team, role="reviewer"))
    assert client.get(reverse("project_create")).status_code == 403
    assert create(client, team=project.team.key).status_code == 403
    assert Project.objects.count() == 1


def test_it_is_renamed(client, project):
    client.post(reverse("project_settings", args=["claims"]), {"name": "Claims desk"})
    project.refresh_from_db()
    assert project.name == "Claims desk"
    assert client.post(reverse("project_settings", args=["claims"]), {"name": ""}).status_code == 422


def share(client, **values):
    return client.post(reverse("project_share", args=["claims"]), {"role": "auditor", **values})


def test_shared_it_is_open_to_the_other_team_in_that_role_until_it_ends(client, project):
    other = make_team("motor")
    guest = other.members.get()
    page = reverse("interaction_list", args=["claims"])
    owner = owner_of(project)
    assert share(client, team="motor").status_code == 302
    client.force_login(guest)
    assert client.get(page).status_code == 200
    assert client.get(reverse("project_settings", args=["claims"])).status_code == 403
    client.force_login(owner)
    share(client, team="motor", role="engineer")
    client.force_login(guest)
    assert client.get(reverse("project_settings", args=["claims"])).status_code == 200
    client.force_login(owner)
    client.post(reverse("project_unshare", args=["claims", project.shares.get().pk]))
    client.force_login(guest)
    assert client.get(page).status_code == 404


def test_it_is_not_shared_with_its_own_team_with_none_or_in_a_foreign_role(client, project):
    make_team("motor")
    for values, field in [
        ({"team": "nothing"}, "team"),
        ({"team": project.team.key}, "team"),
        ({"team": "motor", "role": "emperor"}, "role"),
    ]:
        answer = share(client, **values)
        assert answer.status_code == 422
        assert list(answer.context["share_form"].errors) == [field]
    assert not project.shares.exists()


def test_a_share_of_another_project_cannot_be_ended_through_this_one(client, project):
    other, team = make_project(), make_team()
    share = other.shares.create(team=team, role=other.team.roles.first())
    assert client.post(reverse("project_unshare", args=["claims", share.pk])).status_code == 404
    assert other.shares.exists()


def test_archived_it_is_read_and_opened_again(client, project):
    client.post(reverse("project_archive", args=["claims"]))
    project.refresh_from_db()
    assert project.archived_at
    assert client.get(reverse("interaction_list", args=["claims"])).status_code == 200
    client.post(reverse("project_unarchive", args=["claims"]))
    project.refresh_from_db()
    assert project.archived_at is None


def test_it_is_deleted_only_when_its_key_is_typed(client, project):
    address = reverse("project_delete", args=["claims"])
    answer = client.post(address, {"key": "claim"})
    assert answer.status_code == 422
    assert "key" in answer.context["delete_form"].errors
    assert client.post(address, {"key": "claims"}).status_code == 302
    assert client.get(reverse("interaction_list", args=["claims"])).status_code == 404
    answer = create(client, key="claims", team=project.team.key)
    assert "was deleted" in str(answer.context["form"].errors["key"])


@pytest.mark.parametrize("role", sorted(key for key, (_, may) in ROLES.items() if "project.manage" not in may))
def test_only_those_who_manage_it_come_to_its_settings(client, project, role):
    client.force_login(make_user(team=project.team, role=role))
    assert client.get(reverse("project_settings", args=["claims"])).status_code == 403
    for name in ("project_share", "project_archive", "project_unarchive", "project_delete"):
        assert client.post(reverse(name, args=["claims"]), {"key": "claims"}).status_code == 403
    page = client.get(reverse("project_list")).content.decode()
    assert reverse("project_settings", args=["claims"]) not in page
    assert Project.objects.get().deleted_at is None


def test_two_teams_may_use_one_key_and_each_project_has_a_way_to_it(client):
    older, younger = make_project("same"), make_project("same")
    user = make_user(team=older.team)
    older.team.memberships.filter(user=user).update(team=older.team)
    younger.shares.create(team=older.team, role=younger.team.roles.get(key="auditor"))
    client.force_login(user)
    page = client.get(reverse("project_list")).content.decode()
    assert reverse("interaction_list", args=["same"]) in page
    assert reverse("interaction_list", args=[younger.uid]) in page
    assert client.get(reverse("interaction_list", args=[younger.uid])).context["project"] == younger


def test_a_page_without_projects_says_whom_to_ask(client):
    client.force_login(make_user())
    assert "Ask an administrator" in client.get(reverse("project_list")).content.decode()


def test_the_page_of_an_empty_project_shows_calls_for_it(client, project):
    page = client.get(reverse("interaction_list", args=["claims"])).content.decode()
    assert "Log the first interaction" in page
    assert "http://testserver/api/v1/interactions" in page
    assert "YOUR_API_KEY" in page


def test_it_leads_to_where_a_file_goes_and_where_feedback_is_defined(client, project):
    page = client.get(reverse("interaction_list", args=["claims"])).content.decode()
    assert "http://testserver/api/v1/interactions/batch?project=claims" in page
    assert reverse("feedback_key_create", args=["claims"]) in page
    client.force_login(make_user(team=project.team, role="auditor"))
    page = client.get(reverse("interaction_list", args=["claims"])).content.decode()
    assert reverse("feedback_key_create", args=["claims"]) not in page
    assert f'class="card" href="{reverse("feedback_key_list", args=["claims"])}"' in page


def test_it_makes_a_key_right_there_and_shows_it_in_the_calls(client, project):
    answer = client.post(reverse("project_first_key", args=["claims"]))
    key = ApiKey.objects.get(user=owner_of(project))
    assert answer.context["api_key"].startswith(key.hint)
    assert (
        answer.content.decode().count(answer.context["api_key"]) == 5
    )  # curl, Python, a file, the key itself and its button
    assert "no-store" in answer.headers["Cache-Control"]
    part = client.post(reverse("project_first_key", args=["claims"]), headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith('<div class="hello"')


def test_who_may_not_log_makes_no_key_there(client, project):
    client.force_login(make_user(team=project.team, role="auditor"))
    assert "Make a key" not in client.get(reverse("interaction_list", args=["claims"])).content.decode()
    assert client.post(reverse("project_first_key", args=["claims"])).status_code == 403
    assert not ApiKey.objects.exists()


def test_it_listens_until_the_first_interaction_comes_and_opens_it(client, project):
    address = reverse("project_first", args=["claims"])
    assert client.get(address).status_code == 204
    interaction = make_interaction(project)
    detail = reverse("interaction_detail", args=["claims", interaction.pk])
    assert client.get(address).headers["Location"] == detail
    assert client.get(address, headers={"HX-Request": "true"}).headers["HX-Redirect"] == detail


def test_an_archived_empty_project_says_that_it_takes_nothing(client, project):
    archive_project(project=project)
    assert "This project is archived" in client.get(reverse("interaction_list", args=["claims"])).content.decode()


def test_who_renames_from_what_she_saw_tells_the_name_that_it_had(project):
    stale = Project.objects.get(pk=project.pk)
    rename_project(project=project, name="Motor", by=owner_of(project))
    rename_project(project=stale, name="Motor desk", by=owner_of(project))
    rename_project(project=stale, name="Motor desk", by=owner_of(project))
    told = AuditEntry.objects.filter(verb="project.rename").order_by("pk").values_list("before__name", "after__name")
    assert list(told) == [("Claims", "Motor"), ("Motor", "Motor desk")]
