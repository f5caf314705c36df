"""Logging that fails never fails the answer: what cannot be logged waits beside the data, and is logged once."""

import time
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.db.utils import DataError, OperationalError

from accounts.models import User
from gateway import keeping
from gateway.figures import Figures
from gateway.keeping import Keeper, Kept, Passed
from gateway.spool import Spool, line_of
from interactions import ids
from interactions.models import Interaction
from projects.services import archive_project, delete_project
from tests.factories import make_project, owner_of
from tests.gateway.conftest import said


def wait_for(true, seconds=5):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def away(monkeypatch):
    """The database takes nothing until `.back()` is called."""
    ingest = keeping.ingest

    def refuse(**given):
        raise OperationalError("The server is gone.")

    monkeypatch.setattr(keeping, "ingest", refuse)
    monkeypatch.setattr(keeping, "PAUSE", 0.05)
    return SimpleNamespace(back=lambda: monkeypatch.setattr(keeping, "ingest", ingest))


def test_an_answer_comes_without_the_database_and_is_logged_when_it_is_back(http, client, desk, logged, away, served):
    answer = client.chat.completions.with_raw_response.create(model="desk", messages=said())
    assert answer.headers["x-marginalia-logged"] == "later"
    assert list(client.chat.completions.create(model="desk", messages=said(), stream=True))
    assert sum(path.stat().st_size for path in (served.folder / "spool").iterdir()) > 500
    assert "marginalia_gateway_interactions_spooled_total 2" in http.get("/openai/v1/metrics").text
    logged(0)
    away.back()
    rows = logged(2)
    assert {row.api_key.user for row in rows} == {desk.owner}
    assert answer.parse().choices[0].completion_id == str(rows[0].pk)
    assert rows[0].body.completion == "the answer is that you [65]"
    wait_for(lambda: not list((served.folder / "spool").iterdir()))


def test_a_database_that_was_started_anew_is_found_again(client, desk, logged):
    client.chat.completions.create(model="desk", messages=said())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    answer = client.chat.completions.with_raw_response.create(model="desk", messages=said())
    assert "x-marginalia-logged" not in answer.headers
    logged(2)


@pytest.fixture
def keeper(transactional_db, tmp_path, settings):
    settings.DATA_DIR, settings.GATEWAY_SPOOL_MB = tmp_path, 1
    keeper = Keeper(Figures())
    yield keeper
    keeper.close()


def passed(project, text="Yes.", **record):
    record = {"messages": said(), "completion": text, "source": "live", **record}
    return Passed(project, owner_of(project), ids.make(ids.now()), None, record)


def test_a_full_spool_loses_what_comes_and_says_so(keeper, away):
    project = make_project()
    large = [passed(project, "x" * 300_000) for _ in range(4)]
    assert [keeper.keep([one]).result(5) for one in large] == [Kept.LATER] * 3 + [Kept.NO]
    assert keeper.is_full
    assert (keeper._figures.spooled, keeper._figures.lost) == (3, 1)
    assert "interactions_lost_total 1" in keeper._figures.text()
    away.back()
    wait_for(lambda: Interaction.objects.count() == 3)
    wait_for(lambda: not keeper.is_full)
    assert keeper.keep([passed(project)]).result(5) == Kept.NOW


def test_what_waits_is_logged_once_whatever_was_stored_before_the_answer_got_lost(keeper, monkeypatch):
    project, ingest = make_project(), keeping.ingest

    def deaf(**given):
        ingest(**given)
        monkeypatch.setattr(keeping, "ingest", ingest)
        raise OperationalError("The connection broke before the commit was told.")

    monkeypatch.setattr(keeping, "ingest", deaf)
    some = [passed(project), passed(project)]
    assert keeper.keep(some).result(5) == Kept.LATER
    wait_for(lambda: keeper._spool.is_empty)
    assert set(Interaction.objects.values_list("pk", flat=True)) == {one.id for one in some}


def test_a_database_that_is_stuck_holds_no_answer(keeper, monkeypatch):
    monkeypatch.setattr(keeping, "PATIENCE", 0.3)
    one = passed(make_project())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE interactions_interaction")
        assert keeper.keep([one]).result(5) == Kept.LATER
    wait_for(lambda: Interaction.objects.filter(pk=one.id).exists())


