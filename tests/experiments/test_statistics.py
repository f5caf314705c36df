"""What may be said of an A/B test's figures: properties that hold for whatever figures, and reasons where none may."""

import json
import math
from dataclasses import asdict, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from experiments import models
from experiments.statistics import (
    LEAST_UNITS,
    ArmFigures,
    Moments,
    coverage_of,
    judge,
    plan,
    point,
    posterior,
    sample_ratio,
    sequence,
    strengths_of_arms,
    votes_of_two,
)
from feedback.strengths import strengths

VALUES = st.lists(st.floats(-1e6, 1e6), max_size=30)


def shares(yes, n, **more):
    """An arm with yes of n units."""
    mean = yes / n if n else 0.0
    moments = Moments(n, mean, n * mean * (1 - mean))
    return ArmFigures(**{"units": n, "answered": n, "moments": moments, "weight": 1.0, **more})


def means(n, mean, deviation, **more):
    """An arm with n units of this mean and deviation."""
    return ArmFigures(n, n, Moments(n, mean, (n - 1) * deviation**2), 1.0, **more)


def two_sided(wins, losses, ties):
    """Two arms of a preference."""
    n = wins + losses + ties
    rate = (wins + ties / 2) / n
    m2 = wins + ties / 4 - n * rate * rate
    return [ArmFigures(n, n, Moments(n, mean, m2), 1.0) for mean in (rate, 1 - rate)]


COUNTS = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
BOOLS = st.lists(COUNTS.map(lambda known: shares(*known)), min_size=2, max_size=5)
SCALARS = st.lists(
    st.builds(means, st.integers(0, 5000), st.floats(-1e3, 1e3), st.floats(0, 1e3)), min_size=2, max_size=5
)
EXTREME = st.builds(
    lambda n, mean, m2, weight, units: ArmFigures(n + units, n, Moments(n, mean, m2), weight),
    st.integers(0, 10**9),
    st.floats(-1e308, 1e308),
    st.floats(0, allow_infinity=True),
    st.floats(0, 5),
    st.integers(0, 9),
)


@given(VALUES, VALUES, VALUES)
def test_moments_merge_to_those_of_all_values_in_whatever_order(a, b, c):
    whole = Moments.of(a + b + c)
    for parts in ([a, b, c], [c, a, b]):
        merged = Moments.of(parts[0]).merge(Moments.of(part) for part in parts[1:])
        assert merged.n == whole.n
        assert merged.mean == pytest.approx(whole.mean, rel=1e-9, abs=1e-6)
        assert merged.m2 == pytest.approx(whole.m2, rel=1e-9, abs=1e-3)


def test_a_small_deviation_around_a_large_mean_is_kept():
    around = [1e9 + x / 8 for x in range(8)]
    assert Moments.of(around[:3]).merge([Moments.of(around[3:])]).variance == pytest.approx(0.09375)
    exact = [Fraction(value) for value in around]
    from_sums = Moments.from_sums(8, sum(exact), sum(value * value for value in exact))
    assert from_sums.variance == pytest.approx(0.09375, rel=1e-12)
    assert Moments.from_sums(3, Decimal("0.3"), Decimal("0.03")) == Moments(3, 0.1, 0.0)
    assert Moments.from_sums(0, Decimal(0), Decimal(0)) == Moments()


def assert_turned(told, other, order, approx=1e-9):
    """`other` is `told` with the arms in another order, but for the levels, which know the first."""
    for place, arm in enumerate(order):
        mine, theirs = told.arms[arm], other.arms[place]
        assert (mine.value, mine.interval, mine.refused) == (theirs.value, theirs.interval, theirs.refused)
        assert mine.chance == pytest.approx(theirs.chance, abs=1e-7)
    assert (told.best is None) == (other.best is None)
    assert told.best is None or told.best == order[other.best]
    for pair in told.pairs:
        turned = other.pair(order.index(pair.one), order.index(pair.other))
        assert (pair.difference is None) == (turned.difference is None)
        assert pair.difference is None or pair.difference == pytest.approx(turned.difference, rel=approx)


