"""The overview's tiles, tables and lists, as their templates draw them."""

from dataclasses import dataclass, field

from feedback.models import FeedbackKey, Given
from feedback.rollups import Totals
from feedback.shares import digits_of
from interactions import rollups
from interactions.charts import spark
from interactions.models import Dimension, Label
from interactions.views.address import of_label
from interactions.views.overview_figures import (
    MODELS,
    Count,
    Series,
    Value,
    is_bool,
    pair_of,
    percent,
    plain,
    value_of,
)

LABELS = 8


@dataclass(frozen=True)
class Change:
    """Against the period before; the tone is "good" or "bad" where it is known which, else ""."""

    text: str
    tone: str = ""


@dataclass(frozen=True)
class Tile:
    """One figure: its text with its count, what else is known of it, and its course."""

    name: str
    figure: str
    count: Count
    what: str = ""
    change: Change | None = None
    said: str = ""
    before: Count | None = None
    lines: list = field(default_factory=list)
    areas: list = field(default_factory=list)


@dataclass(frozen=True)
class Cell:
    """What a model was given under one key; empty where it was given nothing."""

    key: FeedbackKey
    value: Value | None = None
    count: Count | None = None


@dataclass(frozen=True)
class ModelRow:
    series: Series
    count: Count
    cells: list


@dataclass(frozen=True)
class LabelRow:
    label: Label
    count: Count
    width: float
    change: Change | None


# -- tiles -----------------------------------------------------------------------------------------
def tiles(figures):
    """[Tile]: interactions, those with feedback, with a reviewer's, and the project's first key where it has one."""
    found = [_volume_tile(figures)]
    found.append(_share_tile(figures, "With feedback", Given.ANY, ("has_feedback", "true")))
    found.append(_share_tile(figures, "Feedback by a reviewer", Given.REVIEWED, ("reviewed", "true")))
    return found + [_key_tile(figures, key) for key in figures.keys[:1]]


def _volume_tile(figures):
    before = figures.total_before
    lines, areas = spark(figures.columns)
    return Tile(
        name="Interactions",
        figure=f"{figures.total:,}",
        count=figures.count(figures.total),
        change=change_of_count(figures.total, before),
        before=figures.count_before(before) if before else None,
        lines=lines,
        areas=areas,
    )


def _share_tile(figures, name, key_id, pair):
    held = figures.given.get(key_id, Totals()).interactions
    held_before = figures.given_before.get(key_id, Totals()).interactions
    columns = [
        figures.given_columns[key_id, place].interactions / n if n else None for place, n in enumerate(figures.columns)
    ]
    share = held / figures.total if figures.total else None
    lines, areas = spark(columns)
    return Tile(
        name=name,
        figure="–" if share is None else percent(share),
        count=figures.count(held, pair),
        what="interaction" if held == 1 else "interactions",
        change=_points(share, held_before / figures.total_before if figures.total_before else None),
        lines=lines,
        areas=areas,
    )


def _key_tile(figures, key):
    pair, counted, what = pair_of(key)
    totals = figures.given.get(key.pk, Totals())
    value, before = value_of(key, totals), value_of(key, figures.given_before.get(key.pk, Totals()))
    columns = [value_of(key, figures.given_columns[key.pk, place]) for place in range(len(figures.columns))]
    lines, areas = spark([one and one.mean for one in columns])
    return Tile(
        name=f"{key.name}: yes" if is_bool(key) else f"{key.name}: mean",
        figure=value.text if value else "–",
        count=figures.count(counted(totals), pair),
        what=what,
        change=change_of_value(key, value, before),
        said=_said(value),
        lines=lines,
        areas=areas,
    )


def _said(value):
    if value is None:
        return ""
    values = f"of {value.n:,} value{'' if value.n == 1 else 's'}"
    return f"{values}, 95 % interval {value.interval_text}" if value.interval else values


# -- changes ---------------------------------------------------------------------------------------
def change_of_count(n, before):
    """+12 %, +0.049 %; None where there was nothing before."""
    if not before:
        return None
    change = 100 * (n - before) / before
    digits = 0 if abs(change) >= 9.95 else 1
    return Change("unchanged" if n == before else f"{_signed(change, digits)} %")


def change_of_value(key, value, before):
    """+3.1 pt of a share, +0.12 of a mean, in the tone of what the key calls better; None where one is missing."""
    if value is None or before is None:
        return None
    if value.text == before.text:
        return Change("unchanged")
    difference = value.mean - before.mean
    is_more = difference > 0
    text = f"{_signed(100 * difference, 1)} pt" if is_bool(key) else f"{'+' if is_more else ''}{plain(difference)}"
    return Change(text, "good" if is_more is not key.lower_is_better else "bad")


def _points(share, before):
    if share is None or before is None:
        return None
    return Change("unchanged" if percent(share) == percent(before) else f"{_signed(100 * (share - before), 1)} pt")


def _signed(number, digits):
    """With so many digits after the point, and at least two that count."""
    return f"{'+' if number > 0 else '−'}{abs(number):,.{max(digits, digits_of(number))}f}"


# -- tables ----------------------------------------------------------------------------------------
def model_rows(figures):
    """[ModelRow], most used first, all others in the last."""
    rows, left = [], figures.total
    for series in figures.series(MODELS):
        n = left if series.is_rest else sum(figures.model_totals[pk] for pk in series.model_ids)
        left -= n
        cells = [_cell(figures, key, series) for key in figures.keys]
        rows.append(ModelRow(series, figures.count(n, *series.pairs), cells))
    return rows


def _cell(figures, key, series):
    pair, counted, _ = pair_of(key)
    totals = figures.given_to(key, series)
    value = value_of(key, totals)
    return Cell(key, value, figures.count(counted(totals), *series.pairs, pair)) if value else Cell(key)


def label_rows(figures):
    """[LabelRow] of the labels that most interactions carry."""
    period = figures.period
    totals = rollups.totals(figures.project, Dimension.LABEL, period.start, period.end)
    most = sorted(totals, key=lambda pk: (-totals[pk], pk))[:LABELS]
    before = rollups.totals(figures.project, Dimension.LABEL, *period.before, only=most)
    labels = Label.objects.in_bulk(most)
    return [
        LabelRow(
            label=labels[pk],
            count=figures.count(totals[pk], ("label", of_label(labels[pk]))),
            width=round(100 * totals[pk] / totals[most[0]], 1),
            change=(change_of_count(totals[pk], before.get(pk)) or Change("new")) if figures.total_before else None,
        )
        for pk in most
        if pk in labels
    ]
