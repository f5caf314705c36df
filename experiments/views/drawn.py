"""A test's Report as its page draws it: rows with their intervals, the strip of figures, the warning, the chart."""

import datetime
import itertools
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.http import urlencode

from experiments.report import behind
from experiments.statistics import fail_apart, taking_part, wording
from experiments.templatetags.experiments import Words, percent
from experiments.views import drawing

MOST_DAYS = 400  # in the chart


@dataclass(frozen=True)
class ArmRow:
    """An arm as the table of arms shows it."""

    reported: object
    judged: object
    colour: str
    at: drawing.Row
    value: str
    interval: str
    difference: str
    between: str
    behind: str
    tone: str  # good or bad where the difference is certain
    is_best: bool
    is_odd: bool  # its number of units does not fit the split

    @property
    def is_control(self):
        return self.reported.arm.position == 0


@dataclass(frozen=True)
class StrongRow:
    """An arm of a test of three or more by preferences."""

    reported: object
    colour: str
    behind: str
    strong: object | None  # statistics.StrongArm; None without votes
    at: drawing.Row


@dataclass(frozen=True)
class Standing:
    """One arm against another, as the strip has it."""

    one: str
    other: str
    difference: str
    between: str
    tone: str


@dataclass(frozen=True)
class Drawn:
    """All that a page says of a Report, next to the Report itself."""

    words: Words
    rows: list
    strong: list = field(default_factory=list)
    judged_by: int = 0  # judges of three or more arms
    matrix: list = field(default_factory=list)  # [(ArmRow, [Met or None])]
    chart: drawing.Chart | None = None
    days: list = field(default_factory=list)  # newest first: (day, [(value, between) or None])
    mismatch: tuple | None = None  # (head, text, the ArmRow to look into)
    failing: tuple | None = None  # (letter, its share of failed calls, letter, that of the arm with the fewest)
    is_apart: bool = False  # arms by preferences that no chain of votes connects
    standing: Standing | None = None  # what the strip compares
    leader: ArmRow | None = None  # which is ahead, for certain or not
    is_certain: bool = False  # that it is, at whatever look, by traffic that can be trusted
    parts: list = field(default_factory=list)  # (drawing.Part, its share in words)
    outside: str = ""

    @property
    def units(self):
        return sum(row.reported.units for row in self.rows)

    @property
    def answered(self):
        return sum(row.reported.answered for row in self.rows)

    @property
    def has_failed(self):
        return any(row.reported.failed for row in self.rows)

    @property
    def judges(self):
        """Who compared two arms, each once; of two arms each was asked of both."""
        return self.judged_by if self.strong else max(row.reported.answered for row in self.rows)


def words_of(report):
    """The Words of a test's values and differences."""
    if report.kind != "scalar":
        return Words(True, log_odds=report.kind == "preference" and len(report.arms) > 2)
    return Words(False, digits=wording.digits(report.judgement))


def drawn(project, report):
    """The Drawn of a Report."""
    words = words_of(report)
    rows = _rows(project, report, words)
    strong = _strong(rows, report) if report.judgement.strengths else []
    best = report.judgement.best
    parts, outside = drawing.traffic(report.test.traffic_split, [one.arm.weight for one in report.arms])
    return Drawn(
        words=words,
        rows=rows,
        strong=strong,
        judged_by=report.judgement.strengths.judges if strong else 0,
        matrix=_matrix(project, report, rows) if strong else [],
        is_apart=bool(strong) and len({one.group for one in report.judgement.strengths.arms}) > 1,
        chart=_chart(report),
        days=_days(report, words),
        mismatch=_mismatch(report, rows),
        failing=_failing(report),
        standing=_standing(report, words),
        leader=None if best is None else rows[best],
        is_certain=bool(_gate(report, "bound").holds and _gate(report, "ratio").holds is not False),
        parts=[(part, percent(part.share / 100)) for part in parts],
        outside=percent(outside / 100),
    )


# -- arms -----------------------------------------------------------------------------------------
def _rows(project, report, words):
    pairs = [one.difference for one in report.arms]
    spans = drawing.interval_rows([pair and span(pair.difference, pair.lower, pair.upper) for pair in pairs])
    table = reverse("interaction_list", kwargs={"project": project.ref})
    odd = _odd(report)
    return [
        ArmRow(
            reported=one,
            judged=report.judgement.arms[place],
            colour=drawing.colour(one.arm.position),
            at=spans[place],
            value=words.value(one.value),
            interval=words.interval(one.interval),
            difference=words.difference(pairs[place].difference) if pairs[place] else "",
            between=words.between((pairs[place].lower, pairs[place].upper)) if pairs[place] else "",
            behind=f"{table}?{behind(one.arm)}",
            tone=_certain(pairs[place]),
            is_best=place == report.judgement.best,
            is_odd=place == odd,
        )
        for place, one in enumerate(report.arms)
    ]


def _certain(pair):
    """good or bad where the pair's always-valid interval excludes 0."""
    if pair is None or not pair.sign:
        return ""
    return "good" if pair.at_least is not None and pair.at_least > 0 else "bad"