@given(BOOLS | SCALARS, st.data())
def test_the_order_of_arms_changes_no_figure_but_the_place(arms, data):
    kind = "bool" if all(0 <= arm.moments.mean <= 1 for arm in arms) else "scalar"
    order = data.draw(st.permutations(range(len(arms))))
    assert_turned(judge(kind, arms), judge(kind, [arms[place] for place in order]), list(order))


@given(st.sampled_from(["bool", "scalar", "preference"]), st.data())
def test_swapping_two_arms_flips_the_signs_and_nothing_else(kind, data):
    if kind == "preference":
        arms = two_sided(*data.draw(st.tuples(*[st.integers(1, 300)] * 3)))
    else:
        arms = data.draw({"bool": BOOLS, "scalar": SCALARS}[kind])[:2]
    ahead, behind = judge(kind, arms).pair(1, 0), judge(kind, arms[::-1]).pair(1, 0)
    assert ahead.refused == behind.refused or (ahead.refused and behind.refused)
    if not ahead.refused:
        assert ahead.difference == -behind.difference
        assert (ahead.lower, ahead.upper) == pytest.approx((-behind.upper, -behind.lower))
        assert (ahead.at_least, ahead.sign, ahead.level) == (ahead.lower, -behind.sign, behind.level)
        assert ahead.once == pytest.approx((-behind.once[1], -behind.once[0]), rel=1e-6, abs=1e-9)


@given(SCALARS, st.floats(1e-6, 1e6), st.booleans())
def test_another_unit_of_a_scalar_changes_no_verdict(arms, scale, lower_is_better):
    def scaled(arm):
        m = arm.moments
        return replace(arm, moments=Moments(m.n, m.mean * scale, m.m2 * scale * scale))

    one = judge("scalar", arms, lower_is_better=lower_is_better)
    other = judge("scalar", [scaled(arm) for arm in arms], lower_is_better=lower_is_better)
    assert one.best == other.best
    assert [arm.chance for arm in one.arms] == pytest.approx([arm.chance for arm in other.arms], abs=1e-6)
    for pair, same in zip(one.pairs, other.pairs, strict=True):
        assert (pair.sign, pair.level, pair.refused) == (same.sign, same.level, same.refused)
        if pair.difference is not None:
            assert pair.lower * scale == pytest.approx(same.lower, rel=1e-6, abs=1e-9 * scale)


def test_less_is_better_turns_who_is_ahead_and_leaves_the_figures():
    arms = [means(900, 3.0, 1.0), means(900, 2.6, 1.0)]
    more, less = judge("scalar", arms), judge("scalar", arms, lower_is_better=True)
    assert (more.best, less.best) == (0, 1)
    assert [a.value for a in more.arms] == [a.value for a in less.arms] == [3.0, 2.6]
    assert more.pair(1, 0).difference == less.pair(1, 0).difference == pytest.approx(-0.4)
    assert less.pair(1, 0).at_least == -more.pair(1, 0).upper
    assert less.pair(1, 0).at_least > 0 > more.pair(1, 0).at_least
    assert less.arms[1].chance == pytest.approx(more.arms[0].chance)
    shown = [judge("bool", [shares(60, 200), shares(90, 200)], lower_is_better=less) for less in (False, True)]
    assert shown[0].arms[1].chance == pytest.approx(shown[1].arms[0].chance)
    assert shown[0].arms[1].chance > 0.99


def every_number(told):
    if isinstance(told, dict):
        told = list(told.values())
    if isinstance(told, list | tuple):
        for one in told:
            yield from every_number(one)
    elif isinstance(told, float):
        yield told


