"""Records of the corpus in the form that the store takes, without the checks that a stranger's would need.

What checking works out in general is known here beforehand, so that making costs less than storing: tests hold both
to the same result.
"""

import datetime
import functools
import hashlib
import json
import uuid
from dataclasses import dataclass

from bench.pictures import pictures
from interactions.plain import PREVIEW
from interactions.records import Record, envelope_of
from interactions.rules import GivenFeedback


@dataclass(slots=True)
class MadeRecord(Record):
    """A Record of plain ASCII text: its canonical JSON is Python's with sorted keys, its text has no Markdown."""

    texts: tuple = ()

    @property
    def prompt_preview(self):
        return self.texts[-1][:PREVIEW]

    @property
    def completion_preview(self):
        return self.completion[:PREVIEW]

    def hashes(self):
        prompt = _canonical(self.messages)
        near = " ".join([*self.texts, self.completion]).replace(".", " ")
        return _hash(prompt), _hash(prompt + b"\n" + self.completion.encode()), _hash(" ".join(near.split()).encode())


def stored(payload):
    """The Record of a payload of the corpus."""
    messages, shown, texts = _taken_apart(payload["messages"])
    return MadeRecord(
        messages=messages,
        completion=payload["completion"],
        envelope=envelope_of(payload),
        payload_sha256=hashlib.sha256(_canonical(payload)).digest(),
        external_id=None,
        model=payload["model"],
        model_must_exist=False,
        session=payload["session_id"],
        user=payload["user"],
        source=payload["source"],
        created_at=datetime.datetime.fromisoformat(payload["created_at"]),
        labels=payload["labels"],
        feedbacks=_feedbacks(payload.get("feedbacks", ())),
        latency_ms=payload["latency_ms"],
        prompt_tokens=payload["usage"]["prompt_tokens"],
        completion_tokens=payload["usage"]["completion_tokens"],
        pictures=shown,
        images=len(shown),
        texts=texts,
    )


def _taken_apart(sent):
    """(the messages as they are stored, their Pictures, their texts)."""
    messages, shown, texts = [], [], []
    for message in sent:
        content = message["content"]
        if isinstance(content, list):
            kept, own = _take_out(content)
            message, shown, content = {**message, "content": kept}, shown + own, content[0]["text"]
        messages.append(message)
        texts.append(content)
    return messages, shown, tuple(texts)


def _take_out(content):
    """(the parts with a reference in each picture's place, the Pictures)."""
    kept, shown = [content[0]], []
    for part in content[1:]:
        reference, picture = _known_pictures()[part["image_url"]["url"]]
        kept.append({"type": "image_url", "image_url": {"url": reference}})
        shown.append(picture)
    return kept, shown


@functools.cache
def _known_pictures():
    """{data URI: (what is stored in its place, the Picture)}."""
    return {uri: (reference, picture) for uri, reference, picture in pictures()}


def _feedbacks(given):
    return [
        GivenFeedback(f"feedbacks[{place}]", one["feedback_key"], one["value"], "", "", "user")
        for place, one in enumerate(given)
    ]


def _canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _hash(data):
    return uuid.UUID(bytes=hashlib.sha256(data).digest()[:16])
