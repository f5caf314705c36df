"""Estimates with their intervals, and where these lie in a row of an SVG. No Django here."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from feedback.means import mean_interval
from feedback.moments import wilson


@dataclass(frozen=True)
class Estimate:
    """A mean, or a share of yes, with its 95 % interval; low and high are None where the values allow none."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def digits(self):
        """How many digits after the point say something: two of the interval's width."""
        width = self.high - self.low if self.low is not None else abs(self.value) / 100
        return min(12, max(0, 1 - math.floor(math.log10(width)))) if width else 2


class _Summary(NamedTuple):
    """What `mean_interval` asks of moments."""

    n: int
    mean: float
    stddev: float | None


def estimate(is_bool, n, mean, stddev):
    """The Estimate of n values, None without any: Wilson's for a share of yes, Student's t for a mean."""
    if not n:
        return None
    interval = wilson(min(n, round(mean * n)), n) if is_bool else mean_interval(_Summary(n, mean, stddev))
    return Estimate(mean, *(interval or ()))


def estimate_of(key, group):
    """The Estimate of a group of the key's values."""
    return estimate(key.kind == "bool", group.count, group.mean, group.stddev)


def of_moments(is_bool, moments):
    """The same of Moments."""
    return estimate(is_bool, moments.n, moments.mean, moments.stddev)


@dataclass(frozen=True)
class Axis:
    """From low to high over so many units of an SVG; what lies outside is at its end."""

    low: float
    high: float
    length: float

    def at(self, value):
        if self.high <= self.low:
            return self.length / 2
        share = (value - self.low) / (self.high - self.low)
        return round(self.length * min(1.0, max(0.0, share)), 2)


def axis_of(estimates, length, *, whole=None):
    """An axis on which all of these fit with their intervals. It does not go beyond `whole`, the range of what is
    estimated, unless an estimate does."""
    ends = [end for one in estimates for end in (one.value, one.low, one.high) if end is not None]
    if not ends:
        return Axis(0, 1, length)
    low, high = min(ends), max(ends)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    low, high = low - room, high + room
    if whole and whole[0] < whole[1] and all(whole[0] <= one.value <= whole[1] for one in estimates):
        low, high = max(low, whole[0]), min(high, whole[1])
    return Axis(low, high, length)


@dataclass(frozen=True)
class IntervalRow:
    """Where an estimate and its interval lie in a row, in units of its SVG."""

    middle: float
    start: float | None = None
    end: float | None = None


def interval_row(one, axis):
    """The IntervalRow of an Estimate."""
    if one.low is None:
        return IntervalRow(axis.at(one.value))
    return IntervalRow(axis.at(one.value), axis.at(one.low), axis.at(one.high))
