"""JSON as text: reading it strictly, writing it as it is stored, and its one canonical form."""

import hashlib
import json
import math
from contextlib import suppress

import rfc8785

TWICE = "This member is there twice; send it once."


class JSONError(ValueError):
    """The text is not JSON as we take it; the message says why, and `fields` ({path: [text]}) where, if that has a
    path."""

    fields = {}


class _Doubled(Exception):
    """An object has a member twice."""


def loads(text):
    """JSON (str, or bytes in UTF-8) as Python values; JSONError for whatever RFC 8259 or a stack would not stand, and
    for a member that is there twice: half of what was said would be lost."""
    return _read(_READER, text)


def loads_leniently(text):
    """The same of what others answer us: of a member that is there twice the last counts."""
    return _read(_LENIENT_READER, text)


def _read(reader, text):
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        try:
            return reader.decode(text)
        except _Doubled:
            path = _doubled_in(_READER_OF_PAIRS.decode(text), "")
            error = JSONError(f"{path}: {TWICE}".removeprefix(": "))
            error.fields = {path: [TWICE]}
            raise error from None
    except JSONError:
        raise
    except UnicodeDecodeError as error:
        raise JSONError(f"The text is not UTF-8 (byte {error.start}).") from None
    except RecursionError:
        raise JSONError("The JSON is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise JSONError(f"This is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except ValueError:
        raise JSONError("This JSON holds a number of too many digits.") from None


def dumps(value):
    """JSON text as it is stored: the members in their order, nothing escaped that need not be."""
    return _WRITER.encode(value)


def canonical(value):
    """The bytes of RFC 8785 (JCS). Whole numbers beyond 2^53, of which the RFC would make the nearest IEEE double, are
    written digit for digit: two ids that differ in their last digit are two."""
    if _is_plain(value):
        with suppress(UnicodeEncodeError):
            return _SORTING_WRITER.encode(value).encode()
    try:
        return rfc8785.dumps(value)
    except rfc8785.IntegerDomainError:
        return _exact(value)


def digest(value):
    """SHA-256 of the canonical form: 32 bytes."""
    return hashlib.sha256(canonical(value)).digest()


def _is_plain(value):
    """Whether Python's own writer, which is ten times as fast, writes the canonical form: without fractions, which the
    RFC writes as ECMAScript does, and names that UTF-16 may put in another order."""
    if isinstance(value, dict):
        return all(name.isascii() and _is_plain(item) for name, item in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (str, int))


def _exact(value):
    """The canonical form of what holds such whole numbers beside what Python's own writer writes otherwise."""
    if isinstance(value, dict):
        ordered = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return b"{%s}" % b",".join(rfc8785.dumps(name) + b":" + _exact(item) for name, item in ordered)
    if isinstance(value, list):
        return b"[%s]" % b",".join(map(_exact, value))
    if isinstance(value, int) and abs(value) >= 2**53:
        return str(value).encode()
    return rfc8785.dumps(value)


def path_to(path, name):
    """The path of a member, or of an item of a list, of what stands at `path`: messages[0].role."""
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name[:60]}" if path else name[:60]


class _Pairs(list):
    """The members of an object as they were written."""


def _doubled_in(value, path):
    """The path of the first member that is there twice, or None."""
    seen = set()
    for name, item in value if isinstance(value, _Pairs) else enumerate(value) if isinstance(value, list) else ():
        inner = path_to(path, name)
        if name in seen:
            return inner
        seen.add(name)
        if (found := _doubled_in(item, inner)) is not None:
            return found
    return None


def _members(pairs):
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Doubled
    return members


def _refuse_constant(name):
    raise JSONError(f"{name} is not JSON; send a finite number, null or text.")


def _finite(text):
    number = float(text)
    if not math.isfinite(number):
        raise JSONError(f"The number {text[:40]} is too large.")
    return number


_NUMBERS = {"parse_constant": _refuse_constant, "parse_float": _finite}
_READER = json.JSONDecoder(object_pairs_hook=_members, **_NUMBERS)
_LENIENT_READER = json.JSONDecoder(**_NUMBERS)
_READER_OF_PAIRS = json.JSONDecoder(object_pairs_hook=_Pairs, **_NUMBERS)
_WRITER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_SORTING_WRITER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
