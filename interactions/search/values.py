"""What was given under a feedback key to all that is wanted: number, mean, deviation, quantiles, histogram, by group.

Exact over everything that matches, as long as the database needs no longer than its budget; then over the newest
matches, and marked so.
"""

from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.utils import OperationalError

from feedback.models import FeedbackKey
from feedback.moments import edges
from feedback.rollups import Totals, given
from interactions.labels import meant
from interactions.models import Label
from interactions.search import Counted, matching, page_of_ids
from interactions.search.facets import count_shown
from interactions.search.told import is_hourly, model_ids
from interactions.wanted import LabelTest
from registry.models import Model

BUDGET_MS = 3_000
SAMPLE = 20_000  # interactions, where everything takes longer than that
MOST_GROUPS = 1_000
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
_TIME = "to_timestamp(('x' || left(replace(i.id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)"


@dataclass(frozen=True)
class Bar:
    """`count` values from `start` to `end`; the end belongs to the last bar alone."""

    start: float
    end: float
    count: int
    last: bool = False


@dataclass
class Group:
    """The current values of one group: `count` of them on so many `interactions`. Deviation: of a sample, None below
    two; quantiles by linear interpolation, {0.5: median, …}."""

    key: str | None
    count: int
    interactions: int
    mean: float
    stddev: float | None
    minimum: float | None = None
    maximum: float | None = None
    quantiles: dict = field(default_factory=dict)
    bars: list = field(default_factory=list)


@dataclass
class Stats:
    """Groups, the largest first (days in order). `newest`: the ids of the newest interactions that alone were looked
    at, None where it was all. `edges`: those of the bars, the same in every group. `capped`: there are more groups than
    the 1,000 largest. `told`: the roll-up tells number, interactions, mean and deviation of all, whatever was looked
    at."""

    groups: list
    edges: list
    newest: list | None = None
    capped: bool = False
    told: bool = False

    @property
    def approximate(self):
        return self.newest is not None

    @property
    def sampled(self):
        """How many were looked at, where it was not all."""
        return None if self.newest is None else len(self.newest)


@dataclass(frozen=True)
class Coverage:
    """How many interactions there are, with any current feedback, with a reviewer's; `capped` where there are more."""

    interactions: int
    with_feedback: int
    reviewed: int
    capped: bool


def coverage(project, wanted):
    """The Coverage of what is wanted: of what is without feedback none has any."""
    none = Counted(0, False)
    counts = [
        count_shown(project, wanted),
        none if wanted.has_feedback is False else count_shown(project, replace(wanted, has_feedback=True)),
        none if wanted.reviewed is False else count_shown(project, replace(wanted, reviewed=True)),
    ]
    return Coverage(*(one.n for one in counts), capped=any(one.capped for one in counts))


def value_stats(project, key, wanted, group_by=None, zone="UTC", newest=None, budget_ms=None):
    """The Stats of a key, over the `newest` of other Stats of the same where these took too long already.
    `group_by`: None (one group, ""), "model", "day" (YYYY-MM-DD in the zone) or "label:KEY";
       the group None is of no model, or without the label."""
    scope, budget_ms = matching(project, wanted), budget_ms or BUDGET_MS
    if scope is None:
        return Stats([], [])
    if newest is None:
        try:
            return _in_time(project, key, scope, group_by, zone, budget_ms)
        except OperationalError:
            newest, _ = page_of_ids(project, wanted, None, SAMPLE)
    with connection.cursor() as cursor:
        scope = "interactions_interaction i", "i.id = ANY(%s)", [newest]
        stats = _read(cursor, project, key, scope, group_by, zone)
    stats.newest = newest
    return _with_rolled_up(stats, project, key, wanted, group_by)


def days_of(project, key, wanted, zone, newest=None):
    """The Stats by day that a line over time needs: number, interactions, mean, deviation. From the roll-up where it
    tells, which knows of no extremes, quantiles and bars; else all of `value_stats`."""
    hours = _rolled_up(project, key, wanted, ("hour",))
    here = ZoneInfo(zone)
    if hours is None or any(hour.astimezone(here).minute for (hour,) in hours):
        return value_stats(project, key, wanted, "day", zone, newest)
    days = {}
    for (hour,), totals in hours.items():
        day = f"{hour.astimezone(here):%Y-%m-%d}"
        days[day] = days.get(day, Totals()) + totals
    groups = [
        Group(day, one.moments.n, one.interactions, one.moments.mean, one.moments.stddev)
        for day, one in sorted(days.items())
        if one.moments.n
    ]
    return Stats(groups, [])


