"""What a test's page and its call tell: computed from the days' figures, in a fixed number of queries."""

import datetime
from dataclasses import dataclass
from urllib.parse import urlencode

from experiments.figures import gates_read, judged
from experiments.gates import Gate, Verdict, verdict
from experiments.labels import ByLabel, LabelRow, by_label, label_keys
from experiments.models import LEAST_UNITS, ABTest, Arm, Decision, Event
from experiments.statistics import Judgement, Moments, Watched
from experiments.statistics.estimates import point
from registry.models import Model

__all__ = ["ByLabel", "LabelRow", "Report", "Reported", "behind", "by_label", "decision_of", "events_of", "label_keys"]
__all__ += ["report"]
MOST_EVENTS = 50


@dataclass(frozen=True)
class Reported:
    """One arm. `value`, `interval` and `chance` are those of the judgement; `difference` is its Pair against the
    control (statistics.Pair), None for the control itself. `off`: its model is detached or switched off. `coverage`:
    share of the units with a value, from 0 to 1, None without units."""

    arm: Arm
    letter: str
    model: Model
    units: int
    answered: int
    interactions: int
    value: float | None
    interval: tuple[float, float] | None
    difference: object | None
    chance: float | None
    latency_ms: float | None  # mean of the `timed` calls; None of fewer than 50
    timed: int
    failed: int  # of the interactions; they are in no latency
    refused: str | None
    off: bool
    coverage: float | None
    crossed: int


@dataclass(frozen=True)
class Report:
    """A test at the moment `as_of`. `series`: (day, one (value, low, high) or None for each arm) of each day with
    figures, cumulative from the sequence's beginning. `kind` is the judgement's: bool, scalar or preference. Of a test
    that was decided, gates are those that it was decided by."""

    test: ABTest
    as_of: datetime.datetime
    sequence: int
    day_number: int  # of those in which the sequence ran, from 1
    judgement: Judgement
    watched: list[Watched]
    gates: list[Gate]
    verdict: Verdict
    leader: int | None
    arms: list[Reported]
    series: list[tuple]
    events: list[Event]  # newest first, up to 50, each with its `by`
    decision: Decision | None

    @property
    def kind(self):
        return self.judgement.kind


def report(test):
    """The Report of a test, in eight queries; of one by preferences in six, seven where strengths have to be drawn for
    the first time."""
    decision = decision_of(test)
    found = judged(test, afresh=False, decision=decision)
    gates, words = found.gates, found.verdict
    if decision:
        gates = gates_read(decision.gates)
        words = verdict(found.judgement, gates)
    return Report(
        test=test,
        as_of=found.as_of,
        sequence=test.sequence,
        day_number=test.ran_for(found.as_of).days + 1,
        judgement=found.judgement,
        watched=found.watched,
        gates=gates,
        verdict=words,
        leader=found.leader,
        arms=[_reported(found, place) for place in range(len(found.arms))],
        series=_series(found),
        events=events_of(test),
        decision=decision,
    )


def decision_of(test):
    """How the test ended, with its people and models, or None."""
    found = Decision.objects.filter(test=test)
    return found.select_related("winner__model", "by", "former", "rolled_back_by").first()


def events_of(test, limit=MOST_EVENTS):
    """The newest lines of its log."""
    return list(Event.objects.filter(test=test).select_related("by").order_by("-at", "-pk")[:limit])


def _reported(found, place):
    arm, sums, own = found.arms[place], found.sums[place], found.judgement.arms[place]
    return Reported(
        arm=arm,
        letter=arm.letter,
        model=arm.model,
        units=own.units,
        answered=own.n,
        interactions=sums.interactions,
        value=own.value,
        interval=own.interval,
        difference=found.judgement.pair(place, 0) if place else None,
        chance=own.chance,
        latency_ms=sums.latency_ms / sums.timed if sums.timed >= LEAST_UNITS else None,
        timed=sums.timed,
        failed=sums.failed,
        refused=own.refused,
        off=arm.off,
        coverage=found.judgement.coverage.shares[place],
        crossed=own.crossed,
    )


def _series(found):
    """Day after day what was known so far; a day without news of an arm repeats what was known of it."""
    kind, place = found.judgement.kind, {arm.pk: i for i, arm in enumerate(found.arms)}
    known, points, days = [Moments()] * len(place), [None] * len(place), []
    for cell in found.cells:
        i = place[cell["arm_id"]]
        known[i] = known[i].merge([Moments.from_sums(cell["answered"], cell["total"], cell["squares"])])
        points[i] = point(kind, known[i])
        if days and days[-1][0] == cell["day"]:
            days[-1] = (cell["day"], tuple(points))
        else:
            days.append((cell["day"], tuple(points)))
    return days


def behind(arm):
    """The query string that shows an arm's interactions in the table of interactions. They are those of all sequences:
    what is counted is what arrived in the one that lasts, and the filters know when something was said."""
    return urlencode({"arm": arm.pk})
