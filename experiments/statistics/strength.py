"""Three or more arms by preferences: Bradley-Terry strengths with ties, and how certain they are."""

from collections import Counter, defaultdict
from itertools import combinations

import numpy as np

from experiments.statistics import davidson
from experiments.statistics.figures import Strengths, StrongArm, StrongPair
from feedback.moments import normal_width
from feedback.strengths import strengths as strengths_of_models

_OUTCOMES = {1: 0, 0: 1, 0.5: 2}  # columns of a pair: won by the first, by the second, tied
_AT_ONCE = 4_000_000  # numbers of a resampling that are held at a time


def strengths_of_arms(votes, *, judges, times=None, weights=None, among=None, draws=1000, seed=1):
    """Strengths of arms by votes between two of them, strongest first.

    votes: (arm, arm, score) each, the score being the first one's: 1 won, 0.5 tied, 0 lost. judges: parallel to votes,
    who gave it (any hashable; or the prompt it was about). times: parallel, how often that vote was given, 1 unless
    said. weights: parallel, what these count for together; unless said, all that a judge says of two arms counts for
    one vote, so that nobody carries a pair by voting more often. among: the arms of which one is the best; all unless
    said. Votes of an arm against itself are left out. The order of votes and the names of judges change nothing. Won,
    lost and tied are told as they were given.

    The model is Davidson's with a small ridge, as in feedback.strengths. Votes of one judge resemble each other, so
    intervals of strengths and of ranks, chances and losses come from drawing judges, with all their votes, anew
    (`draws` times, seeded; B. Efron, "Bootstrap methods", Annals of Statistics 7 (1979) 1-26; 95 % between
    percentiles). Where the draws spread less than the curvature of the likelihood says, that much is added to them; and
    an interval is no narrower than 1.96 errors on either side. Such an interval holds for one look. What decides at
    many is `stderr` of a difference in an always-valid sequence: the larger of that by the sandwich over judges (K.-Y.
    Liang and S. L. Zeger, Biometrika 73 (1986) 13-22) and that by the curvature of the likelihood. ValueError for a
    score that is none.
    """
    arms, pairs, patterns, alike = patterns_of(votes, judges, times, weights)
    if not arms:
        return Strengths([], [], 0, 0, draws, seed)
    games, weighed = davidson.Games(np.array(pairs), len(arms)), alike @ patterns
    points = davidson.fit(games, weighed[None])
    centred = points[0, :-1] - points[0, :-1].mean()
    drawn = _drawn(games, patterns, alike, draws, seed)
    drawn = _widened(drawn, davidson.inverse(games, weighed[None], points)[0], seed)
    errors = davidson.errors(games, weighed[None], points, patterns, alike[None])[0]
    voted, counts = _voters(games, patterns, alike), _counted(votes, times, arms, pairs)
    return Strengths(
        arms=_arms(arms, pairs, counts, centred, drawn, errors, voted, _first(arms, drawn, among)),
        pairs=_pairs(arms, pairs, counts, centred, errors),
        judges=int(alike.sum()),
        votes=int(counts.sum()),
        draws=draws,
        seed=seed,
    )


def patterns_of(votes, judges, times=None, weights=None):
    """(arms, pairs of places, ways in which a judge voted: weights by pair and outcome, number of judges who did so).

    Judges who voted alike are one row: the rows come in an order of their own, so that a seed draws the same whatever
    order votes came in."""
    by_judge = defaultdict(Counter)
    for vote, judge, many in zip(votes, judges, weights or times or [1] * len(votes), strict=True):
        one, other, outcome = _read(vote)
        if one != other and many > 0:
            by_judge[judge][one, other, outcome] += many
    told = by_judge.values() if weights else map(_as_one, by_judge.values())
    alike = Counter(tuple(sorted(given.items())) for given in told)
    arms = sorted({arm for given in alike for (one, other, _), _ in given for arm in (one, other)})
    pairs, column = list(combinations(range(len(arms)), 2)), _columns(arms)
    patterns = np.zeros((len(alike), 3 * len(pairs)))
    for row, given in enumerate(sorted(alike)):
        for key, many in given:
            patterns[row, column[key]] = many
    return arms, pairs, patterns, np.array([alike[given] for given in sorted(alike)], dtype=float)


def _read(vote):
    """(the smaller arm, the other one, the column of how it ended)"""
    one, other, score = vote
    if score not in _OUTCOMES:
        raise ValueError(f"A vote's score is 1, 0.5 or 0; {score} is not.")
    return (one, other, _OUTCOMES[score]) if one <= other else (other, one, _OUTCOMES[1 - score])


def _as_one(given):
    """A judge's votes, those on each pair as parts of a single one."""
    of_pair = Counter()
    for (one, other, _), many in given.items():
        of_pair[one, other] += many
    return {key: many / of_pair[key[:2]] for key, many in given.items()}


