"""How likely each arm is the best, and what choosing it would cost if it is not: by quadrature, the same every time."""

import numpy as np
from scipy.special import betainc, betaln, ndtr, xlog1py, xlogy

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_STEPS = np.array([-10, -8, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 8, 10.0])  # deviations that part the panels


def of_shares(successes, failures):
    """(chances, losses) of arms by Beta(1 + successes, 1 + failures) of each, highest share best.

    The chance of arm i is the integral of its density times the others' distribution functions; its expected loss is
    the mean of the largest share less its own mean, in shares.
    """
    a, b = 1 + np.asarray(successes, dtype=float)[:, None], 1 + np.asarray(failures, dtype=float)[:, None]
    mean = a / (a + b)
    deviation = np.sqrt(mean * (1 - mean) / (a + b + 1))
    x, weights = _panels(mean, deviation, 0.0, 1.0)
    density = np.exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b))
    return _best(x, weights, density, betainc(a, b, x), mean[:, 0])


def of_means(means, errors):
    """(chances, losses) of arms by a normal posterior (flat prior) of each: its mean and standard error; highest best.
    Losses are in the means' unit."""
    means, errors = np.asarray(means, dtype=float), np.asarray(errors, dtype=float)
    scale, middle = errors.max(), means.max()
    mean = ((means - middle) / scale)[:, None]
    error = np.maximum(
        (errors / scale)[:, None], 1e-9 * (1 + np.abs(mean))
    )  # narrower than this is a point to the rest
    x, weights = _panels(mean, error, -np.inf, np.inf)
    z = (x - mean) / error
    density = np.exp(-z * z / 2) / (np.sqrt(2 * np.pi) * error)
    chances, losses = _best(x, weights, density, ndtr(z), mean[:, 0])
    return chances, [loss * float(scale) for loss in losses]


def of_two_win_rates(wins, losses):
    """(chances, losses) of two arms by Beta(1 + wins, 1 + losses) of the first one's win rate; losses in the difference
    of the two win rates. In closed form: with I the regularised incomplete beta function at one half,
    P(rate < 1/2) = I(a, b), and the mean of max(0, 1 - 2 rate) is I(a, b) - 2 a / (a + b) I(a + 1, b)."""
    a, b = 1 + wins, 1 + losses
    behind, ahead = float(betainc(a, b, 0.5)), float(betainc(b, a, 0.5))
    missed = behind - 2 * a / (a + b) * float(betainc(a + 1, b, 0.5))
    missed_by_other = ahead - 2 * b / (a + b) * float(betainc(b + 1, a, 0.5))
    return [ahead, behind], [max(0.0, missed), max(0.0, missed_by_other)]


def _panels(mean, deviation, low, high):
    """Places and weights of a quadrature that is fine wherever one of the densities is large."""
    edges = np.unique(np.clip(mean + deviation * _STEPS, low, high))
    half, middle = np.diff(edges)[:, None] / 2, (edges[1:] + edges[:-1])[:, None] / 2
    return (middle + half * _NODES).ravel(), (half * _WEIGHTS).ravel()


def _best(x, weights, density, below, means):
    """(chances, losses) from densities and distribution functions (arms, places)."""
    others = np.array([np.prod(np.delete(below, arm, axis=0), axis=0) for arm in range(len(below))])
    mass = weights * density * others
    chances = mass.sum(axis=1)
    largest = (mass * x).sum() / chances.sum()
    return (chances / chances.sum()).tolist(), np.maximum(0.0, largest - means).tolist()
