"""What the statistics of A/B tests are asked about and what they answer: numbers and texts, nothing infinite.

Everything here goes through `dataclasses.asdict` into JSON and means the same there. None stands where a number may not
be told; a text beside it (`refused`, `no_lift`) says why.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np


@dataclass(frozen=True)
class Moments:
    """Number, mean, and sum of squared distances from the mean, of some values.

    Kept instead of sums of squares, which overflow, and cancel where values are large and alike.
    """

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0

    @classmethod
    def of(cls, values):
        """The moments of finite numbers."""
        values = np.asarray(values, dtype=float)
        if not values.size:
            return cls()
        mean = float(values.mean())
        return cls(values.size, mean, float(np.square(values - mean).sum()))

    @classmethod
    def from_sums(cls, n, total, squares):
        """The moments of n values with this total and this sum of squares, both exact (int, Decimal or Fraction):
        rounded once, at the end."""
        if not n:
            return cls()
        total, squares = Fraction(total), Fraction(squares)
        return cls(n, _rounded(total / n), max(0.0, _rounded(squares - total * total / n)))

    def merge(self, others):
        """These and all those of `others` (an iterable of Moments) together, in whatever order.

        T. F. Chan, G. H. Golub and R. J. LeVeque, "Updating formulae and a pairwise algorithm for computing sample
        variances", COMPSTAT 1982, 30-41: the sum of squares of two parts is that of each, and delta**2 * n_a * n_b / n.
        """
        n, mean, m2 = self.n, self.mean, self.m2
        for other in others:
            if not other.n:
                continue
            both, apart = n + other.n, other.mean - mean
            m2 += other.m2 + apart * apart * (n * other.n / both)
            mean += apart * (other.n / both)
            n = both
        return Moments(n, mean, m2)

    @property
    def total(self):
        return self.n * self.mean

    @property
    def variance(self):
        """Of a sample, divided by n - 1; None below two values."""
        return self.m2 / (self.n - 1) if self.n > 1 else None


def _rounded(number):
    """A fraction as a float; infinite where it is too large for one."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


@dataclass(frozen=True)
class ArmFigures:
    """What one arm collected, in units: end users, else sessions, else interactions.

    A unit that was seen in two arms is `crossed` in the one that it met first, and in no other number of any arm.
    For a preference `moments` are of the unit's win rate (won 1, tied 1/2, lost 0), its votes averaged.
    """

    units: int  # that met the arm
    answered: int  # of them, with a value
    moments: Moments  # of the values, one for each answered unit
    weight: float  # the arm's part of the traffic beside the other arms' weights; 0: none
    crossed: int = 0
    off: bool = False  # it takes no traffic any more: it neither wins nor holds the others up


@dataclass(frozen=True)
class JudgedArm:
    """One arm by itself. A `value` may be there although the arm is `refused`: it is shown, and compared to nothing."""

    units: int
    n: int  # units with a value
    weight: float
    crossed: int
    value: float | None  # mean of the units' values: a share for bool, a win rate for preference
    interval: tuple[float, float] | None  # (low, high), at one look: Wilson's, or Student's for a scalar
    chance: float | None  # to be the best, from 0 to 1; None while an arm that takes part is refused
    loss: float | None  # expected, in the values' unit (strength, log-odds, for 3 or more arms of a preference)
    refused: str | None  # why it is not compared
    off: bool = False


@dataclass(frozen=True)
class Pair:
    """One arm against another: `one`'s value less `other`'s. Each two arms are there both ways round.

    For a preference between two arms the difference is that of their win rates (55 % against 45 %: 0.1); between three
    or more, that of their strengths, in log-odds.
    """

    one: int
    other: int
    difference: float | None
    lower: float | None  # of the always-valid sequence
    upper: float | None
    at_least: float | None  # how much better `one` is for certain: lower, or -upper where less is better
    level: float | None  # the error that this interval may make: alpha shared by Holm
    lift: float | None  # the difference divided by the other's absolute value
    no_lift: str | None
    refused: str | None
    once: tuple[float, float] | None = None  # interval at one look planned beforehand: shown, never decided by

    @property
    def sign(self):
        """1: `one`'s value is higher for certain, -1: lower for certain, 0: open."""
        if self.lower is None:
            return 0
        return 1 if self.lower > 0 else -1 if self.upper < 0 else 0


