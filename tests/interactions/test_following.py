"""A program that follows a project in the order of arrival misses nothing, and asks on for ever."""

import pytest
from django.db import connection

from interactions.search import following
from tests.factories import make_interaction


@pytest.fixture(autouse=True)
def told_at_once(monkeypatch):
    monkeypatch.setattr(following, "UNTOLD", following._TICK)


def ask(api, project, cursor=None, **query):
    query = {"project": project.key, "order": "received_at", "fields": "id", **query}
    answer = api.get("interactions", {**query, **({"cursor": cursor} if cursor else {})})
    assert answer.status_code == 200, answer.content
    page = answer.json()
    assert page["next"] and page["previous"] is None
    return [row["id"] for row in page["results"]], page


def made(project, **record):
    return str(make_interaction(project, **record).pk)


@pytest.mark.django_db
def test_what_is_logged_late_under_an_old_time_comes_when_it_arrives(api, project):
    first = [made(project), made(project, labels={"is": "app"})]
    found, page = ask(api, project, limit=2)
    assert found == first
    found, page = ask(api, project, page["next"])
    assert (found, page["searched_to"]) == ([], None)
    assert ask(api, project, page["next"])[1]["next"] == page["next"]
    late = made(project, created_at="2020-01-01T00:00:00Z")
    simulated, last = made(project, source="simulation"), made(project)
    found, page = ask(api, project, page["next"])
    assert found == [late, last] and simulated not in found
    assert ask(api, project, page["next"])[0] == []
    assert ask(api, project, after="-1d")[0] == [*first, last]
    assert ask(api, project, external_id="unknown")[0] == []


@pytest.mark.django_db
def test_a_look_that_finds_little_says_how_far_it_came_and_goes_on(api, project, monkeypatch):
    monkeypatch.setattr(following, "LOOKED_AT", 3)
    all_ = [made(project, labels={"is": "app"} if n in (0, 6) else {}) for n in range(8)]
    found, page = ask(api, project, label="is:app")
    assert found == all_[:1] and page["searched_to"]
    found, page = ask(api, project, page["next"], label="is:app")
    assert found == [] and page["searched_to"]
    found, page = ask(api, project, page["next"], label="is:app")
    assert (found, page["searched_to"]) == (all_[6:7], None)


@pytest.mark.django_db(transaction=True)
def test_what_may_still_come_between_is_waited_for(api, project):
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1")
            logged = api.log(project).json()["completion_id"]
            assert ask(api, project)[0] == []
            cursor.execute("ROLLBACK")
        assert ask(api, project)[0] == [logged]
    finally:
        other.close()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "name"), [({"cursor": "AAAA"}, "cursor"), ({"fold": "near"}, "fold"), ({"order": "received"}, "order")]
)
def test_what_does_not_go_with_the_order_of_arrival_is_refused(api, project, query, name):
    answer = api.get("interactions", {"project": project.key, "order": "received_at", **query})
    assert answer.status_code == 400 and name in answer.json()["fields"]
    view = api.post(f"projects/{project.key}/views", {"name": "Mine", "filter": "order=received_at"})
    assert view.status_code == 400
