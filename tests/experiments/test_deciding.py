"""The worker looks at the tests, and decides those that may decide themselves: when all gates held twice."""

import pytest

from accounts.models import Membership
from experiments import folding, services
from experiments.evaluating import evaluate_due
from experiments.models import ABTest, Cell, Decision, Evaluation, State
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
    looked(2)
    decision = Decision.objects.get()
    assert decision.winner.letter == "B" and "four gates" in decision.rule
    assert [gate["key"] for gate in decision.gates if gate["holds"]] == ["n", "age", "bound", "twice"]
    assert [gate["key"] for gate in decision.gates if not gate["applies"]] == ["ratio", "coverage"]
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


def test_tests_go_with_their_project(place):
    test = begun(place)
    looked(2)
    delete_project(project=place)
    delete_content.func(place.pk)
    assert not ABTest.objects.filter(pk=test.pk).exists() and not Cell.objects.exists()
    folding.settle()
