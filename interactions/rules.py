"""What a text, a label, a time and a feedback may be, by whatever door they come. Pure Python."""

import datetime
import re
from dataclasses import dataclass

from interactions.ids import EPOCH, UTC

MAX_LABELS = 64
MAX_LABEL_KEY = 100
MAX_LABEL_VALUE = 500
MAX_TEXT = 200  # ids and keys that come from outside
MAX_FAULTS = 20  # told of one record: of a large one that is all wrong, the answer would be larger still
FEEDBACK_MEMBERS = {"feedback_key", "metric", "value", "details", "user", "user_id", "origin"}
ORIGINS = ("user", "reviewer", "grader", "system")
_KINDS = {
    type(None): "nothing",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
}
_ZONE = re.compile(r"([T ]\d\d\S*) (\d\d:?\d\d)$")
_DIGITS = re.compile(r"\d{1,15}")


class Conflict(Exception):
    """What is asked contradicts what is stored; the message says how."""


class IdTaken(Conflict):
    """An external id is taken by the interaction `id`, which differs in what `fields` names."""

    def __init__(self, external_id, id, members):
        self.id = id
        self.fields = {name: ["This differs from what was logged."] for name in members}
        super().__init__(
            f"The external_id {external_id!r} is taken by the interaction {id}, which differs in {', '.join(members)}."
            " Send the same again, or another external_id."
        )


class RecordError(ValueError):
    """What is wrong with a record: `fields` maps a path such as messages[0].role to a list of sentences."""

    def __init__(self, fields):
        self.fields = fields
        told = (f"{path}: {text}".removeprefix(": ") for path, texts in fields.items() for text in texts)
        super().__init__("; ".join(told))


def in_words(error):
    """What an error says without its paths: who fills in a form knows no names of the wire."""
    fields = error.fields if isinstance(error, RecordError) else {}
    return " ".join(text for texts in fields.values() for text in texts) or str(error)


@dataclass(slots=True)
class GivenFeedback:
    """Feedback as it came, its key and value not yet compared with the project's."""

    path: str
    key: str
    value: float | bool
    details: str
    user: str
    origin: str


def read_feedback(item, path, wrong, besides=()):
    """A GivenFeedback from {feedback_key or metric, value, details?, user or user_id?, origin?}; None after a fault was
    told to `wrong`. `besides` are members that the caller reads."""
    if not isinstance(item, dict):
        wrong(path, "Feedback is an object with 'feedback_key' and 'value'.")
        return None
    known = FEEDBACK_MEMBERS | set(besides)
    for name in sorted(item.keys() - known):
        wrong(f"{path}.{name[:60]}", f"Unknown member. Feedback has {', '.join(sorted(known))}.")
    name = "feedback_key" if item.get("feedback_key") is not None else "metric"
    key, value = item.get(name), item.get("value")
    if not isinstance(key, str) or not key:
        wrong(f"{path}.feedback_key", "Name the feedback key (or metric).")
    if not isinstance(value, (int, float)):
        wrong(f"{path}.value", f"Send a number, true or false, not {kind_of(value)}.")
    for member, most in (("details", 100_000), ("user", MAX_TEXT), ("user_id", MAX_TEXT)):
        text = item.get(member)
        if text is not None and (not isinstance(text, str) or len(text) > most):
            wrong(f"{path}.{member}", f"Send text of at most {most:,} characters.")
            return None
    user = item.get("user") or item.get("user_id") or ""
    if item.get("user_id") not in {None, user}:
        wrong(f"{path}.user_id", "Send either user or user_id, not both.")
    origin = item.get("origin", "user")
    if not isinstance(origin, str) or origin not in ORIGINS:
        wrong(f"{path}.origin", f"Send one of {', '.join(ORIGINS)}.")
        return None
    if not isinstance(key, str) or not key or not isinstance(value, (int, float)):
        return None
    return GivenFeedback(path, key, value, item.get("details") or "", user, origin)


def moment_of(value):
    """An aware datetime from ISO text or whole milliseconds (a number or digits); without a zone it is UTC; or None. A
    blank before a zone was a plus: so it comes out of an address where nobody wrote %2B."""
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, int) or (isinstance(value, str) and _DIGITS.fullmatch(value)):
            return EPOCH + datetime.timedelta(milliseconds=int(value))
        if not isinstance(value, str):
            return None
        text = value.strip()
        moment = datetime.datetime.fromisoformat(_ZONE.sub(r"\1+\2", text) if " " in text else text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def label_fault(key, value):
    """Why this is no label, or None."""
    if not 1 <= len(key) <= MAX_LABEL_KEY:
        return f"A label's key has 1 to {MAX_LABEL_KEY} characters; this has {len(key)}."
    if not isinstance(value, str):
        return f"A label's value is text, not {kind_of(value)}."
    if not 1 <= len(value) <= MAX_LABEL_VALUE:
        return f"A label's value has 1 to {MAX_LABEL_VALUE} characters; this has {len(value)}."
    return text_fault(key) or text_fault(value) or address_fault(key)


def address_fault(key):
    """Why this key cannot be a part of addresses, or None: to delete the label `..` would delete its interaction."""
    if {".", ".."} & set(key.split("/")):
        return "A key has no part between slashes that is . or .., which addresses leave out."
    return None


def tell(errors, path, text):
    """Add a sentence to {path: [sentence]}, unless there are enough of them."""
    if sum(map(len, errors.values())) < MAX_FAULTS:
        errors.setdefault(path, []).append(text)


def text_fault(text):
    """Why PostgreSQL could not keep this text, or None."""
    if "\x00" in text:
        return "The text holds a NUL character (U+0000)."
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            return f"The text holds half of a surrogate pair (U+{ord(text[error.start]):04X})."
    return None


def kind_of(value):
    """What JSON calls this."""
    return _KINDS.get(type(value), "an object")
