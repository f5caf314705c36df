"""What else could be asked: counts by label, model, feedback and latency, and the histogram over time.

Exact from the roll-ups where nothing but a span of whole hours is asked; else exact over up to 5,000 matches, and
over the newest 5,000 and marked as approximate where there are more.
"""

import datetime
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property

from feedback.giving import current_values
from feedback.models import FeedbackKey, Given
from feedback.moments import edges
from feedback.rollups import Totals, given
from feedback.services import keys_of
from interactions import ids, rollups
from interactions.models import Dimension, Interaction, Label
from interactions.search import ASIDE, Counted, count, page_of_ids
from interactions.wanted import Feedback
from registry.models import Model

SAMPLE = 5_000
SHOWN = 12  # labels, models
BARS = 96  # of the histogram, at the most
BINS = 10  # of a scalar's or the latency's distribution
_HOUR = datetime.timedelta(hours=1)
STEPS = [_HOUR * hours for hours in (1, 3, 6, 12, 24, 48, 24 * 7, 24 * 14, 24 * 28, 24 * 91, 24 * 365)]


@dataclass
class Distribution:
    """Counts of equal bins from `start` to `end`; on a scale with steps of a bin a step, which begins at its edge and
    ends before the next."""

    start: float
    end: float
    bins: list
    edges: list | None = None


@dataclass
class FeedbackFacet:
    """What is known of one key: yes and no for a bool, the distribution of a scalar, and how many have none."""

    key: FeedbackKey
    none: int = 0
    yes: int = 0
    no: int = 0
    distribution: Distribution | None = None


@dataclass
class Facets:
    """Each list most used first. `labels_approximate` covers labels and models, `approximate` the rest."""

    labels: list
    models: list
    feedback: list
    latency: Distribution | None
    label_total: int
    labels_approximate: bool
    approximate: bool


@dataclass
class Histogram:
    """(start of bar, interactions in it) from `start` to `end`, `step` apart, oldest first."""

    start: datetime.datetime
    end: datetime.datetime
    step: datetime.timedelta
    bars: list = field(default_factory=list)
    approximate: bool = False


class Matches:
    """The newest 5,000 ids of what is wanted: looked up once, where it is asked, for all that one page counts."""

    def __init__(self, project, wanted):
        self.project = project
        self.wanted = wanted

    @cached_property
    def _found(self):
        return page_of_ids(self.project, self.wanted, None, SAMPLE + 1, budget=ASIDE)

    @property
    def ids(self):
        return self._found[0][:SAMPLE]

    @property
    def are_all(self):
        found, reached = self._found
        return len(found) <= SAMPLE and reached is None


def count_shown(project, wanted, matches=None):
    """How many match: exact from the roll-ups where they can tell, else up to 10,000."""
    n = _told(project, wanted)
    if n is not None:
        return Counted(n, False)
    known = matches is not None and matches.are_all
    return Counted(len(matches.ids), False) if known else count(project, wanted)


def facets(project, wanted, matches=None):
    """The Facets of what is wanted."""
    matches = matches or Matches(project, wanted)
    rows, more = _columns(matches.ids), not matches.are_all
    values = current_values(matches.ids)
    feedback = [_feedback(key, values, len(rows)) for key in keys_of(project).values()]
    if wanted.only("after", "before") and is_hourly(wanted):
        labels = rollups.totals(project, Dimension.LABEL, wanted.after, wanted.before)
        models = rollups.totals(project, Dimension.MODEL, wanted.after, wanted.before)
        feedback = _rolled_up(project, wanted, feedback)
        sampled = False
    else:
        labels = Counter(pk for row in rows for pk in row[0])
        models = Counter(row[1] for row in rows if row[1] is not None)
        sampled = more
    return Facets(
        labels=_named(Label, labels),
        models=_named(Model, models),
        feedback=feedback,
        latency=_distribution([row[2] for row in rows if row[2] is not None]),
        label_total=len(labels),
        labels_approximate=sampled,
        approximate=more,
    )


def histogram(project, wanted, matches=None):
    """How what is wanted lies over the project's whole time; its own time span is left out, so that it can be seen
    within the rest. None where the project holds nothing."""
    extent = rollups.extent(project)
    if extent is None:
        return None
    timeless = replace(wanted, after=None, before=None)
    told = _told_by_rollup(project, timeless)
    if told is not None:
        hours, approximate = rollups.by_hour(project, told[0], only=told[1]), False
    else:
        if matches is None or timeless != wanted:
            matches = Matches(project, timeless)
        hours, approximate = Counter(rollups.hour_of(ids.time_of(one)) for one in matches.ids), not matches.are_all
    return _bars(*extent, hours, approximate)


def _told(project, wanted):
    """How many match, where the roll-ups can tell; else None."""
    if wanted.not_models and not wanted.models:
        every = replace(wanted, not_models=())
        parts = [_told(project, one) for one in (every, replace(every, models=wanted.not_models))]
        return None if None in parts else parts[0] - parts[1]
    told = _told_by_rollup(project, wanted)
    if told is None:
        return _told_by_given(project, wanted)
    dimension, only = told
    return sum(rollups.totals(project, dimension, wanted.after, wanted.before, only).values())


