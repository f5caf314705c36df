"""A call whose connection to the database is cut off is told so, and told to come again; the next one works."""

import pytest
from django.db import connection

from tests.conftest import Api
from tests.factories import make_project, owner_of


@pytest.mark.django_db(transaction=True)
def test_a_call_that_loses_the_database_is_a_503_and_the_next_one_works(client):
    project = make_project()
    api = Api(client, owner_of(project))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()
    answer = api.get("interactions", {"project": project.key})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "can be sent again" in answer.json()["error"]
    connection.close()
    assert api.log(project, external_id="one").status_code == 201
    assert api.log(project, external_id="one").status_code == 200
