"""How many units a test needs before it can see what it looks for."""

import math
from functools import lru_cache

import numpy as np

from experiments.statistics import sequence
from experiments.statistics.figures import Plan
from experiments.statistics.traffic import LEAST_UNITS

LOOKS = 50
_MOST_UNITS = 1e12
_RUNS, _FEWER_RUNS = 20_000, 8_000  # the fewer for more than four arms: people wait for it
_AT_ONCE = 2_000
_SEED = 20_240_401


def plan(
    kind, *, effect, base=None, spread=None, arms=2, power=0.8, alpha=0.05, daily=None, coverage=1.0, weights=None
):
    """Plan of a test that sees, with this power, an arm which is better than every other by `effect`.

    kind bool: `base` is the other arms' share, `effect` the difference of shares (below 0 where less is better).
    scalar: `spread` is the deviation of units' values. preference: `effect` is the difference of two win rates (0.1:
    55 % against 45 %), `spread` the share of ties. `daily`: units a day that enter the test; `coverage`: share of them
    that give feedback; `weights`: each arm's part of them beside the other arms' (equal unless said), of which the
    smallest has to see enough. ValueError says what cannot be.

    The power is that of what decides: at one of 50 looks, up to this number of units, the always-valid lower bound of
    the better arm (tuned for this number) is above 0 against every other arm. It depends on effect / deviation *
    sqrt(units) alone; which value of that is enough is found once, by thousands of seeded random walks for each number
    of arms. The better arm is taken to be one that challenges the first. A test that also waits for a smallest effect
    worth having needs more: plan with what is expected beyond it.
    """
    _check(effect, arms, power, alpha, daily, coverage)
    times = _times_of_the_smallest(weights or [1.0] * arms)
    variance = _variance(kind, effect, base, spread)
    in_effects = strength_needed(arms, power, alpha) / effect
    needed = variance * in_effects * in_effects  # infinite where ** would raise
    if not needed / coverage * times < _MOST_UNITS:
        raise ValueError(f"An effect of {effect:g} is too small to be seen by any number of units that come.")
    answered = max(LEAST_UNITS, math.ceil(needed))
    units = math.ceil(answered / coverage)
    whole = math.ceil(units * times)
    return Plan(answered, units, whole, whole / daily if daily else None)


@lru_cache(maxsize=64)
def strength_needed(arms, power, alpha):
    """The difference at the last look, in its standard errors, with which this share of tests finds its winner.

    With f the fraction of units that came, the better arm is sqrt(f) * strength standard errors ahead, and
    walks at random around that. So for each walk there is a smallest strength that wins: at its best look, against
    the hardest of its opponents. The strength asked for is a quantile of these.
    """
    fractions = np.arange(1, LOOKS + 1) / LOOKS
    first, other = (
        sequence.factor(fractions, level, tuned_for=1.0)
        for level in (alpha / (arms - 1), sequence.level_between_others(alpha, arms))
    )
    bounds = np.stack([first, *[other] * (arms - 2)], axis=1)
    chance, smallest = np.random.default_rng(_SEED), []
    for _ in range((_RUNS if arms <= 4 else _FEWER_RUNS) // _AT_ONCE):
        walks = np.cumsum(chance.standard_normal((_AT_ONCE, LOOKS, arms)), axis=1) / math.sqrt(LOOKS)
        apart = (walks[..., :1] - walks[..., 1:]) / np.sqrt(2 * fractions)[:, None]
        smallest.append(((bounds - apart) / np.sqrt(fractions)[:, None]).max(axis=2).min(axis=1))
    return float(np.quantile(np.concatenate(smallest), power))


def _check(effect, arms, power, alpha, daily, coverage):
    if not (math.isfinite(effect) and effect):
        raise ValueError("An effect is a number other than 0.")
    if not 2 <= arms <= 26:
        raise ValueError(f"A test has 2 to 26 arms, not {arms}.")
    for name, share in (("power", power), ("alpha", alpha)):
        if not 0.001 <= share <= 0.999:
            raise ValueError(f"{name.capitalize()} lies between 0.001 and 0.999; {share:g} does not.")
    if not 0 < coverage <= 1:
        raise ValueError(f"The share of units that give feedback lies above 0, up to 1; {coverage:g} does not.")
    if daily is not None and not 1e-6 <= daily < math.inf:
        raise ValueError(f"Units a day are a number above 0; {daily:g} is not.")


def _times_of_the_smallest(weights):
    """How many times the units of the arm that has the fewest all arms have together."""
    if not min(weights) > 0:
        raise ValueError("An arm of weight 0 meets no unit: it never has enough.")
    return sum(weights) / min(weights)


def _variance(kind, effect, base, spread):
    """Of the difference, times the units of an arm."""
    if kind == "bool":
        if base is None or not 0 < base < 1 or not 0 < base + effect < 1:
            raise ValueError("A share lies between 0 and 1, before the effect and after it.")
        return base * (1 - base) + (base + effect) * (1 - base - effect)
    if kind == "scalar":
        if spread is None or not 0 < spread < 1e150:
            raise ValueError("The values' deviation is a number above 0.")
        return 2 * spread * spread
    if kind != "preference":
        raise ValueError(f"A test is decided by bool, scalar or preference, not by {kind}.")
    rate, ties = (1 + abs(effect)) / 2, spread or 0.0
    if not 0 <= ties < 1 or rate + ties / 2 > 1 or rate >= 1:
        raise ValueError("Win rates lie between 0 and 1, and ties leave that much to be won.")
    return 4 * (rate * (1 - rate) - ties / 4)