@given(st.sampled_from(["bool", "scalar", "preference"]), st.lists(EXTREME, min_size=2, max_size=4), st.booleans())
def test_whatever_the_figures_are_every_number_told_is_finite(kind, arms, lower_is_better):
    if kind != "scalar":
        arms = [shares(min(arm.answered, 10**6) // 3, min(arm.answered, 10**6)) for arm in arms]
    told = asdict(judge(kind, arms, lower_is_better=lower_is_better))
    assert all(map(math.isfinite, every_number(told)))
    assert json.loads(json.dumps(told, allow_nan=False))["kind"] == kind


@given(BOOLS | SCALARS)
def test_chances_are_a_share_of_one_and_no_loss_is_below_nothing(arms):
    kind = "bool" if all(0 <= arm.moments.mean <= 1 for arm in arms) else "scalar"
    told = judge(kind, arms)
    known = [arm for arm in told.arms if arm.chance is not None]
    assume(known)
    assert sum(arm.chance for arm in known) == pytest.approx(1)
    assert all(0 <= arm.chance <= 1 and arm.loss >= 0 for arm in known)


@given(st.sampled_from(["bool", "scalar", "preference"]), st.data(), st.floats(0.001, 0.4), st.floats(0.001, 0.4))
def test_intervals_are_nested_in_alpha(kind, data, a, b):
    if kind == "preference":
        arms = two_sided(*data.draw(st.tuples(*[st.integers(1, 300)] * 3)))
    else:
        arms = data.draw({"bool": BOOLS, "scalar": SCALARS}[kind])
    wide, narrow = (judge(kind, arms, alpha=alpha) for alpha in sorted((a, b)))
    for outer, inner in zip(wide.pairs, narrow.pairs, strict=True):
        if outer.lower is not None:
            slack = 1e-9 * (1 + abs(outer.lower) + abs(outer.upper))
            assert outer.lower - slack <= inner.lower <= inner.difference <= inner.upper <= outer.upper + slack
    for outer, inner in zip(wide.arms, narrow.arms, strict=True):
        if outer.interval:
            slack = 1e-9 * (1 + abs(outer.value))
            assert outer.interval[0] - slack <= inner.interval[0] <= inner.interval[1] <= outer.interval[1] + slack


@given(st.integers(100, 10**6), st.integers(100, 10**6))
def test_the_sequence_is_narrowest_where_it_is_tuned(t, tuned_for):
    def width(tuned):
        return float(sequence.factor(t, 0.05, tuned_for=tuned))

    assert 1.96 < width(t) <= width(tuned_for) * (1 + 1e-12)


@pytest.mark.parametrize("level", [0.05, 0.025, 0.01])
def test_the_sequence_is_the_published_formula(level):
    """With rho that minimises it at the planned number of units, found by looking."""
    tuned_for = 5000

    def published(t, rho2, level):
        return math.sqrt(2 * (t * rho2 + 1) / (t**2 * rho2) * math.log(math.sqrt(t * rho2 + 1) / level))

    rho2 = min(np.arange(1, 40_000) / 1e7, key=lambda rho2: published(tuned_for, rho2, 0.05))
    for t in (100, 3000, 5000, 80_000):
        told = sequence.factor(t, level, tuned_for=tuned_for) / math.sqrt(t)
        assert told == pytest.approx(published(t, rho2, level), rel=1e-4)


def test_an_interval_leaves_0_out_just_where_its_level_says_so():
    for z in (2.0, 3.0, 4.5):
        level = math.exp(float(sequence.log_p(z, 700, tuned_for=5000)))
        assert sequence.factor(700, level, tuned_for=5000) == pytest.approx(z) or level == 1


@given(st.lists(st.floats(-30, 0), min_size=1, max_size=6), st.floats(0.001, 0.2))
def test_holm_holds_each_to_its_own_step(log_ps, alpha):
    told = sequence.levels(log_ps, alpha)
    many, failed = len(log_ps), False
    for step, place in enumerate(np.argsort(log_ps, kind="stable")):
        if not failed:
            level = alpha / (many - step)
            failed = log_ps[place] >= math.log(level)
        assert told[place] == pytest.approx(level)


@pytest.mark.parametrize(
    ("kind", "arm", "reason"),
    [
        ("bool", shares(0, 0), "No unit has a value yet."),
        ("bool", shares(1, 1), "One unit alone"),
        ("scalar", means(1, 3.0, 0.0), "One unit alone"),
        ("scalar", means(49, 3.0, 1.0), "49 of the 50 units"),
        ("bool", shares(9, 200), "9 yeses in 200 units; 10 are needed."),
        ("bool", shares(200, 200), "0 noes in 200 units"),
        ("scalar", means(60, 3.0, 0.0), "All 60 units have the same value"),
        ("scalar", ArmFigures(60, 60, Moments.of([0.1] * 60), 1.0), "All 60 units have the same value"),
        ("scalar", ArmFigures(60, 60, Moments(60, 1e200, math.inf), 1.0), "too large"),
        ("preference", two_sided(0, 0, 90)[0], "All 90 units have the same value"),
        ("preference", two_sided(85, 5, 0)[1], "5 wins in 90 units"),
    ],
)
def test_what_carries_no_comparison_is_refused_with_the_reason(kind, arm, reason):
    fine = means(500, 3.0, 1.0) if kind == "scalar" else shares(250, 500)
    told = judge(kind, [fine, arm])
    assert reason in told.arms[1].refused
    assert told.arms[0].refused is None
    assert (told.arms[1].chance, told.arms[1].loss, told.best) == (None, None, None)
    pair = told.pair(1, 0)
    assert reason in pair.refused and reason in pair.no_lift
    assert (pair.difference, pair.lower, pair.upper, pair.at_least, pair.lift, pair.sign) == (*[None] * 5, 0)
    if arm.moments.n < LEAST_UNITS:
        assert (told.arms[1].value, told.arms[1].interval, point(kind, arm.moments)) == (None, None, None)


def test_what_has_enough_units_is_shown_although_it_is_not_compared():
    told = judge("bool", [shares(250, 500), shares(3, 500)]).arms[1]
    assert told.value == 0.006 and told.interval[0] > 0
    assert point("bool", shares(3, 500).moments) == (told.value, *told.interval)


@pytest.mark.parametrize(
    ("base", "lift", "reason"),
    [(2.0, 0.5, None), (-2.0, 1.5, None), (0.0, None, "value is 0"), (5e-324, None, "too near 0")],
)
def test_a_lift_is_divided_by_the_absolute_base_or_there_is_none(base, lift, reason):
    arms = [means(500, base, 1.0), means(500, 3.0 if base > 0 else 1.0, 1.0)]
    pair = judge("scalar", arms).pair(1, 0)
    assert pair.lift == lift
    assert (pair.no_lift is None) == (reason is None) and (reason is None or reason in pair.no_lift)


def test_units_of_several_answers_make_shares_as_certain_as_their_values_are():
    """A thousand units, each with the mean of four answers."""
    values = np.random.default_rng(5).binomial(4, 0.3, 1000) / 4
    averaged = ArmFigures(1000, 1000, Moments.of(values), 1.0)
    single = shares(round(1000 * values.mean()), 1000)
    wide, narrow = (judge("bool", [arm, arm]).arms[0].interval for arm in (single, averaged))
    assert (wide[1] - wide[0]) / (narrow[1] - narrow[0]) == pytest.approx(2, rel=0.05)


def test_the_two_sides_of_a_preference_are_not_two_samples():
    """What one wins the other loses: the difference varies as twice the win rate does."""
    told = judge("preference", two_sided(300, 200, 100)).pair(0, 1)
    rate, n = 350 / 600, 600
    error = math.sqrt((300 + 25 - n * rate**2) / (n - 1) / n)
    assert told.difference == pytest.approx(2 * rate - 1)
    factor = sequence.factor(2 * n, 0.05, tuned_for=10_000)
    assert told.upper - told.lower == pytest.approx(2 * 2 * error * factor)


def test_an_arm_that_is_not_the_first_has_its_own_level_against_the_others():
    told = judge("bool", [shares(300, 1000), shares(400, 1000), shares(310, 1000)])
    assert told.pair(1, 0).level == told.pair(0, 1).level == pytest.approx(0.025)
    assert told.pair(2, 0).level == pytest.approx(0.05)  # the second of Holm's steps, after the first was clear
    assert told.pair(1, 2).level == pytest.approx(2 * 0.05 / 3)
    assert (told.best, told.pair(1, 0).sign, told.pair(0, 1).sign, told.pair(2, 0).sign) == (1, 1, -1, 0)


def test_arms_that_take_no_part_make_nothing_stricter():
    two, idle = [shares(300, 1000), shares(400, 1000)], shares(0, 0, weight=0.0)
    assert judge("bool", [*two, idle]).pair(1, 0).level == judge("bool", two).pair(1, 0).level == 0.05


@pytest.mark.parametrize(
    ("kind", "arms", "more"),
    [
        ("text", 2, {}),
        ("bool", 1, {}),
        ("bool", 2, {"alpha": 0}),
        ("bool", 2, {"alpha": 1}),
        ("bool", 2, {"tuned_for": 0}),
    ],
)
def test_what_is_no_question_is_refused(kind, arms, more):
    with pytest.raises(ValueError, match="No judgement"):
        judge(kind, [shares(100, 200)] * arms, **more)


@pytest.mark.parametrize(("kind", "fine"), [("bool", shares), ("scalar", lambda yes, n: means(n, yes / n, 0.5))])
def test_no_arm_is_best_while_one_that_takes_part_is_refused(kind, fine):
    few = ArmFigures(12, 12, Moments(12, 1.0, 0.0), 1.0)
    told = judge(kind, [fine(30, 100), fine(70, 100), few])
    assert told.best is None and {(arm.chance, arm.loss) for arm in told.arms} == {(None, None)}
    assert told.pair(1, 0).difference == pytest.approx(0.4)
    for aside in (replace(few, off=True), ArmFigures(0, 0, Moments(), 0.0)):
        told = judge(kind, [fine(30, 100), fine(70, 100), aside])
        assert told.best == 1 and told.arms[1].chance > 0.99 and told.arms[2].chance is None
    told = judge(kind, [fine(30, 100), fine(70, 100), replace(fine(95, 100), off=True)])  # it does not win either
    assert told.best == 1 and told.arms[1].chance > 0.99 and told.arms[2].chance is None


# Traffic


@pytest.mark.parametrize(
    ("units", "weights", "holds"),
    [
        ([5_010, 4_990], [1, 1], True),
        ([6_214, 6_208, 5_733], [0.2, 0.2, 0.2], False),
        ([300, 100], [3, 1], True),
        ([300, 100, 7], [3, 1, 0], True),  # brought there by name: weight 0 is no degree of freedom
        ([5, 3], [1, 1], None),
        ([500, 0], [1, 0], None),
        ([0, 0], [0, 0], None),
    ],
)
def test_the_sample_ratio_is_that_of_the_arms_with_traffic(units, weights, holds):
    told = sample_ratio(units, weights)
    assert told.holds is holds
    assert (told.p is None) == (told.refused is not None) == (holds is None)


def test_units_of_a_design_are_as_far_off_as_they_are_said_to_be():
    told = sample_ratio([6_214, 6_208, 5_733], [1, 1, 1])
    assert told.expected == pytest.approx([6051.667] * 3, abs=1e-3)
    assert told.chi2 == pytest.approx(25.15, abs=0.05) and 2e-6 < told.p < 5e-6


def test_coverage_is_apart_in_points():
    assert coverage_of([200, 400], [100, 180]).shares == [0.5, 0.45]
    assert coverage_of([200, 400], [100, 180]).spread == pytest.approx(5)
    assert coverage_of([200, 0], [100, 0]) == coverage_of([200, 0], [100, 0]).__class__([0.5, None], None)


# Preferences


def test_votes_of_two_tell_what_stands_beside_the_win_rate():
    told = votes_of_two(60, 40, 20)
    assert (told.win_rate, told.tie_share) == pytest.approx((70 / 120, 1 / 6))
    nothing = votes_of_two(0, 0, 0)
    assert (nothing.win_rate, nothing.tie_share, nothing.p) == (None,) * 3
    assert votes_of_two(50, 50, 0).p == 1


VOTES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([0, 0.5, 1]), st.integers(0, 12)), max_size=40
)


