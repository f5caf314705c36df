"""The times of the filter language: a moment, or so long before now."""

import datetime
import re
from urllib.parse import parse_qsl, urlencode

from interactions.ids import wire_time
from interactions.records import EARLIEST
from interactions.rules import moment_of

SEND = (
    "Send an ISO 8601 time such as 2026-05-01T12:30:00Z, milliseconds since 1970,"
    " or -7d for seven days ago (m, h, d or w)."
)
_AGO = re.compile(r"-([1-9][0-9]{0,3})([mhdw])")
_UNITS = {
    "m": ("minute", datetime.timedelta(minutes=1)),
    "h": ("hour", datetime.timedelta(hours=1)),
    "d": ("day", datetime.timedelta(days=1)),
    "w": ("week", datetime.timedelta(weeks=1)),
}


def read_time(text, now):
    """The aware moment of ISO 8601, whole milliseconds or -7d, counted from `now`'s whole minute; ValueError says what
    to send. Digits are milliseconds: seconds would mean 1970, and so everything."""
    moment = ago(text, now) or moment_of(text)
    if moment is None:
        raise ValueError(SEND)
    if moment < EARLIEST:
        raise ValueError(f"This is {wire_time(moment)}, before the year 2000. {SEND}")
    return moment


def ago(text, now):
    """The moment of -7d and its like, None where the text is none of these."""
    match = _AGO.fullmatch(text.strip())
    if not match:
        return None
    return now.replace(second=0, microsecond=0) - int(match[1]) * _UNITS[match[2]][1]


def length_of(text):
    """-7d as people say it: 7 days; "" where the text is no such time."""
    match = _AGO.fullmatch(text)
    if not match:
        return ""
    n, unit = int(match[1]), _UNITS[match[2]][0]
    return unit if n == 1 else f"{n:,} {unit}s"


def pinned(query, now):
    """A filter's query string with what is said from now on said as moments: for work that begins now, and may take
    its time."""
    pairs = parse_qsl(query, keep_blank_values=True)
    ends = {(name, text): ago(text, now) for name, text in pairs if name in {"after", "before"}}
    if not any(ends.values()):
        return query
    return urlencode([(name, wire_time(ends[name, text]) if ends.get((name, text)) else text) for name, text in pairs])
