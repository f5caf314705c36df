"""The worker looks at the tests, and decides those that may decide themselves: when all gates held twice."""

import datetime
from dataclasses import asdict
from importlib import import_module

import pytest
from django.db import connection

from accounts.models import Membership
from experiments import folding, services
from experiments.clearing import clear
from experiments.evaluating import evaluate, evaluate_due
from experiments.figures import judged
from experiments.models import ABTest, Cell, Decision, Evaluation, Event, State
from experiments.report import report
from feedback.models import FeedbackKey
from projects.services import delete_project
from projects.tasks import delete_content
from registry.services import default_of, detach, set_default
from tests.experiments.running import fill, make_test, vote
from tests.factories import owner_of

pytestmark = pytest.mark.django_db
BETTER = (400, 300, 100), (400, 300, 200)


def begun(place, *arms, **more):
    """A test of five days that may decide itself."""
    test = make_test(place, days_ago=5, auto_deploy=True, **more)
    fill(test, *(arms or BETTER))
    set_default(project=place, model=place.models.get(key="lake-8b"), by=owner_of(place))
    return test


def looked(times):
    for _ in range(times):
        evaluate_due()


def test_when_all_gates_held_twice_the_winner_is_deployed_with_its_numbers(place):
    test = begun(place)
    looked(1)
    assert not Decision.objects.exists() and Evaluation.objects.get().leader.letter == "B"
    looked(1)
    decision = Decision.objects.get()
    assert (decision.winner.letter, decision.by, decision.deployed, decision.former.key) == ("B", None, True, "lake-8b")
    assert default_of(place).key == "ridge-70b"
    assert decision.figures["arms"][1]["n"] == 300 and all(gate["holds"] for gate in decision.gates)
    assert "B is the winner" in decision.reason
    test.refresh_from_db()
    assert test.state == State.DONE and test.ended_at
    line = test.events.order_by("-pk").first()
    assert (line.text, line.by) == ("Decided: B, ridge-70b, is the default now.", None)
    looked(2)
    assert Decision.objects.count() == 1 and Evaluation.objects.count() == 2
    services.roll_back(test=test, by=owner_of(place))
    assert default_of(place).key == "lake-8b"


@pytest.mark.parametrize(
    ("arms", "more", "gate"),
    [
        (((400, 300, 100), (400, 200, 133)), {}, "coverage"),
        (((400, 300, 100), (400, 300, 200)), {"planned_days": 7}, "age"),
        (((400, 300, 100), (400, 300, 200)), {"planned_n": 301}, "n"),
        (((400, 300, 140), (400, 300, 150)), {}, "bound"),
        (((400, 300, 100), (400, 300, 200)), {"smallest_effect": 0.5}, "bound"),
        (((400, 300, 100), (600, 450, 300)), {}, "ratio"),
    ],
)
def test_one_gate_that_does_not_hold_keeps_it_from_deciding(place, arms, more, gate):
    begun(place, *arms, **more)
    looked(3)
    assert not Decision.objects.exists() and default_of(place).key == "lake-8b"
    assert [one["key"] for one in Evaluation.objects.latest("at").gates if not one["holds"]][0] == gate


def test_a_test_by_preferences_decides_by_the_four_gates_that_it_has(place):
    test = make_test(place, days_ago=5, auto_deploy=True, judged_by="preference")
    vote(test, fill(test, (120, 0, 0), (120, 0, 0)), (1, 2))
    ABTest.objects.update(first_unit_at=test.created_at)
    looked(2)
    decision = Decision.objects.get()
    assert decision.winner.letter == "B" and "four gates" in decision.rule
    assert [gate["key"] for gate in decision.gates if gate["holds"]] == ["n", "age", "bound", "twice"]
    assert [gate["key"] for gate in decision.gates if not gate["applies"]] == ["ratio", "coverage", "watched"]
    assert [arm["weight"] for arm in decision.figures["arms"]] == [1, 1]


def test_two_evaluations_in_a_row_are_of_one_sequence(place):
    test = begun(place)
    looked(1)
    services.change_split(test=test, by=owner_of(place), weights=[1, 2])
    looked(3)
    assert not Decision.objects.exists()


def test_who_may_no_longer_deploy_has_nothing_deployed_for_her(place):
    test = begun(place)
    by = Membership.objects.get(user=owner_of(place), team=place.team)
    by.role = place.team.roles.get(key="reviewer")
    by.save()
    looked(4)
    assert not Decision.objects.exists()
    assert test.events.filter(text__contains="may no longer make a model the default").count() == 1


def test_a_paused_test_decides_nothing_until_it_goes_on(place):
    test = begun(place)
    services.pause(test=test, by=owner_of(place))
    looked(3)
    assert not Decision.objects.exists()
    services.resume(test=test, by=owner_of(place))
    looked(1)
    assert Decision.objects.exists()


