"""A record as it comes in (by POST, batch or import): checked whole, every fault named with its path. Pure Python.

One pass over plain dicts, no serializer per message: this is the writers' hot path.
"""

import datetime
import hashlib
import math
import uuid
from dataclasses import dataclass, field

from interactions import jsontext
from interactions.ids import UTC
from interactions.message_records import Messages, calls_of, has_failed
from interactions.plain import preview, text_of, words_of
from interactions.rules import (
    MAX_LABELS,
    MAX_TEXT,
    RecordError,
    kind_of,
    label_fault,
    moment_of,
    read_feedback,
    tell,
    text_fault,
)

SOURCES = {"live", "logged", "playground", "dataset", "evaluation", "automation", "simulation"}
MEMBERS = {
    "project", "messages", "prompt", "completion", "model", "model_service", "feedbacks", "user", "session_id",
    "labels", "created_at", "ab_campaign", "external_id", "metadata", "usage", "latency_ms", "source",
    "corrected_completion",
}  # fmt: skip
EARLIEST = datetime.datetime(2000, 1, 1, tzinfo=UTC)
MAX_DEPTH = 64
MAX_FEEDBACKS = 100
MAX_CORRECTED = 1_000_000  # characters
MAX_INT = 2**31 - 1


@dataclass(slots=True)
class Record:
    """A checked record, ready to be stored. Times are aware; hashes are the first 16 bytes of a SHA-256."""

    messages: list
    completion: str
    envelope: dict
    payload_sha256: bytes
    external_id: str | None
    model: str | None
    model_must_exist: bool
    session: str
    user: str
    source: str
    created_at: datetime.datetime
    labels: dict
    feedbacks: list
    latency_ms: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    corrected: str | None = None
    ab_campaign: str | None = None
    pictures: list = field(default_factory=list)
    images: int = 0
    tools: int = 0
    failed: bool = False

    @property
    def prompt_preview(self):
        """Of the last thing that the user said: what comes after it may be results of tools, which have no text."""
        users = [message for message in self.messages if message["role"] == "user"]
        said = (text for message in reversed(users) if (text := text_of(message)).strip())
        return preview(next(said, None) or text_of((users or self.messages)[-1]))

    @property
    def completion_preview(self):
        return preview(self.completion)

    def hashes(self):
        """(prompt_hash, content_hash, near_hash): of the messages, of messages and completion, and of their words."""
        prompt = jsontext.canonical(self.messages)
        near = words_of(" ".join([*map(text_of, self.messages), "\n", self.completion]))
        return _hash(prompt), _hash(prompt + b"\n" + self.completion.encode()), _hash(near.encode())


def envelope_of(payload):
    """What is kept of a payload beside messages and completion; a prompt lies in the messages, `true` tells of it."""
    kept = {name: value for name, value in payload.items() if name != "completion"}
    if kept.get("prompt") is not None:
        kept["prompt"] = True
    else:
        kept.pop("messages", None)
    return kept


def read_record(raw, *, now):
    """A Record from what was sent; RecordError names every fault."""
    if not isinstance(raw, dict):
        raise RecordError({"": ["A record is a JSON object."]})
    return _Reader(raw, now).record()