def strong(votes, **more):
    return strengths_of_arms([vote[:3] for vote in votes], judges=[vote[3] for vote in votes], draws=20, **more)


@given(VOTES, st.randoms())
def test_the_order_of_votes_their_sides_and_the_names_of_judges_are_irrelevant(votes, random):
    shuffled = [
        (b, a, 1 - score, f"judge {judge}") if random.random() < 0.5 else (a, b, score, f"judge {judge}")
        for a, b, score, judge in votes
    ]
    random.shuffle(shuffled)
    assert strong(votes) == strong(shuffled)


@given(VOTES)
def test_strengths_are_finite_and_those_of_the_feedback_pages(votes):
    told, counts = strong(votes, weights=[1] * len(votes)), {}
    assert all(map(math.isfinite, every_number(asdict(told))))
    for a, b, score, _ in votes:
        counts.setdefault((a, b), [0, 0, 0])[{1: 0, 0: 1, 0.5: 2}[score]] += 1
    expected = {one.model: one for one in strengths(counts)}
    assert {one.arm for one in told.arms} == set(expected)
    for one in told.arms:
        known = expected[one.arm]
        assert one.strength == pytest.approx(known.strength, abs=1e-5)
        assert (one.wins, one.losses, one.ties, one.group) == (known.wins, known.losses, known.ties, known.group)
        assert one.low <= one.strength <= one.high and 1 <= one.rank_low <= one.rank_high <= len(expected)


