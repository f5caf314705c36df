"""What may be asked of a project's interactions, resolved from words but not yet to rows; and a place in the answer."""

import base64
import binascii
import datetime
import uuid
from dataclasses import dataclass
from typing import NamedTuple


class Feedback(NamedTuple):
    """A condition on the current feedback of one key: the key's id, none at all, or a value from least to most."""

    key_id: int
    none: bool = False
    least: float | None = None
    most: float | None = None


class LabelTest(NamedTuple):
    """A key, of a label or of the metadata, with any of these values, or with any value at all (None)."""

    key: str
    values: tuple | None = None

    def holds(self, key, value):
        """Whether this label meets it."""
        return key == self.key and (self.values is None or value in self.values)


@dataclass(frozen=True)
class Wanted:
    """What is asked for; nothing set asks for everything but simulated traffic. All conditions must hold."""

    labels: tuple = ()
    not_labels: tuple = ()
    after: datetime.datetime | None = None
    before: datetime.datetime | None = None
    models: tuple = ()
    not_models: tuple = ()
    feedback: tuple = ()
    session: str | None = None
    user: str | None = None
    sources: tuple = ()
    latency: tuple | None = None  # (least, most) in ms, either may be None
    metadata: tuple = ()  # LabelTests of its members, a value being a text or what JSON writes
    has_images: bool | None = None
    has_tools: bool | None = None
    has_error: bool | None = None  # of calls that failed
    has_feedback: bool | None = None
    has_correction: bool | None = None  # with a better answer
    has_notes: bool | None = None
    reviewed: bool | None = None  # with a reviewer's feedback
    words: str = ""  # a tsquery's text
    not_words: tuple = ()  # tsqueries' texts: none of them
    external_id: str | None = None
    api_keys: tuple = ()  # ids of API keys: logged by any of them
    queues: tuple = ()  # ids of review queues: in any of them
    arms: tuple = ()  # ids of A/B tests' arms: any of them
    prompt: uuid.UUID | None = None  # the prompt_hash of those that answer the same messages
    near: tuple = ()  # near_hashes: any of those that are alike
    fold: bool = False  # of those that are alike the first alone
    oldest_first: bool = False

    def asked(self):
        """The names of what is asked, the order aside; both ends of a time are two."""
        plain = Wanted(oldest_first=self.oldest_first)
        return {name for name in self.__dataclass_fields__ if getattr(self, name) != getattr(plain, name)}

    def only(self, *names):
        """Whether nothing but these is asked."""
        return self.asked() <= set(names)


class Cursor(NamedTuple):
    """A place between two rows: `back` looks at what comes before it in the order, else after."""

    id: uuid.UUID
    back: bool = False

    def __str__(self):
        return base64.urlsafe_b64encode(bytes([self.back]) + self.id.bytes).decode().rstrip("=")

    @classmethod
    def read(cls, text):
        """The cursor of this text; ValueError where it is none."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != 17 or raw[0] > 1:
            raise ValueError("This is not a cursor; take it from 'next' or 'previous' of an answer.")
        return cls(uuid.UUID(bytes=raw[1:]), bool(raw[0]))
