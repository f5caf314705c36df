"""What names and keys may hold. In a name for people, of whatever it is the name, what cannot be seen, or turns the
text around it, would let one thing pass for another."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

HIDDEN = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff\U000e0000-\U000e007f"
_JOINERS = "\u200c\u200d"
# a joiner belongs to letters and emoji: behind one that is not ASCII, where many scripts end words with it, or between
_LOOSE = f"(?<![^\x00-\x7f\\s{HIDDEN}{_JOINERS}].)(?:(?<!\\w.)|(?!\\w))"
MISLEADING = re.compile(f"[{HIDDEN}{_JOINERS}](?:(?<=[{HIDDEN}])|{_LOOSE})", re.DOTALL)
_LINES = re.compile("[\t\n\r\u2028\u2029]")


def name_fault(name):
    """Why this cannot be the name of anything from now on, or None."""
    found = MISLEADING.search(name) or _LINES.search(name)
    if found is None:
        return None
    return f"A name is one line, without hidden characters or marks of direction; this has U+{ord(found[0]):04X}."


check_slug = RegexValidator(r"\A[-a-zA-Z0-9_]+\Z", "A key has letters from a to z, digits, - and _, and nothing else.")


def check_name(name):
    """A validator of forms and serializers."""
    if fault := name_fault(name):
        raise ValidationError(fault)
