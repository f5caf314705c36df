"""Many preferences in one request: each stands alone, what is acknowledged is there, and nothing is there twice."""

import gzip
import itertools
import json
import random
import threading
import time

import pytest
import zstandard
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from feedback.models import Preference
from feedback.rollups import fold, pairs
from interactions.ingest import ingest, preferences
from interactions.ingest.once import completion_claim
from interactions.ingest.preferences import PIECE, equal_interactions, take_preferences
from interactions.ingest.removal import delete_interactions
from interactions.models import Claim, Interaction
from interactions.preference_records import read_preference
from interactions.records import read_record
from projects.access import project_or_404
from projects.services import archive_project
from registry.models import Model
from tests.conftest import Api
from tests.factories import make_interaction, make_project, make_user, owner_of
from tests.feedback.compared import assert_counted, by_ids, by_texts, everything, make_key, send_comparisons, text
from tests.interactions.batch import ndjson

ONE, OTHER = text("a", "Yes."), text("b", "No.")


@pytest.fixture
def key(project):
    return make_key(project)


def votes(n, **more):
    """Preferences of different completions, with external ids."""
    return [
        by_texts(text("a", f"Yes {number}."), text("b", f"No {number}."), external_id=f"v{number}", **more)
        for number in range(n)
    ]


# -- ways to send ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("pack", "headers"),
    [
        (ndjson, {}),
        (lambda lines: gzip.compress(ndjson(lines)), {"Content_Encoding": "gzip"}),
        (lambda lines: zstandard.compress(ndjson(lines)), {"Content_Encoding": "zstd"}),
        (lambda lines: json.dumps(lines).encode(), {"content_type": "application/json"}),
    ],
    ids=["lines", "gzip", "zstd", "array"],
)
def test_a_batch_comes_as_lines_or_as_an_array_plain_or_packed(api, project, key, pack, headers):
    status, told = send_comparisons(api, project, pack(votes(3)), **headers)
    assert (status, told["accepted"], told["duplicates"], told["rejected"]) == (201, 3, 0, [])
    assert {str(row.id) for row in Preference.objects.all()} == set(told["ids"])
    assert Interaction.objects.count() == 6
    assert_counted(project, key)


def test_the_same_batch_again_changes_nothing(api, project, key):
    lines = votes(5)
    _, first = send_comparisons(api, project, lines)
    before = everything()
    status, again = send_comparisons(api, project, lines)
    assert (status, again["accepted"], again["duplicates"], again["ids"]) == (200, 0, 5, first["ids"])
    assert everything() == before


def test_more_than_a_piece_is_taken(api, project, key):
    lines = [
        by_texts(text("a", f"{number % 7}"), text("b", f"{number % 5}"), tied=[None, "good"][number % 3 == 0])
        for number in range(PIECE * 2 + 1)
    ]
    status, told = send_comparisons(api, project, lines)
    assert (status, told["accepted"], len(set(told["ids"]))) == (201, len(lines), len(lines))
    assert Interaction.objects.count() == 12
    assert Preference.objects.count() == 2 * len(lines)
    assert sum(pairs(project, key).values()) == len(lines)
    assert_counted(project, key)


# -- what is wrong --------------------------------------------------------------------------------
def test_bad_lines_are_told_by_position_and_leave_nothing_while_the_others_land(api, project, key):
    logged = make_interaction(project, prompt="Q", messages=None, model="a", completion="Yes.")
    elsewhere = make_interaction(make_project())
    bad = [
        by_texts(text("bad-1", "x"), OTHER, feedback_key="none"),
        by_texts(text("bad-2", "x"), str(elsewhere.pk)),
        by_texts(text("bad-3", "x"), OTHER, tied="both"),
        by_texts(text("bad-4", "x"), OTHER, prompt=None),
        by_texts(str(logged.pk), ONE),
        by_texts(text("bad-5", "x"), OTHER, project="another"),
        7,
        by_texts(text("bad-6", "x"), OTHER, external_id="good"),
    ]
    good = by_texts(ONE, OTHER, external_id="good")
    lines = [good, *bad, by_texts(ONE, text("c", "x")), good]
    raw = ndjson(lines) + b"{not json\n\n" + ndjson([by_texts(OTHER, ONE)])
    status, told = send_comparisons(api, project, raw)
    assert (status, told["accepted"], told["duplicates"]) == (201, 3, 1)
    assert [one["position"] for one in told["rejected"]] == [*range(1, 9), 11]
    fields = [sorted(one["fields"]) for one in told["rejected"]]
    assert fields == [[], [], ["tied"], ["messages"], ["other_completion"], ["project"], [""], [], [""]]
    errors = [one["error"] for one in told["rejected"]]
    assert errors[0].startswith("EntityNotFound: FeedbackKey (metric) 'none'")
    assert errors[1] == f"EntityNotFound: Interaction '{elsewhere.pk}'"
    assert "'good' is taken by another payload" in errors[7]
    assert [place for place, one in enumerate(told["ids"]) if one is None] == [*range(1, 9), 11]
    assert told["ids"][0] == told["ids"][10]
    assert sorted(Model.objects.filter(team=project.team).values_list("key", flat=True)) == ["a", "b", "c"]
    assert Interaction.objects.filter(project=project).count() == 3
    assert Claim.objects.count() == 3  # one vote's, two completions'
    assert_counted(project, key)


