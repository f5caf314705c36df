"""The figures of a test as its days' cells have them, and what the statistics say of them."""

import datetime
from dataclasses import asdict, dataclass, replace
from decimal import Decimal

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from experiments.expressions import GROUP
from experiments.gates import Gate, Verdict, gates, leader, verdict
from experiments.models import ABTest, Arm, Evaluation, JudgedBy, WatchedCell
from experiments.statistics import (
    ArmFigures,
    Judgement,
    Moments,
    Strengths,
    StrongArm,
    StrongPair,
    Watched,
    judge,
    strengths_of_arms,
    taking_part,
    votes_of_two,
    watch,
)
from experiments.watching import FAILED, LATENCY, TOKENS

# all that a judge says of two arms is one vote, as her win rate is where there are two; parts of one are exact sums,
# for which the order of rows does not matter
_BY_JUDGES = f"""
    SELECT {GROUP.format("judge")} AS judges, one, other, sum(wins)::int, sum(losses)::int, sum(ties)::int,
        sum(wins::numeric / n)::float8, sum(losses::numeric / n)::float8, sum(ties::numeric / n)::float8,
        count(*) FILTER (WHERE place = 1)
    FROM (
        SELECT judge, one, other, count(*) AS n, count(*) FILTER (WHERE points = 2) AS wins,
            count(*) FILTER (WHERE points = 0) AS losses, count(*) FILTER (WHERE points = 1) AS ties,
            row_number() OVER (PARTITION BY judge) AS place
        FROM experiments_countedvote WHERE test_id = %s AND sequence = %s GROUP BY 1, 2, 3
    ) AS of_judge
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
# what is watched of every test: figure, its name on the wire, its name, kind, and how much more is no worse still
_ALWAYS = (
    (FAILED, "failed", "Failed calls", "bool", 0.01),
    (LATENCY, "latency_ms", "Latency", "ratio", 0.1),
    (TOKENS, "completion_tokens", "Completion tokens", "ratio", 0.1),
)
_COUNTING = "What came before it was watched is being counted."
_SUMS = ("units", "answered", "crossed", "total", "squares", "interactions", "latency_ms", "timed", "failed")


@dataclass
class Sums:
    """What the cells of an arm add up to: exact."""

    units: int = 0
    answered: int = 0
    crossed: int = 0
    total: Decimal = Decimal(0)
    squares: Decimal = Decimal(0)
    interactions: int = 0
    latency_ms: int = 0
    timed: int = 0
    failed: int = 0

    def add(self, cell):
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + cell[name])

    @property
    def moments(self):
        return Moments.from_sums(self.answered, self.total, self.squares)


@dataclass(frozen=True)
class Judged:
    """A test at a moment: its arms (each with `.model` and `.off`), the sums of each, the cells by day, and what
    follows from them; `watched` beside it, feedback keys first. `last` is the newest Evaluation of the sequence."""

    test: ABTest
    as_of: datetime.datetime
    arms: list[Arm]
    sums: list[Sums]
    cells: list[dict]
    judgement: Judgement
    watched: list[Watched]
    gates: list[Gate]
    leader: int | None
    verdict: Verdict
    last: Evaluation | None

    @property
    def figures(self):
        return asdict(self.judgement) | {"watched": [asdict(one) for one in self.watched]}


def kind_of(test):
    """What the statistics call it: bool, scalar or preference."""
    return "preference" if test.judged_by == JudgedBy.PREFERENCE else test.feedback_key.kind


def as_at_its_end(arms, kept):
    """Arms (`with_off`) of a test that is over: `.off` are those that were when its figures were kept, in its Decision,
    else its last Evaluation, should there be one. What is detached afterwards changes nothing that was said."""
    told = kept.figures["arms"] if kept else []
    was_off = {place for place, arm in enumerate(told) if arm.get("off")}
    for arm in arms:
        arm.off = arm.position in was_off
    return arms


def judged(test, *, afresh=True, decision=None, is_evaluation=False):
    """The Judged of a test, in five queries, of one by preferences in three or four. Strengths of three or more arms,
    which take a second to draw, are drawn `afresh`, or taken from what was kept: the decision, else the last
    evaluation, should there be one. What held twice held at the two newest evaluations, of which this is one only if
    it `is_evaluation`, to be kept."""
    now, arms = test.ended_at or timezone.now(), list(test.arms.with_off())
    cells = list(test.cells.filter(sequence=test.sequence).order_by("day", "arm_id").values("arm_id", "day", *_SUMS))
    evaluations = Evaluation.objects.filter(test=test, sequence=test.sequence)
    newest = list(evaluations.select_related("leader").order_by("-at", "-pk")[:2])
    last = newest[0] if newest else None
    if test.ended_at:
        arms = as_at_its_end(arms, decision or last)
    sums = {arm.pk: Sums() for arm in arms}
    for cell in cells:
        sums[cell["arm_id"]].add(cell)
    by_arm = [sums[arm.pk] for arm in arms]
    judgement = _judgement(test, arms, by_arm, None if afresh else decision or last)
    watched = [] if kind_of(test) == "preference" else watched_of(test, arms)
    found = gates(
        judgement,
        watched=watched,
        age_days=test.ran_for(now) / datetime.timedelta(days=1),
        planned_n=test.planned_n,
        planned_days=test.planned_days,
        smallest_effect=test.smallest_effect,
        former_leader=_former_leader(newest, 1 if is_evaluation else 2),
    )
    ahead, words = leader(found), verdict(judgement, found)
    return Judged(test, now, arms, by_arm, cells, judgement, watched, found, ahead, words, last)


def watched_of(test, arms):
    """The Watched figures of a test judged by a metric, its keys first and then those that are there at all; in two
    queries."""
    place, found = {arm.pk: arm.position for arm in arms}, {}
    cells = WatchedCell.objects.filter(test=test, sequence=test.sequence).values("figure", "arm_id")
    for cell in cells.annotate(*map(Sum, ("units", "total", "squares"))).order_by("figure", "arm_id"):
        moments = found.setdefault(cell["figure"], [Moments()] * len(arms))
        sums = (cell[f"{name}__sum"] for name in ("units", "total", "squares"))
        moments[place[cell["arm_id"]]] = Moments.from_sums(*sums)
    told = [_under(one, found.get(one.feedback_key_id, [Moments()] * len(arms)), test) for one in _keys(test)]
    for figure, wire, name, kind, margin in _ALWAYS:
        if any(one.n for one in found.get(figure, ())):
            named = {"figure": wire, "key": None, "name": name, "margin": margin, "lower_is_better": True}
            told.append(watch(kind, found[figure], tuned_for=test.planned_n, **named))
    return [one.uncounted(_COUNTING) for one in told] if test.recount_after else told


def _keys(test):
    return test.watched_keys.select_related("feedback_key")


def _under(one, moments, test):
    key, named = one.feedback_key, {"margin": one.margin, "lower_is_better": one.lower_is_better}
    return watch(key.kind, moments, figure="feedback", key=key.key, name=key.name, tuned_for=test.planned_n, **named)


def _former_leader(evaluations, needed):
    """Place of the arm that so many evaluations, the newest, all named; None where they did not, or there are fewer."""
    leaders = [one.leader.position if one.leader else None for one in evaluations[:needed]]
    return leaders[0] if len(leaders) == needed and len(set(leaders)) == 1 else None


def _judgement(test, arms, sums, kept):
    kind, found = kind_of(test), [_figures(arm, one) for arm, one in zip(arms, sums, strict=True)]
    by_strength = kind == "preference" and len(arms) > 2
    return judge(
        kind,
        found,
        lower_is_better=test.lower_is_better,
        tuned_for=test.planned_n,
        strengths=_strengths(test, arms, taking_part(found), kept) if by_strength else None,
        votes=_votes(test, arms) if kind == "preference" and not by_strength else None,
    )


def _figures(arm, sums):
    return ArmFigures(sums.units, sums.answered, sums.moments, arm.weight, sums.crossed, arm.off)


def _strengths(test, arms, among, kept):
    if kept and kept.figures.get("strengths"):
        return _read(kept.figures["strengths"])
    place = {arm.pk: arm.position for arm in arms}
    votes, judges, times, weights, people = [], [], [], [], 0
    with connection.cursor() as cursor:
        cursor.execute(_BY_JUDGES, [test.pk, test.sequence])
        for group, one, other, *numbers, new in cursor.fetchall():
            people += new
            for score, n, weight in zip((1, 0, 0.5), numbers[:3], numbers[3:], strict=True):
                if n:
                    votes.append((place[one], place[other], score))
                    judges.append(group)
                    times.append(n)
                    weights.append(weight)
    found = strengths_of_arms(votes, judges=judges, times=times, weights=weights, among=among)
    return replace(found, judges=people)  # of the groups of them nobody wants to know


def _votes(test, arms):
    """The votes of two arms as the first one sees them."""
    known = test.votes.filter(sequence=test.sequence).aggregate(*map(Sum, ("wins", "losses", "ties")))
    wins, losses, ties = (known[f"{name}__sum"] or 0 for name in ("wins", "losses", "ties"))
    return votes_of_two(*((wins, losses) if arms[0].pk < arms[1].pk else (losses, wins)), ties)


def _read(told):
    """Strengths as an evaluation keeps them."""
    arms = [StrongArm(**one) for one in told["arms"]]
    return Strengths(**{**told, "arms": arms, "pairs": [StrongPair(**one) for one in told["pairs"]]})


def gates_told(found):
    """Gates as they are stored and sent."""
    return [gate._asdict() for gate in found]


def gates_read(told):
    """The Gates of what is stored."""
    return [Gate(**one) for one in told]
