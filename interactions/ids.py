"""Ids that are times: UUIDv7 (RFC 9562) whose timestamp is given, and what follows from it."""

import datetime
import os
import threading
import uuid

UTC = datetime.UTC
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
_lock = threading.Lock()
_last = {"ms": -1, "tail": 0}
_TAIL_BITS = 74


def now():
    """This moment, in UTC."""
    return datetime.datetime.now(UTC)


def milliseconds(moment):
    """Whole milliseconds since 1970 of an aware datetime, cut, not rounded."""
    return (moment - EPOCH) // datetime.timedelta(milliseconds=1)


def make(moment):
    """A new id at this moment. Within a process, ids of the same millisecond grow in the order they are made."""
    ms = milliseconds(moment)
    with _lock:
        if ms == _last["ms"]:
            tail = _last["tail"] + 1 + int.from_bytes(os.urandom(4), "big")
        else:
            # the top bit is left clear, so that adding within a millisecond cannot overflow
            tail = int.from_bytes(os.urandom(10), "big") >> (80 - _TAIL_BITS + 1)
        _last.update(ms=ms, tail=tail)
    return _compose(ms, tail)


def first(moment):
    """The smallest id of this moment: `id >= first(after)` and `id < first(before)` are a time range.

    A moment between two milliseconds counts as the later one, so that `after` includes nothing earlier.
    """
    ms = -((EPOCH - moment) // datetime.timedelta(milliseconds=1))
    return _compose(max(ms, 0), 0)


def among(moment, id):
    """The id, always the same, by which a thing whose own id is no time stands among those of this moment."""
    return _compose(milliseconds(moment), id.int & (2**_TAIL_BITS - 1))


def time_of(id):
    """The moment of an id, to the millisecond, in UTC."""
    return EPOCH + datetime.timedelta(milliseconds=id.int >> 80)


def wire_time(moment):
    """ISO 8601 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _compose(ms, tail):
    return uuid.UUID(int=(ms & (2**48 - 1)) << 80 | 7 << 76 | (tail >> 62) << 64 | 0b10 << 62 | tail & (2**62 - 1))
