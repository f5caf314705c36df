"""Whether the statistics of A/B tests keep what they promise: thousands of tests whose truth is known, from a seed.

The rule is that of experiments.statistics.judge, in arrays: a winner is an arm that is ahead of every other one for
certain, at one of the looks. tests/experiments compares the two.
"""

import json
import time
from dataclasses import asdict, dataclass

import numpy as np

from bench.progress import say
from bench.watching import watched
from experiments.statistics import davidson, plan, sample_ratio, sequence
from experiments.statistics.refusals import LEAST_OUTCOMES
from experiments.statistics.traffic import LEAST_UNITS

RUNS, LOOKS, ALPHA = 2_000, 50, 0.05
UNITS = 2_500  # of each arm, at the last look
SRM_RUNS = 200_000
_AT_ONCE = 100  # runs of which every value is drawn


@dataclass(frozen=True)
class Simulated:
    """One promise and what came of it: a share of runs."""

    what: str
    share: float
    least: float
    most: float

    @property
    def kept(self):
        return self.least <= self.share <= self.most


def run(runs=RUNS, looks=LOOKS, seed=1):
    """Simulated, of each promise."""
    chance = np.random.default_rng(seed)
    told = [*false_winners(chance, runs, looks), *powers(chance, runs, looks), *alarms(chance, SRM_RUNS * runs // RUNS)]
    found = watched(chance, runs, looks_at(UNITS, looks))
    return [*told, *(Simulated(what, share, 0.0, most) for what, share, most in found)]


def report(path, seed=1, runs=RUNS):
    """Run everything, say it, keep it as JSON; whether all was kept."""
    say(f"A/B tests: {runs:,} runs of {LOOKS} looks, seed {seed} …")
    started = time.monotonic()
    told = run(runs=runs, seed=seed)
    for one in told:
        most = f"at most {one.most:.2%}" if not one.least else f"{one.least:.2%} to {one.most:.2%}"
        print(f"  {'ok   ' if one.kept else 'WRONG'} {one.what}: {one.share:.2%} ({most})")
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"runs": runs, "looks": LOOKS, "seed": seed, "told": [asdict(one) for one in told]}
    path.write_text(json.dumps(kept, indent=1))
    print(f"  {time.monotonic() - started:.0f} s; kept in {path}.")
    return all(one.kept for one in told)


def false_winners(chance, runs, looks):
    """A/A tests, and tests of which the two best arms are alike: any winner is a false one."""
    peeked = bools(chance, runs, looks, UNITS, [0.3, 0.3])
    yield Simulated("a z-test at each look, bool at 30 %: false winners, for comparison", z_tests(peeked), 0.25, 0.4)
    planned = won(winners(*peeked, tuned_for=2 * 200))
    yield Simulated("bool at 30 %, 2 arms, planned for 200 units: false winners", planned, 0.0, ALPHA)
    for what, drawn in (
        ("bool at 30 %, 2 arms", peeked),
        ("bool at 5 %, 2 arms", bools(chance, runs, looks, UNITS, [0.05] * 2)),
        ("bool at 30 %, 4 arms", bools(chance, runs, looks, UNITS, [0.3] * 4)),
        ("bool, 3 arms of which the two best are alike", bools(chance, runs, looks, UNITS, [0.2, 0.3, 0.3])),
        ("scalar, skewed, 2 arms", scalars(chance, runs, looks, UNITS, [1.0, 1.0])),
        ("scalar, skewed, 3 arms", scalars(chance, runs, looks, UNITS, [1.0] * 3)),
        ("preference, 20 % ties, 2 arms", preferences(chance, runs, looks, UNITS, 0.5, 0.2)),
    ):
        yield Simulated(f"{what}: false winners", won(winners(*drawn, tuned_for=2 * UNITS)), 0.0, ALPHA)
    found = winners(*strength_looks(chance, runs, looks, UNITS, arms=3, ties=0.2), tuned_for=2 * UNITS)
    yield Simulated("preference, 20 % ties, 3 arms by strength: false winners", won(found), 0.0, ALPHA)
    for share in (0.1, 0.5):
        linked = left_out(*weak_links(chance, runs, looks, UNITS, share), tuned_for=2 * UNITS)
        what = f"preference, 4 equal arms, a vote between two pairs in {share:.0%} of the looks: intervals without 0"
        yield Simulated(what, linked, 0.0, ALPHA)
    one = won(winners(*one_judge(chance, runs, looks, 430), tuned_for=2 * 430))
    yield Simulated("preference, 3 equal arms, one judge giving 1,000 votes for one: false winners", one, 0.0, ALPHA)


def powers(chance, runs, looks, power=0.8):
    """Tests with the number of units that the planning calculator asks for."""
    share, tenth = {"kind": "bool", "base": 0.3, "effect": 0.05}, {"kind": "scalar", "spread": 1.0, "effect": 0.1}
    wins = {"kind": "preference", "effect": 0.1, "spread": 0.2}
    for what, asked, draw, *figures in (
        ("bool, 30 % to 35 %", share, bools, [0.3, 0.35]),
        ("bool, 30 % to 35 %, 3 arms", share | {"arms": 3}, bools, [0.3, 0.35, 0.3]),
        ("scalar, a tenth of the deviation", tenth, scalars, [0.0, 0.1], True),
        ("preference, 55 % against 45 %, 20 % ties", wins, preferences, 0.45, 0.2),
    ):
        n = plan(power=power, alpha=ALPHA, **asked).answered_per_arm
        found = winners(*draw(chance, runs, looks, n, *figures), tuned_for=2 * n)[..., 1].any(axis=1).mean()
        yield Simulated(f"power, {what}, {n:,} units an arm", float(found), power - 0.03, power + 0.03)


def alarms(chance, runs):
    """Traffic that does follow the split; one look each."""
    for weights in ([1, 1], [0.6, 0.3, 0.1]):
        units = chance.multinomial(5_000, np.array(weights) / sum(weights), size=runs)
        found = [sample_ratio(row, weights).holds for row in units.tolist()]
        yield Simulated(f"sample ratio {weights}: false alarms", 1 - float(np.mean(found)), 0.0, 0.0015)


def winners(z, t, able, *, tuned_for, alpha=ALPHA):
    """Which arms win at which look (runs, looks, arms): z (runs, looks, arms, arms) is the first arm less the second in
    standard errors, t the units behind it, `able` which arms may be compared."""
    arms = z.shape[-1]
    whole = able.all(axis=-1, keepdims=True)  # an arm that may not be compared keeps the others from winning
    level = np.full(z.shape, sequence.level_between_others(alpha, arms))
    holm = sequence.levels(
        np.where(able[..., 1:], sequence.log_p(z[..., 1:, 0], t[..., None], tuned_for=tuned_for), 0.0), alpha
    )
    level[..., 1:, 0] = level[..., 0, 1:] = holm
    clear = z > sequence.factor(t[..., None, None], level, tuned_for=tuned_for)
    clear[..., range(arms), range(arms)] = True
    return clear.all(axis=-1) & whole


def won(found):
    """Share of the runs in which any arm won at any look."""
    return float(found.any(axis=(1, 2)).mean())


def left_out(z, t, able, *, tuned_for, alpha=ALPHA):
    """Share of the runs in which the interval of the first arm less the third left the true 0 out at any look; the
    arguments are those of `winners`, the level that of a single comparison."""
    clear = np.abs(z[..., 0, 2]) > sequence.factor(t, alpha, tuned_for=tuned_for)
    return float((clear & able.all(axis=-1)).any(axis=1).mean())


def z_tests(drawn):
    """Share of the runs in which a plain z-test called a difference at any look."""
    z, _, able = drawn
    return float((able.all(axis=-1) & (np.abs(z[..., 0, 1]) > 1.96)).any(axis=1).mean())


def bools(chance, runs, looks, units, shares):
    """z, t and which arms may be compared, of yeses and noes."""
    n = looks_at(units, looks)
    yes = chance.binomial(np.diff(n, prepend=0)[:, None], shares, size=(runs, looks, len(shares))).cumsum(axis=1)
    mean = yes / n[:, None]
    able = (n[:, None] >= LEAST_UNITS) & (yes >= LEAST_OUTCOMES) & (n[:, None] - yes >= LEAST_OUTCOMES)
    return _compared(mean, mean * (1 - mean) / (n[:, None] - 1), n, able)


def scalars(chance, runs, looks, units, means, normal=False):
    """The same of numbers: of gamma(1/2), whose skewness is 2.8, times its mean; or normal with deviation 1."""
    n = looks_at(units, looks)
    parts = []
    for start in range(0, runs, _AT_ONCE):
        size = (min(_AT_ONCE, runs - start), units, len(means))
        values = chance.normal(means, 1, size) if normal else chance.gamma(0.5, np.multiply(2, means), size)
        total, squares = values.cumsum(axis=1)[:, n - 1], np.square(values).cumsum(axis=1)[:, n - 1]
        mean = total / n[:, None]
        parts.append((mean, (squares / n[:, None] - mean**2) / (n[:, None] - 1)))
    mean, variance = (np.concatenate(part) for part in zip(*parts, strict=True))
    return _compared(mean, variance, n, np.broadcast_to(n[:, None] >= LEAST_UNITS, mean.shape))


def preferences(chance, runs, looks, units, rate, ties):
    """The same of votes between two arms: `rate` is the first arm's win rate, ties as half."""
    n = looks_at(units, looks)
    chances = [rate - ties / 2, 1 - rate - ties / 2, ties]
    votes = chance.multinomial(np.diff(n, prepend=0), chances, size=(runs, looks)).cumsum(axis=1)
    mean = (votes[..., 0] + votes[..., 2] / 2) / n
    variance = ((votes[..., 0] + votes[..., 2] / 4) / n - mean**2) / (n - 1)
    means, variances = np.stack([mean, 1 - mean], axis=-1), np.stack([variance] * 2, axis=-1)
    able = (n[:, None] >= LEAST_UNITS) & (n[:, None] * np.minimum(means, 1 - means) >= LEAST_OUTCOMES)
    return _compared(means, 2 * variances, n, able)  # errors of the two add up: 2 e, which is sqrt(2 e^2 + 2 e^2)


def strength_looks(chance, runs, looks, units, arms, ties):
    """The same of strengths of equal arms, each judge giving one vote on a pair; `units` judges vote on each arm."""
    pairs = [(i, j) for i in range(arms) for j in range(i + 1, arms)]
    judges = looks_at(units * arms // 2, looks)
    odds = np.tile([(1 - ties) / 2, (1 - ties) / 2, ties], len(pairs)) / len(pairs)
    votes = chance.multinomial(np.diff(judges, prepend=0), odds, size=(runs, looks)).cumsum(axis=1)
    return _strong(davidson.Games(np.array(pairs), arms), votes.astype(float))


def weak_links(chance, runs, looks, units, share):
    """The same of four equal arms: at each look votes come between A and B, and C and D; in a share of the looks a
    single one, of another judge each time, between A and C."""
    pairs = np.array([(0, 1), (0, 2), (2, 3)])
    votes = np.zeros((runs, looks, 3, 3))
    new = np.diff(looks_at(units, looks), prepend=0)
    for pair in (0, 2):
        votes[:, :, pair] = chance.multinomial(new, [0.5, 0.5, 0.0], size=(runs, looks))
    votes[:, :, 1] = chance.multinomial(chance.random((runs, looks)) < share, [0.5, 0.5, 0.0])
    return _strong(davidson.Games(pairs, 4), votes.cumsum(axis=1).reshape(runs, looks, 9))


def one_judge(chance, runs, looks, people, votes=1_000, rate=0.65):
    """The same of three arms that are equal to people, who give one vote each, `people` on each arm; one judge alone,
    who votes for the last arm at this rate, says as much about each of its pairs as `votes` votes say."""
    pairs = np.array([(0, 1), (0, 2), (1, 2)])
    judges = looks_at(people * 3 // 2, looks)
    given = chance.multinomial(np.diff(judges, prepend=0), np.tile([0.5, 0.5, 0.0], 3) / 3, size=(runs, looks))
    said = chance.binomial(votes // looks, 1 - rate, size=(runs, looks, 2)).cumsum(axis=1)
    parts = said / (votes // looks * np.arange(1, looks + 1))[:, None]
    alone = np.zeros((runs, looks, 9))
    alone[..., [3, 6]], alone[..., [4, 7]] = parts, 1 - parts
    return _strong(davidson.Games(pairs, 3), given.cumsum(axis=1).astype(float), alone)


def _strong(games, votes, alone=None):
    """z, t and which arms may be compared, of votes (runs, looks, 3 * pairs) of as many judges, and of what one judge
    besides made of hers."""
    runs, looks, columns = votes.shape
    given, patterns = votes.reshape(-1, columns), np.eye(columns)
    counts, alike = given, given
    if alone is not None:
        own = alone.reshape(-1, columns)
        counts, alike = given + own, np.hstack([given, np.ones((len(own), 1))])
        patterns = np.concatenate([np.broadcast_to(patterns, (len(own), columns, columns)), own[:, None]], axis=1)
    points = davidson.fit(games, counts)
    error = davidson.errors(games, counts, points, patterns, alike)
    z = (points[:, :-1, None] - points[:, None, :-1]) / np.maximum(error, 1e-150)
    met = (np.abs(games.sides).T @ given.reshape(runs, looks, -1, 3).sum(axis=-1)[..., None])[..., 0]
    return z.reshape(runs, looks, games.arms, games.arms), 2 * met.mean(axis=-1), met >= LEAST_UNITS


def looks_at(units, looks):
    """Units of an arm at each look."""
    return np.linspace(units / looks, units, looks).round().astype(int)


def _compared(mean, variance, n, able):
    """Squared errors of the arms' means, to z of each two."""
    error = np.sqrt(np.maximum(variance[..., :, None] + variance[..., None, :], 1e-300))
    z = (mean[..., :, None] - mean[..., None, :]) / error
    return z, np.broadcast_to(2.0 * n, mean.shape[:2]), able