def _columns(arms):
    """{(arm, arm, outcome): column}"""
    keys = ((one, other, outcome) for one, other in combinations(arms, 2) for outcome in range(3))
    return {key: column for column, key in enumerate(keys)}


def _counted(votes, times, arms, pairs):
    """How often each pair ended how (3 * pairs)."""
    counts, column = np.zeros(3 * len(pairs)), _columns(arms)
    for vote, many in zip(votes, times or [1] * len(votes), strict=True):
        key = _read(vote)
        if key[0] != key[1] and many > 0:
            counts[column[key]] += many
    return counts


def _drawn(games, patterns, alike, draws, seed):
    """Centred strengths (draws, arms), judges drawn with replacement."""
    chance, judges = np.random.default_rng(seed), int(alike.sum())
    told, step = [], max(1, _AT_ONCE // max(len(alike), games.arms**2 * 9))
    for start in range(0, draws, step):
        again = chance.multinomial(judges, alike / alike.sum(), size=min(step, draws - start))
        told.append(davidson.fit(games, again @ patterns)[:, :-1])
    strengths = np.concatenate(told)
    return strengths - strengths.mean(axis=1, keepdims=True)


def _widened(drawn, spread, seed):
    """The draws, with as much more spread, in each direction, as the curvature of the likelihood has and they have not:
    judges drawn from the few of a weak link agree as these did, whatever the next one would say."""
    sizes, ways = np.linalg.eigh(_centred(spread) - np.cov(drawn, rowvar=False))
    more = np.random.default_rng([seed, 1]).standard_normal(drawn.shape) * np.sqrt(np.maximum(sizes, 0))
    return drawn + more @ ways.T


def _centred(spread):
    """The covariance of strengths less their mean."""
    return spread - spread.mean(axis=0) - spread.mean(axis=1)[:, None] + spread.mean()


def _voters(games, patterns, alike):
    """Number of judges who voted on each arm."""
    met = patterns.reshape(len(patterns), -1, 3).sum(axis=2) > 0
    return (alike @ ((met @ np.abs(games.sides)) > 0)).astype(int)


def _first(arms, drawn, among):
    """{place: (share of the draws in which it is the strongest, how far it is behind on average)} of those `among`."""
    places = [place for place, arm in enumerate(arms) if among is None or arm in among]
    if not places:
        return {}
    drawn = drawn[:, places]
    first = np.bincount(drawn.argmax(axis=1), minlength=len(places)) / len(drawn)
    loss = (drawn.max(axis=1, keepdims=True) - drawn).mean(axis=0)
    return dict(zip(places, zip(first.tolist(), loss.tolist(), strict=True), strict=True))


def _arms(arms, pairs, counts, centred, drawn, errors, voted, first):
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    half = normal_width(0.95) * _own_errors(errors)
    low, high = np.minimum(low, centred - half), np.maximum(high, centred + half)
    known = _known(pairs, counts)
    return [
        StrongArm(
            arm=arms[i],
            strength=float(centred[i]),
            low=float(low[i]),
            high=float(high[i]),
            rank_low=1 + int((low > high[i]).sum()),
            rank_high=len(arms) - int((high < low[i]).sum()),
            chance=first[i][0] if i in first else None,
            loss=first[i][1] if i in first else None,
            judges=int(voted[i]),
            **known[i],
        )
        for i in sorted(range(len(arms)), key=lambda i: (-centred[i], i))
    ]


def _own_errors(errors):
    """Of centred strengths, from those of their differences: each is the mean of its differences to all."""
    squares = np.square(errors)
    return np.sqrt(np.maximum(squares.mean(axis=1) - squares.mean() / 2, 0))


def _known(pairs, counts):
    """What the counts alone say of each place."""
    votes = {pair: tuple(map(int, counts[3 * i : 3 * i + 3])) for i, pair in enumerate(pairs)}
    return {
        one.model: {
            "wins": one.wins,
            "losses": one.losses,
            "ties": one.ties,
            "win_rate": (one.wins + one.ties / 2) / (one.wins + one.losses + one.ties),
            "group": one.group,
        }
        for one in strengths_of_models(votes)
    }


def _pairs(arms, pairs, counts, centred, errors):
    told = []
    for i, (one, other) in enumerate(pairs):
        wins, losses, ties = map(int, counts[3 * i : 3 * i + 3])
        votes = wins + losses + ties
        told.append(
            StrongPair(
                one=arms[one],
                other=arms[other],
                wins=wins,
                losses=losses,
                ties=ties,
                win_rate=(wins + ties / 2) / votes if votes else None,
                difference=float(centred[one] - centred[other]),
                stderr=float(errors[one, other]),
            )
        )
    return told
