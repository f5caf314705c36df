"""The rule of days: what is told is what goes, whole months and slices, held ones whole, roll-ups exact."""

import datetime
import json
import threading
import time

import pytest
from django.db import connection, transaction
from django.test import Client

from feedback import rollups as given_rollups
from interactions import ids, partitions, rollups
from interactions.ingest.removal import delete_interactions
from interactions.labels import labels_of, set_label
from interactions.models import Claim, Departure, Interaction
from interactions.proof import prove
from interactions.retention import months
from interactions.retention.holds import hold
from interactions.retention.rule import plan, whole_spans
from interactions.retention.run import run
from projects.services import keep_for
from tests.conftest import Api
from tests.factories import make_interaction, make_project, owner_of
from tests.feedback.compared import by_ids, make_key
from tests.interactions.lived import live
from tests.interactions.stored import stored

pytestmark = pytest.mark.usefixtures("no_past_months")
NOW = ids.now()
OLD = NOW - datetime.timedelta(days=200)


def old(project, days=200, **record):
    """An interaction that was created so many days ago."""
    return make_interaction(project, created_at=(NOW - datetime.timedelta(days=days)).isoformat(), **record)


def everything_of(api, pk):
    """All that the API tells of an interaction."""
    told = [api.get(f"interactions/{pk}").json()]
    return told + [api.get(f"interactions/{pk}/{part}").json() for part in ("feedback", "correction", "notes")]


def suffixes():
    """Which spans have partitions, by the beginning of each."""
    return {ids.time_of(lower) for lower, _ in partitions.spans()}


def fold():
    while rollups.fold() or given_rollups.fold():
        pass


