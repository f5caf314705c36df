"""Other people's libraries say the same of the same figures: the golden files tell which, the scripts beside them made
these."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from experiments.statistics import ArmFigures, Moments, davidson, judge, sample_ratio, sequence, strength, votes_of_two
from tests.experiments.test_statistics import shares

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text())
SEQUENCES = json.loads(Path(__file__).with_name("golden_sequence.json").read_text())


def test_it_is_known_what_made_these():
    assert {"tea-tasting", "statsmodels", "scipy", "numpy"} == set(GOLDEN["made by"])


@pytest.mark.parametrize("known", GOLDEN["shares"])
def test_intervals_of_shares_and_of_their_difference(known):
    told = judge("bool", [shares(*counts) for counts in known["counts"]])
    assert [arm.interval for arm in told.arms] == [pytest.approx(ends, rel=1e-9) for ends in known["wilson"]]
    assert told.pair(1, 0).once == pytest.approx(known["newcombe"], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("known", GOLDEN["scalars"])
def test_intervals_of_means_and_of_their_difference(known):
    moments = [Moments(*numbers) for numbers in known["moments"]]
    for one, values in zip(moments, known["values"] or (), strict=False):
        assert Moments.of(values) == Moments(one.n, pytest.approx(one.mean), pytest.approx(one.m2))
    told = judge("scalar", [ArmFigures(one.n, one.n, one, 1.0) for one in moments])
    pair = told.pair(1, 0)
    assert (pair.difference, pair.lift) == pytest.approx((known["difference"], known["lift"]), rel=1e-9)
    assert pair.once == pytest.approx(known["welch"], rel=1e-9)
    assert [arm.interval for arm in told.arms] == [pytest.approx(ends, rel=1e-9) for ends in known["student"]]


@pytest.mark.parametrize("known", GOLDEN["ratios"])
def test_the_sample_ratio(known):
    told = sample_ratio(known["units"], known["weights"])
    assert (told.chi2, told.p) == pytest.approx((known["chi2"], known["p"]), rel=1e-9)
    assert told.p == pytest.approx(known.get("tea-tasting p", told.p), rel=1e-6)


@pytest.mark.parametrize("known", GOLDEN["votes"])
def test_the_binomial_test(known):
    assert votes_of_two(known["wins"], known["losses"], 7).p == pytest.approx(known["p"], rel=1e-9)


@pytest.mark.parametrize("known", GOLDEN["chances"])
def test_chances_and_losses_are_those_of_ten_million_draws(known):
    told = judge("bool", [shares(*counts) for counts in known["counts"]]).arms[1]
    assert told.chance == pytest.approx(known["chance"], abs=8e-4)  # five errors of the draws
    assert told.loss == pytest.approx(known["loss"], rel=0.01, abs=1e-7)


def test_strengths_and_their_errors_are_those_of_a_clustered_logistic_regression():
    known = GOLDEN["strengths"]
    votes = [(one, other, float(won)) for one, other, won, _ in known["votes"]]
    judges = [judge for *_, judge in known["votes"]]
    arms, pairs, patterns, alike = strength.patterns_of(votes, judges, weights=[1] * len(votes))
    games, counts = davidson.Games(np.array(pairs), len(arms)), (alike @ patterns)[None]
    points = davidson.fit(games, counts, ridge=1e-9)
    spread = davidson.sandwich(games, counts, points, patterns, alike[None], ridge=1e-9)[0]
    assert points[0, 1:4] - points[0, 0] == pytest.approx(known["difference to the first"], rel=1e-6)
    [errors] = [value for name, value in known.items() if name.startswith("errors")]
    own = [np.sqrt((spread[i, i] + spread[0, 0] - 2 * spread[0, i]) * 149 / 150) for i in (1, 2, 3)]
    assert own == pytest.approx(errors, rel=1e-5)


@pytest.mark.parametrize("known", SEQUENCES["cases"])
def test_always_valid_intervals_and_the_level_that_just_leaves_0_out(known):
    moments = [Moments(*numbers) for numbers in known["arms"]]
    units = sum(one.n for one in moments)
    # the number of units at which the rho of theirs would be the best one
    tuned_for = float(sequence.grown(1.0, 1.0)) / known["rho"] ** 2
    arms = [ArmFigures(one.n, one.n, one, 1.0) for one in moments]
    pair = judge("scalar", arms, alpha=known["alpha"], tuned_for=tuned_for / 2).pair(1, 0)
    assert (pair.lower, pair.upper) == pytest.approx(known["interval"], rel=1e-9)
    error = math.sqrt(sum(one.variance / one.n for one in moments))
    level = math.exp(float(sequence.log_p(pair.difference / error, units, tuned_for=tuned_for)))
    assert level == pytest.approx(known["p"], rel=1e-9)
