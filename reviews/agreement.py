"""How far people agree beyond chance. Pure numpy.

What several people answered about one item is a pattern, a tuple of values in any order; data is {pattern: how many
items have it}. So the work grows with the patterns, of which there are few, and not with the items.
"""

from dataclasses import dataclass

import numpy as np

LEVELS = ("nominal", "ordinal", "interval")
REPLICATES = 1_000


@dataclass(frozen=True)
class Estimate:
    """A figure, the ends of its interval (None where it has none), and of how many items that several answered."""

    value: float
    low: float | None
    high: float | None
    n: int


def krippendorff_alpha(patterns, level="nominal", replicates=REPLICATES, seed=0, confidence=0.95):
    """Alpha as an Estimate: 1 is full agreement, 0 what chance gives, below it is worse than chance; None where fewer
    than two values were ever given to items that several answered, for then nothing could have differed.

    alpha = 1 - D_o / D_e with D_o = sum_ck o_ck d_ck / n and D_e = sum_ck n_c n_k d_ck / (n (n - 1)), where o_ck counts
    ordered pairs of values within items, each item's pairs divided by one less than its answers. The difference d_ck is
    for nominal values 0 or 1, for interval ones (c - k)^2, for ordinal ones (n_c / 2 + n_between + n_k / 2)^2: K.
    Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), University of Pennsylvania. Missing answers need
    nothing: an item of one answer is left out.

    Interval: items are drawn again with replacement, `replicates` times, seeded; the percentiles of their alphas (B.
    Efron, R. Tibshirani, "An introduction to the bootstrap" (1993), chapter 13). It shows which items happened to be
    in the queue, not who happened to review. Draws in which nothing could have differed are left out.
    """
    table = _Table.of(patterns)
    value = table.alpha(table.weights, level) if table else None
    if value is None:
        return None
    random = np.random.default_rng(seed)
    drawn = random.multinomial(table.items, table.weights / table.items, size=replicates)
    found = [one for one in (table.alpha(weights, level) for weights in drawn) if one is not None]
    if table.items < 2 or not found:
        return Estimate(value, None, None, table.items)
    tail = 50 * (1 - confidence)
    low, high = np.percentile(found, [tail, 100 - tail])
    return Estimate(value, float(low), float(high), table.items)


def raw_agreement(patterns):
    """(the share of pairs of answers on one item that are equal, how many items several answered); None without any."""
    same = pairs = items = 0
    for pattern, number in patterns.items():
        size = len(pattern)
        if size > 1:
            equal = sum(pattern.count(value) * (pattern.count(value) - 1) for value in set(pattern))
            same, pairs, items = same + number * equal, pairs + number * size * (size - 1), items + number
    return (same / pairs, items) if pairs else None


def confusion(pairs, values):
    """counts[i][j] of items that one reviewer gave values[i] and the other values[j]: {(value, value): how many}."""
    place = {value: number for number, value in enumerate(values)}
    counts = np.zeros((len(values), len(values)), dtype=int)
    for (one, other), number in pairs.items():
        counts[place[one], place[other]] += number
    return counts.tolist()


@dataclass(frozen=True)
class _Table:
    """Patterns as arrays: how often each occurs (`weights`), how often it holds each value (`held`, patterns by
    values), and its ordered pairs of two answers: pattern, value, value, share."""

    weights: np.ndarray
    numbers: np.ndarray
    held: np.ndarray
    pairs: tuple

    @classmethod
    def of(cls, patterns):
        """None where no item has two answers."""
        several = {pattern: number for pattern, number in patterns.items() if len(pattern) > 1 and number}
        if not several:
            return None
        values = sorted({value for pattern in several for value in pattern})
        place = {value: number for number, value in enumerate(values)}
        held = np.zeros((len(several), len(values)))
        for row, pattern in enumerate(several):
            for value in pattern:
                held[row, place[value]] += 1
        rows, ones, others, shares = [], [], [], []
        for row, counts in enumerate(held):
            [there] = np.nonzero(counts)
            for one in there:
                for other in there:
                    rows.append(row)
                    ones.append(one)
                    others.append(other)
                    shares.append(counts[one] * (counts[other] - (one == other)) / (counts.sum() - 1))
        numeric = all(isinstance(value, (int, float)) for value in values)
        numbers = np.array(values if numeric else range(len(values)), dtype=float)
        pairs = np.array(rows), np.array(ones), np.array(others), np.array(shares)
        return cls(np.array(list(several.values())), numbers, held, pairs)

    @property
    def items(self):
        return int(self.weights.sum())

    def alpha(self, weights, level):
        """Alpha where the patterns occur so often; None where nothing could have differed."""
        counts = weights @ self.held
        total, differences = counts.sum(), self._differences(counts, level)
        expected = counts @ differences @ counts / (total - 1)
        if expected <= 0:
            return None
        rows, ones, others, shares = self.pairs
        observed = (weights[rows] * shares * differences[ones, others]).sum()
        return float(1 - observed / expected)

    def _differences(self, counts, level):
        """The square of how much two values differ, values by values."""
        if level == "nominal":
            return 1 - np.eye(len(counts))
        if level == "interval":
            return np.subtract.outer(self.numbers, self.numbers) ** 2
        if level == "ordinal":
            middles = np.cumsum(counts) - counts / 2
            return np.subtract.outer(middles, middles) ** 2
        raise ValueError(f"{level!r} is no level of measurement; send one of {', '.join(LEVELS)}.")
