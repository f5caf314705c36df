"""What a test watches beside what it is decided by: whether an arm got worse there, at whatever look.

Each interval is the always-valid one of sequence.py, of the difference to the control; the error of a test's is split
evenly among all that it may watch and all arms beside the control, so that with a chance of at least 1 - alpha every
one of them holds the truth at every look: O. J. Dunn, "Multiple comparisons among means", Journal of the American
Statistical Association 56 (1961) 52-64. Holm's steps would not do: they keep intervals from leaving out 0, and "no
worse" asks on which side of the margin the truth is. It is split among as many as may be watched, not as are: to name
another key later moves no interval.
"""

import math
from dataclasses import dataclass, replace

from experiments.statistics import estimates, refusals, sequence, wording
from experiments.statistics.figures import Moments

MOST_KEYS = 5  # feedback keys; beside them failed calls, latency and tokens
MOST = MOST_KEYS + 3
BETTER, NO_WORSE, WORSE, OPEN = "better", "no worse", "worse", "not known yet"


@dataclass(frozen=True)
class Against:
    """An arm against the control, in one figure. `difference` and its ends are in the values' unit: of kind ratio parts
    of the control's value (0.1: 10 % more)."""

    arm: int
    verdict: str  # better, no worse, worse, not known yet
    difference: float | None = None
    lower: float | None = None
    upper: float | None = None
    refused: str | None = None  # why they are not compared


@dataclass(frozen=True)
class Watched:
    """One figure that is watched, arms in their order, the first being the control. kind: bool (a share), scalar (a
    mean) or ratio (a geometric mean). `values` are None below 50 units. An arm is no worse while the interval of its
    difference stays within `margin`, in the difference's unit, on the worse side of 0."""

    figure: str  # failed, latency_ms, completion_tokens or feedback
    key: str | None  # the feedback key's
    name: str
    kind: str
    lower_is_better: bool
    margin: float
    level: float  # the error that each interval may make
    units: list[int]
    values: list[float | None]
    against: list[Against]
    is_counted: bool = True  # False while what came before it was watched is not

    def of(self, arm):
        """The Against of this arm; None of the control."""
        return next((one for one in self.against if one.arm == arm), None)

    def uncounted(self, reason):
        """The same as long as not all of it is counted."""
        against = [Against(one.arm, OPEN, refused=reason) for one in self.against]
        return replace(self, values=[None] * len(self.values), against=against, is_counted=False)


def watch(kind, moments, *, margin, lower_is_better, tuned_for, alpha=0.05, **named):
    """Watched of one figure, from the Moments of its units' values in each arm. tuned_for: units with a value that each
    arm is planned to have. named: figure, key and name, handed on.

    bool: differences of shares. A share that is near 0 or 1 in all that was seen has hardly a spread, and an
    interval by that would be far too sure. So its deviation is taken to be at least that of as many outcomes as a
    decided figure must have (10): of n units sqrt(p (1 - p)) with p = 10 / n. Failed calls are as rare as that.

    scalar: differences of means.

    ratio: of what is skewed and above 0, such as latency. The units' values are logarithms, and the difference of
    their means is the logarithm of the ratio of two geometric means: exp(mean log b - mean log a), the ends of the
    interval likewise. J. M. Bland and D. G. Altman, "The use of transformation when comparing two means", BMJ 312
    (1996) 1153. Logarithms of such values are close to normal, so that the interval holds from few units on, and no
    single slow call decides. It tells of what is typical and not of sums: of a few calls that take for ever it sees
    little.
    """
    level = alpha / MOST / max(1, len(moments) - 1)
    refused = [_refusal(kind, one) for one in moments]
    values = [math.exp(one.mean) if kind == "ratio" else one.mean for one in moments]
    shown = [value if one.n >= refusals.LEAST_UNITS else None for one, value in zip(moments, values, strict=True)]
    against = []
    for arm in range(1, len(moments)):
        if reason := refused[arm] or refused[0]:
            against.append(Against(arm, OPEN, refused=reason))
        else:
            against.append(_against(kind, arm, moments, level, margin, lower_is_better, 2 * tuned_for))
    units = [one.n for one in moments]
    return Watched(
        kind=kind, lower_is_better=lower_is_better, margin=margin, level=level, units=units, values=shown,
        against=against, **named,
    )  # fmt: skip


def _against(kind, arm, moments, level, margin, lower_is_better, tuned_for):
    one, control = moments[arm], moments[0]
    difference = one.mean - control.mean
    half = math.hypot(_error(kind, one), _error(kind, control))
    half *= float(sequence.factor(one.n + control.n, level, tuned_for=tuned_for))
    ends = [_told(kind, end) for end in (difference, difference - half, difference + half)]
    if not all(map(math.isfinite, ends)):
        return Against(arm, OPEN, refused="The values are too large to compute with.")
    gain = (-ends[2], -ends[1]) if lower_is_better else (ends[1], ends[2])
    return Against(arm, _verdict(*gain, margin), *ends)


def _told(kind, difference):
    if kind != "ratio":
        return difference
    return math.expm1(difference) if difference < 700 else math.inf


def _verdict(low, high, margin):
    """Of how much better it is at least, and at most."""
    if low > 0:
        return BETTER
    if low > -margin:
        return NO_WORSE
    return WORSE if high < 0 else OPEN


def _error(kind, moments):
    """The standard error of the mean."""
    error = estimates.standard_error(moments)
    if kind != "bool":
        return error
    least = min(0.5, refusals.LEAST_OUTCOMES / moments.n)
    return max(error, math.sqrt(least * (1 - least) / moments.n))


def _refusal(kind, moments: Moments):
    """Why an arm is compared to none; of shares a spread is there from the least number of units on."""
    return refusals.too_few(moments) if kind == "bool" else refusals.of_arm("scalar", moments)


def between(watched, against):
    """+3.0 to +12.0 %, as people read the interval of an Against."""
    return f"{changed(watched.kind, against.lower)} to {changed(watched.kind, against.upper)}{unit(watched.kind)}"


def changed(kind, number):
    """A difference of a figure of this kind, without its unit: +3.7, −0.12"""
    size = abs(number)
    if kind == "scalar":
        return wording.signed(wording.plain(size), number)
    return wording.signed(wording.points(size), number)


def unit(kind):
    """What stands behind a difference."""
    return {"bool": " points", "ratio": " %"}.get(kind, "")


def accepted(watched):
    """up to 2 points lower: what is no worse still"""
    number = 100 * watched.margin if watched.kind in ("bool", "ratio") else watched.margin
    how = "higher" if watched.lower_is_better else "lower"
    what = f"{number:,.10g}{unit(watched.kind)}"
    return f"up to {'1 point' if what == '1 points' else what} {how}"
