"""What else could be asked: counts by label, model, feedback and latency, and the histogram over time.

Exact from the roll-ups where they tell; else exact over up to 5,000 matches, and over the newest 2,000 and marked
as approximate where there are more, or where there was no time to look for more; of several filters over 1,000. Where
their rows lie on the disk, over fewer.
"""

import datetime
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property

from feedback.models import FeedbackKey
from feedback.moments import edges
from feedback.rollups import Totals, given
from feedback.services import keys_of
from interactions import ids, rollups
from interactions.models import Dimension, Label
from interactions.search import ASIDE, BUDGET, CAP, Counted, count, page_of_ids, roundly, told
from interactions.search.tally import Values, tally
from interactions.search.told import is_hourly
from registry.models import Model

SAMPLE = 5_000  # matches up to which all are counted
NEWEST = 2_000  # that are counted where there are more; half as many where these lie far apart
BRIEFLY = 0.002  # seconds that counting may take where somebody waits for the rows
LOOKING = 0.04  # seconds that the matches of one filter are looked for; of those that lie far apart, twice that
COUNTING = 0.08  # seconds that those which were found are counted; 250 of them however long it takes
SHOWN = 12  # labels, models
BARS = 96  # of the histogram, at the most
BINS = 10  # of a scalar's or the latency's distribution
_HOUR = datetime.timedelta(hours=1)
STEPS = (1, 3, 6, 12, 24, 48, 24 * 7, 24 * 14, 24 * 28, 24 * 91, 24 * 365)  # hours


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
    """Each list most used first. `looked_at` interactions were counted. `labels_approximate` covers labels and models,
    `approximate` the rest."""

    labels: list
    models: list
    feedback: list
    latency: Distribution | None
    label_total: int
    looked_at: int
    labels_approximate: bool
    approximate: bool


@dataclass
class Histogram:
    """(start of bar, interactions in it) from `start` to `end`, `step` apart, oldest first. Where there were too many
    to count, nothing is counted before `since`, or after `until`."""

    start: datetime.datetime
    end: datetime.datetime
    step: datetime.timedelta
    bars: list = field(default_factory=list)
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None

    @property
    def approximate(self):
        return bool(self.since or self.until)


