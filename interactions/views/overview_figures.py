"""What the overview knows of a period, all of it from the roll-ups, and the addresses of the tables behind it."""

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import Q

from feedback.means import mean_interval
from feedback.models import FeedbackKey, Given
from feedback.moments import wilson
from feedback.rollups import Totals, given
from feedback.shares import in_points
from interactions import rollups
from interactions.charts import SERIES, colours
from interactions.models import Dimension
from interactions.views.address import NAMES, Address, write_instant
from registry.models import Model

MODELS = 10  # rows of their table; the rest is one more
_PLACES = {name: place for place, name in enumerate(NAMES)}


@dataclass(frozen=True)
class Count:
    """So many interactions, and the address of the table that shows exactly these."""

    n: int
    address: str


class Links:
    """Makes addresses of the project's table, in their one form."""

    def __init__(self, project):
        self.list = Address(project, []).list

    def __call__(self, start, end, *pairs):
        pairs = [("after", write_instant(start)), ("before", write_instant(end)), *pairs]
        return f"{self.list}?{urlencode(sorted(pairs, key=lambda pair: _PLACES[pair[0]]))}"


@dataclass(frozen=True)
class Series:
    """A model of a chart or table, or all the others; `pairs` are the filter that means it."""

    name: str
    colour: str  # c1 to c5, or cm
    pairs: tuple
    model_ids: tuple
    is_rest: bool = False


class Figures:
    """Counts and values of a Period, whole, by column, by key and by model; of one more key the `hourly` ones."""

    def __init__(self, project, period, keys, one_more=None):
        self.project, self.period, self.keys = project, period, keys
        self.links = Links(project)
        columns = rollups.by_span(project, Dimension.ALL, period.edges)
        self.columns = [columns.get((place, 0), 0) for place in range(len(period.columns))]
        self.total = sum(self.columns)
        self.total_before = sum(rollups.totals(project, Dimension.ALL, *period.before).values())
        self.model_columns = rollups.by_span(project, Dimension.MODEL, period.edges)
        self._read_given(list({key.pk for key in (*keys, one_more) if key} | {Given.ANY, Given.REVIEWED}))

    def _read_given(self, key_ids):
        span = {"after": self.period.start, "before": self.period.end}
        starts = [column.start for column in self.period.columns]
        self.hourly, self.given_columns = defaultdict(dict), defaultdict(Totals)
        for (key_id, hour), found in given(self.project, by=("key_id", "hour"), keys=key_ids, **span).items():
            self.hourly[key_id][hour] = found
            self.given_columns[key_id, bisect_right(starts, hour) - 1] += found
        self.given = defaultdict(Totals)
        for (key_id, _), found in self.given_columns.items():
            self.given[key_id] += found
        start, end = self.period.before
        before = given(self.project, by=("key_id",), keys=key_ids, after=start, before=end)
        self.given_before = {key_id: found for (key_id,), found in before.items()}
        own = [key_id for key_id in key_ids if key_id > 0]
        self.given_models = given(self.project, by=("key_id", "model_id"), keys=own, **span)

    # -- models ------------------------------------------------------------------------------------
    @cached_property
    def model_totals(self):
        """{model id: n}, most used first."""
        found = Counter()
        for (_, model_id), n in self.model_columns.items():
            found[model_id] += n
        return {model_id: found[model_id] for model_id in sorted(found, key=lambda pk: (-found[pk], pk))}

    @cached_property
    def models(self):
        """{id: Model} of the project, in the order they came, with those that are counted."""
        wanted = Q(projects=self.project) | Q(pk__in=list(self.model_totals))
        return {model.pk: model for model in Model.objects.filter(wanted).distinct().order_by("pk")}

    def series(self, most):
        """[Series] of the most used models, and one of all other interactions where there are any."""
        colour = colours(list(self.models), list(self.model_totals)[:SERIES])
        shown = [pk for pk in self.model_totals if pk in self.models][:most]
        found = [
            Series(self.models[pk].key, f"c{colour[pk]}" if pk in colour else "cm", (_is(self.models[pk]),), (pk,))
            for pk in shown
        ]
        if sum(self.model_totals[pk] for pk in shown) < self.total:
            rest = tuple(pk for pk in self.model_totals if pk not in shown)
            pairs = tuple(("not_model", self.models[pk].key) for pk in shown)
            found.append(Series("other" if rest else "no model", "cm", pairs, (*rest, 0), is_rest=True))
        return found

    def given_to(self, key, series):
        """Totals of a key over a Series."""
        return sum((self.given_models.get((key.pk, pk), Totals()) for pk in series.model_ids), Totals())

    # -- links -------------------------------------------------------------------------------------
    def count(self, n, *pairs):
        """A Count over the whole period."""
        return Count(n, self.links(self.period.start, self.period.end, *pairs))

    def count_in(self, column, n, *pairs):
        return Count(n, self.links(column.start, column.end, *pairs))

    def count_before(self, n, *pairs):
        return Count(n, self.links(*self.period.before, *pairs))


def _is(model):
    return "model", model.key


# -- values of a key -------------------------------------------------------------------------------
@dataclass(frozen=True)
class Value:
    """The mean of a key's values, as a share where they are yes and no; `n` values, and their 95 % interval."""

    key: FeedbackKey
    mean: float
    interval: tuple | None
    n: int

    @property
    def text(self):
        return figure(self.key, self.mean)

    @property
    def interval_text(self):
        """75.3 – 79.4 %, 4.02 – 4.18; "" where there is none."""
        if self.interval is None:
            return ""
        low, high = (figure(self.key, end) for end in self.interval)
        return f"{low.removesuffix(' %')} – {high}"


def value_of(key, totals):
    """The Value of Totals, or None where nothing was given."""
    moments = totals.moments
    if moments.n <= 0:
        return None
    interval = wilson(int(moments.total), moments.n) if is_bool(key) else mean_interval(moments)
    return Value(key, moments.mean, interval, moments.n)


def pair_of(key):
    """(filter, how many of Totals it finds, what these are) of a key's figure: those with a yes, or with any value."""
    if is_bool(key):
        return ("feedback", f"{key.key}:true"), lambda totals: totals.ones, "with yes"
    return ("feedback", key.key), lambda totals: totals.interactions, "rated"


def is_bool(key):
    return key.kind == FeedbackKey.Kind.BOOL


def figure(key, value):
    """77.4 % of a yes or no; 4.12 of a number, with as many digits as its size asks."""
    if is_bool(key):
        return percent(value)
    return plain(value)


def percent(share):
    """As the pages of feedback write it."""
    return f"{in_points(share)} %"


def plain(value):
    """-0.31, 4.12, 103.4, 12,345"""
    size = abs(value)
    if size >= 1e15 or 0 < size < 0.005:
        return f"{value:.3g}".replace("-", "−", 1)
    digits = 0 if size >= 1_000 else 1 if size >= 100 else 2
    return f"{value:,.{digits}f}".replace("-", "−", 1)
