"""Whether what a test watches beside keeps what it promises: the rule of experiments.statistics.watching, in arrays.
tests/experiments compares the two."""

import numpy as np

from experiments.statistics import sequence
from experiments.statistics.refusals import LEAST_OUTCOMES
from experiments.statistics.traffic import LEAST_UNITS
from experiments.statistics.watching import MOST

ALPHA = 0.05
LEVEL = ALPHA / MOST  # of each figure of two arms
_AT_ONCE = 100  # runs of which every value is drawn


def watched(chance, runs, n):
    """(what, share of the runs, at most) of each promise, with n units in each arm at each look."""
    each = {
        "a share of 0.1 %, as of failed calls": shares(chance, runs, n, [0.001, 0.001]),
        "a share of 1 %": shares(chance, runs, n, [0.01, 0.01]),
        "a share of 99.5 %": shares(chance, runs, n, [0.995, 0.995]),
        "a share of 30 %": shares(chance, runs, n, [0.3, 0.3]),
        "a skewed number": numbers(chance, runs, n, lambda size: chance.gamma(0.5, 2.0, size)),
        "latency, log-normal": numbers(chance, runs, n, lambda size: chance.normal(7.0, 0.8, size)),
        "latency, one call in fifty ten times as slow": numbers(chance, runs, n, lambda size: _slow(chance, size)),
        "tokens": numbers(chance, runs, n, lambda size: np.log(1 + chance.negative_binomial(2, 0.01, size))),
    }
    missed = {what: left_out(*figure, n) for what, figure in each.items()}
    for what, found in missed.items():
        yield f"watched, {what}: intervals that leave the truth out", float(found.mean()), LEVEL
    together = float(np.any(list(missed.values()), axis=0).mean())
    yield f"watched, these {MOST} figures together: any interval that leaves the truth out", together, ALPHA
    low, _ = ends(*shares(chance, runs, n, [0.99, 0.97]), n)
    wrongly = float((low > -0.02).any(axis=1).mean())
    yield "watched, a share that is worse by all of its margin, found to be no worse", wrongly, LEVEL


def ends(mean, error, n):
    """The interval of the second arm less the first, (runs, looks) each; of too few units all numbers."""
    half = sequence.factor(2 * n, LEVEL, tuned_for=2 * n[-1]) * np.hypot(error[..., 0], error[..., 1])
    half = np.where(n < LEAST_UNITS, np.inf, half)
    difference = mean[..., 1] - mean[..., 0]
    return difference - half, difference + half


def left_out(mean, error, n, truth=0.0):
    """Of each run whether at any look the interval leaves out the true difference."""
    low, high = ends(mean, error, n)
    return ((low > truth) | (high < truth)).any(axis=1)


def shares(chance, runs, n, share):
    """(means, standard errors) of yeses and noes: (runs, looks, arms) each."""
    new = np.diff(n, prepend=0)[:, None]
    mean = chance.binomial(new, share, size=(runs, len(n), len(share))).cumsum(axis=1) / n[:, None]
    least = np.minimum(0.5, LEAST_OUTCOMES / n)[:, None]
    floor = np.sqrt(least * (1 - least) / n[:, None])
    return mean, np.maximum(np.sqrt(mean * (1 - mean) / (n[:, None] - 1)), floor)


def numbers(chance, runs, n, draw):
    """The same of two arms of numbers; of a ratio these are logarithms."""
    parts = []
    for start in range(0, runs, _AT_ONCE):
        values = draw((min(_AT_ONCE, runs - start), n[-1], 2))
        total, squares = values.cumsum(axis=1)[:, n - 1], np.square(values).cumsum(axis=1)[:, n - 1]
        mean = total / n[:, None]
        parts.append((mean, np.sqrt((squares / n[:, None] - mean**2) / (n[:, None] - 1))))
    mean, error = (np.concatenate(part) for part in zip(*parts, strict=True))
    return mean, error


def _slow(chance, size):
    return chance.normal(7.0, 0.5, size) + np.log(10) * (chance.random(size) < 0.02)
