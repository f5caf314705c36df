"""What moments say of one arm and of two, at a single look: values, intervals, differences with their errors."""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from experiments.statistics import refusals
from experiments.statistics.traffic import LEAST_UNITS
from feedback.moments import wilson

_MOST = 1e6  # answers that one unit may stand for


class Difference(NamedTuple):
    """Of two arms: the estimate, its standard error, the units behind it, and the interval of a single look."""

    value: float
    error: float
    t: float
    once: tuple[float, float] | None


def answers(moments):
    """Independent yes-or-no answers that units' shares are worth: n where every value is 0 or 1.

    Values of several answers, averaged, vary less than answers: n p (1 - p) / variance of them say as much. E. L. Korn
    and B. I. Graubard, "Confidence intervals for proportions with small expected number of positive counts estimated
    from survey data", Survey Methodology 24 (1998) 193-201.
    """
    single = moments.n * moments.mean * (1 - moments.mean)
    if refusals.same(moments) or single <= moments.m2 * (1 + 1e-9):
        return float(moments.n)
    return moments.n * min(single / moments.m2, _MOST)


def interval(kind, moments, alpha):
    """(low, high) of an arm's value: Wilson's of a share or win rate, Student's of a mean; None where there is none."""
    if kind == "scalar":
        if moments.n < 2 or refusals.same(moments):
            return None
        half = float(stdtrit(moments.n - 1, 1 - alpha / 2)) * standard_error(moments)
        return _finite(moments.mean - half, moments.mean + half)
    many = answers(moments)
    return wilson(min(many, max(0.0, many * moments.mean)), many, 1 - alpha) if moments.n else None


def point(kind, moments, alpha=0.05):
    """(value, low, high) of an arm at one look, as a time series shows it; None below 50 units, or if all are alike."""
    if moments.n < LEAST_UNITS or not finite(moments):
        return None
    ends = interval(kind, moments, alpha)
    return (moments.mean, *ends) if ends else None


def standard_error(moments):
    return math.sqrt(moments.m2 / (moments.n - 1) / moments.n)


def difference(kind, one, other, alpha, correlation=-1.0):
    """Difference of two arms' means, none of which is refused.

    Arms of different units vary apart from each other. The win rates of two arms come from the same votes, one losing
    what the other wins: their errors add up. Those of a part of the votes may come from others: `correlation` (-1 to 1)
    is that of the two win rates.
    """
    errors = standard_error(one), standard_error(other)
    value = one.mean - other.mean
    if kind == "preference":
        error = math.sqrt(max(0.0, errors[0] ** 2 + errors[1] ** 2 - 2 * correlation * errors[0] * errors[1]))
        once = _recovered(kind, one, other, alpha, correlation)
    else:
        error = math.hypot(*errors)
        once = _welch(one, other, alpha) if kind == "scalar" else _recovered(kind, one, other, alpha, 0.0)
    return Difference(value, error, one.n + other.n, once)


def finite(moments):
    return math.isfinite(moments.mean) and math.isfinite(moments.m2)


def _recovered(kind, one, other, alpha, correlation):
    """From the two Wilson intervals: how far an end is from its value stands for its error. Of independent shares it is
    R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine 17
    (1998) 873-890, method 10; of correlated ones G. Y. Zou and A. Donner, "Construction of confidence limits about
    effect measures: a general approach", Statistics in Medicine 27 (2008) 1693-1702. Of mirrored win rates it is that
    of the one, twice as wide."""
    (low, high), (other_low, other_high) = (interval(kind, moments, alpha) for moments in (one, other))
    value = one.mean - other.mean
    down = _side(one.mean - low, other_high - other.mean, correlation)
    return value - down, value + _side(high - one.mean, other.mean - other_low, correlation)


def _side(mine, others, correlation):
    return math.sqrt(max(0.0, mine**2 + others**2 - 2 * correlation * mine * others))


def _welch(one, other, alpha):
    """B. L. Welch, "The generalization of Student's problem when several different population variances are involved",
    Biometrika 34 (1947) 28-35."""
    parts = np.array([one.m2 / (one.n - 1) / one.n, other.m2 / (other.n - 1) / other.n])
    shares = parts / parts.sum()
    freedom = 1 / (shares[0] ** 2 / (one.n - 1) + shares[1] ** 2 / (other.n - 1))
    half = float(stdtrit(freedom, 1 - alpha / 2)) * math.sqrt(parts.sum())
    return _finite(one.mean - other.mean - half, one.mean - other.mean + half)


def _finite(low, high):
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None