def _in_time(project, key, scope, group_by, zone, budget_ms):
    """The Stats of everything; OperationalError where that takes too long."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {budget_ms:d}")
        stats = _read(cursor, project, key, scope, group_by, zone)
        cursor.execute("SET LOCAL statement_timeout = DEFAULT")
        return stats


def _read(cursor, project, key, scope, group_by, zone):
    expression, values = _grouping(project, group_by, zone)
    source, where, scope_values = scope
    rows = (
        f"SELECT {expression} AS g, f.value, f.interaction_id FROM {source}"
        " JOIN feedback_feedback f ON f.interaction_id = i.id"
        f" WHERE {where} AND f.feedback_key_id = %s AND f.superseded_by IS NULL"
    )
    values = [*values, *scope_values, key.pk]
    cursor.execute(
        f"""
        SELECT g, count(*), count(DISTINCT interaction_id), min(middle) + avg(value - middle),
            stddev_samp(value - middle), min(value), max(value),
            percentile_cont(%s::float8[]) WITHIN GROUP (ORDER BY value)
        FROM (SELECT *, avg(value) OVER (PARTITION BY g) AS middle FROM ({rows}) AS rows) AS centred
        GROUP BY g ORDER BY 2 DESC, 1 LIMIT %s
        """,  # around their middle, so that a small deviation of large values is not lost
        [list(QUANTILES), *values, MOST_GROUPS + 1],
    )
    found = [Group(*row[:7], quantiles=dict(zip(QUANTILES, row[7], strict=True))) for row in cursor.fetchall()]
    groups = found[:MOST_GROUPS]
    stats = Stats(groups, _edges(key, groups), capped=len(found) > MOST_GROUPS)
    if groups:
        cursor.execute(
            f"SELECT g, width_bucket(value, %s::float8[]), count(*) FROM ({rows}) AS rows GROUP BY 1, 2",
            [stats.edges, *values],
        )
        _fill_bars(stats, cursor.fetchall())
    _name(groups, group_by)
    return stats


def _grouping(project, group_by, zone):
    """(SQL of the group, its values)"""
    if group_by is None:
        return "''::text", []
    if group_by == "model":
        return "i.model_id", []
    if group_by == "day":
        return f"to_char({_TIME} AT TIME ZONE %s, 'YYYY-MM-DD')", [zone]
    [labels] = meant(project, [LabelTest(group_by.removeprefix("label:"))])
    return "(SELECT one FROM unnest(i.label_ids) AS one WHERE one = ANY(%s) LIMIT 1)", [[one.pk for one in labels]]


def _edges(key, groups):
    if not groups:
        return []
    if key.kind == FeedbackKey.Kind.BOOL:
        return [0.0, 1.0, 2.0]
    ends = [group.minimum for group in groups] + [group.maximum for group in groups]
    ends += [end for end in (key.minimum, key.maximum) if end is not None]
    return edges(min(ends), max(ends), key.step)


def _fill_bars(stats, rows):
    counts, last = {}, len(stats.edges) - 1
    for g, place, n in rows:
        place = min(max(place, 1), last)  # the last bar holds its end
        counts[g, place] = counts.get((g, place), 0) + n
    for group in stats.groups:
        group.bars = [
            Bar(stats.edges[place - 1], stats.edges[place], counts.get((group.key, place), 0), place == last)
            for place in range(1, last + 1)
        ]


def _name(groups, group_by):
    """Put names in the place of ids; days in their order."""
    if group_by == "day":
        groups.sort(key=lambda group: group.key)
    elif group_by is not None:
        model, name = (Model, "key") if group_by == "model" else (Label, "value")
        rows = model.objects.in_bulk([group.key for group in groups if group.key is not None])
        for group in groups:
            group.key = getattr(rows[group.key], name) if group.key is not None else None


def _with_rolled_up(stats, project, key, wanted, group_by):
    """What the roll-up tells exactly stands in the place of what the sample would."""
    totals = (
        _rolled_up(project, key, wanted, ("model_id",) if group_by else ()) if group_by in {None, "model"} else None
    )
    if totals is None:
        return stats
    stats.told = True
    names = dict(Model.objects.filter(team=project.team_id).values_list("pk", "key"))
    exact = {(names.get(place[0]) if place else ""): one for place, one in totals.items()}
    for group in stats.groups:
        if one := exact.get(group.key):
            group.count, group.interactions = one.moments.n, one.interactions
            group.mean, group.stddev = one.moments.mean, one.moments.stddev
    return stats


def _rolled_up(project, key, wanted, by):
    """{group: Totals} from the roll-up; None where it cannot tell."""
    if not is_hourly(wanted) or not wanted.only("after", "before", "models"):
        return None
    models = model_ids(project, wanted) if wanted.models else None
    return given(project, by=by, keys=[key.pk], models=models, after=wanted.after, before=wanted.before)
