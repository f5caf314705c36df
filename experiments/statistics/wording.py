"""Numbers of A/B tests as people read them."""

import math

from feedback.shares import digits_of, in_points

_SPACE = "\N{NO-BREAK SPACE}"  # between a number and its unit


def digits(judgement):
    """How many digits after the point the numbers of this Judgement have, everywhere: two of the narrowest interval's
    half; None where there is none, and for shares."""
    ends = [arm.interval for arm in judgement.arms if arm.interval] if judgement.kind == "scalar" else []
    least = min((half for low, high in ends if (half := (high - low) / 2) > 0), default=None)
    return None if least is None else min(9, max(0, 1 - math.floor(math.log10(least))))


def value(judgement, number):
    """74.2 %, or 3.91"""
    return _number(judgement, number) if judgement.kind == "scalar" else share(number)


def difference(judgement, number):
    """+3.7 points, −0.12, or +0.45 log-odds, as the pairs of this Judgement are meant"""
    if judgement.kind == "scalar":
        return signed(_number(judgement, abs(number)), number)
    if in_log_odds(judgement):
        return signed(f"{abs(number):.2f}", number) + f"{_SPACE}log-odds"
    return signed(points(abs(number)), number) + f"{_SPACE}points"


def effect(judgement, number):
    """A difference that somebody wrote, with all its digits."""
    return signed(f"{abs(number):,.10g}", number) if judgement.kind == "scalar" else difference(judgement, number)


def ends(judgement, low, high):
    """+2.2 to +5.2 points"""
    return f"{difference(judgement, low).partition(_SPACE)[0]} to {difference(judgement, high)}"


def in_log_odds(judgement):
    """Whether arms are compared by strength."""
    return judgement.kind == "preference" and len(judgement.arms) > 2


def share(number):
    """74.2 %; two significant digits of what is near to 0 or to 100 %"""
    return f"{in_points(number)}{_SPACE}%"


def points(number):
    """A difference of shares, in points: 3.7, 0.040"""
    return f"{100 * number:.{max(1, digits_of(100 * number))}f}"


def _number(judgement, number):
    known = digits(judgement)
    return plain(number) if known is None else signed(f"{abs(number):,.{known}f}", number, plus="")


def plain(number):
    """Three significant digits, and every digit before the point: 3.91, 0.0123, 12,346"""
    if not number:
        return "0"
    size = math.floor(math.log10(abs(number)))
    if abs(size) > 14:
        return f"{number:.2e}"
    return signed(f"{abs(number):,.{max(0, 2 - size)}f}", number, plus="")


def signed(text, number, plus="+"):
    """The text with the sign of the number, unless it reads as 0."""
    if not text.strip("0.,"):
        return text
    return ("−" if number < 0 else plus if number > 0 else "") + text


def p_value(p):
    """p = 0.41, p = 0.000003"""
    if p >= 0.1:
        return f"p = {p:.2f}"
    if p < 1e-9:
        return "p below 0.000000001"
    return f"p = {p:.{-math.floor(math.log10(p))}f}"


def votes(known, letter):
    """What Votes of two arms say beside the win rate, in a sentence or two."""
    if known.tie_share is None:
        return "No votes yet."
    told = f"By vote, {letter} won {known.wins:,}, lost {known.losses:,} and tied {known.ties:,} "
    told += f"({share(known.tie_share)} of all)."
    if known.p is None:
        return told
    taken = "as if each were another judge's, and for a single look"
    return f"{told} Exact binomial test of those that were decided, {taken}: {p_value(known.p)}."


def in_a_row(words):
    """A, B and C"""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