def test_nothing_acceptable_is_200_and_leaves_nothing(api, project, key):
    before = everything()
    status, told = send_comparisons(api, project, [by_texts(ONE, ONE), by_texts(ONE, OTHER, feedback_key="none")])
    assert (status, told["accepted"], len(told["rejected"])) == (200, 0, 2)
    assert everything() == before


def rows_read(plan):
    """How many rows the scans of an executed plan looked at."""
    own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return (own if "Scan" in plan["Node Type"] else 0) + sum(map(rows_read, plan.get("Plans", [])))


def test_what_is_there_is_looked_at_once_a_piece_however_little_the_planner_knows(project, key):
    records = [{"prompt": f"Q {n}", "completion": "C", "model": "a"} for n in range(1_000)]
    ingest(project=project, records=records, by=owner_of(project))
    texts = [side for vote in votes(250) for side in read_preference(vote).sides]
    with CaptureQueriesContext(connection) as queries:
        assert equal_interactions(project, texts) == {}
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {queries[-1]['sql']}")
        [[[explained]]] = cursor.fetchall()
    assert rows_read(explained["Plan"]) < 5_000


@pytest.mark.parametrize(
    ("raw", "headers", "status"),
    [
        (b"\x1f\x8bbroken", {"Content_Encoding": "gzip"}, 400),
        (b"{}", {"Content_Encoding": "br"}, 415),
        (b'{"feedback_key": 1}', {"content_type": "application/json"}, 400),
        (b"[1, 2", {"content_type": "application/json"}, 400),
    ],
)
def test_a_stream_that_cannot_be_read_is_refused(api, project, key, raw, headers, status):
    code, told = send_comparisons(api, project, raw, **headers)
    assert code == status
    assert told["error"]


def test_an_archived_project_is_judged_as_before_and_takes_no_new_completions(api, project, key):
    there = [
        api.log(project, prompt="Am I covered?", model=one["model"], completion=one["text"]) for one in (ONE, OTHER)
    ]
    pair = [one.json()["completion_id"] for one in there]
    archive_project(project=project)
    new = by_texts(ONE, text("c", "Perhaps."), prompt="Am I covered?")
    before = everything()
    code, told = send_comparisons(api, project, [new])
    assert (code, "archived" in told["rejected"][0]["error"]) == (200, True)
    assert api.post("comparison", {**new, "project": project.key}).status_code == 409
    assert everything() == before
    code, told = send_comparisons(api, project, [by_ids(*pair), by_texts(ONE, OTHER, prompt="Am I covered?"), new])
    assert (code, told["accepted"], [one["position"] for one in told["rejected"]]) == (201, 2, [2])
    given = {"completion_id": pair[0], "feedback_key": key.key, "value": 1}
    assert api.post("feedback", given).status_code == 201
    assert Interaction.objects.count() == 2


def test_who_may_only_give_feedback_compares_by_ids(client, project, key):
    one, other = make_interaction(project), make_interaction(project, model="b")
    api = Api(client, make_user(team=project.team, role="annotator"))
    status, told = send_comparisons(api, project, [by_ids(one.pk, other.pk), by_texts(ONE, text("new", "x"))])
    assert (status, told["accepted"], [one["position"] for one in told["rejected"]]) == (201, 1, [1])
    assert "interaction.log" in told["rejected"][0]["error"]
    assert not Model.objects.filter(key="new").exists()
    auditor = Api(client, make_user(team=project.team, role="auditor"))
    assert send_comparisons(auditor, project, [by_ids(one.pk, other.pk)])[0] == 403
    assert send_comparisons(Api(client, make_user()), project, [by_ids(one.pk, other.pk)])[0] == 404


# -- at the same moment ---------------------------------------------------------------------------
def at_once(work, n=8):
    """Run work(number) in n threads that start together; the exceptions that came."""
    start, faults = threading.Barrier(n), []

    def run(number):
        start.wait()
        try:
            work(number)
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[number]) for number in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


