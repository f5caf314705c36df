"""Where the parts of a chart lie: stacked bars, a line with its band, sparks, round ticks, colours.

Places across are per cent of the width, so that a chart fills what room it has while its words keep their size; places
down are pixels from the top. Templates draw it.
"""

import math
from dataclasses import dataclass, field
from itertools import groupby

SERIES = 5  # colours that can be told apart; what has none of them is grey
GAP = 0.24  # share of a column that is left free between bars
_ROUND = (1, 2, 5, 10)


@dataclass(frozen=True)
class Tick:
    value: float
    y: float


@dataclass(frozen=True)
class Segment:
    """A part of a bar: its series by place, how many it stands for, where it begins and how high it is."""

    series: int
    n: int
    y: float
    height: float


@dataclass(frozen=True)
class Bar:
    x: float
    width: float
    segments: list


@dataclass(frozen=True)
class Bars:
    ticks: list
    bars: list


@dataclass(frozen=True)
class Line:
    """`lines` and `bands` are texts of points, one for each run without a gap; `dots` lie where there is a value."""

    ticks: list
    lines: list = field(default_factory=list)
    bands: list = field(default_factory=list)
    dots: list = field(default_factory=list)  # (x, y), or None


def ticks(low, high, most=5, whole=False):
    """Round values from at or below `low` to at or above `high`, at most `most` + 1 steps of 1, 2 or 5 times a power
    of ten apart; whole numbers where asked."""
    span = high - low or abs(high) or 1
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(power * digit for digit in _ROUND if span / (power * digit) <= most * (1 + 1e-9))
    step = max(step, 1) if whole else step
    digits = max(0, 1 - math.floor(math.log10(step)))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(place * step, digits) for place in range(first, max(last, first + 1) + 1)]


def stacked(columns, height, most=5):
    """Bars of columns, each a list of counts by series, the first at the bottom; segments of nothing are left out."""
    values = ticks(0, max(map(sum, columns), default=0) or 1, most, whole=True)
    scale, width = height / values[-1], 100 / max(len(columns), 1)
    bars = []
    for place, column in enumerate(columns):
        segments, below = [], 0
        for series, n in enumerate(column):
            below += n
            if n:
                segments.append(Segment(series, n, round(height - below * scale, 2), round(n * scale, 2)))
        bars.append(Bar(round((place + GAP / 2) * width, 3), round((1 - GAP) * width, 3), segments))
    return Bars([Tick(value, round(height - value * scale, 1)) for value in values], bars)


def line(points, height, axis):
    """A Line through points (value, low end, high end), None where there is none; an end may be None where nothing is
    known of it. `axis` are the values of its ticks, ascending; what reaches beyond them is cut there."""
    bottom, top = axis[0], axis[-1]

    def down(value):
        return round(height * (top - min(max(value, bottom), top)) / (top - bottom), 2)

    placed = [(round(across(place, len(points)), 3), point) for place, point in enumerate(points)]
    drawn = Line([Tick(value, down(value)) for value in axis])
    for run in _runs(placed, lambda point: point is not None):
        drawn.lines.append(_points((x, down(point[0])) for x, point in run))
    for run in _runs(placed, lambda point: point is not None and None not in point):
        if len(run) == 1:  # a band needs some width to be seen
            (x, point), half = run[0], 50 * (1 - GAP) / len(points)
            run = [(round(x - half, 3), point), (round(x + half, 3), point)]
        over = [(x, down(most)) for x, (_, _, most) in run]
        drawn.bands.append(_points(over + [(x, down(least)) for x, (_, least, _) in reversed(run)]))
    drawn.dots.extend(None if point is None else (x, down(point[0])) for x, point in placed)
    return drawn


def spark(values, width=220, height=32, margin=3):
    """(lines, areas), texts of points: the values from side to side, the least low and the greatest high; None is a
    gap. Nothing where fewer than two values lie side by side."""
    known = [value for value in values if value is not None]
    if not known:
        return [], []
    low, span = min(known), max(known) - min(known)
    step = width / max(len(values) - 1, 1)

    def down(value):
        return round(height - margin - (height - 2 * margin) * ((value - low) / span if span else 0), 1)

    placed = [(round(place * step, 1), value) for place, value in enumerate(values)]
    runs = [[(x, down(value)) for x, value in run] for run in _runs(placed, lambda value: value is not None)]
    runs = [run for run in runs if len(run) > 1]
    areas = [[(run[0][0], height), *run, (run[-1][0], height)] for run in runs]
    return [_points(run) for run in runs], [_points(run) for run in areas]


def across(place, number):
    """The middle of a column, in per cent."""
    return (place + 0.5) * 100 / number


def marked(number, most):
    """The columns that get a word under them: at most so many, evenly apart."""
    return range(0, number, max(1, math.ceil(number / most)))


def colours(known, shown):
    """{one of shown: its series from 1}, at most SERIES of them. Each has the colour of its place among all that are
    `known`, whatever else is shown; where two would have the same, the later takes the next that is free."""
    places = {one: place for place, one in enumerate(known)}
    found = {}
    for one in sorted(shown[:SERIES], key=lambda one: places.get(one, len(places))):
        place = places.get(one, len(places))
        free = (series % SERIES + 1 for series in range(place, place + SERIES))
        found[one] = next(series for series in free if series not in found.values())
    return found


def _runs(placed, holds):
    """The stretches of (x, point) whose points hold."""
    return [list(run) for held, run in groupby(placed, lambda one: holds(one[1])) if held]


def _points(pairs):
    return " ".join(f"{x:g},{y:g}" for x, y in pairs)
