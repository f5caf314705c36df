"""What a queue's report is made of."""

import datetime
from dataclasses import dataclass, field

from accounts.models import User
from reviews.models import Queue


@dataclass(frozen=True)
class Interval:
    """An estimate of `n` with its 95 % interval; `low` and `high` None where there is none."""

    value: float
    low: float | None
    high: float | None
    n: int

    @property
    def hits(self):
        """Of a share of `n`: how many."""
        return round(self.value * self.n)


@dataclass(frozen=True)
class Stratum:
    """What a stratified sample drew for one `value` of its label: `drawn` of the `population` it stands for, and the
    share of the judged of them that show a defect (an Interval, None where none is judged)."""

    value: str
    population: int
    drawn: int
    defect: Interval | None


@dataclass(frozen=True)
class Totals:
    """Items by what became of them: `items` in the queue (removed ones and gold aside), `complete` of them have all
    answers that were asked for, `conflicts` wait for a decision, `decided`, `gold`, `removed`.
    Answers to these items: `submitted`, `skipped`, `drafts`, and when the first and the last came."""

    items: int
    complete: int
    conflicts: int
    decided: int
    gold: int
    removed: int
    submitted: int
    skipped: int
    drafts: int
    first_at: datetime.datetime | None
    last_at: datetime.datetime | None


@dataclass(frozen=True)
class Person:
    """One reviewer: what she `submitted` and `skipped`, gold aside, and the conflicts she `decided`; `seconds` her
    median an item, `per_hour` at that pace; `gold` the share of her answers to gold items that are right, `agreement`
    the share of her answers that are another's too on the same item (Intervals or None)."""

    user: User
    submitted: int
    skipped: int
    decided: int
    seconds: float | None
    per_hour: float | None
    gold: Interval | None
    agreement: Interval | None


@dataclass(frozen=True)
class Confusion:
    """How two Users answered the same `n` items: counts[i][j] of them `one` answered names[i] and `other` names[j];
    `same` are those on the diagonal."""

    one: User
    other: User
    names: list
    counts: list
    same: int
    n: int


@dataclass(frozen=True)
class Question:
    """One question of the newest form. `answers`: [(name, n)] of all that were submitted. `raw` agreement and `alpha`
    (Intervals or None where nobody was compared) over `compared` items, alpha by its `level`, nominal or ordinal;
    `alpha_interval` of a scale by the distances: all of what each said first; `changed` of the answers are another now.
    `left_out` answers were given on a scale of other ends. `defect`: the share that show one of the judged
    items that came otherwise than by a stratified sample (or by both), None where there are none, or no answer is said
    to tell of one; of stratified samples it is told of each of the `strata`, and `weighted` is what they make of all of
    its population (no interval; None where one is not judged, or where there are several such samples). `left`: of a
    pair, the share of A, as seen, among those who chose a side."""

    key: str
    kind: str
    text: str
    answers: list
    raw: Interval | None
    level: str | None
    alpha: Interval | None
    alpha_interval: Interval | None
    compared: int
    confusions: list
    defect: Interval | None
    left: Interval | None
    changed: int = 0
    left_out: int = 0
    strata: list = field(default_factory=list)
    weighted: float | None = None


@dataclass(frozen=True)
class Report:
    """`samples`: the queue's Samples, oldest first, with `.by`; `rule` its rule or None; `at`: when this was asked."""

    queue: Queue
    totals: Totals
    people: list
    questions: list
    samples: list
    rule: dict | None
    at: datetime.datetime
