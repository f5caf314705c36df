"""Sums of values are exact whatever comes and goes, and what is said of them is what plain arithmetic says."""

import math
import random
import statistics
from bisect import bisect_right
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.means import mean_interval
from feedback.moments import Moments, edges, exact, wilson

VALUES = st.floats(-1e12, 1e12)
LISTS = st.lists(VALUES, max_size=20)


@given(LISTS, LISTS)
def test_what_was_added_is_taken_away_to_the_last_digit(some, others):
    kept, passing = Moments.of(some), Moments.of(others)
    assert kept + passing - passing == kept
    assert kept - kept == Moments() and (kept - kept).empty


@given(LISTS, st.randoms(use_true_random=False))
def test_order_and_grouping_change_nothing(values, chance):
    mixed = chance.sample(values, len(values))
    cut = chance.randint(0, len(values))
    whole = Moments.of(values)
    assert Moments.of(mixed) == whole == Moments.of(mixed[cut:]) + Moments.of(mixed[:cut])
    assert whole == sum((Moments.of([value]) for value in mixed), Moments())


@given(LISTS)
def test_mean_and_deviation_are_those_of_exact_fractions(values):
    moments, fractions = Moments.of(values), [Fraction(repr(value)) for value in values]
    assert moments.n == len(values)
    if values:
        assert moments.mean == pytest.approx(float(sum(fractions) / len(values)), rel=1e-15, abs=0)
    if len(values) > 1:
        middle = sum(fractions) / len(values)
        variance = sum((value - middle) ** 2 for value in fractions) / (len(values) - 1)
        scaled = variance * 10**800  # a root of whole numbers: floats would lose the small ones
        expected = float(Fraction(math.isqrt(int(scaled)), 10**400))
        assert moments.stddev == pytest.approx(expected, rel=1e-12, abs=0)


def test_a_small_deviation_around_a_large_mean_is_kept():
    values = [1e9 + step / 2**20 for step in range(5)]
    exactly = statistics.stdev([Fraction(repr(value)) for value in values])
    assert Moments.of(values).stddev == pytest.approx(exactly, rel=1e-12, abs=0)
    assert Moments.of([0.0, 1e-300]).stddev == pytest.approx(1e-300 / math.sqrt(2), rel=1e-12, abs=0)
    assert Moments.of([1e12, 1e-300]) - Moments.of([1e12]) == Moments.of([1e-300])


def test_too_few_values_have_no_mean_and_no_deviation():
    assert Moments.of([]).mean is None and Moments.of([]).stddev is None
    assert Moments.of([3]).mean == 3.0 and Moments.of([3]).stddev is None
    assert Moments.of([3, 3]).stddev == 0.0


def test_a_correction_is_a_difference_of_no_values_that_is_not_empty():
    delta = Moments.of([1]) - Moments.of([0])
    assert delta.n == 0 and not delta.empty and delta.mean is None
    assert Moments.of([0, 0]) + delta == Moments.of([0, 1])
    assert Moments(2, Decimal(2), Decimal(1)).stddev is None  # no two values have these


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_only_finite_numbers_are_taken(value):
    with pytest.raises(ValueError, match="not a finite number"):
        exact(value)
    with pytest.raises(ValueError, match="not a finite number"):
        Moments.of([1.0, value])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_decimal_reads_back_as_its_double(value):
    assert float(exact(value)) == value
    assert str(exact(0.1)) == "0.1" and str(exact(-0.0)) == "0"


# From Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998) 857-872.
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.floats(0.5, 0.999))
def test_a_share_lies_in_its_interval_and_swapping_mirrors_it(yes, no, confidence):
    interval = wilson(yes, yes + no, confidence)
    if not yes + no:
        assert interval is None
        return
    low, high = interval
    assert 0 <= low <= yes / (yes + no) <= high <= 1 and low < high
    assert wilson(no, yes + no, confidence) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_what_cannot_be_a_share_or_a_confidence_is_refused():
    for successes, n in [(3, 2), (-1, 2)]:
        with pytest.raises(ValueError, match="cannot be"):
            wilson(successes, n)
    for confidence in (0, 1, 95, math.nan):
        with pytest.raises(ValueError, match="between 0 and 1"):
            wilson(1, 2, confidence)
        with pytest.raises(ValueError, match="between 0 and 1"):
            mean_interval(Moments.of([1, 2]), confidence)


def test_the_interval_of_a_mean_is_students():
    low, high = mean_interval(Moments.of([1, 2, 3]))
    half = 4.302652729911275 / math.sqrt(3)  # t with 2 degrees of freedom, from tables
    assert (low, high) == pytest.approx((2 - half, 2 + half), rel=1e-9)
    assert mean_interval(Moments.of([1])) is None
    assert mean_interval(Moments.of([4, 4, 4])) is None


def test_the_interval_of_a_mean_covers_it_as_often_as_it_says():
    chance = random.Random(5)
    intervals = (mean_interval(Moments.of(chance.gauss(7, 2) for _ in range(5))) for _ in range(1000))
    assert 930 < sum(low < 7 < high for low, high in intervals) < 970


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((1, 5, 1), [1, 2, 3, 4, 5, 6]),
        ((0, 0.5, 0.1), [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        ((-0.1, 0.7, 0.2), [-0.1, 0.1, 0.3, 0.5, 0.7, 0.9]),
        ((0, 1, 1), [0, 1, 2]),
        ((0, 30, 1), list(range(0, 33, 2))),
        ((1, 100, 1), list(range(1, 102, 5))),
        ((0, 1), [i / 20 for i in range(22)]),
        ((1.2, 4.9, None, 12), [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]),
        ((-3, 3, None, 8), [-3, -2, -1, 0, 1, 2, 3, 4]),
        ((3, 3), [3, 4]),
        ((0, 0), [0, 1]),
        ((0.37, 0.37), [0.3, 0.4]),
        ((-7, -7), [-7, -6]),
        ((2, 2, 0.5), [2, 2.5]),
    ],
)
def test_bars_have_clean_edges(arguments, expected):
    assert edges(*arguments) == expected


@given(st.integers(-1000, 1000), st.integers(0, 23), st.sampled_from(["0.01", "0.1", "0.25", "0.3", "1", "2.5", "1e6"]))
def test_every_declared_value_has_its_own_bar(start, steps, step):
    declared = [float(Decimal(step) * (start + i)) for i in range(steps + 1)]
    bars = edges(declared[0], declared[-1], float(step))
    assert bars[:-1] == declared


@given(VALUES, VALUES, st.none() | st.floats(1e-9, 1e12), st.integers(2, 60))
def test_bars_hold_all_from_minimum_to_maximum(one, other, step, most):
    low, high = sorted((one, other))
    bars = edges(low, high, step, most)
    assert bars == sorted(set(bars)) and len(bars) - 1 <= most
    assert bars[0] <= low and bars[-2] <= high < bars[-1]
    assert bisect_right(bars, low) == 1  # no empty bar at the beginning, nor at the end
    if low == high:
        assert len(bars) == 2
    elif step is None and most >= 11 and high - low > 1e-12 * max(abs(low), abs(high)):
        assert len(bars) - 1 >= 5


def test_what_makes_no_bars_is_refused():
    for arguments in [(2, 1), (0, 1, 0), (0, 1, -1), (0, 1, None, 1)]:
        with pytest.raises(ValueError, match="No bars"):
            edges(*arguments)
    with pytest.raises(ValueError, match="not a finite number"):
        edges(0, math.inf)