@pytest.mark.django_db(transaction=True)
def test_eight_batches_that_overlap_neither_wait_for_ever_nor_store_twice(monkeypatch):
    """Nor is any of them ever told to try again, however many want the same."""
    monkeypatch.setattr(preferences, "TRIES", 1)
    project = make_project()
    key, by, told = make_key(project), owner_of(project), {}
    asked = project_or_404(by, project.key)
    # few completions, many votes: every batch needs what all the others make, claim and lock
    texts = [text(f"m{n % 5}", f"Answer {n}") for n in range(40)]
    votes = [
        by_texts(one, other, external_id=f"v{n}", tied=[None, "good", True][n % 3])
        for n, (one, other) in enumerate(itertools.islice(itertools.permutations(texts, 2), 600))
    ]

    def send(number):
        mine = random.Random(number).sample(votes, len(votes))
        told[number] = list(zip(mine, take_preferences(project=asked, records=mine, by=by), strict=True))

    assert at_once(send) == []
    answers = {}
    for vote, outcome in itertools.chain.from_iterable(told.values()):
        assert outcome.error is None
        answers.setdefault(vote["external_id"], []).append(outcome)
    for outcomes in answers.values():
        assert len({outcome.id for outcome in outcomes}) == 1
        assert [outcome.duplicate for outcome in outcomes].count(False) == 1
    assert Preference.objects.count() == 2 * len(votes)
    assert Interaction.objects.count() == len({one for vote in votes for one in said(vote)})
    assert sum(pairs(project, key).values()) == len(votes)
    assert_counted(project, key)


def said(vote):
    return vote["preferred_completion"]["text"], vote["other_completion"]["text"]


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_a_completion_holds_none_that_comes_after_it():
    """A transaction makes two completions one after the other, in the order of claims; a batch brings both at once,
    in the opposite order of lines."""
    project = make_project()
    make_key(project)
    by, known = owner_of(project), make_interaction(project, model="a")  # so that nobody waits for the model
    asked, faults = project_or_404(by, project.key), []
    first, second = sorted((text("a", str(n)) for n in range(2)), key=lambda one: claim_of(project, one))

    def take(*completions):
        records = [by_texts(str(known.pk), one) for one in completions]
        faults.extend(one.error for one in take_preferences(project=asked, records=records, by=by) if one.error)

    def send():
        try:
            take(second, first)
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    batch = threading.Thread(target=send)
    with transaction.atomic():
        take(first)
        batch.start()
        wait_until_somebody_waits()
        take(second)
    batch.join()
    assert faults == []
    assert (Interaction.objects.count(), Preference.objects.count()) == (3, 8)


def claim_of(project, completion):
    record = {"prompt": "Q", "completion": completion["text"], "model": completion["model"]}
    return completion_claim(project, completion["model"], read_record(record, now=None).hashes()[1])


def wait_until_somebody_waits():
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("Nobody waited.")


@pytest.mark.django_db(transaction=True)
def test_another_payload_under_a_contested_id_leaves_no_completion():
    project = make_project()
    by = owner_of(project)
    make_key(project)
    asked, told = project_or_404(by, project.key), {}

    def send(number):
        vote = by_texts(text("a", f"{number}"), text("b", f"{number}"), external_id="e")
        [told[number]] = take_preferences(project=asked, records=[vote], by=by)

    assert at_once(send) == []
    assert sorted(outcome.error is None for outcome in told.values()) == [False] * 7 + [True]
    assert (Interaction.objects.count(), Preference.objects.count(), Claim.objects.count()) == (2, 2, 3)


@pytest.mark.django_db(transaction=True)
def test_after_everything_at_once_the_roll_up_is_a_recount():
    """Texts and ids, duplicates, deletions of either side and folding, from eight sides."""
    project = make_project()
    key, by = make_key(project), owner_of(project)
    asked = project_or_404(by, project.key)
    texts = [text(f"m{n % 4}", f"Answer {n}") for n in range(24)]

    def work(number):
        dice = random.Random(number)
        for turn in range(12):
            ids = list(Interaction.objects.filter(project=project).values_list("pk", flat=True))
            if number == 0:
                fold()
            elif number in {1, 2} and turn % 2:
                delete_interactions(project=project, ids=dice.sample(ids, min(4, len(ids))))
            else:
                records = [vote(dice, texts, ids) for _ in range(25)]
                for outcome in take_preferences(project=asked, records=records, by=by):
                    assert outcome.id or outcome.error

    assert at_once(work) == []
    assert Preference.objects.count() > 100
    assert_counted(project, key)
    fold()
    assert_counted(project, key)
    held = {(row.interaction_id, row.external_id) for row in Preference.objects.exclude(external_id=None)}
    claims = set(Claim.objects.values_list("interaction_id", flat=True))
    assert claims <= set(Interaction.objects.values_list("pk", flat=True))
    assert len({external_id for _, external_id in held}) == len(held) / 2
    delete_interactions(project=project, ids=list(Interaction.objects.values_list("pk", flat=True)))
    assert (Preference.objects.count(), Claim.objects.count(), pairs(project, key)) == (0, 0, {})


def vote(dice, texts, ids):
    sides = dice.sample(texts, 2)
    if len(ids) > 1 and dice.random() < 0.4:
        sides = [str(one) for one in dice.sample(ids, 2)]
    elif ids and dice.random() < 0.3:
        sides[0] = str(dice.choice(ids))
    named = {"external_id": f"e{dice.randrange(200)}"} if dice.random() < 0.5 else {}
    return by_texts(*sides, tied=dice.choice([None, True, "good", "bad"]), **named)