@dataclass(frozen=True)
class Ratio:
    """Units of each arm against the split (chi-square); arms of weight 0, and in a Judgement those that are off, expect
    none and are not counted. Of a preference nothing is expected."""

    expected: list[float | None]
    chi2: float | None
    p: float | None
    holds: bool | None  # None: too few units to tell
    refused: str | None


@dataclass(frozen=True)
class Coverage:
    """How many of an arm's units gave feedback."""

    shares: list[float | None]  # from 0 to 1; None for an arm without units, and of a preference
    spread: float | None  # points between the highest and the lowest that take part, from 0 to 100


@dataclass(frozen=True)
class StrongArm:
    """An arm's Bradley-Terry strength, in log-odds centred to mean 0, with its bootstrap interval. In a Judgement an
    arm that is compared to none has its votes alone, and a rank is among arms that are compared."""

    arm: int
    strength: float | None
    low: float | None
    high: float | None
    rank_low: int | None  # the best rank it may have
    rank_high: int | None  # the worst
    chance: float | None  # share of the draws in which it is the strongest of those that take part
    loss: float | None  # expected: how far behind the strongest, in log-odds
    wins: int
    losses: int
    ties: int
    win_rate: float  # of all its votes, ties as half
    judges: int  # who voted on it
    group: int  # arms of different groups never met, not even by way of others

    @property
    def votes(self):
        return self.wins + self.losses + self.ties


@dataclass(frozen=True)
class StrongPair:
    """Two arms' votes against each other (one < other), and the difference of their strengths."""

    one: int
    other: int
    wins: int  # of `one`
    losses: int
    ties: int
    win_rate: float | None  # of `one`, ties as half; None: they never met
    difference: float | None  # one's strength less other's; in a Judgement None where they are not compared
    stderr: float | None  # of the difference, judges taken as a whole, each as one vote


@dataclass(frozen=True)
class Strengths:
    """Three or more arms by preferences: strongest first, in a Judgement those that are compared. Arms without votes
    are not there."""

    arms: list[StrongArm]
    pairs: list[StrongPair]
    judges: int
    votes: int
    draws: int
    seed: int


@dataclass(frozen=True)
class Votes:
    """Two arms' votes, as the first arm sees them."""

    wins: int
    losses: int
    ties: int
    win_rate: float | None  # ties as half
    tie_share: float | None
    p: float | None  # exact binomial test of the decided votes against one half, as if each were another judge's


@dataclass(frozen=True)
class Judgement:
    """What the figures of a test say, arms in their order, the first being the control."""

    kind: str  # bool, scalar or preference
    lower_is_better: bool
    alpha: float
    tuned_for: int
    arms: list[JudgedArm]
    pairs: list[Pair]
    best: int | None  # the arm that is ahead, for certain or not; None: none is, or an arm that takes part is refused
    ratio: Ratio
    coverage: Coverage
    strengths: Strengths | None = None  # of three or more arms of a preference
    votes: Votes | None = None  # of two

    def pair(self, one, other):
        """The Pair of these two arms, that way round."""
        return next(pair for pair in self.pairs if (pair.one, pair.other) == (one, other))


@dataclass(frozen=True)
class Plan:
    """How many units a test needs. Units with a value decide; with a coverage below 1 more have to come."""

    answered_per_arm: int  # in the arm that has the fewest
    units_per_arm: int  # likewise
    units: int  # of all arms, by their weights
    days: float | None  # None: no daily traffic was given
