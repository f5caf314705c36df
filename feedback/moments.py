"""Exact arithmetic over feedback values, and what is said of them: mean, deviation, intervals, bars of a histogram.

The standard library alone, as whatever logs an interaction imports it."""

import math
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from fractions import Fraction
from statistics import NormalDist

# Any sum of doubles and of their squares, and the square of the sum, fits. A digit that did not would be an error.
_EXACT = Context(prec=2000, traps=[Inexact, InvalidOperation, Overflow])
_ROUNDED = Context(prec=60)


@dataclass(frozen=True)
class Moments:
    """Number, sum and sum of squares of some values, exact to the last digit.

    Roll-ups keep these and add and take away what comes and goes, in whatever order that happens. With floats each
    step would round, the order would show, and taking away would leave a remainder that grows for ever; worse, a small
    deviation around a large mean would drown. Decimals that never lose a digit add up to the same in every order, and
    what was added can be taken away to the last digit. Rounding happens once, when a float is given out.

    A difference is Moments too: of a corrected value it has n = 0 and is not empty.
    """

    n: int = 0
    total: Decimal = Decimal(0)
    squares: Decimal = Decimal(0)

    @classmethod
    def of(cls, values):
        """The moments of finite doubles; ValueError for any other."""
        n, total, squares = 0, Decimal(0), Decimal(0)
        for value in map(exact, values):
            n, total, squares = n + 1, _EXACT.add(total, value), _EXACT.fma(value, value, squares)
        return cls(n, _EXACT.normalize(total), _EXACT.normalize(squares))

    def __add__(self, other):
        if not isinstance(other, Moments):
            return NotImplemented
        return Moments(self.n + other.n, _sum(self.total, other.total), _sum(self.squares, other.squares))

    def __sub__(self, other):
        if not isinstance(other, Moments):
            return NotImplemented
        return self + Moments(-other.n, other.total.copy_negate(), other.squares.copy_negate())

    @property
    def empty(self):
        """Nothing at all: adding it changes nothing."""
        return self.n == 0 and self.total == 0 and self.squares == 0

    @property
    def mean(self):
        """The mean, rounded once; None without values."""
        return float(_ROUNDED.divide(self.total, Decimal(self.n))) if self.n > 0 else None

    @property
    def stddev(self):
        """The sample deviation (divided by n - 1), rounded once; None below two values.

        None also for moments that no values have (n times the squares below the square of the sum), which only a
        difference can be.
        """
        if self.n < 2:
            return None
        of_squares = _EXACT.multiply(Decimal(self.n), self.squares)
        spread = _EXACT.subtract(of_squares, _EXACT.multiply(self.total, self.total))
        if spread < 0:
            return None
        return float(_ROUNDED.sqrt(_ROUNDED.divide(spread, Decimal(self.n * (self.n - 1)))))


def exact(value):
    """A finite double as the shortest decimal that reads back as it, which is what it was sent as; else ValueError.

    This is what `numeric` columns hold. PostgreSQL's own cast of a double to numeric keeps 15 digits;
    `value::text::numeric` gives the same as here.
    """
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number.")
    return _EXACT.normalize(Decimal(repr(value + 0.0)))  # -0.0 becomes 0.0


def normal_width(confidence):
    """Standard errors on either side of the estimate that hold this share of a normal distribution."""
    return NormalDist().inv_cdf(upper_share(confidence))


def wilson(successes, n, confidence=0.95):
    """Interval (low, high) of a share, within [0, 1]; None where n is 0.

    The score interval of E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA
    22 (1927) 209-212: all shares p for which |successes/n - p| is at most z standard errors *under p*. It has width
    also where all or none succeeded.
    """
    z = normal_width(confidence)
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} cannot be.")
    if n == 0:
        return None
    share, extra = successes / n, z * z / n
    middle = (share + extra / 2) / (1 + extra)
    half = math.sqrt(extra * (share * (1 - share) + extra / 4)) / (1 + extra)
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == n else min(1.0, middle + half)
    return min(low, share), max(high, share)


def edges(minimum, maximum, step=None, most=24):
    """Edges of the bars of a histogram, ascending; bar i holds edges[i] <= value < edges[i + 1].

    With a step (a declared scale): from the minimum on, a bar for each step, the last one holding the maximum; where
    these were more than `most`, the step is multiplied by 2, 5, 10, 20, 50 ... Without: multiples of 1, 2 or 5 times a
    power of ten, as fine as `most` bars allow (then at least 5 of them, from `most` = 11 on), the first edge at or
    below the minimum, the last above the maximum. One value alone gets one bar. Edges are clean decimals (0.3, never
    0.30000000000000004); those that one double cannot tell apart are one.
    """
    low, high = Fraction(exact(minimum)), Fraction(exact(maximum))
    width = None if step is None else Fraction(exact(step))
    if low > high or (width is not None and width <= 0) or most < 2:
        raise ValueError(f"No bars from {minimum} to {maximum} with step {step}, at most {most} of them.")
    if width is not None:
        width *= _round_number((high - low) / width / most)
        start = low
    else:
        width = _round_width(low, high, most)
        start = low // width * width
    bars = (high - start) // width + 1
    clean = sorted({float(start + i * width) for i in range(bars + 1)})
    return [*clean, math.nextafter(clean[-1], math.inf)] if clean[-1] <= maximum else clean


def upper_share(confidence):
    """The share of a distribution below the upper end of a two-sided interval."""
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence lies between 0 and 1, {confidence} does not.")
    return 0.5 + confidence / 2


def _sum(a, b):
    """Equal sums in equal form, so that trailing zeros do not pile up in the database."""
    return _EXACT.normalize(_EXACT.add(a, b))


def _round_number(ratio):
    """The smallest of 1, 2, 5, 10, 20 ... above the ratio."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power > ratio:
                return digit * power
        power *= 10


def _round_width(low, high, most):
    """The smallest of 1, 2, 5 times a power of ten that needs at most so many bars."""
    if low == high:
        return Fraction(10) ** _magnitude(abs(low)) if low else Fraction(1)
    power = Fraction(10) ** (_magnitude((high - low) / most) - 1)
    while True:
        for digit in (1, 2, 5):
            width = digit * power
            if high // width - low // width < most:
                return width
        power *= 10


def _magnitude(number):
    """The k for which 10**k <= number < 10**(k + 1), of a fraction above 0."""
    guess = len(str(number.numerator)) - len(str(number.denominator))
    return guess if number >= Fraction(10) ** guess else guess - 1