def span(value, low, high):
    return None if value is None else (value, low, high)


def _standing(report, words):
    """The arm that is ahead, else the first other one, against the control; where that takes no part, the two that the
    verdict is about."""
    taking, bound, best = taking_part(report.judgement.arms), _gate(report, "bound"), report.judgement.best
    if 0 in taking and len(taking) > 1:
        one, other = best or taking[1], 0
    elif bound.arm is not None:
        one, other = bound.arm, bound.against
    else:
        return None
    pair, letters = report.judgement.pair(one, other), [arm.letter for arm in report.arms]
    if pair.difference is None:
        return None
    ends = words.between((pair.lower, pair.upper))
    return Standing(letters[one], letters[other], words.difference(pair.difference), ends, _certain(pair))


def _gate(report, key):
    return next(gate for gate in report.gates if gate.key == key)


def _odd(report):
    """The arm whose units are furthest from what the split expects, where they do not match."""
    if _gate(report, "ratio").holds is not False or any(one.crossed for one in report.arms):
        return None
    expected = report.judgement.ratio.expected

    def apart(place):
        return abs(report.arms[place].units - expected[place]) / max(expected[place], 1) ** 0.5

    return max((place for place, due in enumerate(expected) if due), key=apart, default=None)


def _mismatch(report, rows):
    """What the warning about the split says: (a head, what was seen, the row to look into or None)."""
    gate, place = _gate(report, "ratio"), _odd(report)
    if gate.holds is not False:
        return None
    return report.verdict.headline, gate.shown, None if place is None else rows[place]


def _failing(report):
    """Whose calls fail more often than whose, where that is more than chance."""
    arms = [one for one in report.arms if one.interactions]
    if not fail_apart([one.failed for one in arms], [one.interactions for one in arms]):
        return None
    shares = sorted((one.failed / one.interactions, one.letter) for one in arms)
    (least, best), (most, worst) = shares[0], shares[-1]
    return worst, wording.share(most), best, wording.share(least)


# -- three or more arms by preferences ------------------------------------------------------------
def _strong(rows, report):
    """StrongRows, the strongest first, then arms that are compared to none, arms without votes last."""
    found = {one.arm: one for one in report.judgement.strengths.arms}
    order = [*found, *(place for place in range(len(rows)) if place not in found)]
    known = [found.get(place) for place in order]
    spans = drawing.interval_rows([one and span(one.strength, one.low, one.high) for one in known])
    return [
        StrongRow(rows[place].reported, rows[place].colour, rows[place].behind, found.get(place), at)
        for place, at in zip(order, spans, strict=True)
    ]


@dataclass(frozen=True)
class Met:
    """How the row's arm did against the column's."""

    wins: int
    losses: int
    ties: int
    rate: float | None
    address: str


def _matrix(project, report, rows):
    met = {}
    for pair in report.judgement.strengths.pairs:
        one, other = (report.arms[place].model.key for place in (pair.one, pair.other))
        turned = None if pair.win_rate is None else 1 - pair.win_rate
        met[pair.one, pair.other] = Met(
            pair.wins, pair.losses, pair.ties, pair.win_rate, pairs_address(project, report.test, one, other)
        )
        met[pair.other, pair.one] = Met(
            pair.losses, pair.wins, pair.ties, turned, pairs_address(project, report.test, other, one)
        )
    places = range(len(rows))
    return [(rows[one], [met.get((one, other)) for other in places]) for one in places]


def pairs_address(project, test, one, other):
    """Where the test's comparisons of two models are read."""
    page = reverse("feedback_pairs", kwargs={"project": project.ref, "key": test.feedback_key.key})
    return f"{page}?{urlencode({'a': one, 'b': other, 'test': test.key})}"


# -- over time ------------------------------------------------------------------------------------
def _chart(report):
    days = _without_gaps(report.series)
    if not days:
        return None
    columns = list(zip(*(points for _, points in days), strict=True))
    arms = [(one.letter, one.model.key, one.arm.position) for one in report.arms]
    whole = None if report.kind == "scalar" else (0.0, 1.0)
    return drawing.chart([day for day, _ in days], columns, arms, whole)


def _without_gaps(series):
    """Each day from the first value on, the newest MOST_DAYS of them: on one without figures holds what held before."""
    series = list(itertools.dropwhile(lambda one: not any(one[1]), series))
    if not series:
        return []
    known, (first, last) = dict(series), (series[0][0], series[-1][0])
    found, points = [], series[0][1]
    for n in range((last - first).days + 1):
        day = first + datetime.timedelta(days=n)
        points = known.get(day, points)
        found.append((day, points))
    return found[-MOST_DAYS:]


def _days(report, words):
    def cell(point):
        if not point or point[0] is None:
            return None
        _, low, high = point
        return words.value(point[0]), "" if low is None else f"{words.value(low)} to {words.value(high)}"

    return [(day, [cell(point) for point in points]) for day, points in report.series[: -MOST_DAYS - 1 : -1]]
