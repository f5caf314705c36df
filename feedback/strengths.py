"""How strong models are, from preferences between two of them: Bradley-Terry with ties, and win rates."""

import math
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from operator import index
from typing import NamedTuple

import numpy as np

from feedback.moments import normal_width

RIDGE = 0.1  # of a normal prior with deviation 3.2 in log-odds: wide, yet one that calls 100 wins of 100 a victory
_MOST_STEPS = 100
_CLOSE_ENOUGH = 1e-16  # squared distance from the optimum, in standard errors


@dataclass(frozen=True)
class Strength:
    """A model's place among the others; strength, low, high and stderr are log-odds, centred to mean 0."""

    model: Hashable
    strength: float
    low: float
    high: float
    stderr: float
    rank_low: int  # the best rank it may have
    rank_high: int  # the worst
    wins: int
    losses: int
    ties: int
    group: int  # models of different groups never met, not even by way of others


class Rate(NamedTuple):
    """A share with its interval."""

    rate: float
    low: float
    high: float


def strengths(pairs, *, ridge=RIDGE, confidence=0.95):
    """Strengths of models by votes between two of them, strongest first.

    `pairs` is {(a, b): (a_wins, b_wins, ties)}, whole numbers; (a, b) and (b, a) may both be there and are added.
    Votes of a model against itself and pairs without votes say nothing and are left out. Only the counts matter: the
    order of votes, pairs and sides changes no bit of the answer.

    R. R. Davidson, "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments", JASA
    65 (1970) 317-328: with strengths s and d = s_a - s_b, the chances that a wins, b wins and of a tie are as
    e^(d/2) : e^(-d/2) : nu. So between decided votes the odds of a are e^d, whatever nu is.

    The likelihood is maximised with ridge/2 times the sum of s**2 and of log(nu)**2 taken off (a normal prior with
    variance 1/ridge), which also centres s to mean 0. Without ties nu is 0. Intervals are normal ones from the inverse
    of the Hessian there, of the centred strengths. The ridge keeps two cases finite. A model that never lost gets as
    far ahead as the prior lets it, with a wide interval. And models fall into `group`s (from 1, the strongest model's
    first) where no chain of votes leads from one to the other: such models are *disconnected*, nothing but the prior
    compares them, their strengths relative to each other mean nothing and all intervals get wide.

    Ranks are ranges: at best 1 + the number of models whose whole interval lies above this one's, at worst the number
    of models less those whose whole interval lies below.
    """
    if not 0 < ridge < math.inf:
        raise ValueError(f"The ridge is a number above 0, {ridge} is not.")
    width, votes = normal_width(confidence), _votes(pairs)
    models = _in_order({model for pair in votes for model in pair})
    if not models:
        return []
    games = _games(votes, models)
    values, errors = _fit(games, len(models), ridge)
    ends = [(value - width * error, value + width * error) for value, error in zip(values, errors, strict=True)]
    ranks, records, group_of = _ranks(ends), _records(votes), _groups(votes)
    strongest_first = sorted(range(len(models)), key=lambda place: (-values[place], place))
    numbers = {}
    return [
        Strength(
            *(models[i], values[i], *ends[i], errors[i], *ranks[i], *records[models[i]]),
            group=numbers.setdefault(group_of[models[i]], len(numbers) + 1),
        )
        for i in strongest_first
    ]


def win_rate(wins, losses, ties, confidence=0.95):
    """Share of votes won, a tie as half, with its score interval, within [0, 1]; None without votes.

    The rate is (1 + D)/2 with D the share of wins less the share of losses. Its interval is that of T. Tango,
    "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
    Statistics in Medicine 17 (1998) 891-908: all D for which the one observed is at most z standard errors away, the
    variance being that of single votes (1, 1/2, 0) with the likeliest share of ties *under D*. Without ties this is
    Wilson's interval; with ties it is as much narrower as votes of 1/2 vary less; all won or all tied, it has a width.
    """
    wins, losses, ties = map(_count, (wins, losses, ties))
    z, votes = normal_width(confidence), wins + losses + ties
    if not votes:
        return None
    rate = (wins + ties / 2) / votes
    high, low = _upper_end(wins, losses, votes, z), 1 - _upper_end(losses, wins, votes, z)
    return Rate(rate, max(0.0, min(low, rate)), min(1.0, max(high, rate)))


def _count(number):
    if index(number) < 0:
        raise ValueError(f"{number} votes cannot be.")
    return index(number)


def _votes(pairs):
    """(wins of the first, wins of the second, ties) of each pair, each pair once, in an order of its own."""
    sums = {}
    for (a, b), (a_wins, b_wins, ties) in pairs.items():
        counts = _count(a_wins), _count(b_wins), _count(ties)
        if a == b or not any(counts):
            continue
        if (b, a) in sums:
            a, b, counts = b, a, (counts[1], counts[0], counts[2])
        former = sums.get((a, b), (0, 0, 0))
        sums[a, b] = tuple(one + other for one, other in zip(former, counts, strict=True))
    return sums


def _in_order(models):
    """The same order for the same models, whatever they are."""
    try:
        return sorted(models)
    except TypeError:
        return sorted(models, key=lambda model: (type(model).__qualname__, repr(model)))


def _games(votes, models):
    """Places a < b and their counts, as arrays in one order for the same votes."""
    place, rows = {model: i for i, model in enumerate(models)}, []
    for (a, b), (a_wins, b_wins, ties) in votes.items():
        first, second = place[a], place[b]
        turned = first > second
        rows.append((second, first, b_wins, a_wins, ties) if turned else (first, second, a_wins, b_wins, ties))
    rows.sort()
    a, b, *counts = zip(*rows, strict=True)
    return (np.array(a), np.array(b), *(np.array(count, dtype=float) for count in counts))


