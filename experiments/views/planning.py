"""The planning calculator: how many units a test needs, from what the project's own feedback was like lately."""

import datetime
import math
from dataclasses import dataclass

from django.utils import timezone

from experiments import statistics
from experiments.models import JudgedBy
from experiments.templatetags.experiments import Words
from feedback.rollups import Totals, given
from interactions import rollups
from interactions.models import Dimension

DAYS = 28
MOST_DAYS = 100_000
_NUMBERS = ("effect", "base", "spread", "daily", "coverage", "smallest_effect", "split")


@dataclass(frozen=True)
class Lately:
    """What a key's values were in the last days: mean, deviation and number, None or 0 where nothing was given; how
    many interactions there were on a day that had any, and the share of them (not of units) that had a value."""

    base: float | None
    spread: float | None
    n: int
    daily: float
    coverage: float | None


@dataclass(frozen=True)
class Question:
    """What the form asks of the calculator; None where nothing readable was written. Shares are parts of 1."""

    kind: str  # bool, scalar or preference
    is_share: bool
    lower_is_better: bool
    weights: list[float]  # of the arms
    effect: float | None
    smallest: float
    base: float | None
    spread: float | None
    daily: float | None
    coverage: float | None
    split: float
    power: float

    @property
    def arms(self):
        return len(self.weights)


@dataclass(frozen=True)
class Shown:
    """What the calculator shows: the plan, or what is `missing`."""

    question: Question
    words: Words
    lately: Lately
    plan: statistics.Plan | None = None
    missing: str = ""

    @property
    def days(self):
        """Whole days, at least one; None without any traffic to speak of, or where nobody wrote how many of the units
        give feedback."""
        days = self.plan.days if self.plan and self.question.coverage else None
        return max(1, math.ceil(days)) if days is not None and days < MOST_DAYS else None


def measured(project):
    """{feedback key id: Lately} of the last 28 days, and under None what holds for a key without values."""
    after = rollups.hour_of(timezone.now() - datetime.timedelta(days=DAYS))
    hours = rollups.by_hour(project, Dimension.ALL, after)
    everything, days = sum(hours.values()), len({hour.date() for hour in hours})
    found = {
        key_id: _lately(totals, everything, days)
        for (key_id,), totals in given(project, by=("key_id",), after=after).items()
    }
    return {None: _lately(Totals(), everything, days), **found}


def _lately(totals, everything, days):
    moments = totals.moments
    coverage = min(1.0, totals.interactions / everything) if everything and totals.interactions else None
    return Lately(moments.mean, moments.stddev, moments.n, everything / max(1, days), coverage)


def shown(form, lately):
    """The Shown of what the form says; `lately` is `measured`. What is empty is taken as measured, but for the units a
    day and their share with feedback: interactions are counted, and how many people or sessions they are of is not."""
    said = form.said()
    key = said.get("feedback_key")
    own = lately.get(key.pk if key else None, lately[None])
    question = _question(said, [weight for _, weight in form.chosen()], own)
    told = {"question": question, "words": Words(question.is_share), "lately": own}
    if missing := _unreadable(form) or _missing(question):
        return Shown(**told, missing=missing)
    try:
        return Shown(**told, plan=_plan(question))
    except ValueError as fault:
        return Shown(**told, missing=str(fault))


def _plan(question):
    sign = -1 if question.lower_is_better else 1
    return statistics.plan(
        question.kind,
        effect=sign * (question.effect - question.smallest),
        base=question.base,
        spread=question.spread,
        arms=question.arms,
        weights=question.weights,
        power=question.power,
        daily=question.daily * question.split if question.daily else None,
        coverage=question.coverage or 1.0,
    )


def _question(said, chosen, own):
    """The Question of what a form says, with arms of these weights chosen; what was measured where it says nothing."""
    key, preference = said.get("feedback_key"), said.get("judged_by") == JudgedBy.PREFERENCE
    is_share = preference or key is None or key.kind == "bool"
    weights, hundred = chosen if len(chosen) > 1 else [1.0, 1.0], 100 if is_share else 1

    def written(name, otherwise, unit=1):
        return otherwise if said.get(name) is None else said[name] / unit

    return Question(
        kind="preference" if preference else "bool" if is_share else "scalar",
        is_share=is_share,
        lower_is_better=bool(key and key.lower_is_better and not preference),
        weights=weights,
        effect=written("effect", None, hundred),
        # strengths of three or more arms have a unit of their own
        smallest=0.0 if preference and len(weights) > 2 else written("smallest_effect", 0.0, hundred),
        base=None if preference else written("base", own.base, hundred),
        spread=None if is_share else written("spread", own.spread),
        daily=written("daily", None),
        coverage=1.0 if preference else written("coverage", None, 100),  # who gives no vote is no judge
        split=written("split", 1.0),  # the form made a part of 1 of it
        power=float(said.get("power") or 0.8),
    )


def _unreadable(form):
    """What is wrong with a number that was written, or nothing."""
    return next((f"{form[name].label}: {form.errors[name][0]}" for name in _NUMBERS if name in form.errors), "")


def _missing(question):
    """What has to be written before anything can be computed."""
    if not question.effect:
        return "Write the difference that you want to find."
    if question.effect <= question.smallest:
        return "The difference to find must be larger than the smallest one worth having."
    if question.kind == "preference":
        return ""
    if question.base is None and question.is_share:
        return f"Nothing was given under this key in the last {DAYS} days: write what its share is now."
    if question.is_share and not 0 < question.base < 1:
        return "Write a share between 0 and 100 per cent."
    if not question.is_share and not question.spread:
        return "Write the deviation of the values: it is not known yet."
    return ""