def _told_by_rollup(project, wanted):
    """(dimension, its values or None) that count what is wanted, where one alone does."""
    if not is_hourly(wanted):
        return None
    if wanted.only("after", "before"):
        return Dimension.ALL, None
    if wanted.only("after", "before", "models"):
        return Dimension.MODEL, model_ids(project, wanted)
    if wanted.only("after", "before", "labels") and len(wanted.labels) == 1:
        [test] = wanted.labels
        labels = Label.objects.filter(project=project, key=test.key)
        if test.values is not None:
            labels = labels.filter(value__in=test.values)
        return Dimension.LABEL, list(labels.values_list("pk", flat=True))
    return None


def _told_by_given(project, wanted):
    """How many match, where nothing but one condition on feedback is asked, of certain models or all; else None."""
    if not is_hourly(wanted) or not wanted.only("after", "before", "models", "feedback", "has_feedback", "reviewed"):
        return None
    asked = [*wanted.feedback]
    asked += [Feedback(Given.ANY, none=not wanted.has_feedback)] if wanted.has_feedback is not None else []
    asked += [Feedback(Given.REVIEWED, none=not wanted.reviewed)] if wanted.reviewed is not None else []
    ends = {(None, None): "interactions", (1, 1): "ones", (0, 0): "zeros"}
    if len(asked) != 1 or (asked[0].least, asked[0].most) not in ends:
        return None
    models = model_ids(project, wanted) if wanted.models else None
    span = {"after": wanted.after, "before": wanted.before}
    [found] = given(project, keys=[asked[0].key_id], models=models, **span).values()
    if not asked[0].none:
        return getattr(found, ends[asked[0].least, asked[0].most])
    dimension = Dimension.ALL if models is None else Dimension.MODEL
    return sum(rollups.totals(project, dimension, only=models, **span).values()) - found.interactions


def model_ids(project, wanted):
    """The ids of the models that are wanted."""
    return list(Model.objects.filter(team=project.team_id, key__in=wanted.models).values_list("pk", flat=True))


def is_hourly(wanted):
    """Whether the span of time ends at whole hours, as the roll-ups count."""
    return all(moment is None or moment == rollups.hour_of(moment) for moment in (wanted.after, wanted.before))


def _columns(found):
    """[(label ids, model id, latency)] of these interactions."""
    rows = Interaction.objects.filter(pk__in=found)
    return list(rows.values_list("label_ids", "model_id", "latency_ms"))


def _named(model, counts):
    """[(row, n)] of the most used, most used first."""
    most = sorted(counts, key=lambda pk: (-counts[pk], pk))[:SHOWN]
    rows = model.objects.in_bulk(most)
    return [(rows[pk], counts[pk]) for pk in most if pk in rows]


def _feedback(key, values, n):
    """Counted over `n` interactions, of whose current `values` some are the key's."""
    own = [[value for key_id, value, _ in given if key_id == key.pk] for given in values.values()]
    facet = FeedbackFacet(key, none=n - sum(map(bool, own)))
    if key.kind == FeedbackKey.Kind.BOOL:
        facet.yes, facet.no = (sum(wanted in given for given in own) for wanted in (1, 0))
    else:
        facet.distribution = _of_scale(key, [value for given in own for value in given])
    return facet


def _rolled_up(project, wanted, facets_):
    """The facets with the counts that the roll-up knows of all, in a span of whole hours."""
    span = {"after": wanted.after, "before": wanted.before}
    totals, n = given(project, by=("key_id",), **span), count_shown(project, wanted).n
    for facet in facets_:
        found = totals.get((facet.key.pk,), Totals())
        facet.yes, facet.no, facet.none = found.ones, found.zeros, n - found.interactions
    return facets_


def _of_scale(key, values):
    """The Distribution of a scalar key's values over its range, which may have been declared after some of them."""
    if not values:
        return None
    start = min(values) if key.minimum is None else key.minimum
    end = max(values) if key.maximum is None else key.maximum
    if key.step is None or start > end:
        return _distribution(values, start, end)
    ends = edges(start, end, key.step)
    bins = [0] * (len(ends) - 1)
    for value in values:
        bins[min(max(bisect_right(ends, value) - 1, 0), len(bins) - 1)] += 1
    return Distribution(start, end, bins, ends)


def _distribution(values, start=None, end=None):
    if not values:
        return None
    start = min(values) if start is None else start
    end = max(values) if end is None else end
    bins = [0] * BINS
    width = (end - start) / BINS
    for value in values:
        place = int((value - start) / width) if width > 0 else 0
        bins[min(max(place, 0), BINS - 1)] += 1
    return Distribution(start, end, bins)


def _bars(start, end, hours, approximate):
    step = next((step for step in STEPS if (end - start) / step <= BARS), STEPS[-1])
    # bars begin at multiples of the step since 1970, so that they do not move as time goes on
    start -= (start - ids.EPOCH) % step
    number = -((start - end) // step)
    counts = Counter()
    for hour, n in hours.items():
        counts[(hour - start) // step] += n
    bars = [(start + step * place, counts[place]) for place in range(number)]
    return Histogram(start, start + step * number, step, bars, approximate)
