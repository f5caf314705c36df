"""Records that arrive together share one look at the gate and one commit; each hears of its own."""

import os
import random
import threading
import time

import pytest
from django.conf import settings
from django.db import connection, connections
from django.db.utils import OperationalError
from django.test import Client

from accounts.models import ApiKey
from interactions.ingest import batches
from interactions.ingest.arriving import MOST, Arriving
from interactions.models import Dimension, Interaction
from interactions.rollups import totals
from projects.services import archive_project
from tests.conftest import Api
from tests.factories import make_project, make_user, owner_of

THREADS = 8


def together(*calls):
    """What each call returned or raised, all begun at once."""
    answers, start = [None] * len(calls), threading.Barrier(len(calls))

    def run(place):
        start.wait()
        try:
            answers[place] = calls[place]()
        except BaseException as error:  # noqa: BLE001
            answers[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


class Held:
    """A row of those who wait, behind a first one that stores until it is let go."""

    def __init__(self, arriving):
        self.arriving, self.begun, self.open, self.stored = arriving, threading.Event(), threading.Event(), []
        self.first = threading.Thread(target=arriving.store, args=("a", [0], self._hold))
        self.first.start()
        self.begun.wait(10)

    def _hold(self, entries):
        self.begun.set()
        self.open.wait(10)
        self.stored.append(entries)

    def others(self, calls):
        """What the calls answer, all of which waited for the first."""
        letting = threading.Thread(target=self._let_go, args=(len(calls),))
        letting.start()
        answers = together(*calls)
        self.first.join()
        return answers

    def _let_go(self, number):
        while len(self.arriving._row) < number:  # noqa: SLF001
            time.sleep(0.005)
        self.open.set()


@pytest.fixture
def no_transaction(transactional_db):
    """Nothing is shared inside a transaction that a test has open."""


def test_those_of_one_kind_that_wait_are_stored_by_one_of_them(no_transaction):
    arriving = Arriving()
    held, stored = Held(arriving), []

    def call(kind, number):
        return lambda: arriving.store(kind, [number], stored.append)

    assert held.others([call("ab"[number % 2], number) for number in range(10)]) == [None] * 10
    assert sorted(sorted(entries) for entries in stored) == [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]]


def test_no_more_than_a_commit_should_hold_go_together(no_transaction):
    arriving = Arriving()
    held, stored = Held(arriving), []
    many = [lambda: arriving.store("a", list(range(MOST - 1)), stored.append) for _ in range(3)]
    assert held.others(many) == [None] * 3
    assert [len(entries) for entries in stored] == [MOST - 1] * 3


def test_one_that_cannot_be_stored_keeps_no_other_out(no_transaction):
    arriving = Arriving()
    held, stored = Held(arriving), []

    def store(entries):
        if 3 in entries:
            raise ValueError("three")
        stored.extend(entries)

    answers = held.others([lambda number=number: arriving.store("a", [number], store) for number in range(5)])
    assert [str(answer) for answer in answers] == ["None", "None", "None", "three", "None"]
    assert sorted(stored) == [0, 1, 2, 4]


@pytest.mark.parametrize("broken", [OperationalError("gone"), SystemExit()])
def test_a_commit_that_breaks_off_is_acknowledged_to_nobody(no_transaction, broken):
    arriving = Arriving()
    held = Held(arriving)

    def store(entries):
        raise broken

    answers = held.others([lambda: arriving.store("a", [1], store) for _ in range(4)])
    assert all(isinstance(answer, OperationalError | SystemExit) for answer in answers)
    arriving.store("a", [2], lambda entries: None)  # and the next one is served


def test_what_many_log_at_once_is_all_there_and_counted(no_transaction, project):
    api = Api(Client(), owner_of(project))
    other = make_project()
    elsewhere = Api(Client(), owner_of(other))
    stranger = Api(Client(), make_user())

    def client_of(number):
        def send():
            rng, answers = random.Random(number), []
            mine = Api(Client(), api.user)
            for place in range(12):
                record = {"prompt": f"{number} {place}", "completion": "Yes.", "labels": {"n": str(rng.randrange(3))}}
                answers.append(mine.log(project, **record, model=f"m{place % 2}").status_code)
                answers.append(mine.log(project, prompt="", completion=7).status_code)
            return answers

        return send

    calls = [client_of(number) for number in range(THREADS)]
    calls += [lambda: elsewhere.log(other).status_code, lambda: stranger.log(project).status_code]
    *many, one, refused = together(*calls)
    assert many == [[201, 400] * 12] * THREADS
    assert (one, refused) == (201, 404)
    assert Interaction.objects.filter(project=project).count() == 12 * THREADS
    assert Interaction.objects.filter(project=other).count() == 1
    assert sum(totals(project, Dimension.ALL).values()) == 12 * THREADS
    assert list(totals(project, Dimension.MODEL).values()) == [6 * THREADS] * 2
    assert sum(totals(project, Dimension.LABEL).values()) == 12 * THREADS


