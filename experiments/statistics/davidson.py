"""Bradley-Terry strengths with ties, of many sets of votes at once: the model of feedback.strengths, in arrays.

R. R. Davidson, "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments", JASA 65
(1970) 317-328. A point is the arms' strengths and log(nu); counts are, for each pair, votes that the first won, that
the second won, and ties.
"""

import numpy as np

from feedback.strengths import RIDGE

_MOST_STEPS = 100
_LONGEST_STEP = 1.5  # log-odds: from far away, a whole step of Newton's may overshoot
_CLOSE_ENOUGH = 1e-9


class Games:
    """Which arms (places from 0) meet in which pair: `pairs` is (pairs, 2)."""

    def __init__(self, pairs, arms):
        self.arms = arms
        self.sides = np.zeros((len(pairs), arms))  # 1 for a pair's first arm, -1 for its second
        self.sides[np.arange(len(pairs)), pairs[:, 0]] = 1
        self.sides[np.arange(len(pairs)), pairs[:, 1]] = -1
        self.crossed = np.einsum("pi,pj->pij", self.sides, self.sides).reshape(len(pairs), arms * arms)


def fit(games, counts, ridge=RIDGE):
    """Points (sets, arms + 1) at the top of the penalised likelihood of each set of counts (sets, 3 * pairs).

    The ridge keeps them finite; without a tie in a set its nu is 0."""
    counts = np.asarray(counts, dtype=float).reshape(len(counts), -1, 3)
    decided, ties = counts[..., :2].sum(axis=(1, 2)), counts[..., 2].sum(axis=1)
    points = np.zeros((len(counts), games.arms + 1))
    points[:, -1] = np.where(ties > 0, np.log(np.maximum(2 * ties, 1) / np.maximum(decided, 1)), -np.inf)
    moving = np.arange(len(counts))
    for _ in range(_MOST_STEPS):
        slope, curvature = slope_and_curvature(games, counts[moving], points[moving], ridge)
        steps = np.linalg.solve(curvature, slope[..., None])[..., 0]
        longest = np.abs(steps).max(axis=1, keepdims=True)
        points[moving] += steps * np.minimum(1, _LONGEST_STEP / np.maximum(longest, _CLOSE_ENOUGH))
        moving = moving[longest[:, 0] > _CLOSE_ENOUGH]
        if not moving.size:
            break
    return points


def slope_and_curvature(games, counts, points, ridge):
    """First derivatives of the penalised log-likelihood and the negative of the second, of each set."""
    win, loss, tie = chances(games, points)
    total, arms = counts.sum(axis=2), games.arms
    slope, curvature = -ridge * points, np.zeros((len(points), arms + 1, arms + 1))
    slope[:, :arms] += (counts[..., 0] - counts[..., 1] - total * (win - loss)) / 2 @ games.sides
    slope[:, arms] += (counts[..., 2] - total * tie).sum(axis=1)
    slope[np.isneginf(points[:, arms]), arms] = 0
    bent = total * (win * loss + tie * (win + loss) / 4)
    curvature[:, :arms, :arms] = (bent @ games.crossed).reshape(-1, arms, arms)
    across = -total * tie * (win - loss) / 2 @ games.sides
    curvature[:, :arms, arms] = curvature[:, arms, :arms] = across
    curvature[:, arms, arms] = (total * tie * (1 - tie)).sum(axis=1)
    return slope, curvature + ridge * np.eye(arms + 1)


def chances(games, points):
    """Chances (sets, pairs) that the first wins, that the second wins, and of a tie: as e^(d/2) : e^(-d/2) : nu."""
    half = points[:, : games.arms] @ games.sides.T / 2
    logs = np.stack([half, -half, np.broadcast_to(points[:, -1:], half.shape)])
    raised = np.exp(logs - logs.max(axis=0))
    return raised / raised.sum(axis=0)


def errors(games, counts, points, patterns, alike, ridge=RIDGE):
    """Standard errors of the differences of strengths (sets, arms, arms), in log-odds: by the sandwich, or by the
    curvature alone where that says more; the arguments are those of `sandwich`.

    Few judges on a link that happen to agree have no spread that a sandwich could see: three votes, all for one arm,
    would make a difference certain. The curvature knows how little they weigh."""
    spreads = np.stack([sandwich(games, counts, points, patterns, alike, ridge), inverse(games, counts, points, ridge)])
    own = np.diagonal(spreads, axis1=2, axis2=3)
    apart = own[..., :, None] + own[..., None, :] - 2 * spreads
    return np.sqrt(np.maximum(apart, 0).max(axis=0))


def sandwich(games, counts, points, patterns, alike, ridge=RIDGE):
    """Covariance of the strengths (sets, arms, arms) at the points that fit the counts (sets, 3 * pairs), judges taken
    as a whole: `patterns` (ways, 3 * pairs), or of each set its own, are what a judge's votes came to, `alike` (sets,
    ways) how many did so."""
    win, loss, tie = chances(games, points)
    scores = np.zeros((len(points), len(games.sides), 3, games.arms + 1))
    for outcome, won in enumerate((1, -1, 0)):
        scores[:, :, outcome, :-1] = ((won - (win - loss)) / 2)[..., None] * games.sides
        scores[:, :, outcome, -1] = (outcome == 2) - tie
    of_judges = patterns @ scores.reshape(len(points), -1, games.arms + 1)
    middle = np.swapaxes(of_judges * alike[..., None], 1, 2) @ of_judges
    bread, judges = _bread(games, counts, points, ridge), alike.sum(axis=1)
    return (bread @ middle @ bread)[:, :-1, :-1] * (judges / np.maximum(judges - 1, 1))[:, None, None]


def inverse(games, counts, points, ridge=RIDGE):
    """Covariance of the strengths (sets, arms, arms) as the curvature of the likelihood has it: of votes that know
    nothing of each other."""
    return _bread(games, counts, points, ridge)[:, :-1, :-1]


def _bread(games, counts, points, ridge):
    """The inverse of the curvature at these points (sets, arms + 1, arms + 1)."""
    _, curvature = slope_and_curvature(games, counts.reshape(len(points), -1, 3), points, ridge)
    curvature[:, :-1, :-1] += curvature[:, :1, :1]  # all strengths moved alike, which no difference tells of
    return np.linalg.inv(curvature)
