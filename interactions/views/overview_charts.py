"""The overview's charts over time, and the tables that say the same."""

from dataclasses import dataclass

from feedback.models import FeedbackKey
from feedback.rollups import Totals
from interactions.charts import SERIES, Bar, Bars, Line, across, line, marked, stacked, ticks
from interactions.views.overview_drawn import bars_html, rows_html
from interactions.views.overview_figures import Count, Series, Value, is_bool, pair_of, value_of
from interactions.views.overview_period import Column

HEIGHT, SMALL = 228, 84  # pixels
WORDS = 6  # under a chart


@dataclass(frozen=True)
class Part:
    """A segment of a bar or a cell of the table: so many of a Series."""

    series: Series
    count: Count
    segment: object = None  # None where there is nothing to draw


@dataclass(frozen=True)
class VolumeColumn:
    column: Column
    x: float
    bar: Bar
    total: Count
    parts: list
    is_marked: bool


@dataclass(frozen=True)
class Volume:
    """Interactions over time, by model."""

    drawn: Bars
    ticks: list
    series: list
    columns: list
    height: int = HEIGHT

    @property
    def bars_html(self):
        return bars_html(self)

    @property
    def rows_html(self):
        return rows_html(self)


@dataclass(frozen=True)
class TrendColumn:
    column: Column
    x: float
    value: Value | None
    count: Count
    dot: tuple | None
    is_marked: bool


@dataclass(frozen=True)
class Trend:
    """The values of one key over time; `value` and `count` are of the whole period."""

    key: FeedbackKey
    value: Value
    count: Count
    what: str
    drawn: Line
    ticks: list
    columns: list
    width: float  # of a column, in per cent
    height: int = SMALL


def volume_of(figures):
    """The Volume of Figures, or None where there is nothing."""
    if not figures.total:
        return None
    series = figures.series(SERIES)
    counts = [_by_series(figures, place, series) for place in range(len(figures.columns))]
    drawn = stacked(counts, HEIGHT)
    words = marked(len(counts), WORDS)
    columns = []
    for place, (column, bar) in enumerate(zip(figures.period.columns, drawn.bars, strict=True)):
        segments = {segment.series: segment for segment in bar.segments}
        parts = [
            Part(one, figures.count_in(column, n, *one.pairs), segments.get(number))
            for number, (one, n) in enumerate(zip(series, counts[place], strict=True))
        ]
        total = figures.count_in(column, figures.columns[place])
        columns.append(VolumeColumn(column, across(place, len(counts)), bar, total, parts, place in words))
    return Volume(drawn, [(tick, compact(tick.value)) for tick in drawn.ticks], series, columns)


def _by_series(figures, place, series):
    """How many of each Series a column holds; of all others what is left."""
    known = [
        0 if one.is_rest else sum(figures.model_columns.get((place, pk), 0) for pk in one.model_ids) for one in series
    ]
    rest = figures.columns[place] - sum(known)
    return [rest if one.is_rest else n for one, n in zip(series, known, strict=True)]


def trends(figures):
    """[Trend] of the keys that were given any value in the period."""
    return [_trend(figures, key) for key in figures.keys if figures.given.get(key.pk, Totals()).moments.n > 0]


def _trend(figures, key):
    pair, counted, what = pair_of(key)
    totals = [figures.given_columns.get((key.pk, place), Totals()) for place in range(len(figures.columns))]
    values = [value_of(key, one) for one in totals]
    drawn = line([one and (one.mean, *(one.interval or (None, None))) for one in values], SMALL, _axis(key, values))
    words = marked(len(values), WORDS - 1)
    columns = [
        TrendColumn(column, across(place, len(values)), value, figures.count_in(column, counted(own), pair), dot,
                    place in words)
        for place, (column, value, own, dot) in enumerate(
            zip(figures.period.columns, values, totals, drawn.dots, strict=True)
        )
    ]  # fmt: skip
    whole = figures.given[key.pk]
    return Trend(
        key=key,
        value=value_of(key, whole),
        count=figures.count(counted(whole), pair),
        what=what,
        drawn=drawn,
        ticks=[(tick, f"{100 * tick.value:g} %" if is_bool(key) else compact(tick.value)) for tick in drawn.ticks],
        columns=columns,
        width=round(100 / len(values), 3),
    )


def _axis(key, values):
    """The ticks: from end to end of what there can be, where that is known, else around what there is."""
    low, high = (0, 1) if is_bool(key) else (key.minimum, key.maximum)
    if low is not None and high is not None:
        return [low, (low + high) / 2, high]
    ends = [end for value in values if value for end in (value.mean, *(value.interval or ()))]
    return ticks(min(ends), max(ends), 3)


def compact(value):
    """400, 1.5k, 2M: a figure beside an axis."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}".replace("-", "−")
    return f"{value:g}".replace("-", "−")
