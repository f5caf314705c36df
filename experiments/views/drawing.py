"""Where the intervals, lines and bars of a test lie, and in which colours. No Django here."""

import math
from dataclasses import dataclass

from interactions import charts

WIDTH = 300  # of an interval's row, in units of its SVG
HEIGHT = 220  # of the chart over time, in pixels
MOST_DOTS = 60  # days that get a dot each
ROOM = 0.08  # left free at both ends of a row
# the control is grey; the others take the colours of series that can be told apart
COLOURS = ("text-3", "c1", "c3", "c2", "c4", "c5")


def colour(position):
    """The colour class of the arm at this place; what has none of its own is pale."""
    return COLOURS[position] if position < len(COLOURS) else "cm"


@dataclass(frozen=True)
class Row:
    """An interval in its row: its ends and its middle, in units of the SVG; `zero` is where nothing differs."""

    zero: float
    start: float | None = None
    middle: float | None = None
    end: float | None = None


def interval_rows(found):
    """A Row for each (value, low, high), or None where nothing is known; all on one axis, with 0 on it."""
    known = [number for one in found if one for number in one if _is_finite(number)]
    low, high = min([0.0, *known]), max([0.0, *known])
    room = (high - low) * ROOM or 1.0
    low, high = low - room, high + room

    def at(value):
        return round(WIDTH * (min(max(value, low), high) - low) / (high - low), 1)

    rows = []
    for one in found:
        if not one or not _is_finite(one[0]):
            rows.append(Row(at(0)))
            continue
        value, start, end = one
        rows.append(Row(at(0), at(low if start is None else start), at(value), at(high if end is None else end)))
    return rows


def margin_row(gain, low, high, margin):
    """The Row of how much better an arm is, at least and at most, on an axis of margins: worse on the left, 0 in the
    middle, what is no worse still a third of the way to the left."""

    def at(value):
        return round(WIDTH / 2 * (1 + min(max(value / margin / 3, -1), 1)), 1)

    return Row(at(0), at(low), at(gain), at(high))


def _is_finite(number):
    return number is not None and math.isfinite(number)


@dataclass(frozen=True)
class Series:
    """An arm's line and band in the chart, as texts of points."""

    letter: str
    name: str
    colour: str
    line: charts.Line


@dataclass(frozen=True)
class Chart:
    """Lines over time on one axis. `marks` are (per cent across, day)."""

    series: list
    ticks: list
    marks: list
    few: bool = True  # so few days that each gets a dot
    height: int = HEIGHT


def chart(days, columns, arms, whole=None):
    """A Chart of `columns`, a list of (value, low, high) or None for each arm, by day; None without any value. `arms`
    are (letter, name, position); the axis does not go beyond `whole`."""
    points = [point for column in columns for point in column if point]
    if not points:
        return None
    low, high = _ends(columns, points, whole)
    axis = charts.ticks(low, high, 5)
    series = [
        Series(letter, name, colour(position), charts.line(list(column), HEIGHT, axis))
        for (letter, name, position), column in zip(arms, columns, strict=True)
    ]
    marks = [(round(charts.across(place, len(days)), 3), days[place]) for place in charts.marked(len(days), 9)]
    return Chart(series, series[0].line.ticks, marks, len(days) < MOST_DOTS)


def _ends(columns, points, whole):
    """The axis takes in the last intervals of all arms and every value; the first days' intervals, which are as wide as
    it likes, are cut there."""
    last = [next((point for point in reversed(column) if point), None) for column in columns]
    ends = [end for point in last if point for end in point[1:] if _is_finite(end)]
    values = [point[0] for point in points]
    low, high = min([*ends, *values]), max([*ends, *values])
    room = (high - low) * 0.35 or abs(high) * 0.1 or 1.0
    low, high = low - room, high + room
    return (max(low, whole[0]), min(high, whole[1])) if whole else (low, high)


@dataclass(frozen=True)
class Part:
    """An arm's part of all traffic, in per cent, and where it begins."""

    letter: str
    colour: str
    start: float
    share: float


def traffic(split, weights):
    """The Parts of a test that takes `split` of the units, by the arms' weights; and what is left outside."""
    total = math.fsum(weights) or 1.0
    parts, start = [], 0.0
    for position, weight in enumerate(weights):
        share = 100 * split * weight / total
        parts.append(Part("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[position], colour(position), round(start, 3), round(share, 3)))
        start += share
    return parts, round(100 - start, 3)