def _fit(games, n, ridge):
    """Strengths with mean 0 and their standard errors, by Newton's method: the penalised likelihood has one top."""
    decided, ties = (games[2] + games[3]).sum(), games[4].sum()
    point = np.zeros(n + 1 if ties else n)  # strengths, then log(nu) where there are ties
    if ties:
        point[n] = math.log(2 * ties / max(decided, 1))
    height = _height(games, point, n, ridge)
    for _ in range(_MOST_STEPS):
        slope, curvature = _slope_and_curvature(games, point, n, ridge)
        step = np.linalg.solve(curvature, slope)
        while (new_height := _height(games, point + step, n, ridge)) < height - 1e-9 * (1 + abs(height)):
            step /= 2
        point, height = point + step, new_height
        if slope @ step < _CLOSE_ENOUGH:
            break
    _, curvature = _slope_and_curvature(games, point, n, ridge)
    curvature[:n, :n] += curvature.diagonal()[:n].mean() / n  # all strengths moved alike, which centring takes out
    centre = np.eye(n) - 1 / n
    spread = centre @ np.linalg.inv(curvature)[:n, :n] @ centre
    values = point[:n] - point[:n].mean()
    return values.tolist(), np.sqrt(np.maximum(spread.diagonal(), 0)).tolist()


def _log_chances(games, point, n):
    """Logarithms of the chances that a wins, that b wins, and of a tie, of each pair."""
    half = (point[games[0]] - point[games[1]]) / 2
    log_nu = point[n] if len(point) > n else -math.inf
    whole = np.logaddexp(np.logaddexp(half, -half), log_nu)
    return half - whole, -half - whole, log_nu - whole


def _height(games, point, n, ridge):
    """The penalised log-likelihood."""
    win, loss, tie = _log_chances(games, point, n)
    _, _, a_wins, b_wins, ties = games
    tied = ties > 0  # 0 times the logarithm of no chance is 0
    return a_wins @ win + b_wins @ loss + ties[tied] @ tie[tied] - ridge / 2 * (point @ point)


def _slope_and_curvature(games, point, n, ridge):
    """First derivatives of the penalised log-likelihood, and the negative of the second."""
    a, b, a_wins, b_wins, ties = games
    win, loss, tie = map(np.exp, _log_chances(games, point, n))
    total = a_wins + b_wins + ties
    slope, curvature = -ridge * point, ridge * np.eye(len(point))
    by_pair = (a_wins - b_wins - total * (win - loss)) / 2
    bent = total * (win * loss + tie * (win + loss) / 4)
    np.add.at(slope, a, by_pair)
    np.add.at(slope, b, -by_pair)
    for row, column, sign in ((a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)):
        np.add.at(curvature, (row, column), sign * bent)
    if len(point) > n:
        slope[n] += (ties - total * tie).sum()
        curvature[n, n] += (total * tie * (1 - tie)).sum()
        across = -total * tie * (win - loss) / 2
        for place, sign in ((a, 1), (b, -1)):
            np.add.at(curvature, (place, n), sign * across)
            np.add.at(curvature, (n, place), sign * across)
    return slope, curvature


def _ranks(ends):
    """(best, worst) rank of each interval among all."""
    lows, highs = np.array(ends).T
    above = (lows[None, :] > highs[:, None]).sum(axis=1)
    below = (highs[None, :] < lows[:, None]).sum(axis=1)
    return [(1 + int(up), len(ends) - int(down)) for up, down in zip(above, below, strict=True)]


def _records(votes):
    """(wins, losses, ties) of each model over all its pairs."""
    wins, losses, ties = Counter(), Counter(), Counter()
    for (a, b), (a_wins, b_wins, tied) in votes.items():
        wins.update({a: a_wins, b: b_wins})
        losses.update({a: b_wins, b: a_wins})
        ties.update({a: tied, b: tied})
    return {model: (wins[model], losses[model], ties[model]) for model in wins}


def _groups(votes):
    """One model of the group that each belongs to."""
    leader = {}

    def find(model):
        while (above := leader.setdefault(model, model)) != model:
            leader[model] = model = leader[above]
        return model

    for a, b in votes:
        leader[find(a)] = find(b)
    return {model: find(model) for model in list(leader)}


def _upper_end(wins, losses, votes, z):
    """The largest (1 + D)/2 that the observed wins and losses do not exclude, by bisection."""
    observed = (wins - losses) / votes
    inside, outside = observed, 1.0
    if (1 - observed) ** 2 * votes <= z * z * _variance(wins, losses, votes, 1.0):
        return 1.0
    while inside < (middle := (inside + outside) / 2) < outside:
        near = (middle - observed) ** 2 * votes <= z * z * _variance(wins, losses, votes, middle)
        inside, outside = (middle, outside) if near else (inside, middle)
    return (1 + inside) / 2


def _variance(wins, losses, votes, difference):
    """Variance of a vote (1, 0, -1) if the difference of wins and losses is this and ties are as likely as can be."""
    if difference < 0:
        wins, losses, difference = losses, wins, -difference
    b = difference * (2 * votes - wins + losses) - wins - losses
    c = losses * difference * (1 - difference)
    root = math.sqrt(b * b + 8 * votes * c)
    lost = (root - b) / (4 * votes) if b <= 0 else 2 * c / (b + root)  # the same; neither takes near numbers apart
    return 2 * lost + difference * (1 - difference)
