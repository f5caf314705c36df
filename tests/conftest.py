"""What every test may ask for: a project with its owner, and a program that speaks for her."""

import json

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.management.commands import flush
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client
from django.test.client import ClientHandler
from hypothesis import HealthCheck, settings

from interactions import ids, partitions
from interactions.ingest import arriving
from interactions.labels import dictionary
from interactions.search import spans
from tests.factories import bearer, make_project, owner_of

AUDIT_LOG = "accounts_auditentry"

settings.register_profile(
    "usual",
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile("often", settings.get_profile("usual"), max_examples=500, derandomize=False)
settings.load_profile("usual")


def pytest_collection_modifyitems(items):
    """What waits the longest comes first: at the end one core would wait for it alone."""
    items.sort(key=lambda item: item.path.name != "test_supervisor.py")


class Api:
    """The API as one person's program calls it, through Django's client."""

    def __init__(self, client, user):
        self.client, self.user, self.headers = client, user, bearer(user)

    def get(self, path, query=None):
        return self.client.get(f"/api/v1/{path}", query, headers=self.headers)

    def send(self, method, path, body=None, *, raw=None, content_type="application/json", **headers):
        data = json.dumps(body) if raw is None else raw
        all_headers = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.generic(
            method.upper(), f"/api/v1/{path}", data, content_type=content_type, headers=all_headers
        )

    def post(self, path, body=None, **options):
        return self.send("post", path, body, **options)

    def put(self, path, body):
        return self.send("put", path, body)

    def delete(self, path):
        return self.send("delete", path)

    def log(self, project, **record):
        """Post one interaction; what is not said is ordinary."""
        ordinary = {"messages": [{"role": "user", "content": "Am I covered?"}], "completion": "Yes."}
        if "prompt" in record:
            del ordinary["messages"]
        return self.post("interactions", {"project": project.key, **ordinary, **record})


@pytest.fixture
def django_assert_num_queries(django_assert_num_queries, monkeypatch):
    """What is remembered for a while stays so, however slow the machine: asking again is not the page's."""
    for module in (dictionary, spans):
        monkeypatch.setattr(module, "KEPT", 3_600)
    _forget()
    yield django_assert_num_queries
    _forget()


def _forget():
    dictionary._given_up.clear()
    spans._known["until"] = 0.0


@pytest.fixture(scope="session", autouse=True)
def no_idle_connection():
    """The thread that stores ends with its work: a connection left open would keep the database from being dropped."""
    arriving.IDLE = 0


def _deleting(operations, style, tables, **options):
    """Few rows are deleted in a moment; TRUNCATE makes every table, partition and index anew, which takes a second. Of
    the audit log no row may be deleted."""
    return [f"{'TRUNCATE' if table == AUDIT_LOG else 'DELETE FROM'} {operations.quote_name(table)}" for table in tables]


@pytest.fixture(scope="session", autouse=True)
def quick_flush():
    """What a test has committed goes by DELETE; nothing here asks for the rows that a migration's end would make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", _deleting)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *given: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_passwords():
    """A password takes a millisecond: what it should cost who guesses is no test's subject."""
    with pytest.MonkeyPatch.context() as patch:
        for name, least in (("time_cost", 1), ("memory_cost", 8), ("parallelism", 1)):
            patch.setattr(Argon2PasswordHasher, name, least)
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """This month's partitions are there before the first test, as the worker leaves them."""
    with django_db_blocker.unblock():
        partitions.ensure_ahead()


@pytest.fixture(scope="session")
def handler():
    """One for all clients: its middleware looks through the static files when it is made."""
    return ClientHandler(enforce_csrf_checks=False)


@pytest.fixture
def client(handler):
    client = Client()
    client.handler = handler
    return client


@pytest.fixture
def project(db):
    return make_project()


@pytest.fixture
def owner(project):
    return owner_of(project)


@pytest.fixture
def api(client, owner):
    return Api(client, owner)


@pytest.fixture
def no_past_months(db):
    """What other tests' imports of the past have made is out of the way: partitions stay where rows do not."""
    this = f"{ids.now():%Y%m}"
    with connection.cursor() as cursor:
        for family in partitions.families():
            cursor.execute(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", family[:1]
            )
            for (name,) in cursor.fetchall():
                month = name.rpartition("_")[2]
                if month < this[: len(month)]:
                    cursor.execute(f'DROP TABLE "{name}"')