def test_who_may_not_log_hears_that_before_what_is_wrong_with_the_record(api, project):
    api.headers = {"Authorization": "Bearer mg_nobody"}
    assert api.log(project, completion=7).status_code == 401
    assert api.send("post", "interactions", raw="{").status_code == 401
    api.headers = {}
    assert api.log(project).status_code == 401


def test_people_are_told_apart_whatever_else_they_send(no_transaction, project):
    """Who comes with a session is asked for it, each alone, even where a header that means nothing here is the same."""
    clients = {user: Client(headers={"Authorization": "Basic eDp5"}) for user in (owner_of(project), make_user())}
    for user, client in clients.items():
        client.force_login(user)

    def call_of(client):
        record = {"project": project.key, "prompt": "Am I?", "completion": "Yes."}
        return lambda: client.post("/api/v1/interactions", record, content_type="application/json").status_code

    assert together(*map(call_of, clients.values())) == [201, 404]
    assert Interaction.objects.get().logged_by == owner_of(project)


def test_a_key_that_was_revoked_logs_nothing_more(api, project):
    assert api.log(project).status_code == 201
    ApiKey.objects.update(revoked_at="2026-01-01T00:00Z")
    assert api.log(project).status_code == 401
    assert Interaction.objects.count() == 1


def test_a_project_that_was_archived_takes_nothing_more(api, project):
    assert api.log(project).status_code == 201
    archive_project(project=project)
    assert api.log(project).status_code == 409
    assert api.log(project, completion=7).status_code == 409
    assert Interaction.objects.count() == 1


def test_the_words_of_a_text_are_those_between_the_signs(db):
    """Whatever stands between them, the index cuts a text as it would one without any sign, with their order known
    or not."""
    rng = random.Random(5)
    signs = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    others = "äßéñ—„“…«日本語ไทย中文𠀀кирİς\u0301\u200b\u00ad½٣\u2028"
    parts = ["http", "www", "com", "a", "b1", "1", "1e5", "0x1f", "v2", "//", "<!--", "-->", "&amp;", "://", " ", "\n"]
    texts = [
        "".join(rng.choice(parts) if rng.random() < 0.5 else rng.choice(signs + others) for _ in range(30))
        for _ in range(3_000)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t FROM (SELECT t, interactions_plain(t || ' end') AS plain,
                json_build_array(json_build_object('role', 'user', 'content', t)) AS sent
                FROM unnest(%s::text[]) AS t) AS texts
            WHERE to_tsvector('simple', plain) <> interactions_words_in_order(sent, 'end')
                OR array_to_tsvector(regexp_split_to_array(btrim(lower(plain), E' \\n'), E'[ \\n]+'))
                    <> interactions_words(sent, 'end')
            """,
            [texts],
        )
        assert cursor.fetchall() == []


def test_a_batch_is_stored_by_a_process_that_leaves_the_processor_to_others(no_transaction, monkeypatch):
    def niceness():
        connection.ensure_connection()
        return os.getpriority(os.PRIO_PROCESS, connection.connection.info.backend_pid) if settings.EMBEDDED else None

    found, told = [], batches._told
    monkeypatch.setattr(batches, "_told", lambda *given: (found.append(niceness()), told(*given))[1])
    owner = owner_of(project := make_project())
    numbered = batches.read_list(project, [{"prompt": "Hello", "completion": "Hello."}] * 3)
    stored = batches.ingest_many(admit=lambda: project, numbered=numbered, by=owner)
    assert [one.outcome.error for one in stored] == [None] * 3
    assert len(found) == 1
    assert not settings.EMBEDDED or found[0] > niceness()
