"""The always-valid intervals that decide: they may be looked at as often as one likes, by people and by machines."""

import numpy as np
from scipy.special import lambertw

# t rho**2 where an interval of level a is narrowest: y of (y + 1) - log(y + 1) = 1 - 2 log(a), by Lambert's W
_GROWN = float(-lambertw(-(0.05**2) / np.e, k=-1).real) - 1


def factor(t, level, *, tuned_for):
    """Standard errors on either side of an estimate from t units, so that with a chance of at least 1 - level the truth
    is inside at every look, however many there are. Arrays broadcast.

    I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy and A. Ramdas, "Time-uniform central limit theory and
    asymptotic confidence sequences", Annals of Statistics 52 (2024), arXiv 2103.06476, theorem 2.2: with s the
    deviation and rho > 0 fixed beforehand,

        mean +- s * sqrt( 2 (t rho**2 + 1) / (t**2 rho**2) * log( sqrt(t rho**2 + 1) / level ) ).

    s / sqrt(t) is the mean's standard error, and what stands here is the rest. By their delta method (section 3) the
    same holds for any asymptotically linear estimate with its own standard error: for differences of means, and for
    differences of Bradley-Terry strengths. It holds for large samples: below 50 units nothing is told.

    rho makes the interval of 95 % narrowest at t = tuned_for. It is the same at every level, so that intervals of one
    level lie within those of another, and a level can be chosen after the fact (see `levels`).
    """
    times = grown(t, tuned_for)
    return np.sqrt(2 * (times + 1) / times * (np.log1p(times) / 2 - np.log(level)))


def log_p(z, t, *, tuned_for):
    """Logarithm of the smallest level at which the interval leaves 0 out, for an estimate z standard errors from it."""
    times = grown(t, tuned_for)
    return np.minimum(0.0, np.log1p(times) / 2 - np.square(z) * times / (2 * (times + 1)))


def levels(log_ps, alpha):
    """The level of each of m comparisons (the last axis) by Holm's steps, so that with a chance of at least 1 - alpha
    no interval leaves a true 0 out at any look.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979)
    65-70: the clearest comparison is held to alpha / m, the next to alpha / (m - 1) ..., until one fails; that one and
    all after it are held to what it failed at. The levels at which intervals leave 0 out are valid at all looks at
    once, so the steps are too.
    """
    log_ps = np.asarray(log_ps, dtype=float)
    many = log_ps.shape[-1]
    order = np.argsort(log_ps, axis=-1, kind="stable")
    steps = alpha / (many - np.arange(many))
    clear = np.take_along_axis(log_ps, order, axis=-1) < np.log(steps)
    passed = np.logical_and.accumulate(clear, axis=-1).sum(axis=-1, keepdims=True)
    reached = np.minimum(np.arange(many), np.minimum(passed, many - 1))
    told = np.empty_like(log_ps)
    np.put_along_axis(told, order, steps[reached], axis=-1)
    return told


def level_between_others(alpha, arms):
    """The level of two arms of which neither is the first. A winner has to be ahead of every other arm; with at most
    alpha / arms on each side, no more than alpha can go wrong over all arms that may wrongly seem to be so."""
    return min(alpha, 2 * alpha / arms)


def grown(t, tuned_for):
    """t rho**2 after t units."""
    return _GROWN * np.asarray(t, dtype=float) / tuned_for
