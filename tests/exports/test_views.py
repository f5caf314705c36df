"""Saved views: who sees them, who changes them, and the bar over the table."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exports.models import SavedView
from feedback.services import create_feedback_key, unlink_feedback_key
from tests.conftest import Api
from tests.factories import make_interaction, make_project, make_user, owner_of

pytestmark = pytest.mark.django_db


def views(project):
    return f"projects/{project.key}/views"


def save(api, project, **more):
    answer = api.post(views(project), {"name": "Leaks", "filter": "label=intent:leak", **more})
    assert answer.status_code == 201, answer.content
    return answer.json()


@pytest.fixture
def people(client, project):
    """Program of each: the owner of the view, a teammate, who manages the project, a stranger."""
    mate = make_user(team=project.team, role="annotator")
    owner = make_user(team=project.team, role="annotator")
    users = {"owner": owner, "mate": mate, "manager": owner_of(project), "stranger": make_user()}
    return {name: Api(client, user) for name, user in users.items()}


def test_a_view_is_saved_under_a_key_after_its_name_in_the_one_form_of_its_filter(api, project, owner):
    told = save(api, project, filter="?limit=20&q= late &label=b&label=a:1&label=b&cursor=")
    assert (told["key"], told["filter"], told["owner"]) == ("leaks", "q=late&label=b&label=a%3A1", owner.email)
    assert save(api, project, name="Leaks!")["key"] == "leaks-2"
    assert [one["key"] for one in api.get(views(project)).json()["results"]] == ["leaks", "leaks-2"]


def test_two_views_that_one_person_sees_do_not_have_one_name(people, project):
    save(people["mate"], project, name="Mine")
    save(people["owner"], project, name="Mine")  # neither sees the other's
    save(people["owner"], project, shared=True)

    def refused(answer):
        assert (answer.status_code, "already" in answer.json()["error"]) == (409, True)

    refused(people["owner"].post(views(project), {"name": " leaks"}))
    refused(people["mate"].post(views(project), {"name": "Leaks"}))
    refused(people["mate"].send("patch", f"{views(project)}/mine", {"name": "LEAKS"}))
    refused(people["owner"].send("patch", f"{views(project)}/leaks", {"name": "Mine"}))
    assert people["owner"].send("patch", f"{views(project)}/leaks", {"name": "LEAKS"}).status_code == 200
    page = people["mate"].client
    page.force_login(people["mate"].user)
    for address in (f"/p/{project.key}/views/new?q=a", f"/p/{project.key}/views/mine"):
        answer = page.post(address, {"name": "Leaks"})
        assert answer.status_code == 422 and "choose another name" in answer.content.decode()
    assert SavedView.objects.count() == 3


def test_a_private_view_is_there_for_its_owner_alone(people, project):
    save(people["owner"], project)
    for name, expected in (("owner", 200), ("mate", 404), ("manager", 404), ("stranger", 404)):
        assert people[name].get(f"{views(project)}/leaks").status_code == expected, name
        assert people[name].send("patch", f"{views(project)}/leaks", {"name": "Other"}).status_code == expected, name
    for name in ("mate", "manager"):
        assert people[name].get(views(project)).json() == {"results": []}
        assert people[name].delete(f"{views(project)}/leaks").status_code == 404
        page = people[name].client
        page.force_login(people[name].user)
        assert page.get(f"/p/{project.key}/views/leaks").status_code == 404
        assert "Leaks" not in page.get(f"/p/{project.key}/views").content.decode()
    assert people["owner"].delete(f"{views(project)}/leaks").status_code == 204


def test_a_shared_view_is_seen_by_all_and_changed_by_its_owner_and_who_manages_the_project(people, project):
    save(people["owner"], project, shared=True)
    assert people["mate"].get(f"{views(project)}/leaks").json()["may_change"] is False
    assert people["mate"].send("patch", f"{views(project)}/leaks", {"name": "X"}).status_code == 403
    assert people["mate"].delete(f"{views(project)}/leaks").status_code == 403
    assert people["stranger"].get(f"{views(project)}/leaks").status_code == 404
    assert people["owner"].send("patch", f"{views(project)}/leaks", {"name": "Floods"}).json()["name"] == "Floods"
    changed = people["manager"].send("patch", f"{views(project)}/leaks", {"filter": "q=flood"}).json()
    assert (changed["name"], changed["filter"], changed["key"]) == ("Floods", "q=flood", "leaks")
    assert people["manager"].delete(f"{views(project)}/leaks").status_code == 204


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"name": "A", "filter": "labl=a"}, 400, "labl"),
        ({"name": "A", "filter": "after=soon"}, 400, "ISO 8601"),
        ({"name": "A", "filter": "q=\x00"}, 400, "Null"),
        ({"name": " "}, 400, "1 to 100"),
        ({"name": "A\x00"}, 400, "1 to 100"),
        ({"name": "x" * 101}, 400, "1 to 100"),
        ({}, 400, "name"),
        ({"name": 3}, 400, "text"),
        ({"name": "A", "columns": ["nothing"]}, 400, "nothing"),
        ({"name": "A", "columns": [{}]}, 400, "names"),
        ({"name": "A", "key": "new"}, 400, "key"),
        ({"name": "A", "key": "Not one"}, 400, "key"),
        ({"name": "A", "key": "taken"}, 409, "taken"),
        ({"name": "A", "colour": "red"}, 400, "colour"),
        ({"name": "A", "filter": "q=" + "x" * 5_000}, 400, "filter"),
        ([], 400, "object"),
    ],
)
def test_what_is_no_view_is_refused_by_name(api, project, body, status, said):
    save(api, project, key="taken")
    answer = api.post(views(project), body)
    assert answer.status_code == status and said in answer.content.decode(), answer.content
    assert SavedView.objects.count() == 1


def test_a_view_tells_how_many_it_has(api, project):
    make_interaction(project, labels={"intent": "leak"})
    make_interaction(project)
    save(api, project)
    told = api.get(f"{views(project)}/leaks").json()
    assert (told["count"], told["count_is_capped"]) == (1, False)


def test_a_view_whose_filter_can_no_longer_be_read_stays_and_tells_no_count(api, client, project, owner):
    key, _ = create_feedback_key(team=project.team, key="stars", kind="scalar", projects=[project])
    save(api, project, filter="feedback=stars:4")
    unlink_feedback_key(project=project, key=key)
    assert api.get(f"{views(project)}/leaks").json()["count"] is None
    client.force_login(owner)
    answer = client.get(f"/p/{project.key}/views/counts", headers={"HX-Request": "true"})
    assert answer.status_code == 200 and "Leaks" in answer.content.decode()


def test_the_bar_over_the_table_names_the_views_and_marks_the_one_that_is_shown(client, api, project, owner):
    make_interaction(project, labels={"intent": "leak"})
    make_interaction(project)
    save(api, project)
    client.force_login(owner)
    page = client.get(f"/p/{project.key}/interactions", {"label": "intent:leak"})
    bar = page.context["bar"]
    assert (bar.current.key, bar.is_counted) == ("leaks", False)
    text = page.content.decode()
    assert 'data-key="e"' in text and 'data-key="s"' in text
    counted = client.get(
        f"/p/{project.key}/views/counts", {"label": "intent:leak"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert ">2</span>" in counted and ">1</span>" in counted and counted.count('aria-current="page"') == 1


def test_the_table_takes_as_many_queries_for_one_view_as_for_many(client, api, project, owner):
    make_interaction(project)
    save(api, project)
    client.force_login(owner)
    address = f"/p/{project.key}/interactions"
    queries_of(client, address)  # what is remembered from now on
    one = queries_of(client, address)
    for number in range(9):
        save(api, project, name=f"View {number}", filter=f"q=word{number}")
    assert queries_of(client, address) == one


def queries_of(client, address):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries.captured_queries)


def test_a_view_is_saved_changed_and_deleted_by_forms_alone(client, project, owner):
    client.force_login(owner)
    base = f"/p/{project.key}/views"
    assert client.post(f"{base}/new?label=a%3Ab", {"name": ""}).status_code == 422
    answer = client.post(f"{base}/new?label=a%3Ab", {"name": "Ab", "is_shared": "on", "columns": ["id", "model"],
                                                     "more": "label:a\nlabel:z"})  # fmt: skip
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/p/{project.key}/interactions?label=a%3Ab")
    view = SavedView.objects.get()
    assert (view.key, view.query, view.is_shared) == ("ab", "label=a%3Ab", True)
    assert view.columns == ["id", "model", "label:a", "label:z"]
    client.post(f"{base}/new?q=other", {"replace": "ab", "name": ""})
    client.post(f"{base}/ab", {"name": "Ab two"})
    view.refresh_from_db()
    assert (view.name, view.query, view.is_shared, view.columns) == ("Ab two", "q=other", False, [])
    assert client.post(f"{base}/ab", {"name": "A", "more": "intent"}).status_code == 422
    assert client.post(f"{base}/ab/delete").status_code == 302
    assert not SavedView.objects.exists()


def test_a_filter_that_cannot_be_read_is_told_by_the_table(client, project, owner):
    client.force_login(owner)
    answer = client.get(f"/p/{project.key}/views/new?after=soon")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/p/{project.key}/interactions?after=soon")


def test_views_belong_to_their_project(api, project):
    save(api, project)
    other = make_project(team=project.team)
    assert api.get(f"{views(other)}/leaks").status_code == 404
    assert api.get(views(other)).json() == {"results": []}