def crowd(judges, truth, seed=3, votes=1, stubborn=0.0):
    """Votes of judges on random pairs; a stubborn judge repeats the first of hers."""
    chance = np.random.default_rng(seed)
    for name in range(judges):
        one, other = chance.choice(len(truth), 2, replace=False)
        for number in range(votes):
            if number == 0 or chance.random() >= stubborn:
                one, other = chance.choice(len(truth), 2, replace=False)
                score = float(chance.random() < 1 / (1 + math.exp(truth[other] - truth[one])))
            yield int(one), int(other), score, name


def test_the_bootstrap_and_the_sandwich_tell_the_same_error():
    votes = list(crowd(600, [0.0, 0.4, 0.8], votes=4, stubborn=0.7))
    told = strengths_of_arms([vote[:3] for vote in votes], judges=[vote[3] for vote in votes], draws=1000)
    naive = strengths_of_arms([vote[:3] for vote in votes], judges=range(len(votes)), draws=10)
    for arm in told.arms:
        pair = next(pair for pair in told.pairs if arm.arm in (pair.one, pair.other))
        assert pair.stderr > 0
        drawn = (arm.high - arm.low) / 2 / 1.96
        own = strengths_error(told, arm.arm)
        assert drawn == pytest.approx(own, rel=0.12)
        assert own > 1.4 * strengths_error(naive, arm.arm)  # votes of one judge are no independent ones