def claims_due():
    """How many external ids there are, in the rows themselves."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM interactions_interactionbody WHERE envelope->>'external_id' IS NOT NULL)"
            " + (SELECT count(external_id) FROM feedback_feedback)"
            " + (SELECT count(DISTINCT external_id) FROM feedback_preference)"
        )
        return cursor.fetchone()[0]


def test_without_a_rule_everything_is_kept_for_ever(api, project):
    live(api, project)
    before = stored()
    assert plan(NOW) == []
    run(NOW)
    assert stored() == before


def test_a_month_that_nobody_keeps_goes_whole_and_nothing_of_it_is_left(api, project):
    left = live(api, project)
    fold()
    keep_for(project=project, days=100)
    [told] = plan(NOW)
    assert (told.n, told.months, told.held) == (6, 3, 0)
    assert not run(NOW)
    assert Interaction.objects.count() == len(left) - 6
    assert all(start.year >= 2026 for start in suffixes())
    ways = Departure.objects.values_list("way", "n")
    assert sorted(ways) == [("month", 2)] * 3
    assert prove().n == 0
    fold()
    assert prove().n == 0
    assert plan(NOW)[0].n == 0
    assert Claim.objects.count() == claims_due()


@pytest.mark.parametrize("folded", [True, False])
def test_what_is_told_is_what_goes_and_what_is_held_stays_whole(api, project, folded):
    left = live(api, project)
    held, partner = left[0], left[1]
    api.put(f"interactions/{held}/correction", {"completion": "Better."})
    if folded:
        fold()
    keep_for(project=project, days=100)
    hold(project=project, ids=[Interaction.objects.get(pk=held).pk], reason="Case 7", by=api.user)
    before = {pk: everything_of(api, pk) for pk in (held, partner)}
    sides = comparisons_of(held)
    assert sides
    [told] = plan(NOW)
    assert told.held >= 2
    run(NOW)
    assert {pk: everything_of(api, pk) for pk in (held, partner)} == before
    assert comparisons_of(held) == sides
    assert sum(Departure.objects.values_list("n", flat=True)) == told.n
    assert whole_spans(NOW) == []  # what is held alone is not moved about every night
    assert Claim.objects.count() == claims_due()
    assert prove().n == 0
    assert plan(NOW)[0].n == 0
    assert api.get("interactions", {"project": project.key, "label": "topic"}).json()["count"] > 0


def comparisons_of(pk):
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM feedback_preference WHERE %s IN (interaction_id, other_id) ORDER BY 1, 2", [pk])
        return cursor.fetchall()


def test_no_comparison_is_left_on_one_side(api, project):
    live(api, project)
    keep_for(project=project, days=100)
    run(NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT FROM feedback_preference o"
            " WHERE o.interaction_id = p.other_id AND o.id = p.id)) FROM feedback_preference p"
        )
        there, alone = cursor.fetchone()
    assert there and not alone


def test_where_projects_differ_it_goes_in_slices(api, project, monkeypatch):
    monkeypatch.setattr("interactions.retention.run.SLICE", 2)
    other = make_project(team=project.team)
    theirs = old(other, external_id="theirs")
    mine = [old(project, days=200 - n, external_id=f"mine {n}", labels={"a": "b"}) for n in range(5)]
    simulated = old(project, source="simulation")
    hold(project=project, ids=[mine[2].pk], reason="Case 7", by=api.user)
    keep_for(project=project, days=100)
    assert whole_spans(NOW) == []
    [told] = plan(NOW)
    assert (told.n, told.months, told.held) == (5, 0, 1)
    assert not run(NOW)
    assert set(Interaction.objects.all()) == {theirs, mine[2]}
    [row] = Departure.objects.all()
    assert (row.project, row.way, row.n, row.held) == (project, "slice", 5, 1)
    assert row.start == min(simulated.created_at, mine[0].created_at) or row.start <= mine[1].created_at
    assert prove().n == 0
    assert Claim.objects.count() == 2


def test_the_last_day_that_is_kept_is_kept_whole(project):
    keep_for(project=project, days=10)
    now = datetime.datetime(2026, 5, 20, 4, 17, tzinfo=ids.UTC)
    stays = make_interaction(project, created_at="2026-05-10T00:00:00Z")
    make_interaction(project, created_at="2026-05-09T23:59:59.999Z")
    assert plan(now)[0].n == 1
    run(now)
    assert list(Interaction.objects.all()) == [stays]


def test_a_month_that_went_can_be_logged_into_again_under_the_same_external_ids(api, project, monkeypatch):
    monkeypatch.setattr("interactions.retention.run._free_claims", lambda: iter(()))
    keep_for(project=project, days=100)
    record = {"external_id": "e", "created_at": OLD.isoformat(), "labels": {"a": "b"}}
    first = api.log(project, **record)
    run(NOW)
    assert Claim.objects.count() == 1  # not freed yet
    again = api.log(project, **record)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["completion_id"] != first.json()["completion_id"]
    assert api.log(project, **record).status_code == 200
    run(NOW)
    batch = api.post(f"interactions/batch?project={project.key}", [{"prompt": "a", "completion": "b", **record}] * 2)
    told = json.loads(batch.getvalue())
    assert (told["accepted"], told["duplicates"], set(told["ids"])) == (1, 1, {told["ids"][0]})
    assert prove().n == 0


@pytest.mark.parametrize("preferred_goes", [True, False])
def test_a_comparison_that_went_can_be_given_again_under_its_external_id(api, project, monkeypatch, preferred_goes):
    monkeypatch.setattr("interactions.retention.run._free_claims", lambda: iter(()))
    make_key(project)
    goes, *stay = [old(project, completion="a"), *(make_interaction(project, completion=said) for said in ("b", "c"))]
    sides = [goes, stay[0]] if preferred_goes else [stay[0], goes]
    keep_for(project=project, days=100)

    def compare(preferred, other):
        return api.post("comparison", by_ids(preferred.pk, other.pk, external_id="vote-1")).status_code

    assert compare(*sides) == 201
    run(NOW)
    assert (compare(*stay), compare(*stay)) == (201, 200)
    monkeypatch.undo()
    run(NOW)
    assert Claim.objects.count() == claims_due() == 1
    assert prove().n == 0


def test_a_run_goes_on_where_another_was_broken_off(api, project, monkeypatch):
    monkeypatch.setattr("interactions.retention.run.SLICE", 1)
    make_interaction(make_project(team=project.team), created_at=OLD.isoformat())
    for n in range(4):
        old(project, days=200 - n)
    keep_for(project=project, days=100)
    times = 0
    while run(NOW, seconds=0):
        times += 1
    assert times >= 4
    assert not Interaction.objects.filter(project=project).exists()
    assert [row.n for row in Departure.objects.filter(project=project)] == [4]


def test_tables_that_a_kill_left_behind_are_dropped(project):
    connection.cursor().execute("CREATE TABLE gone_interactions_interaction_200001 (LIKE interactions_interaction)")
    run(NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'gone%' OR relname LIKE 'kept%'")
        assert cursor.fetchone()[0] == 0


def test_a_month_with_too_much_that_is_held_goes_in_slices(api, project, monkeypatch):
    monkeypatch.setattr(months, "MOST_KEPT", 0)
    kept, gone = old(project), old(project)
    hold(project=project, ids=[kept.pk], reason="Case 7", by=api.user)
    keep_for(project=project, days=100)
    run(NOW)
    assert list(Interaction.objects.all()) == [kept]
    assert Departure.objects.get().way == "slice"
    assert gone.pk


def test_deleted_projects_keep_nothing(api, project):
    other = make_project(team=project.team)
    old(other), old(project)
    other.deleted_at = NOW
    other.save()
    keep_for(project=project, days=100)
    assert len(whole_spans(NOW)) >= 1
    run(NOW)
    assert not Interaction.objects.exists()


@pytest.fixture
def impatient(monkeypatch):
    """Give up soon."""
    monkeypatch.setattr(months, "TRIES", 2)
    monkeypatch.setattr(months, "SWAPS", 2)


def in_another_thread(do):
    def run_and_close():
        do()
        connection.close()

    thread = threading.Thread(target=run_and_close)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_a_month_that_somebody_reads_for_long_is_left_whole_for_the_next_night(impatient):
    project = make_project()
    rows = [old(project) for _ in range(3)]
    keep_for(project=project, days=100)
    reading, read = threading.Event(), threading.Event()

    def read_for_long():
        with transaction.atomic():
            list(Interaction.objects.all())
            reading.set()
            read.wait(20)

    thread = in_another_thread(read_for_long)
    reading.wait(20)
    run(NOW)
    assert set(Interaction.objects.all()) == set(rows)
    assert not Departure.objects.exists()
    read.set()
    thread.join()
    run(NOW)
    assert not Interaction.objects.exists()
    assert Departure.objects.get().n == 3
    assert prove().n == 0


@pytest.mark.django_db
def test_a_rule_that_is_taken_back_while_it_is_applied_takes_nothing_more(monkeypatch):
    monkeypatch.setattr("interactions.retention.run.SLICE", 1)
    project, other = make_project(), make_project()
    for days in (11, 12, 13):
        old(project, days)
        old(other, days)  # so that no month goes whole
    keep_for(project=project, days=10)

    def delete_and_keep(**named):
        n = delete_interactions(**named)
        keep_for(project=project, days=None)
        return n

    monkeypatch.setattr("interactions.retention.run.delete_interactions", delete_and_keep)
    run(NOW)
    assert Interaction.objects.filter(project=project).count() == 2
    assert [departure.n for departure in Departure.objects.all()] == [1]


@pytest.mark.django_db(transaction=True)
def test_who_holds_one_waits_for_who_is_deleting_what_it_is_compared_with():
    project = make_project()
    make_key(project, "better")
    one, other = make_interaction(project, completion="a"), make_interaction(project, completion="b")
    owner = owner_of(project)
    Api(Client(), owner).post("comparison", by_ids(one.pk, other.pk))
    deleted, go_on, held = threading.Event(), threading.Event(), threading.Event()

    def delete():
        with transaction.atomic():
            delete_interactions(project=project, ids=[other.pk])
            deleted.set()
            go_on.wait(20)

    def hold_one():
        hold(project=project, ids=[one.pk], reason="Case 7", by=owner)
        held.set()

    threads = [in_another_thread(delete)]
    deleted.wait(20)
    threads.append(in_another_thread(hold_one))
    waited = not held.wait(0.5)
    go_on.set()
    for thread in threads:
        thread.join()
    assert waited and held.is_set()
    assert list(Interaction.objects.filter(project=project)) == [one]


def waiting():
    """How many in this database wait for somebody's lock; the server's own autovacuum may too, and is not counted."""
    with connection.cursor() as cursor:
        # the view pg_stat_activity would be as it was at the transaction's first look
        cursor.execute("""
            SELECT count(*) FROM pg_locks JOIN pg_stat_get_activity(NULL) AS one USING (pid)
            WHERE NOT granted AND backend_type = 'client backend'
                AND datid = (SELECT oid FROM pg_database WHERE datname = current_database())
        """)
        return cursor.fetchone()[0]


def wait_for(happens):
    end = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
def test_what_is_logged_and_labelled_into_a_month_while_it_goes_is_never_half_gone(monkeypatch):
    project, threads = make_project(), []
    rows = [old(project, labels={"a": "b"}) for _ in range(3)]
    held = rows[0]
    hold(project=project, ids=[held.pk], reason="Case 7", by=owner_of(project))
    keep_for(project=project, days=100)
    empty = months._empty

    def empty_beside_writers(cursor, month):
        if not threads:
            for do in (
                lambda: old(project, labels={"a": "c"}, external_id="late"),
                lambda: set_label(interaction=held, key="a", value="d", by=owner_of(project)),
            ):
                threads.append(in_another_thread(do))
            wait_for(lambda: waiting() + sum(not one.is_alive() for one in threads) == len(threads))
        empty(cursor, month)

    monkeypatch.setattr(months, "_empty", empty_beside_writers)
    run(NOW)
    for thread in threads:
        thread.join()
    [departure] = Departure.objects.all()
    assert departure.n + Interaction.objects.count() == 4
    assert labels_of([Interaction.objects.get(pk=held.pk)])[0].labels[0].value == "d"
    assert prove().n == 0
    run(NOW)
    assert [row.pk for row in Interaction.objects.all()] == [held.pk]
    assert prove().n == 0