class Matches:
    """The ids of what is wanted, of more than 5,000 the newest, and how many there are up to 10,000, as far as there
    was time: looked up once, where it is asked. Where what is alike is folded, its order tells which one stands for
    the rest: then they are the first in that order."""

    def __init__(self, project, wanted):
        self.project = project
        self.wanted = wanted if wanted.fold else replace(wanted, oldest_first=False)
        self._far_apart = len(wanted.asked()) > 1 or bool(wanted.metadata)
        self._newest = min(NEWEST // 2 if self._far_apart else NEWEST, SAMPLE)

    @cached_property
    def told(self):
        """How many there are by the roll-ups; None where they cannot tell."""
        return told.number(self.project, self.wanted)

    @cached_property
    def _found(self):
        most = CAP + 1
        if self.told is not None:
            most = 1 + (SAMPLE if self.told <= SAMPLE else self._newest)
        budget = LOOKING * (2 if self._far_apart else 1)
        found, reached = page_of_ids(self.project, self.wanted, None, most, budget=budget)
        return found, reached, reached is None and len(found) < most

    @property
    def ids(self):
        return self._found[0] if self.are_all else self._found[0][: self._newest]

    @property
    def are_all(self):
        return self._found[2] and len(self._found[0]) <= SAMPLE

    @property
    def looked_up(self):
        """(all ids that were found, the moment up to which they were looked for, None where these are all there are):
        for what no row has to be read for."""
        found, reached, are_all = self._found
        return found, None if are_all else ids.time_of(reached or found[-1])

    @property
    def number(self):
        """How many there are; where they were not all looked at, or are more than 10,000, the least there are."""
        found, reached, _ = self._found
        if reached is None:
            return Counted(min(len(found), CAP), len(found) > CAP)
        return Counted(roundly(len(found)), True)


def count_shown(project, wanted, matches=None):
    """How many match: exact from the roll-ups where they can tell, else up to 10,000, as far as there is time to count.
    What is capped is the least there are."""
    n = told.number(project, wanted) if matches is None else matches.told
    if n is not None:
        return Counted(n, False)
    return count(project, wanted, ASIDE) if matches is None else matches.number


def count_beside(project, wanted, page, wait=False):
    """The same beside the rows of a page that somebody waits for: None where it would take longer than they did; with
    `wait` as long as a page may take."""
    if not (page.next or page.previous or page.searched_to):
        return Counted(len(page), False)
    n = told.number(project, wanted)
    if n is not None:
        return Counted(n, False)
    if wait:
        counted = count(project, wanted, BUDGET, page)
        return counted._replace(n=max(counted.n, len(page)))
    if wanted.words:  # to look for them once more would take as long as the page did
        return None
    counted = count(project, wanted, BRIEFLY, page)
    return None if counted.capped and counted.n < CAP else counted


def facets(project, wanted, matches=None):
    """The Facets of what is wanted."""
    matches = matches or Matches(project, wanted)
    found = tally(matches.ids, COUNTING)
    more = not matches.are_all or found.n < len(matches.ids)
    labels, models, sampled = found.labels, found.models, more
    feedback = [_feedback(key, found) for key in keys_of(project).values()]
    if wanted.only("after", "before") and is_hourly(wanted):
        labels = rollups.totals(project, Dimension.LABEL, wanted.after, wanted.before)
        models = rollups.totals(project, Dimension.MODEL, wanted.after, wanted.before)
        feedback = _rolled_up(project, wanted, feedback, matches.told)
        sampled = False
    return Facets(
        labels=_named(Label, labels),
        models=_named(Model, models),
        feedback=feedback,
        latency=_distribution(found.latencies),
        label_total=len(labels),
        looked_at=found.n,
        labels_approximate=sampled,
        approximate=more,
    )


def histogram(project, wanted, matches=None):
    """How what is wanted lies over the project's whole time; its own time span is left out, so that it can be seen
    within the rest. None where the project holds nothing, and nothing is found."""
    timeless = replace(wanted, after=None, before=None)
    hours, reached = told.hours(project, timeless), None
    if hours is None:
        if matches is None or timeless != wanted:
            matches = Matches(project, timeless)
        found, reached = matches.looked_up
        hours = Counter((one.int >> 80) // 3_600_000 for one in found)
    # simulated traffic is in no roll-up, and may lie outside the time that the real one takes
    ends = [*(told.extent(project) or ()), *((min(hours), max(hours) + 1) if hours else ())]
    if not ends:
        return None
    bars = _bars(min(ends), max(ends), hours)
    return replace(bars, until=reached) if timeless.fold and timeless.oldest_first else replace(bars, since=reached)


def _named(model, counts):
    """[(row, n)] of the most used, most used first."""
    most = sorted(counts, key=lambda pk: (-counts[pk], pk))[:SHOWN]
    rows = model.objects.in_bulk(most)
    return [(rows[pk], counts[pk]) for pk in most if pk in rows]


def _feedback(key, found):
    """The key's current values on the interactions of a Tally."""
    own = found.values.get(key.pk, Values())
    facet = FeedbackFacet(key, none=found.n - own.interactions)
    if key.kind == FeedbackKey.Kind.BOOL:
        facet.yes, facet.no = own.holders[1], own.holders[0]
    else:
        facet.distribution = _of_scale(key, own.counts)
    return facet


def _rolled_up(project, wanted, facets_, n):
    """The facets with the counts that the roll-up knows of all `n`, in a span of whole hours."""
    span = {"after": wanted.after, "before": wanted.before}
    totals = given(project, by=("key_id",), **span)
    for facet in facets_:
        found = totals.get((facet.key.pk,), Totals())
        facet.yes, facet.no, facet.none = found.ones, found.zeros, n - found.interactions
    return facets_


def _of_scale(key, counts):
    """The Distribution of a scalar key's {value: n} over its range, which may have been declared after some of them."""
    if not counts:
        return None
    start = min(counts) if key.minimum is None else key.minimum
    end = max(counts) if key.maximum is None else key.maximum
    if key.step is None or start > end:
        return _distribution(counts, start, end)
    ends = edges(start, end, key.step)
    bins = [0] * (len(ends) - 1)
    for value, n in counts.items():
        bins[min(max(bisect_right(ends, value) - 1, 0), len(bins) - 1)] += n
    return Distribution(start, end, bins, ends)


def _distribution(counts, start=None, end=None):
    if not counts:
        return None
    start = min(counts) if start is None else start
    end = max(counts) if end is None else end
    bins = [0] * BINS
    width = (end - start) / BINS
    for value, n in counts.items():
        place = int((value - start) / width) if width > 0 else 0
        bins[min(max(place, 0), BINS - 1)] += n
    return Distribution(start, end, bins)


def _bars(first, last, hours):
    """The Histogram from hour to hour, counted since 1970."""
    step = next((step for step in STEPS if (last - first) / step <= BARS), STEPS[-1])
    first -= first % step  # so that bars do not move as time goes on
    counts = Counter()
    for hour, n in hours.items():
        counts[(hour - first) // step] += n
    starts = [ids.EPOCH + _HOUR * hour for hour in range(first, last + step, step)]
    number = -((first - last) // step)
    bars = [(start, counts[place]) for place, start in enumerate(starts[:number])]
    return Histogram(starts[0], starts[0] + _HOUR * step * number, _HOUR * step, bars)
