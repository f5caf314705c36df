"""What a provider's answer says of each choice, read from whole messages and from the pieces of a stream."""

import math
from dataclasses import dataclass, field

from interactions.jsontext import dumps

MOST_WORD = 200  # characters of a provider's ids and reasons
MOST_ANNOTATIONS = 100
MOST_ANNOTATION = 4_000  # characters of JSON
DEEPEST = 8  # levels of what is kept as a provider says it
LARGEST = 2**63  # of a number in it


@dataclass(slots=True)
class Choice:
    """What has come of one choice."""

    parts: list = field(default_factory=list)
    transcript: list = field(default_factory=list)
    refusal: list = field(default_factory=list)
    reasoning: list = field(default_factory=list)
    tool_calls: list = field(default_factory=list)
    annotations: list = field(default_factory=list)
    finish_reason: str | None = None
    _open: dict = field(default_factory=dict)  # the call that grows under an index

    def take(self, message):
        """A whole message, or a delta of one."""
        self.parts.append(text_of(message.get("content")))
        self.transcript.append(_transcript_of(message))
        self.refusal.append(text_of(message.get("refusal")))
        self.reasoning.append(_reasoning_of(message))
        for place, call in enumerate(calls_of(message)):
            if isinstance(call, dict):
                self._take_call(call, place)
        if isinstance(told := message.get("annotations"), list):
            self.annotations += told[: MOST_ANNOTATIONS - len(self.annotations)]

    def _take_call(self, call, place):
        index = call["index"] if isinstance(call.get("index"), int) else place
        kept = self._open.get(index)
        if kept is None or _is_another(kept, call):
            kept = self._open[index] = {}
            self.tool_calls.append(kept)
        _merge_call(kept, call)

    @property
    def text(self):
        """What it says; of one that speaks, what it says aloud."""
        return "".join(self.parts) or "".join(self.transcript) or "".join(self.refusal)

    @property
    def completion(self):
        """The text; of an answer that calls tools and says nothing, the calls as JSON."""
        return self.text or (dumps(self.tool_calls) if self.tool_calls else "")


class Places:
    """Which of the `n` choices asked for a provider's choice is. Its index says so where it is one of theirs; some
    providers number otherwise or not at all, and what reaches the client must be what is logged."""

    def __init__(self, n):
        self.n, self._of = n, {}  # the place of each index that a stream told

    def whole(self, answer):
        """{place: choice} of a whole answer, in order; what no index places takes what is free. More are left out."""
        found, others = {}, []
        for choice in _choices_of(answer):
            if not isinstance(choice.get("message"), dict):
                continue
            index = choice.get("index")
            if self._is_place(index) and index not in found:
                found[index] = choice
            else:
                others.append(choice)
        free = [place for place in range(self.n) if place not in found]
        return dict(sorted([*found.items(), *zip(free, others, strict=False)]))

    def pieces(self, event):
        """(place, choice, delta) of each choice in an event of a stream; one without a delta tells its end alone."""
        for number, choice in enumerate(_choices_of(event)):
            delta = choice.get("delta")
            place = self._place(choice.get("index"), number)
            if place is not None and (delta is None or isinstance(delta, dict)):
                yield place, choice, delta or {}

    def _place(self, index, number):
        index = index if type(index) is int else number
        place = self._of.get(index)
        if place is None:
            taken = self._of.values()
            free = (one for one in range(self.n) if one not in taken)
            place = index if self._is_place(index) and index not in taken else next(free, None)
            if place is not None:
                self._of[index] = place
        return place

    def _is_place(self, index):
        return type(index) is int and 0 <= index < self.n


def _choices_of(answer):
    choices = answer.get("choices")
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def says(delta):
    """Whether a piece of a stream is a token of the answer: words, spoken ones or not, or a part of a call."""
    return bool(text_of(delta.get("content")) or delta.get("refusal") or calls_of(delta) or _is_spoken(delta))


def said_in(delta):
    """The words of a piece of a stream, as `Choice.text` puts them together."""
    return text_of(delta.get("content")) or _transcript_of(delta) or text_of(delta.get("refusal"))


def text_of(content):
    """The text of a content: itself, or what its text parts say, as Mistral's models that reason send it."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    texts = (one.get("text") for one in parts if isinstance(one, dict) and one.get("type") == "text")
    return "".join(text for text in texts if isinstance(text, str))


def calls_of(message):
    """The tool calls of a message or of a delta; OpenAI's older single `function_call` is one."""
    calls = message.get("tool_calls")
    if isinstance(calls, list) and calls:
        return calls
    called = message.get("function_call")
    return [{"index": 0, "type": "function", "function": called}] if isinstance(called, dict) else []


def _transcript_of(message):
    """What is said aloud, in words; its sound is passed on and not kept."""
    audio = message.get("audio")
    return text_of(audio.get("transcript")) if isinstance(audio, dict) else ""


def _is_spoken(delta):
    audio = delta.get("audio")
    return isinstance(audio, dict) and bool(audio.get("transcript") or audio.get("data"))


def _reasoning_of(message):
    """What the model thought aloud, under whichever name its provider tells it."""
    for name in ("reasoning_content", "reasoning"):
        if isinstance(message.get(name), str):
            return message[name]
    content = message.get("content")
    parts = content if isinstance(content, list) else ()
    return "".join(text_of(one.get("thinking")) for one in parts if isinstance(one, dict))


def _is_another(kept, call):
    """Whether a call under the index of `kept` is another one: some providers give all calls the index 0."""
    told = call.get("id")
    return isinstance(told, str) and bool(told) and kept.get("id", told) != told


def _merge_call(kept, call):
    """A piece of a tool call: what is handed to the tool grows, all else is told once."""
    for name in ("id", "type"):
        if isinstance(call.get(name), str):
            kept[name] = call[name]
    for kind in ("function", "custom"):
        if isinstance(call.get(kind), dict):
            told = kept.setdefault(kind, {})
            for name, text in call[kind].items():
                if isinstance(text, str) and name in ("arguments", "input"):
                    told[name] = told.get(name, "") + text
                elif isinstance(text, dict) and name == "arguments":  # as a few send it, who should send its JSON
                    told[name] = dumps(text)
                elif isinstance(text, str) and text:
                    told[name] = text


# -- what can be kept ---------------------------------------------------------------------------------
def word(value):
    """A short text that a provider tells, or None."""
    return storable(value[:MOST_WORD]) if isinstance(value, str) else None


def storable(value):
    """The value with what the database cannot keep (NUL, halves of surrogate pairs) replaced in its texts."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [storable(one) for one in value]
    if isinstance(value, dict):
        return {storable(name): storable(one) for name, one in value.items()}
    return value


def bounded(value, most):
    """JSON that a provider tells as it can be kept; None of what is longer than `most` characters, nested more than
    DEEPEST levels, or holds numbers that no store keeps."""
    return storable(value) if _is_sound(value, DEEPEST) and len(dumps(value)) <= most else None


def _is_sound(value, levels):
    if isinstance(value, (list, dict)):
        inner = value.values() if isinstance(value, dict) else value
        return levels > 0 and all(_is_sound(one, levels - 1) for one in inner)
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or abs(value) < LARGEST
