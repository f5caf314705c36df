"""How the figures of a test are written: shares and differences in points, means in their own digits."""

import math

from django import template

from experiments.models import Arm
from experiments.statistics import wording
from feedback.shares import digits_of, in_points

MINUS = "\u2212"

register = template.Library()


class Words:
    """Writes the values of a test whose feedback is shares (a yes or no, a preference) or numbers. Differences of
    strengths, of three or more arms by preferences, are in `log_odds`. Numbers have so many `digits` after the point,
    where that is known, else three that count."""

    def __init__(self, is_share, *, log_odds=False, digits=None):
        self.is_share, self.log_odds, self.digits = is_share, log_odds, digits
        self.in_points = is_share and not log_odds

    @property
    def unit(self):
        """What stands behind a difference."""
        return " pt" if self.in_points else " log-odds" if self.log_odds else ""

    @property
    def units(self):
        """The same in words."""
        return "points" if self.in_points else "log-odds" if self.log_odds else ""

    def value(self, value):
        """74.2 %, 3.94"""
        if value is None:
            return ""
        return f"{in_points(value)} %" if self.is_share else self._number(value)

    def interval(self, ends):
        """From where to where: 69.1 to 78.8 %, 3.69 to 3.81; nothing where there is none"""
        if not ends or None in ends:
            return ""
        low, high = map(in_points if self.is_share else self._number, ends)
        return f"{low} to {high} %" if self.is_share else f"{low} to {high}"

    def difference(self, value):
        """With its sign: +3.7, −0.12"""
        if value is None:
            return ""
        if self.in_points:
            return signed(100 * value, max(1, digits_of(100 * value)))
        return signed(value, 2 if self.log_odds else _digits(value) if self.digits is None else self.digits)

    def size(self, value):
        """A loss, without a sign: 0.2, 12, 1,204, under 0.01"""
        if value is None:
            return ""
        value, least = 100 * value if self.in_points else value, 10.0 ** -(2 if self.digits is None else self.digits)
        if value < least and (self.in_points or self.log_odds or self.digits is not None):
            return f"under {least:g}"
        return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"

    def effect(self, value):
        """A difference with all the digits that somebody wrote: 12.5, 0.005, 1,234"""
        return f"{100 * value if self.in_points else value:,.10g}"

    def between(self, interval):
        """+2.2 to +5.2; nothing where there is none"""
        if not interval or None in interval:
            return ""
        return f"{self.difference(interval[0])} to {self.difference(interval[1])}"

    def measure(self, value):
        """A tick of the chart."""
        return f"{100 * value:.4g} %" if self.is_share else f"{value:,.6g}".replace("-", MINUS)

    def _number(self, value):
        return plain(value) if self.digits is None else f"{value:,.{self.digits}f}".replace("-", MINUS)


def plain(value):
    """A number with three digits that count and at least two after the point of a small one: 3.94, 0.041, 1,204"""
    size = abs(value)
    if not size:
        return "0"
    if size >= 1e9 or size < 1e-4:
        return f"{value:.3g}".replace("-", MINUS)
    return f"{value:,.{_digits(value)}f}".replace("-", MINUS)


def signed(value, digits):
    """+3.7, −0.4, 0.0"""
    text = f"{value:+,.{digits}f}"
    return text.lstrip("+-") if float(text.replace(",", "")) == 0 else text.replace("-", MINUS)


def _digits(value):
    size = abs(value)
    if not size or not math.isfinite(size):
        return 2
    return min(6, max(0, 2 - math.floor(math.log10(size))))


def chance(share):
    """> 99.9 %, < 0.1 %, 62.4 %"""
    if share is None:
        return ""
    if share > 0.999:
        return "> 99.9 %"
    if share < 0.001:
        return "< 0.1 %"
    return f"{100 * share:.1f} %"


def percent(share):
    """20 %, 33.3 %, 99.960 %, of what is a share"""
    return in_points(share).removesuffix(".0") + " %"


register.filter("chance", chance)
register.filter("share", percent)


@register.filter
def measured(value, words):
    """A value in the Words of its test: 74.2 %, 3.94"""
    return words.value(value)


@register.filter
def tick(value, words):
    """A tick of the chart."""
    return words.measure(value)


@register.filter
def sized(value, words):
    """A loss, without a sign."""
    return words.size(value)


@register.filter
def effect(value, words):
    """A difference as it was written."""
    return words.effect(value)


@register.filter
def rounded(value):
    """A whole number."""
    return round(value)


@register.filter
def in_words(votes, letter):
    """The votes of two arms, as the first one sees them."""
    return wording.votes(votes, letter)


@register.simple_tag
def arm_with(arm_id):
    """The arm that an interaction took part in, with its test; None where that is gone."""
    return Arm.objects.select_related("test").filter(pk=arm_id).first()
