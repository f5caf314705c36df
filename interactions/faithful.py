"""JSON for people to read: as a value only where that shows what was written, white space and escapes aside."""

import json
import re

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def loads(source):
    """The value of a JSON text; ValueError where a member is there twice, where a number would be written in another
    way (1.10, 1e3, more digits than a double has), and for half a character, which no page can hold."""
    value = _READER.decode(source)
    if _SURROGATE.search(source):
        json.dumps(value, ensure_ascii=False).encode()  # UnicodeEncodeError is a ValueError
    return value


def _members(pairs):
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("A member is there twice.")
    return members


def _number(read):
    """A reader of numbers that refuses those that would be written in another way."""

    def number(source):
        value = read(source)
        if repr(value) != source:
            raise ValueError("This number would be written in another way.")
        return value

    return number


_READER = json.JSONDecoder(object_pairs_hook=_members, parse_float=_number(float), parse_int=_number(int))
