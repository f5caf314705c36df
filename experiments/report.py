"""What a test's page and its call tell: computed from the days' figures, in a number of queries that is always the same."""

import datetime
from dataclasses import dataclass

from experiments.gates import Gate, Verdict
from experiments.models import ABTest, Arm, Decision, Event
from experiments.statistics import Judgement
from registry.models import Model


@dataclass(frozen=True)
class Reported:
    """One arm. `value`, `interval` and `chance` are those of the judgement; `difference` is its Pair against the control
    (statistics.Pair), None for the control itself. `off`: its model is detached or switched off. `coverage`: share of
    the units with a value, from 0 to 1, None without units."""

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
    latency_ms: float | None
    refused: str | None
    off: bool
    coverage: float | None
    crossed: int


@dataclass(frozen=True)
class Report:
    """A test at the moment `as_of`. `series`: (day, one (value, low, high) or None for each arm) of each day with
    figures, cumulative from the sequence's beginning. `kind` is the judgement's: bool, scalar or preference."""

    test: ABTest
    as_of: datetime.datetime
    sequence: int
    day_number: int  # of the sequence, from 1
    judgement: Judgement
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


@dataclass(frozen=True)
class LabelRow:
    """The interactions with one value of a label key. `arms`: (units with a value, their mean or None) each, in the
    arms' order. Exploratory: many rows are looked at, so that some differ by chance."""

    value: str
    n: int  # units with a value, in all arms
    arms: list[tuple[int, float | None]]
    difference: float | None  # of the arm that is asked about, less the control
    half_width: float | None  # of its 95 % interval at one look


@dataclass(frozen=True)
class ByLabel:
    """`approximate`: not everything was looked at, only the newest; `timed_out`: there was no time even for these."""

    key: str
    rows: list[LabelRow]
    approximate: bool = False
    timed_out: bool = False


def report(test):
    """The Report of a test."""
    raise NotImplementedError


def by_label(test, key, arm=None, limit=20):
    """A ByLabel: the most frequent values of this label key; differences are those of `arm` (an Arm; None: the second)
    to the control. Takes at most about a second."""
    raise NotImplementedError


def label_keys(test):
    """The keys of the project's labels that by_label may be asked about, most used first, up to 20."""
    raise NotImplementedError


def behind(test, arm=None):
    """The query string that shows the interactions behind an arm's figures in the table of interactions."""
    raise NotImplementedError
