"""When figures carry no comparison, and the reason that is told instead of a 0 or nothing."""

import math

from experiments.statistics.traffic import LEAST_UNITS

LEAST_OUTCOMES = 10  # yeses and noes, or wins and losses
_ALIKE = 1e-14  # of a mean: deviations that are rounding


def of_arm(kind, moments):
    """Why an arm with these moments is compared to none; None if it may be."""
    if reason := too_few(moments):
        return reason
    if not (math.isfinite(moments.mean) and math.isfinite(moments.m2)):
        return "The values are too large to compute with."
    if kind != "scalar" and (reason := _too_one_sided(kind, moments)):
        return reason
    if same(moments):
        return f"All {moments.n:,} units have the same value: how far that may be from the truth cannot be told."
    return None


def too_few(moments):
    """Why nothing is told of an arm at all, for the number of its units with a value; None if it may be."""
    if moments.n == 0:
        return "No unit has a value yet."
    if moments.n == 1:
        return f"One unit alone has a value; {LEAST_UNITS} are needed."
    if moments.n < LEAST_UNITS:
        return f"{moments.n} of the {LEAST_UNITS} units that are needed have a value."
    return None


def same(moments):
    """Whether all values are one, but for rounding."""
    rounding = _ALIKE * moments.mean
    return moments.m2 <= moments.n * (rounding * rounding)


def of_strength(arm):
    """Why a StrongArm (None: one without votes) is compared to none; None if it may be."""
    if arm is None:
        return "No votes between this arm and another yet."
    if arm.judges < LEAST_UNITS:
        return f"{arm.judges} of the {LEAST_UNITS} judges that are needed voted on it."
    won, lost = arm.wins + arm.ties / 2, arm.losses + arm.ties / 2
    if min(won, lost) < LEAST_OUTCOMES:
        side = "won" if won < lost else "lost"
        return f"It {side} {min(won, lost):g} of {won + lost:,.0f} votes (a tie as half); {LEAST_OUTCOMES} are needed."
    if arm.strength is None:  # it was refused when strengths were worked out, and would not be now
        return "Its strength comes with the next evaluation."
    return None


def lift(difference, base, named):
    """(the relative difference, None) or (None, why there is none); the base counts by its absolute value."""
    if base == 0:
        return None, f"{named}'s value is 0: nothing is relative to it."
    told = difference / abs(base)
    return (told, None) if math.isfinite(told) else (None, f"{named}'s value is too near 0: nothing is relative to it.")


def _too_one_sided(kind, moments):
    yes, no = ("wins", "losses") if kind == "preference" else ("yeses", "noes")
    for name, many in ((yes, moments.total), (no, moments.n - moments.total)):
        if round(many, 6) < LEAST_OUTCOMES:
            return f"{max(0.0, round(many, 2)):g} {name} in {moments.n:,} units; {LEAST_OUTCOMES} are needed."
    return None
