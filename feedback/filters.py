"""The words of a query string that speak of feedback."""

import math
import re

from feedback.services import keys_of
from interactions.wanted import Feedback

_COMPARED = re.compile(r"(>=|<=|>|<|=)?(.*)", re.DOTALL)
_WORDS = {"true": 1.0, "false": 0.0}


def read_feedback(project, text, keys=None):
    """A Feedback condition from `key`, `key:none`, `key:true`, `key:>=4`, `key:>4`, `key:1..3`, `key:1..<3`;
    ValueError says what to send."""
    keys = keys_of(project) if keys is None else keys
    # a key may hold a colon itself: the longest that fits is meant
    fitting = [key for key in keys if text == key or text.startswith(f"{key}:")]
    name = max(fitting, key=len, default=text.partition(":")[0])
    asked = text[len(name) + 1 :]
    if name not in keys:
        raise ValueError(f"This project has no feedback key {name[:100]!r}.")
    key_id = keys[name].pk
    if not asked:
        return Feedback(key_id)
    if asked == "none":
        return Feedback(key_id, none=True)
    return Feedback(key_id, False, *_range(asked))


def _range(text):
    least, dots, most = text.partition("..")
    if dots:
        ends = (_number(least) if least else None), (_end(most) if most else None)
        if None not in ends and ends[0] > ends[1]:
            raise ValueError(f"In {text[:40]!r} the first end lies above the second; send the lesser one first.")
        return ends
    sign, number = _COMPARED.match(text.strip()).groups()
    value = _number(number)
    if sign in {"<", ">"}:
        return (None, _below(value)) if sign == "<" else (math.nextafter(value, math.inf), None)
    return (None if sign == "<=" else value), (None if sign == ">=" else value)


def _end(text):
    """The end of a range: `3` belongs to it, `<3` does not."""
    return _below(_number(text[1:])) if text.startswith("<") else _number(text)


def _below(value):
    """The greatest number under this one."""
    return math.nextafter(value, -math.inf)


def _number(text):
    text = text.strip().lower()
    try:
        value = _WORDS[text] if text in _WORDS else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]!r} is no value; send true, false, none, 4, >=4, <4, 1..3 or 1..<3.")
    return value
