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
from interactions.pictures import REFERENCE, PictureError, Taking
from interactions.plain import preview, text_of, words_of
from interactions.rules import (
    MAX_LABELS,
    MAX_TEXT,
    RecordError,
    address_fault,
    kind_of,
    label_fault,
    moment_of,
    read_feedback,
    tell,
    text_fault,
)

ROLES = {"system", "developer", "user", "assistant", "tool", "function"}
PARTS = {"text", "image_url", "input_audio", "file", "refusal", "thinking"}
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

    @property
    def prompt_preview(self):
        users = [message for message in self.messages if message["role"] == "user"]
        return preview(text_of((users or self.messages)[-1]))

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


def shows_pictures(raw):
    """Whether what was sent has parts that are pictures: reading those is work that no stranger should get done."""
    messages = raw.get("messages") if isinstance(raw, dict) else None
    contents = [one.get("content") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    parts = (part for content in contents if isinstance(content, list) for part in content)
    return any(isinstance(part, dict) and part.get("type") == "image_url" for part in parts)


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
        self.pictures = []
        self.taking = Taking()
        self.images = 0
        self.tools = 0

    def wrong(self, path, text):
        tell(self.errors, path, text)

    def record(self):
        self._clean(self.raw, "", 1)
        self._stop()
        for name in sorted(self.raw.keys() - MEMBERS):
            self.wrong(name, f"Unknown member. A record has {', '.join(sorted(MEMBERS))}.")
        raw = {name: value for name, value in self.raw.items() if name != "project"}
        messages = self._messages()
        model, model_must_exist = self._model()
        usage = self._object("usage")
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
            prompt_tokens=self._whole(usage.get("prompt_tokens"), "usage.prompt_tokens"),
            completion_tokens=self._whole(usage.get("completion_tokens"), "usage.completion_tokens"),
            corrected=self._text("corrected_completion", least=1, most=MAX_CORRECTED),
            ab_campaign=self._text("ab_campaign", least=1),
            pictures=self.pictures,
            images=self.images,
            tools=self.tools,
        )
        self._whole(usage.get("total_tokens"), "usage.total_tokens")
        self._object("metadata")
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
                self._clean(item, _join(path, name), depth + 1)
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
        model = self._text("model", least=1)
        if model and (fault := address_fault(model)):
            self.wrong("model", fault)
        return model, False

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

    # -- messages ---------------------------------------------------------------------------------
    def _messages(self):
        messages, prompt = self.raw.get("messages"), self.raw.get("prompt")
        if prompt is not None:
            if messages is not None:
                self.wrong("prompt", "Send either prompt or messages, not both.")
            if not isinstance(prompt, str):
                self.wrong("prompt", f"Send text, not {kind_of(prompt)}.")
            return [{"role": "user", "content": prompt}]
        if not isinstance(messages, list) or not messages:
            self.wrong("messages", "Send a list of at least one message, or a prompt.")
            return []
        return [self._message(message, f"messages[{place}]") for place, message in enumerate(messages)]

    def _message(self, message, path):
        if not isinstance(message, dict):
            self.wrong(path, "A message is an object with 'role' and 'content'.")
            return message
        role = message.get("role")
        if not isinstance(role, str) or role not in ROLES:
            self.wrong(f"{path}.role", f"Send one of {', '.join(sorted(ROLES))}.")
        calls = self._tool_calls(message, path)
        content = message.get("content")
        if isinstance(content, list):
            parts = [self._part(part, f"{path}.content[{place}]") for place, part in enumerate(content)]
            if not parts:
                self.wrong(f"{path}.content", "A list of parts needs at least one.")
            return {**message, "content": parts}
        # what a model answered is sent back as it came: of a refusal or a call without words it is null
        if not isinstance(content, str) and not (content is None and (calls or _says_null(message))):
            self.wrong(f"{path}.content", "Send text or a list of parts; null only of an assistant.")
        return message

    def _tool_calls(self, message, path):
        """How many there are; OpenAI's older single `function_call` counts as one."""
        calls = message.get("tool_calls")
        if calls is None:
            calls = [{"function": message["function_call"]}] if isinstance(message.get("function_call"), dict) else []
        if not isinstance(calls, list):
            self.wrong(f"{path}.tool_calls", "Send a list of tool calls.")
            return 0
        for place, call in enumerate(calls):
            named = call.get("function", call.get("custom")) if isinstance(call, dict) else None
            if not isinstance(named, dict) or not isinstance(named.get("name"), str):
                self.wrong(f"{path}.tool_calls[{place}]", "A tool call is an object whose function has a name.")
        self.tools += len(calls)
        return len(calls)

    def _part(self, part, path):
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or kind not in PARTS:
            self.wrong(path, f"A part is an object whose type is one of {', '.join(sorted(PARTS))}.")
        elif kind == "text" and not isinstance(part.get("text"), str):
            self.wrong(f"{path}.text", f"Send text, not {kind_of(part.get('text'))}.")
        elif kind == "image_url":
            return self._image(part, path)
        return part

    def _image(self, part, path):
        """Both spellings: the address itself, or an object that holds it as `url`."""
        image = part.get("image_url")
        nested = isinstance(image, dict)
        url = image.get("url") if nested else image
        path = f"{path}.image_url" + (".url" if nested else "")
        self.images += 1
        if not isinstance(url, str) or not url:
            self.wrong(path, "Send an address or a data URI.")
        elif url.startswith(REFERENCE):
            self.wrong(path, f"Addresses that begin with {REFERENCE} are not taken; send the picture itself.")
        elif url.strip()[:5].lower() == "data:":
            try:
                url, picture = self.taking.take(url)
            except PictureError as error:
                self.wrong(path, str(error))
                return part
            self.pictures.append(picture)
            return {**part, "image_url": {**image, "url": url} if nested else url}
        return part


def _says_null(message):
    return message.get("role") == "assistant" and "content" in message


def _join(path, name):
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name[:60]}" if path else name[:60]


def _hash(data):
    return uuid.UUID(bytes=hashlib.sha256(data).digest()[:16])