def test_a_judge_who_votes_without_end_carries_no_pair():
    """430 people are even on every pair; one more, llm, prefers C by 650 to 350 votes, against A and against B."""
    votes = [(*pair, person % 2, f"{person}", 1) for person in range(430) for pair in ((0, 1), (0, 2), (1, 2))]
    votes += [(2, other, score, "llm", many) for other in (0, 1) for score, many in ((1, 650), (0, 350))]
    *columns, judges, times = zip(*votes, strict=True)
    found = strengths_of_arms(list(zip(*columns, strict=True)), judges=judges, times=times, draws=50)
    ahead = next(pair for pair in found.pairs if (pair.one, pair.other) == (0, 2))
    assert (ahead.wins, ahead.losses, found.votes) == (215 + 350, 215 + 650, 3 * 430 + 2000)
    assert ahead.difference == pytest.approx(0, abs=0.01) and 0.07 < ahead.stderr < 0.2
    told = judge("preference", [shares(215, 430)] * 3, strengths=found, tuned_for=200)
    assert [pair.sign for pair in told.pairs] == [0] * 6


def test_a_link_of_three_votes_makes_nothing_certain():
    votes = [(*pair, n % 2, f"{n}, {pair}") for n in range(300) for pair in ((0, 1), (2, 3))]
    votes += [(0, 2, 1, f"{n} of the link") for n in range(3)]
    found = strengths_of_arms([vote[:3] for vote in votes], judges=[vote[3] for vote in votes], draws=1000)
    told = judge("preference", [shares(150, 300)] * 4, strengths=found, tuned_for=200)
    assert told.pair(0, 2).difference > 2 and told.pair(0, 2).lower < -2
    assert [pair.sign for pair in told.pairs] == [0] * 12
    assert {(arm.rank_low, arm.rank_high) for arm in found.arms} == {(1, 4)}
    assert 0.85 < sum(arm.chance for arm in found.arms if arm.arm < 2) < 0.94  # of draws of judges alone 0.97


