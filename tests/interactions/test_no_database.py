"""A call whose connection to the database is cut off: before it, it takes another one; within it, it is told so."""

import pytest
from django.db import connection

from interactions.api import interactions
from projects.access import project_or_404
from tests.conftest import Api
from tests.factories import make_project, owner_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def api(client):
    return Api(client, owner_of(make_project("claims")))


def cut_off():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()


def test_a_call_after_the_database_was_started_anew_works(api):
    cut_off()
    assert api.get("interactions", {"project": "claims"}).json()["results"] == []


def test_a_call_that_loses_the_database_is_a_503_and_the_next_one_works(api, monkeypatch, caplog):
    project = project_or_404(api.user, "claims")
    pk = api.log(project, external_id="one").json()["completion_id"]
    delete = interactions.delete_interactions

    def lose_it(**given):
        cut_off()
        return delete(**given)

    with monkeypatch.context() as within:
        within.setattr(interactions, "delete_interactions", lose_it)
        answer = api.delete(f"interactions/{pk}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "can be sent again" in answer.json()["error"]
    [logged] = [record for record in caplog.records if record.name == "config.api"]
    assert (logged.exc_info, "\n" in logged.getMessage()) == (None, False)
    connection.close()
    assert api.log(project, external_id="one").status_code == 200
    assert api.delete(f"interactions/{pk}").status_code == 204