class _Reader:
    """Collects faults over one record."""

    def __init__(self, raw, now):
        self.raw = raw
        self.now = now
        self.errors = {}
        self.messages = Messages(self.wrong)

    def wrong(self, path, text):
        tell(self.errors, path, text)

    def record(self):
        self._clean(self.raw, "", 1)
        self._stop()
        for name in sorted(self.raw.keys() - MEMBERS):
            self.wrong(name, f"Unknown member. A record has {', '.join(sorted(MEMBERS))}.")
        raw = {name: value for name, value in self.raw.items() if name != "project"}
        messages = self.messages.read(raw.get("messages"), raw.get("prompt"))
        model, model_must_exist = self._model()
        usage, metadata = self._object("usage"), self._object("metadata")
        record = Record(
            messages=messages,
            completion=self._completion(),
            envelope=envelope_of(raw),
            payload_sha256=b"",
            external_id=self._text("external_id", least=1),
            model=model,
            model_must_exist=model_must_exist,
            session=self._text("session_id", least=1) or str(uuid.uuid4()),
            user=self._text("user") or "",
            source=self._source(),
            created_at=self._created_at(),
            labels=self._labels(),
            feedbacks=self._feedbacks(),
            latency_ms=self._whole(self._latency(), "latency_ms"),
            prompt_tokens=self._tokens(usage, "prompt_tokens", "input_tokens"),
            completion_tokens=self._tokens(usage, "completion_tokens", "output_tokens"),
            corrected=self._text("corrected_completion", least=1, most=MAX_CORRECTED),
            ab_campaign=self._text("ab_campaign", least=1),
            pictures=self.messages.pictures,
            images=self.messages.images,
            tools=self.messages.tools + calls_of(metadata),
            failed=has_failed(metadata),
        )
        self._whole(usage.get("total_tokens"), "usage.total_tokens")
        self._stop()
        record.payload_sha256 = jsontext.digest(raw)
        return record

    def _stop(self):
        if self.errors:
            raise RecordError(self.errors)

    def _clean(self, value, path, depth):
        """No NUL, no lone surrogate, no number beyond a double, not too deep: what no store could give back."""
        if isinstance(value, str):
            if fault := text_fault(value):
                self.wrong(path, fault)
        elif isinstance(value, (dict, list)):
            if depth > MAX_DEPTH:
                self.wrong(path, f"Nested more than {MAX_DEPTH} levels deep.")
                return
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for name, item in items:
                if isinstance(name, str) and (fault := text_fault(name)):
                    self.wrong(path, f"A member's name: {fault}")
                    continue
                self._clean(item, jsontext.path_to(path, name), depth + 1)
        elif isinstance(value, int) and value.bit_length() > 1023:
            self.wrong(path, "The number is too large.")

    # -- the parts of a record --------------------------------------------------------------------
    def _text(self, name, least=0, most=MAX_TEXT):
        value = self.raw.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong(name, f"Send text, not {kind_of(value)}.")
        elif not least <= len(value) <= most:
            self.wrong(name, f"Send {least} to {most} characters; this has {len(value)}.")
        else:
            return value
        return None

    def _object(self, name):
        value = self.raw.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.wrong(name, f"Send an object, not {kind_of(value)}.")
            return {}
        return value

    def _whole(self, value, path):
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_INT:
            self.wrong(path, f"Send a whole number from 0 to {MAX_INT:,}.")
            return None
        return value

    def _tokens(self, usage, name, other):
        """Under OpenAI's older name, or under the one of Anthropic and of OpenAI's Responses."""
        name = other if usage.get(name) is None else name
        return self._whole(usage.get(name), f"usage.{name}")

    def _latency(self):
        value = self.raw.get("latency_ms")
        return round(value) if isinstance(value, float) and math.isfinite(value) else value

    def _completion(self):
        value = self.raw.get("completion")
        if not isinstance(value, str):
            self.wrong("completion", f"Send text (it may be empty), not {kind_of(value)}.")
            return ""
        return value

    def _source(self):
        value = self.raw.get("source")
        if value is None:
            return "logged"
        if not isinstance(value, str) or value not in SOURCES:
            self.wrong("source", f"Send one of {', '.join(sorted(SOURCES))}.")
        return value

    def _model(self):
        if self.raw.get("model") is not None and self.raw.get("model_service") is not None:
            self.wrong("model_service", "Send either model or model_service, not both.")
        if self.raw.get("model_service") is not None:
            return self._text("model_service", least=1), True
        return self._text("model", least=1), False  # what a new one may be called is the registry's to say

    def _created_at(self):
        value = self.raw.get("created_at")
        if value is None:
            return self.now
        moment = moment_of(value)
        if moment is None:
            self.wrong("created_at", "Send an ISO 8601 time such as 2026-05-01T12:30:00Z, or whole milliseconds.")
        elif not EARLIEST <= moment <= self.now + datetime.timedelta(days=1):
            self.wrong("created_at", "Send a time from the year 2000 to one day ahead.")
        return moment or self.now

    def _labels(self):
        labels = self._object("labels")
        if len(labels) > MAX_LABELS:
            self.wrong("labels", f"An interaction has at most {MAX_LABELS} labels; these are {len(labels)}.")
        for key, value in labels.items():
            if fault := label_fault(key, value):
                self.wrong(f"labels.{key[:60]}", fault)
        return labels

    def _feedbacks(self):
        given = self.raw.get("feedbacks")
        if given is None:
            return []
        if not isinstance(given, list) or len(given) > MAX_FEEDBACKS:
            self.wrong("feedbacks", f"Send a list of at most {MAX_FEEDBACKS}.")
            return []
        read = [read_feedback(item, f"feedbacks[{place}]", self.wrong) for place, item in enumerate(given)]
        return [item for item in read if item]


def _hash(data):
    return uuid.UUID(bytes=hashlib.sha256(data).digest()[:16])