def test_where_each_judge_votes_once_no_chance_is_moved():
    votes = [(*pair, int(n < won), f"{n}, {pair}") for pair, won in (((0, 1), 70), ((1, 2), 105)) for n in range(120)]
    found = strengths_of_arms([vote[:3] for vote in votes], judges=[vote[3] for vote in votes], draws=4000)
    by_normal = posterior.of_means([0.336, 0.0], [found.pairs[0].stderr, 1e-9])[0]  # ln(70 / 50): nobody else is near
    assert {arm.arm: arm.chance for arm in found.arms}[0] == pytest.approx(by_normal[0], abs=0.03)


def strengths_error(told, arm):
    """Of a centred strength, from the errors of the differences: (3 arms) var = (2(V_a + V_b) - V_c) / 9."""
    own = sum(pair.stderr**2 for pair in told.pairs if arm in (pair.one, pair.other))
    [apart] = [pair.stderr**2 for pair in told.pairs if arm not in (pair.one, pair.other)]
    return math.sqrt((2 * own - apart) / 9)


def test_three_arms_of_a_preference_are_compared_by_strength():
    votes = list(crowd(6000, [0.0, 0.9, 0.1], votes=1))
    found = strengths_of_arms([vote[:3] for vote in votes], judges=[vote[3] for vote in votes], draws=200)
    arms = []
    for place in range(3):
        [one] = [one for one in found.arms if one.arm == place]
        n = one.wins + one.losses
        arms.append(shares(one.wins, n))
    told = judge("preference", arms, strengths=found)
    assert told.best == 1 and told.pair(1, 0).at_least > 0 and told.pair(1, 2).at_least > 0
    assert told.pair(1, 0).difference == pytest.approx(0.9, abs=0.2)
    assert (found.arms[0].arm, found.arms[0].rank_low, found.arms[0].rank_high) == (1, 1, 1)
    assert told.arms[1].chance == 1 and told.pair(1, 0).lift is None
    without = judge("preference", arms)
    assert without.best is None and "No votes" in without.pair(1, 0).refused


def test_an_arm_that_never_lost_and_arms_that_never_met_are_refused():
    votes = [(0, 1, i % 2, i) for i in range(200)] + [(2, 3, i % 2, 500 + i) for i in range(200)]
    votes += [(4, 0, 1, 900 + i) for i in range(100)]
    found = strengths_of_arms([vote[:3] for vote in votes], judges=[vote[3] for vote in votes], draws=50)
    told = judge("preference", [shares(100, 200)] * 5, strengths=found)
    assert "lost 0 of 100 votes" in told.arms[4].refused
    assert told.pair(1, 0).refused is None and told.pair(3, 2).refused is None
    assert "connect" in told.pair(2, 0).refused
    assert (told.best, {arm.chance for arm in told.arms}) == (None, {None})  # nothing leads from A and B to C and D
    *compared, last = told.strengths.arms
    assert (last.arm, last.wins, last.losses) == (4, 100, 0)
    assert {last.strength, last.low, last.high, last.rank_low, last.rank_high, last.chance, last.loss} == {None}
    assert {(arm.rank_low, arm.rank_high, arm.chance) for arm in compared} == {(1, 2, None)}
    known = {(pair.one, pair.other) for pair in told.strengths.pairs if pair.difference is not None}
    assert known == {(pair.one, pair.other) for pair in told.strengths.pairs if pair.stderr is not None}
    assert known == {(0, 1), (2, 3)}


def test_strengths_that_were_told_once_are_judged_again_with_more_units():
    """What an evaluation keeps has nothing of an arm that was refused then, though its units were enough by now: it may
    be the best, so none is yet."""
    votes = list(crowd(400, [0.0, 0.9, 0.1]))
    found = strengths_of_arms([vote[:3] for vote in votes], judges=[vote[3] for vote in votes], draws=50)
    kept = judge("preference", [shares(100, 200), shares(100, 200), shares(10, 20)], strengths=found).strengths
    told = judge("preference", [shares(100, 200)] * 3, strengths=kept)
    assert told.arms[2].refused == "Its strength comes with the next evaluation."
    assert told.best is None and {arm.chance for arm in [*told.arms, *told.strengths.arms]} == {None}
    assert "next evaluation" in told.pair(0, 2).refused and told.pair(1, 0).difference > 0


