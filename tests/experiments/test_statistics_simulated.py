"""Thousands of tests whose truth is known, in short; `python -m bench simulations` does it at length."""

import numpy as np
import pytest

from bench import simulations
from experiments.gates import gates
from experiments.statistics import ArmFigures, Moments, judge, strengths_of_arms


@pytest.fixture(scope="module")
def simulated():
    return simulations.run(runs=400, looks=50, seed=11)


def test_promises_are_kept(simulated):
    """With 400 runs a share of 0.8 is known to 2 points: power may be 6 points off here, 3 in the long one."""
    for one in simulated:
        slack = 0.03 if one.what.startswith("power") else 0.0005 if "ratio" in one.what else 0.0
        assert one.least - slack <= one.share <= one.most + slack, one


def test_what_is_simulated_is_the_rule_that_judges():
    """Of runs with a difference that some looks see and others do not, each look has the same winner."""
    units, looks, runs, shares = 600, 6, 60, [0.3, 0.4, 0.33]
    found = simulations.winners(
        *simulations.bools(np.random.default_rng(3), runs, looks, units, shares), tuned_for=2 * units
    )
    n = simulations.looks_at(units, looks)
    new = np.diff(n, prepend=0)[:, None]
    yes = np.random.default_rng(3).binomial(new, shares, size=(runs, looks, 3)).cumsum(axis=1)
    told = np.zeros_like(found)
    for run in range(runs):
        for look in range(looks):
            arms = [figures(int(count), int(n[look])) for count in yes[run, look]]
            judged = judge("bool", arms, tuned_for=units)
            bound = next(gate for gate in gates(judged, age_days=9, planned_n=1, planned_days=1) if gate.key == "bound")
            if bound.holds:
                told[run, look, bound.arm] = True
    assert 20 < found.sum() < runs * looks - 20
    assert (told == found).all()


def figures(yes, n):
    return of(n, yes / n, n * (yes / n) * (1 - yes / n))


def of(n, mean, m2):
    return ArmFigures(n, n, Moments(n, mean, m2), 1.0)


def test_preferences_are_simulated_by_the_rule_that_judges():
    units, looks, runs, ties = 600, 5, 80, 0.2
    drawn = simulations.preferences(np.random.default_rng(4), runs, looks, units, 0.58, ties)
    found = simulations.winners(*drawn, tuned_for=2 * units)
    n = simulations.looks_at(units, looks)
    chances = [0.58 - ties / 2, 1 - 0.58 - ties / 2, ties]
    votes = np.random.default_rng(4).multinomial(np.diff(n, prepend=0), chances, size=(runs, looks)).cumsum(axis=1)
    for run in range(runs):
        for look in range(looks):
            wins, _, tied = map(int, votes[run, look])
            rate = (wins + tied / 2) / n[look]
            m2 = wins + tied / 4 - n[look] * rate * rate
            arms = [of(int(n[look]), mean, m2) for mean in (rate, 1 - rate)]
            told = judge("preference", arms, tuned_for=units)
            assert (told.pair(0, 1).sign > 0) == found[run, look, 0]
    assert 20 < found.sum() < runs * looks - 20


def test_strengths_are_simulated_by_the_rule_that_judges():
    """Differences in their errors and units behind them; the levels are those of shares."""
    runs, looks, judges = 2, 3, 900
    z, t, able = simulations.strength_looks(np.random.default_rng(5), runs, looks, 600, arms=3, ties=0.2)
    n = simulations.looks_at(judges, looks)
    odds = np.tile([0.4, 0.4, 0.2], 3) / 3
    votes = np.random.default_rng(5).multinomial(np.diff(n, prepend=0), odds, size=(runs, looks)).cumsum(axis=1)
    for run in range(runs):
        for look in range(looks):
            counts = [int(count) for count in votes[run, look]]
            given = [(*pair, score) for pair in ((0, 1), (0, 2), (1, 2)) for score in (1, 0, 0.5)]
            told = strengths_of_arms(given, judges=range(9), times=counts, draws=2)
            assert told.judges == 9  # nine judges who said the same again and again
            single = [vote for vote, many in zip(given, counts, strict=True) for _ in range(many)]
            told = strengths_of_arms(single, judges=range(len(single)), draws=2)
            assert told.judges == told.votes == n[look]
            for pair in told.pairs:
                assert pair.difference / pair.stderr == pytest.approx(z[run, look, pair.one, pair.other], rel=1e-3)
            assert sum(arm.votes for arm in told.arms) / 3 * 2 == pytest.approx(t[run, look], rel=0.01)
    assert able.all()


def test_one_judge_is_simulated_by_the_rule_that_judges(monkeypatch):
    """All that she says of a pair is one vote, however many she gives."""
    told, kept = [], simulations._strong
    monkeypatch.setattr(simulations, "_strong", lambda *seen: told.append(seen) or kept(*seen))
    z, _, _ = simulations.one_judge(np.random.default_rng(6), 2, 5, 300)
    [(_, votes, alone)] = told
    scored = [(*pair, score) for pair in ((0, 1), (0, 2), (1, 2)) for score in (1, 0, 0.5)]
    for run in range(2):
        people = [vote for vote, n in zip(scored, votes[run, -1], strict=True) for _ in range(int(n))]
        hers = [(vote, round(1000 * part)) for vote, part in zip(scored, alone[run, -1], strict=True) if part]
        found = strengths_of_arms(
            [*people, *(vote for vote, _ in hers)], judges=[*range(len(people)), *["llm"] * len(hers)],
            times=[*[1] * len(people), *(many for _, many in hers)], draws=2,
        )  # fmt: skip
        for pair in found.pairs:
            assert pair.difference / pair.stderr == pytest.approx(z[run, -1, pair.one, pair.other], rel=1e-3, abs=1e-6)
