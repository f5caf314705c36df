"""A line of JSON."""

from interactions.jsontext import dumps

# JSON leaves them as they are, and much that reads lines ends one there: str.splitlines of Python, JavaScript of old
ENDS = {end: f"\\u{ord(end):04x}" for end in "\u0085\u2028\u2029"}


def line(value):
    """The value as a line of JSON (bytes), which ends at its end alone."""
    return one_line(dumps(value)).encode() + b"\n"


def one_line(text):
    """The JSON text, equal as JSON, without what some take for the end of a line."""
    for end, escape in ENDS.items():
        text = text.replace(end, escape)
    return text