def test_chances_of_strengths_are_of_the_arms_that_take_part():
    """D is far ahead of A, B and C, and takes no traffic any more."""
    votes = list(crowd(900, [0.0, 0.6, 0.1, 2.0]))
    columns = {"votes": [vote[:3] for vote in votes], "judges": [vote[3] for vote in votes], "draws": 200}
    everybody, others = strengths_of_arms(**columns), strengths_of_arms(**columns, among=[0, 1, 2])
    arms = [shares(100, 200), shares(100, 200), shares(100, 200), shares(100, 200, off=True)]
    told = judge("preference", arms, strengths=others)
    assert told.best == 1 and told.arms[1].chance > 0.9 and sum(arm.chance for arm in told.arms[:3]) == pytest.approx(1)
    assert (told.arms[3].chance, told.arms[3].loss, told.arms[3].refused) == (None, None, None)
    kept = judge("preference", arms, strengths=everybody)  # drawn while D took part
    assert kept.best == 1 and {arm.chance for arm in kept.arms} == {None}
    assert judge("preference", [*arms[:3], shares(100, 200)], strengths=everybody).best == 3


def test_a_score_that_is_none_is_refused():
    with pytest.raises(ValueError, match="score"):
        strengths_of_arms([(0, 1, 2)], judges=[1])


# Planning


def test_more_is_needed_for_smaller_effects_more_power_more_arms_and_less_feedback():
    asked = {"kind": "bool", "base": 0.3, "effect": 0.05}
    known = plan(**asked, daily=500)
    assert known.days == pytest.approx(known.units / 500) and known.units == 2 * known.answered_per_arm
    for more in ({"effect": 0.04}, {"power": 0.9}, {"arms": 3}, {"alpha": 0.01}):
        assert plan(**asked | more).answered_per_arm > known.answered_per_arm
    half = plan(**asked, coverage=0.5)
    assert half.units_per_arm == 2 * known.answered_per_arm and half.answered_per_arm == known.answered_per_arm
    assert plan("bool", base=0.7, effect=-0.05).answered_per_arm == known.answered_per_arm
    uneven = plan(**asked, daily=500, weights=[1, 3])  # the smaller arm has a quarter of what comes
    assert (uneven.answered_per_arm, uneven.units) == (known.answered_per_arm, 4 * known.units_per_arm)
    assert uneven.days == pytest.approx(2 * known.days)


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "bool", "base": 0.98, "effect": 0.05},
        {"kind": "bool", "effect": 0.05},
        {"kind": "bool", "base": 0.3, "effect": 0},
        {"kind": "bool", "base": 0.3, "effect": math.nan},
        {"kind": "scalar", "effect": 1.0},
        {"kind": "scalar", "effect": 1e-300, "spread": 1.0},
        {"kind": "preference", "effect": 1.0},
        {"kind": "preference", "effect": 0.5, "spread": 0.8},
        {"kind": "text", "effect": 1.0},
        {"kind": "bool", "base": 0.3, "effect": 0.1, "power": 1.0},
        {"kind": "bool", "base": 0.3, "effect": 0.1, "arms": 1},
        {"kind": "bool", "base": 0.3, "effect": 0.1, "weights": [1, 0]},
        {"kind": "bool", "base": 0.3, "effect": 0.1, "weights": [1e-300, 1e6]},
        {"kind": "bool", "base": 0.3, "effect": 0.1, "coverage": 0.0},
        {"kind": "bool", "base": 0.3, "effect": 0.1, "coverage": 1e-320},
        {"kind": "bool", "base": 0.3, "effect": 0.1, "daily": 1e-320},
        {"kind": "bool", "base": 0.3, "effect": 0.1, "daily": 0},
    ],
)
def test_what_cannot_be_planned_is_told(asked):
    with pytest.raises(ValueError, match=r"\w{3}"):
        plan(**asked)


def test_fewest_units_are_the_same_to_models_and_statistics():
    assert LEAST_UNITS == models.LEAST_UNITS