def test_what_waits_goes_with_its_project(keeper, away, tmp_path):
    deleted, archived = make_project(), make_project()
    some = [passed(deleted, "said in confidence"), passed(archived, "said to be kept")]
    assert keeper.keep(some).result(5) == Kept.LATER
    delete_project(project=deleted)
    archive_project(project=archived)
    away.back()
    wait_for(lambda: keeper._spool.is_empty)
    aside = (tmp_path / "spool" / "refused.log").read_text()
    assert "said to be kept" in aside and "in confidence" not in aside
    assert not Interaction.objects.exists()


def test_what_was_set_aside_goes_when_its_project_is_deleted(keeper, away, tmp_path, monkeypatch):
    projects = [make_project(), make_project()]
    assert keeper.keep([passed(one, f"of {one.pk}.") for one in projects]).result(5) == Kept.LATER
    for one in projects:
        archive_project(project=one)
    away.back()
    wait_for(lambda: keeper._spool.is_empty)
    aside = tmp_path / "spool" / "refused.log"
    assert aside.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(keeping, "FORGETTING", 0.1)
    delete_project(project=projects[0])
    wait_for(lambda: f"of {projects[0].pk}." not in aside.read_text())
    assert f"of {projects[1].pk}." in aside.read_text()
    delete_project(project=projects[1])
    wait_for(lambda: not aside.exists())


def test_what_passed_while_its_project_was_deleted_is_kept_nowhere(keeper, tmp_path):
    project = make_project()
    one = passed(project, "said in confidence")
    delete_project(project=type(project).objects.get(pk=project.pk))
    assert keeper.keep([one]).result(5) == Kept.NO
    assert not list((tmp_path / "spool").iterdir()) and not Interaction.objects.exists()


def test_one_that_the_store_refuses_takes_no_other_with_it(keeper, monkeypatch, tmp_path):
    project, ingest = make_project(), keeping.ingest

    def picky(*, records, **given):
        if any("poison" in record["completion"] for record in records):
            raise DataError("This cannot be stored.")
        return ingest(records=records, **given)

    monkeypatch.setattr(keeping, "ingest", picky)
    bad = keeper.keep([passed(project, "poison"), passed(project)])
    good = keeper.keep([passed(project)])
    assert (bad.result(5), good.result(5)) == (Kept.LATER, Kept.NOW)
    wait_for(lambda: keeper._spool.is_empty)
    assert Interaction.objects.count() == 2
    assert "poison" in (tmp_path / "spool" / "refused.log").read_text()


def test_a_spool_outlives_its_process_and_a_line_that_was_cut_off(tmp_path):
    spool = Spool(tmp_path / "spool", 10_000)
    lines = [line_of(project_id=1, by=User(pk=1), id=number, arm=None, record={}) for number in range(3)]
    assert spool.add(lines) == 3
    [path] = (tmp_path / "spool").iterdir()
    with open(path, "ab") as file:
        file.write(b'{"project": 1, "by')
    again = Spool(tmp_path / "spool", 10_000)
    assert again.add(lines[:1]) == 1
    assert again.oldest()[1] == lines
    again.done(again.oldest()[0])
    assert again.oldest()[1] == lines[:1]
    assert again.add([{"long": "x" * 20_000}]) == 0


ODD = ["a\ud83d", "a\\\ud83d\x00", "\ude00\ud83d", "ß😀\n"]


def test_what_waits_reads_back_as_it_was_even_where_it_is_no_unicode(tmp_path):
    spool = Spool(tmp_path / "spool", 10_000)
    lines = [{"record": {text: text}} for text in ODD]
    assert spool.add(lines) == len(lines)
    path, read = spool.oldest()
    assert read == lines
    spool.done(path, read)
    assert (tmp_path / "spool" / "refused.log").read_text().count("\n") == len(lines)


def test_one_that_no_database_could_keep_waits_beside_the_others_and_takes_none_with_it(keeper, away, tmp_path):
    project = make_project()
    some = [passed(project, "half a pair: \ud83d"), passed(project)]
    assert keeper.keep(some).result(5) == Kept.LATER
    away.back()
    wait_for(lambda: keeper._spool.is_empty)
    assert list(Interaction.objects.values_list("pk", flat=True)) == [some[1].id]
    assert str(some[0].id) in (tmp_path / "spool" / "refused.log").read_text()
