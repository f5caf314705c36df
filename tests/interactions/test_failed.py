"""Calls that failed: marked in their row when they are logged, found by has_error, told on every page."""

import importlib
import json

import pytest
from django.apps import apps
from django.db import IntegrityError, connection
from django.urls import reverse
from procrastinate.contrib.django import app

from interactions import tasks
from interactions.failed import mark_failed
from interactions.models import Interaction
from tests.factories import make_interaction, owner_of
from tests.interactions.batch import send_batch

pytestmark = pytest.mark.django_db
FAILED = [
    {"error": {"code": "timeout", "message": "The provider did not answer."}},
    {"error": "no route"},
    {"error": {"code": 5}},
    {"broke_off": "gateway"},
    {"broke_off": "provider", "error": {"code": "broken_off"}},
]
FINE = [{}, {"error": None}, {"error": ""}, {"error": {}}, {"broke_off": "client"}, {"request": {"error": "theirs"}}]


@pytest.fixture
def logged(project):
    """(those that failed, those that did not), oldest first."""
    return tuple([make_interaction(project, metadata=one, completion="") for one in some] for some in (FAILED, FINE))


def found(api, project, **query):
    answer = api.get("interactions", {"project": project.key, "fields": "id", **query})
    assert answer.status_code == 200, answer.content
    return {one["id"] for one in answer.json()["results"]}


def ids_of(rows):
    return {str(row.pk) for row in rows}


def test_calls_that_failed_are_found_however_they_were_logged(api, project, logged):
    failed, fine = logged
    batch = [{"prompt": "p", "completion": "", "metadata": {"error": {"code": "x"}}, "labels": {"from": "batch"}}]
    records = batch * 60 + [{"prompt": "p", "completion": "c"}]
    _, answer = send_batch(api, project, "\n".join(map(json.dumps, records)).encode())
    assert answer["accepted"] == 61
    assert found(api, project, has_error="true", not_label="from") == ids_of(failed)
    assert found(api, project, has_error="false", not_label="from") >= ids_of(fine)
    assert len(found(api, project, has_error="true", label="from:batch", limit=100)) == 60
    assert Interaction.objects.filter(failed=True).count() == 65
    assert api.get("interactions", {"project": project.key, "has_error": "maybe"}).status_code == 400


def test_the_table_tells_which_calls_failed(client, project, logged):
    make_interaction(project, metadata=FAILED[0], completion="Half an")
    client.force_login(owner_of(project))
    page = client.get(reverse("interaction_list", kwargs={"project": project.key}), {"has_error": "true"})
    text = page.content.decode()
    assert [(chip.kind, chip.text) for chip in page.context["chips"]] == [("call", "failed")]
    assert text.count('<p dir="auto"><span class="bad">failed</span> </p>') == len(FAILED)
    assert '<span class="bad">failed</span> Half an</p>' in text
    assert 'name="has_error" value="true" checked' in text
    page = client.get(reverse("interaction_list", kwargs={"project": project.key}), {"has_error": "false"})
    assert [(chip.kind, chip.text) for chip in page.context["chips"]] == [("call", "not failed")]
    assert '<span class="bad">failed</span>' not in page.content.decode()


@pytest.mark.parametrize(
    ("number", "told"),
    list(
        enumerate(
            ["The provider did not answer.", "no route", "{&quot;code&quot;:5}", "The gateway was stopped.", "broken"]
        )
    ),
)
def test_the_detail_tells_that_and_why_a_call_failed(client, project, number, told):
    client.force_login(owner_of(project))
    made = make_interaction(project, metadata=FAILED[number], completion="")
    text = client.get(reverse("interaction_detail", kwargs={"project": project.key, "pk": made.pk})).content.decode()
    assert '<span class="small bad">failed</span>' in text
    assert "Failed: <bdi>" in text and told in text.partition("Failed: <bdi>")[2][:200]


def forget():
    """As it was before rows told of it."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE interactions_interaction SET failed = false")


def test_what_was_logged_before_is_marked_slice_by_slice(api, project, logged):
    failed, _ = logged
    odd = {"metadata": {"note": "what PostgreSQL cannot read: \x00", "error": 1}}
    with connection.cursor() as cursor:
        stored = "UPDATE interactions_interactionbody SET envelope = %s::json WHERE id = %s"
        cursor.execute(stored, [json.dumps(odd), failed[1].pk])
    forget()
    assert found(api, project, has_error="true") == set()
    after, steps = None, 0
    while (after := mark_failed(after, 2)) is not None:
        steps += 1
    assert (steps, found(api, project, has_error="true")) == (6, ids_of(failed))


def test_marking_goes_on_where_its_time_was_up(api, project, logged, monkeypatch):
    forget()
    monkeypatch.setattr(tasks, "LOOKED_AT", 3)
    monkeypatch.setattr(tasks, "TURN", 0)
    begun, waiting = 0, [None]
    monkeypatch.setattr(type(tasks.mark_past_calls), "defer", lambda self, **given: waiting.append(given["after"]))
    while waiting:
        tasks.mark_past_calls(after=waiting.pop())
        begun += 1
    assert begun == 5
    assert found(api, project, has_error="true") == ids_of(logged[0])
    assert "interactions.mark_failed" in app.tasks


@pytest.mark.django_db(transaction=True)
def test_the_index_is_made_where_the_migration_was_killed(project):
    """Between making one of a partition and giving it its place, and while making one."""
    migration = importlib.import_module("interactions.migrations.0013_failed_calls")
    for _ in range(2):
        make_interaction(project)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM interactions_interaction LIMIT 1")
        [filled] = cursor.fetchone()
        other = next(one for one in parts(cursor) if one != filled)
        cursor.execute("DROP INDEX interaction_failed")
        cursor.execute(f"CREATE INDEX {other}_failed ON {other} (project_id, id) WHERE failed")
        with pytest.raises(IntegrityError):
            cursor.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {filled}_failed ON {filled} (project_id)")
        assert whole(cursor, f"{filled}_failed") is False
        for _ in range(2):
            migration.make_index(apps, connection.schema_editor(atomic=False))
        assert all(whole(cursor, f"{one}_failed") for one in parts(cursor))
        assert whole(cursor, "interaction_failed")
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [f"{filled}_failed"])
        assert cursor.fetchone()[0].endswith("(project_id, id) WHERE failed")


def parts(cursor):
    cursor.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'interactions_interaction'::regclass"
    )
    return [name for (name,) in cursor.fetchall()]


def whole(cursor, index):
    cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = %s::regclass", [index])
    return cursor.fetchone()[0]
