"""How figures of feedback are written."""

import json

from django import template

from feedback.shares import in_points

register = template.Library()


@register.filter
def figure(value, zeros=False):
    """A number as people write it, with four digits that count: 4.123, 0.0417, 12,340, 1.2e+09. `zeros` at its end
    are kept where figures stand below each other."""
    size = abs(value)
    if size == 0 or 1e-4 <= size < 1e9:
        digits = 3 if size < 10 else 2 if size < 100 else 1 if size < 1_000 else 0
        text = f"{value:,.{digits}f}" if size >= 0.1 or not size else f"{value:.3g}"
        return text.rstrip("0").rstrip(".") if "." in text and not zeros else text
    return f"{value:.4g}"


@register.filter
def percent(share, digits=1):
    """77.4 %, and 0.040 % or 99.960 % where it only comes near to 0 or 100"""
    return f"{in_points(share, digits)} %"


@register.filter
def hundredths(share):
    """A share as the length of a bar of 100."""
    return f"{100 * share:.4g}"


@register.filter
def signed(value):
    """Log-odds: +0.41, 0.00, −1.20"""
    return f"{value:+.2f}".replace("-", "\u2212") if abs(value) >= 0.005 else "0.00"


@register.filter
def measure(value, key):
    """A value, a mean or an end of an interval in the key's own terms: a share of yes, or a number."""
    if key.kind != "bool":
        return figure(value)
    text = figure(100 * value)
    return f"{in_points(value) if text == '100' and value < 1 else text} %"


@register.filter
def middle(estimate, key):
    """An estimate, with the digits that its interval leaves."""
    return percent(estimate.value) if key.kind == "bool" else _rounded(estimate.value, estimate.digits)


@register.filter
def ends(estimate, key):
    """Its interval: 3.69 to 3.81; nothing where there is none."""
    if estimate.low is None:
        return ""
    if key.kind == "bool":
        return f"{in_points(estimate.low)} to {in_points(estimate.high)} %"
    return f"{_rounded(estimate.low, estimate.digits)} to {_rounded(estimate.high, estimate.digits)}"


def _rounded(value, digits):
    return f"{value:,.{digits}f}" if abs(value) < 1e9 else f"{value:.4g}"


@register.filter
def quartiles(group):
    """[a quarter, half, three quarters of the values lie below]"""
    return [group.quantiles[share] for share in (0.25, 0.5, 0.75)]


@register.filter
def in_curl(text):
    """As a JSON string within the single quotes of a shell."""
    return json.dumps(text, ensure_ascii=False).replace("'", r"\u0027")


@register.filter
def of(part, whole):
    """The share."""
    return part / whole if whole else 0