def test_what_counts_as_time_is_what_ran(place):
    """Of two weeks: nobody came in the first days, and for half of the rest it was paused."""
    test, by = make_test(place, days_ago=14), owner_of(place)
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    assert test.ran_for(now) == day * 0
    fill(test, *BETTER)
    test.refresh_from_db()
    assert 2 * day < test.ran_for(now) < 2.1 * day  # the first is two days and an hour old
    ABTest.objects.update(first_unit_at=now - 10 * day)
    services.pause(test=test, by=by)
    ABTest.objects.update(paused_at=now - 12 * day)
    test.refresh_from_db()
    assert test.ran_for(now) == 0 * day
    ABTest.objects.update(paused_at=now - 5 * day)
    test.refresh_from_db()
    assert test.ran_for(now) == 5 * day
    services.resume(test=test, by=by)
    test.refresh_from_db()
    assert 6.9 * day < test.ran_for(now + 2 * day) < 7 * day
    assert next(gate for gate in judged(test).gates if gate.key == "age").shown.startswith("5.0 of")
    services.pause(test=test, by=by)
    ABTest.objects.update(paused_at=now - day)
    services.cancel(test=test, by=by)
    test.refresh_from_db()
    assert 3.9 * day < test.ran_for(test.ended_at) < 4.1 * day and test.paused_at is None


def test_the_time_that_a_test_ran_before_it_was_kept_is_in_its_log(place):
    test, by = make_test(place, days_ago=14), owner_of(place)
    fill(test, *BETTER)
    test.refresh_from_db()
    first, hour = test.first_unit_at, datetime.timedelta(hours=1)
    for change, at in ((services.pause, first - hour), (services.resume, first + 2 * hour)):
        change(test=test, by=by)
        Event.objects.filter(pk=Event.objects.latest("pk").pk).update(at=at)
    ABTest.objects.update(first_unit_at=None, paused_for=datetime.timedelta())
    migration = import_module("experiments.migrations.0005_time_that_ran_so_far")
    with connection.cursor() as cursor:
        cursor.execute(migration.FIRST)
        cursor.execute(migration.PAUSES)
    test.refresh_from_db()
    assert (test.first_unit_at, test.paused_for) == (first, 2 * hour)


def test_another_split_counts_its_own_days(place):
    test, by = begun(place), owner_of(place)
    ABTest.objects.update(paused_for=datetime.timedelta(hours=3))
    services.change_split(test=test, by=by, weights=[1, 2])
    test.refresh_from_db()
    assert (test.first_unit_at, test.paused_for) == (None, datetime.timedelta())


def test_an_arm_without_its_model_does_not_win_by_itself(place):
    begun(place)
    detach(project=place, model=place.models.get(key="ridge-70b"), by=owner_of(place))
    looked(3)
    assert not Decision.objects.exists() and default_of(place).key == "lake-8b"


def test_only_what_has_news_is_looked_at(place):
    test = make_test(place, days_ago=5)
    fill(test, *BETTER)
    assert [evaluate_due(), evaluate_due()] == [1, 0]
    fill(test, (1, 1, 1), (0, 0, 0), who="another")
    assert [evaluate_due(), evaluate_due()] == [1, 0]
    detach(project=place, model=place.models.get(key="lake-8b"), by=owner_of(place))
    assert [evaluate_due(), evaluate_due()] == [1, 0]
    Evaluation.objects.update(at="2026-01-01T00:00:00Z")
    assert evaluate_due() == 1  # now and then all the same: the days pass
    services.cancel(test=test, by=owner_of(place))
    assert evaluate_due() == 0


def test_the_worker_leaves_a_test_that_a_person_decides_alone(place):
    test = begun(place)
    looked(1)
    services.decide(test=test, winner=None, reason="Enough.", by=owner_of(place))
    looked(2)
    assert Decision.objects.get().reason == "Enough."


def test_a_key_that_is_turned_afterwards_turns_no_test_of_it(place):
    test = make_test(place, days_ago=5, feedback="seconds")
    fill(test, (90, 90, 60), (90, 90, 20))
    assert test.lower_is_better and judged(test).judgement.best == 1
    FeedbackKey.objects.filter(key="seconds").update(lower_is_better=False)
    test = ABTest.objects.select_related("feedback_key").get()
    assert judged(test).judgement.best == 1 and report(test).judgement.lower_is_better
    ABTest.objects.update(lower_is_better=False)
    FeedbackKey.objects.filter(key="seconds").update(lower_is_better=True)
    with connection.cursor() as cursor:
        cursor.execute(import_module("experiments.migrations.0007_direction_of_the_key").DIRECTION)
    assert ABTest.objects.get().lower_is_better


def test_strengths_of_a_decided_test_are_those_that_it_was_decided_by(place):
    test = make_test(place, models=3, judged_by="preference")
    ids = fill(test, *[(80, 0, 0)] * 3)
    vote(test, [one[:70] for one in ids], (1, 2, 2))
    evaluate(test)
    vote(test, [one[70:] for one in ids], (3, 2, 2))
    services.decide(test=test, winner=None, reason="Enough.", by=owner_of(place))
    test.refresh_from_db()
    clear()
    told, decision = report(test).judgement.strengths, Decision.objects.get()
    assert told.votes == 240 and asdict(told) == decision.figures["strengths"]


def test_tests_go_with_their_project(place):
    test = begun(place)
    looked(2)
    delete_project(project=place)
    delete_content.func(place.pk)
    assert not ABTest.objects.filter(pk=test.pk).exists() and not Cell.objects.exists()
    folding.settle()
