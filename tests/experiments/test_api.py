"""A/B tests by REST: begun, watched, changed, decided; and what is refused."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from accounts.permissions import DEPLOY, MANAGE_TESTS, READ
from experiments import folding, services
from experiments.assignment import assign
from experiments.clearing import clear
from experiments.models import ABTest, Decision, Evaluation, State
from feedback.giving import give_feedback
from interactions.ingest import ingest
from interactions.ingest.preferences import take_preferences
from interactions.models import Interaction
from registry.services import default_of, detach, set_default
from tests.conftest import Api
from tests.experiments.running import fill, make_test, vote
from tests.factories import make_user, owner_of

pytestmark = pytest.mark.django_db
NEW = {
    "key": "dpo-against-sft",
    "name": "dpo against sft",
    "feedback_key": "helpful",
    "models": ["lake-8b", "ridge-70b"],
}


@pytest.fixture
def one(place, address):
    """The address of a test that has figures: B is better for certain, for five days."""
    test = make_test(place, days_ago=5)
    fill(test, (400, 300, 100), (400, 300, 200))
    return f"{address}/{test.key}"


def may(place, client, *permissions):
    """A program of a teammate who may do this and nothing else."""
    role = Role.objects.create(team=place.team, key="own", name="Own", permissions=[READ, *permissions])
    return Api(client, make_user(team=place.team, role=role.key))


def test_a_test_is_begun_listed_and_read(program, address):
    made = program.post(address, NEW)
    assert made.status_code == 201, made.json()
    assert (made.json()["state"], made.json()["traffic_split"], made.json()["sequence"]) == ("warmup", 1.0, 1)
    [listed] = program.get(address).json()["results"]
    assert [arm["model"] for arm in listed["arms"]] == NEW["models"] and program.get(address).json()["free"] == 0
    told = program.get(f"{address}/dpo-against-sft").json()
    assert told["verdict"]["headline"] == "No traffic yet" and told["leader"] is None and told["decision"] is None
    assert [gate["key"] for gate in told["gates"]] == ["ratio", "n", "age", "bound", "coverage", "watched", "twice"]
    [line] = program.get(f"{address}/dpo-against-sft/log").json()["results"]
    assert line["text"] == "Started with 100 % of the units: lake-8b, ridge-70b."
    assert line["by"] == program.user.email


@pytest.mark.parametrize(
    ("sent", "field", "told"),
    [
        ({"models": ["lake-8b"]}, "models", "at least two models"),
        ({"models": []}, "models", "at least two models"),
        ({"models": "lake-8b"}, "models", "Send a list of models' keys, not text."),
        ({"models": ["lake-8b", "lake-8b"]}, "models", "lake-8b is named twice"),
        ({"models": ["lake-8b", "gone"]}, "models", "gone is not attached"),
        ({"models": ["lake-8b", None]}, "models", "Send a list"),
        ({"traffic_split": 0}, "traffic_split", "above 0"),
        ({"traffic_split": 1.01}, "traffic_split", "from 0 to 1"),
        ({"traffic_split": -1}, "traffic_split", "from 0 to 1"),
        ({"traffic_split": "all"}, "traffic_split", "Send a number, not text."),
        ({"traffic_split": True}, "traffic_split", "not true or false"),
        ({"weights": [1]}, "weights", "Send 2 weights"),
        ({"weights": [1, 0]}, "weights", "At least two arms"),
        ({"weights": [1, -1]}, "weights", "Send a number from 0"),
        ({"weights": {"a": 1}}, "weights", "Send a list of numbers"),
        ({"feedback_key": "nothing"}, "feedback_key", "Send one of the project's: helpful, seconds"),
        ({"feedback_key": ["helpful"]}, "feedback_key", "Send one of"),
        ({"judged_by": "dice"}, "judged_by", "metric, preference"),
        ({"judged_by": {}}, "judged_by", "metric, preference"),
        ({"planned_n": 10}, "planned_n", "from 50"),
        ({"planned_n": 60.5}, "planned_n", "whole number"),
        ({"planned_days": -1}, "planned_days", "from 0"),
        ({"smallest_effect": -0.1}, "smallest_effect", "from 0"),
        ({"auto_deploy": "yes"}, "auto_deploy", "true or false"),
        ({"key": "two words"}, "key", "letters, digits"),
        ({"key": "new"}, "key", "There is a page"),
        ({"key": 7}, "key", "letters, digits"),
        ({"name": " "}, "name", "1 to 100"),
        ({"name": "a\x00b"}, "name", "NUL"),
        ({"colour": "red"}, "colour", "Unknown member"),
        ({"name": None}, "name", "Send it."),
    ],
)
def test_what_no_test_can_be_is_refused_by_its_field(program, address, sent, field, told):
    answer = program.post(address, NEW | sent)
    assert answer.status_code == 400, answer.content
    assert told in answer.json()["fields"][field][0]
    assert not ABTest.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "7",
        '"a"',
        "",
        "{",
        '{"traffic_split": NaN}',
        '{"traffic_split": 1e999}',
        '{"\\ud800": 1}',
        '{"\\u0000": 1}',
    ],
)
def test_a_body_that_is_no_test_is_told_so(program, address, body):
    assert program.post(address, raw=body).status_code == 400


@pytest.mark.parametrize("name", ["traffic_split", "weights", "planned_n", "planned_days", "smallest_effect", "models"])
def test_numbers_of_any_size_and_kind_are_refused_and_break_nothing(program, address, name):
    for value in (10**400, -(10**400), 1e308, [[1]], [10**400, 1], [None, 1], {"a": []}, "", []):
        answer = program.post(address, NEW | {name: value})
        assert answer.status_code == 400 and name in answer.json()["fields"], value


@pytest.mark.parametrize("key", ["%00", "%ED%A0%80", "x" * 3_000, "ü", "..", "a%2Fb"])
def test_an_address_of_no_test_is_not_found(program, address, key):
    for act in ("", "/log", "/decision", "/labels"):
        assert program.get(f"{address}/{key}{act}").status_code == 404


def test_two_tests_share_the_units_and_never_more_than_there_are(program, address):
    assert program.post(address, NEW | {"traffic_split": 0.6}).status_code == 201
    too_much = program.post(address, NEW | {"key": "second", "traffic_split": 0.7})
    assert too_much.status_code == 400
    assert "only 0.4 is free, 0.7 was asked" in too_much.json()["fields"]["traffic_split"][0]
    assert program.get(address).json()["free"] == 0.4
    assert program.post(address, NEW | {"key": "second", "traffic_split": 0.4}).status_code == 201
    assert "nothing is free" in program.post(address, NEW | {"key": "third"}).json()["error"]
    assert program.post(f"{address}/second/cancel").status_code == 200
    assert program.post(address, NEW | {"key": "third", "traffic_split": 0.3}).status_code == 201
    taken = program.post(address, NEW | {"traffic_split": 0.1})
    assert taken.status_code == 409 and "dpo-against-sft" in taken.json()["error"]


def test_deciding_by_itself_and_deciding_need_the_permission_to_deploy(client, place, address):
    tester = may(place, client, MANAGE_TESTS)
    refused = tester.post(address, NEW | {"auto_deploy": True})
    assert refused.status_code == 403 and DEPLOY in refused.json()["error"] and not ABTest.objects.exists()
    assert tester.post(address, NEW).status_code == 201
    for act in ("decide", "roll-back"):
        assert tester.post(f"{address}/{NEW['key']}/{act}", {"winner": "B", "reason": "x"}).status_code == 403
    assert not Decision.objects.exists()


def test_who_may_read_reads_and_changes_nothing(client, place, one):
    reader = may(place, client)
    assert reader.get(one).status_code == reader.get(f"{one}/log").status_code == 200
    for act in ("pause", "resume", "cancel", "split", "evaluate"):
        assert reader.post(f"{one}/{act}").status_code == 403, act
    stranger = Api(client, make_user())
    for path in (one, f"{one}/log", f"{one}/decision", f"{one}/labels"):
        assert stranger.get(path).status_code == 404


def test_the_figures_are_told_by_arm_and_by_day(program, one):
    told = program.get(one).json()
    a, b = told["arms"]
    assert (a["units"], a["answered"], a["interactions"], a["coverage"]) == (400, 300, 400, 0.75)
    assert (round(a["value"], 4), round(b["value"], 4)) == (0.3333, 0.6667)
    assert (a["latency_ms"], b["latency_ms"]) == (400, 500) and a["difference"] is None
    assert b["difference"]["lower"] > 0 and b["chance"] > 0.999
    assert (told["state"], told["leader"], told["day_number"]) == ("in_progress", "B", 3)
    assert len(told["series"]) in {3, 4}
    last = told["series"][-1]["arms"]
    assert last[1]["low"] < b["value"] < last[1]["high"] and last[1]["value"] == pytest.approx(b["value"])
    assert [gate["holds"] for gate in told["gates"]] == [True] * 6 + [False]


def test_the_number_of_queries_does_not_grow_with_days_and_arms(program, place, one, django_assert_num_queries):
    program.get(one)  # notes the key's use
    with CaptureQueriesContext(connection) as few:
        program.get(one)
    number = len(few)
    services.cancel(test=ABTest.objects.get(), by=program.user)
    other = make_test(place, "other", models=4, days_ago=20)
    fill(other, *[(90, 60, 30)] * 4, days=15)
    program.post(f"{one.rpartition('/')[0]}/other/evaluate")
    with django_assert_num_queries(number):
        assert len(program.get(f"{one.rpartition('/')[0]}/other").json()["series"]) > 10


def test_an_evaluation_is_kept_and_at_the_second_all_gates_hold(program, one):
    first = program.post(f"{one}/evaluate")
    assert first.status_code == 201 and first.json()["leader"] == "B" and not first.json()["gates"][-1]["holds"]
    second = program.post(f"{one}/evaluate").json()
    assert all(gate["holds"] for gate in second["gates"])
    assert Evaluation.objects.count() == 2
    assert program.get(one).json()["verdict"]["headline"] == "B is the winner"


def test_a_test_is_paused_and_goes_on(program, place, one):
    assert program.post(f"{one}/pause").json()["paused_at"]
    assert assign(project=place, unit="user:a") is None
    assert program.post(f"{one}/pause").status_code == 409
    assert program.post(f"{one}/resume").json()["paused_at"] is None
    assert assign(project=place, unit="user:a")
    assert "is not paused" in program.post(f"{one}/resume").json()["error"]


def test_the_split_is_changed_and_the_figures_begin_anew(program, one):
    changed = program.post(f"{one}/split", {"weights": [1, 3], "traffic_split": 0.5})
    assert changed.status_code == 200, changed.json()
    told = program.get(one).json()
    assert (told["sequence"], told["state"], told["traffic_split"]) == (2, "warmup", 0.5)
    assert [arm["weight"] for arm in told["arms"]] == [1, 3] and [arm["units"] for arm in told["arms"]] == [0, 0]
    line = program.get(f"{one}/log").json()["results"][0]["text"]
    assert line == "Split changed from 100 % by 1 : 1 to 50 % by 1 : 3. The figures begin anew."
    for wrong in ({"traffic_split": 0}, {"traffic_split": 2}, {"weights": [1]}, {"weights": [0, 0]}, {"share": 1}):
        assert program.post(f"{one}/split", wrong).status_code == 400
    assert program.get(one).json()["sequence"] == 2


def test_another_share_of_the_units_leaves_the_figures(program, one):
    before = program.get(one).json()
    assert program.post(f"{one}/split", {"traffic_split": 0.5, "weights": [1, 1]}).status_code == 200
    told = program.get(one).json()
    assert (told["sequence"], told["state"], told["traffic_split"]) == (1, "in_progress", 0.5)
    for name in ("judgement", "series", "day_number"):
        assert told[name] == before[name], name
    line = program.get(f"{one}/log").json()["results"][0]["text"]
    assert line.endswith("to 50 % by 1 : 1. Who met an arm keeps it, and the figures go on.")


@pytest.mark.parametrize("sent", [{}, None, {"weights": [1, 1]}, {"traffic_split": 1, "weights": [1.0, 1]}])
def test_the_split_that_it_has_begins_nothing_anew(program, one, sent):
    before, log = program.get(one).json(), program.get(f"{one}/log").json()
    changed = program.post(f"{one}/split", sent)
    assert (changed.status_code, changed.json()["sequence"]) == (200, 1)
    after = program.get(one).json()
    assert [arm["units"] for arm in after["arms"]] == [arm["units"] for arm in before["arms"]] == [400, 400]
    assert after["state"] == before["state"] == "in_progress" and program.get(f"{one}/log").json() == log


def test_a_winner_becomes_the_default_and_one_call_brings_the_former_one_back(program, place, one):
    lake = place.models.get(key="lake-8b")
    set_default(project=place, model=lake, by=program.user)
    decided = program.post(f"{one}/decide", {"winner": "B", "reason": "B helps more."})
    assert decided.status_code == 201, decided.json()
    assert default_of(place).key == "ridge-70b" and assign(project=place, unit="user:a") is None
    kept = program.get(f"{one}/decision")
    assert 'filename="' in kept.headers["Content-Disposition"]
    told = kept.json()
    assert (told["winner"], told["model"], told["former"], told["by"]) == (
        "B",
        "ridge-70b",
        "lake-8b",
        program.user.email,
    )
    assert told["figures"]["arms"][1]["n"] == 300 and len(told["gates"]) == 7 and "always-valid" in told["rule"].lower()
    assert program.get(one).json()["state"] == "done"
    for act in ("pause", "cancel", "split", "evaluate"):
        assert program.post(f"{one}/{act}").status_code == 409, act
    assert program.post(f"{one}/decide", {"winner": "A", "reason": "x"}).status_code == 409
    back = program.post(f"{one}/roll-back")
    assert back.status_code == 200 and back.json()["rolled_back_by"] == program.user.email
    assert default_of(place).key == "lake-8b"
    assert "already" in program.post(f"{one}/roll-back").json()["error"]


def test_a_default_that_somebody_changed_since_is_not_rolled_back(program, place, one):
    program.post(f"{one}/decide", {"winner": "B", "reason": "B helps more."})
    set_default(project=place, model=place.models.get(key="fen-3b"), by=program.user)
    answer = program.post(f"{one}/roll-back")
    assert answer.status_code == 409 and "it is fen-3b" in answer.json()["error"]
    assert default_of(place).key == "fen-3b"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"winner": "Z", "reason": "x"}, "winner"),
        ({"winner": ["B"], "reason": "x"}, "winner"),
        ({"reason": "x"}, "winner"),
        ({"winner": "B"}, "reason"),
        ({"winner": None, "reason": "  "}, "reason"),
        ({"winner": "B", "reason": "a\x00"}, "reason"),
    ],
)
def test_a_decision_without_a_known_winner_or_a_reason_is_refused(program, one, sent, field):
    answer = program.post(f"{one}/decide", sent)
    assert answer.status_code == 400 and field in answer.json()["fields"]
    assert not Decision.objects.exists()


def test_a_test_may_end_without_a_winner_and_then_nothing_is_deployed(program, place, one):
    assert program.get(f"{one}/decision").status_code == 204
    ended = program.post(f"{one}/decide", {"winner": None, "reason": "The models are alike."})
    assert ended.status_code == 201 and ended.json()["winner"] is None and default_of(place) is None
    assert "nothing to roll back" in program.post(f"{one}/roll-back").json()["error"]


def test_a_winner_whose_model_was_detached_cannot_be_the_default(program, place, one):
    detach(project=place, model=place.models.get(key="ridge-70b"), by=program.user)
    told = program.get(one).json()
    assert [arm["off"] for arm in told["arms"]] == [False, True]
    answer = program.post(f"{one}/decide", {"winner": "B", "reason": "B helps more."})
    assert answer.status_code == 409 and "not attached" in answer.json()["error"]
    assert ABTest.objects.get().state == State.IN_PROGRESS and not Decision.objects.exists()


def test_what_was_given_just_before_the_end_is_in_the_decision(program, place, one):
    test = ABTest.objects.get()
    record = {"prompt": "?", "completion": "!", "model": "lake-8b", "user": "late", "ab_campaign": test.key}
    ingest(project=place, records=[record], by=owner_of(place))
    program.post(f"{one}/decide", {"winner": "B", "reason": "B helps more."})
    assert Decision.objects.get().figures["arms"][0]["units"] == 401


def test_labels_are_explored(program, one):
    told = program.get(f"{one}/labels", {"key": "intent"}).json()
    assert told["exploratory"] and not told["approximate"] and not told["timed_out"]
    assert {row["value"]: row["n"] for row in told["rows"]} == {"claim": 300, "refund": 300}
    row = told["rows"][0]
    assert [n for n, _ in row["arms"]] == [150, 150] and 0.2 < row["difference"] < 0.5
    assert 0.2 < row["interval"][0] < row["difference"] < row["interval"][1] < 0.5
    assert program.get(f"{one}/labels", {"key": "nothing"}).json()["rows"] == []
    assert program.get(f"{one}/labels").json()["key"] == "intent"
    assert program.get(f"{one}/labels", {"key": "a\x00"}).status_code == 400


def test_labels_say_what_the_arms_say(program, place, address):
    """Whoever was seen in two arms counts in neither; what is given after the end, or is only logged then, nowhere."""
    test = make_test(place, days_ago=5)
    ids = fill(test, (180, 180, 60), (180, 180, 120))
    again = {"prompt": "?", "completion": "!", "model": "ridge-70b", "ab_campaign": test.key, "labels": {"lang": "en"}}
    ingest(project=place, records=[{**again, "user": f"person-0-{n}"} for n in range(9)], by=owner_of(place))
    folding.settle()

    def told():
        arms = program.get(f"{address}/{test.key}").json()["arms"]
        rows = program.get(f"{address}/{test.key}/labels", {"key": "lang"}).json()["rows"]
        by_arm = [[row["arms"][place] for row in rows] for place in range(2)]
        for arm, values in zip(arms, by_arm, strict=True):
            n = sum(n for n, _ in values)
            assert (n, sum(n * mean for n, mean in values)) == (arm["answered"], pytest.approx(n * arm["value"]))
        return rows

    rows = told()
    assert sum(row["n"] for row in rows) == 351
    services.decide(test=test, winner=None, reason="Enough.", by=owner_of(place))
    key = test.feedback_key
    for found in Interaction.objects.filter(pk__in=ids[0][30:]):
        give_feedback(interaction=found, key=key, value=1, by=owner_of(place))
    ingest(project=place, records=[{**again, "user": "late"}], by=owner_of(place))
    folding.settle()
    assert told() == rows
    clear()
    assert told() == rows


def test_labels_of_a_decided_test_by_preferences_stay(program, place, address):
    test = make_test(place, judged_by="preference")
    ids = fill(test, (180, 0, 0), (180, 0, 0))
    vote(test, ids, (0.3, 0.6))
    rows = program.get(f"{address}/{test.key}/labels", {"key": "lang"}).json()["rows"]
    services.decide(test=test, winner=None, reason="Enough.", by=owner_of(place))
    vote(test, ids, (0.6, 0.3))
    clear()
    assert program.get(f"{address}/{test.key}/labels", {"key": "lang"}).json()["rows"] == rows
    assert [row["n"] for row in rows] == [120] * 3


def test_labels_of_a_test_by_preferences_tell_win_rates_by_judge(program, place, address):
    """Under each value sixty judges gave one vote each, of which 45 are B's; jo gave sixty, all for A."""
    test = make_test(place, judged_by="preference")
    ids = fill(test, (180, 0, 0), (180, 0, 0))
    vote(test, ids, (0.3, 0.6))
    sent = [
        {"feedback_key": "helpful", "preferred_completion": str(a), "other_completion": str(b), "user": "jo"}
        for a, b in zip(*ids, strict=True)
    ]
    assert not [one.error for one in take_preferences(project=place, records=sent, by=owner_of(place)) if one.error]
    folding.settle()
    rows = program.get(f"{address}/{test.key}/labels", {"key": "lang"}).json()["rows"]
    assert [row["arms"] for row in rows] == [[[61, pytest.approx(16 / 61)], [61, pytest.approx(45 / 61)]]] * 3
    for row in rows:
        assert row["difference"] == pytest.approx(29 / 61)
        assert 0 < row["interval"][0] < row["difference"] < row["interval"][1]


def test_labels_are_compared_from_as_many_units_on_as_the_test(program, place, address):
    test = make_test(place)
    fill(test, (90, 90, 60), (90, 90, 20))
    rows = program.get(f"{address}/{test.key}/labels", {"key": "intent"}).json()["rows"]
    assert [row["arms"] for row in rows] == [[[45, None]] * 2] * 2
    assert [(row["difference"], row["interval"]) for row in rows] == [(None, None)] * 2
