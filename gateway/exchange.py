"""One call to a model while it lasts: what has come of each choice, when, how it ended, and the records of it."""

import time
from dataclasses import dataclass, field

from gateway.failures import Failed
from interactions import ids
from interactions.jsontext import dumps
from interactions.records import MAX_INT
from registry.kinds import LENGTHS

MOST_TOLD = 2_000  # characters of an error that are kept
MOST_WORD = 200  # characters of a provider's ids and reasons
REQUEST = "request"  # the member of what is kept that holds what the request says under a name of the gateway's
LEFT, STOPPED, UPSTREAM = "client", "gateway", "provider"  # who broke an answer off


@dataclass(slots=True)
class Choice:
    """What has come of one choice."""

    parts: list = field(default_factory=list)
    refusal: list = field(default_factory=list)
    reasoning: list = field(default_factory=list)
    tool_calls: list = field(default_factory=list)
    finish_reason: str | None = None
    _open: dict = field(default_factory=dict)  # the call that grows under an index

    def take(self, message):
        """A whole message, or a delta of one."""
        self.parts.append(text_of(message.get("content")))
        self.refusal.append(text_of(message.get("refusal")))
        self.reasoning.append(_reasoning_of(message))
        calls = message.get("tool_calls")
        for place, call in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(call, dict):
                self._take_call(call, place)

    def _take_call(self, call, place):
        index = call["index"] if isinstance(call.get("index"), int) else place
        kept = self._open.get(index)
        if kept is None or _is_another(kept, call):
            kept = self._open[index] = {}
            self.tool_calls.append(kept)
        _merge_call(kept, call)

    @property
    def completion(self):
        """The text; of an answer that calls tools and says nothing, the calls as JSON."""
        text = "".join(self.parts) or "".join(self.refusal)
        return text or (dumps(self.tool_calls) if self.tool_calls else "")


class Exchange:
    """A call to the model of `route` for what was `asked`. Times are counted from `started` (time.perf_counter)."""

    def __init__(self, asked, route, started):
        self.asked, self.route, self.started = asked, route, started
        self.names = [str(one) for one in asked.made]  # the choices' ids as each event tells them
        self.choices = {}
        self.usage, self.status, self.upstream_id, self.upstream_model = None, None, None, None
        self.first_at = self.ended_at = self.failure = self.broke_off = None
        self.is_kept = False

    @property
    def id(self):
        """Of the whole answer: that of its first choice."""
        return self.asked.made[0]

    def body(self, messages):
        """What the provider is sent."""
        endpoint, asked = self.route.endpoint, self.asked
        body = {"model": endpoint.external_id, "messages": messages, **self._parameters}
        if asked.n > 1:
            body["n"] = asked.n
        if asked.stream:
            body["stream"] = True
            if endpoint.provider_kind != "mistral":  # which tells the usage unasked and takes no such option
                body["stream_options"] = {"include_usage": True}
        return body

    @property
    def _parameters(self):
        """What the call says over what the model is registered with, a length of either name over that of either."""
        registered, said = self.route.endpoint.parameters, self.asked.parameters
        if any(name in said for name in LENGTHS):  # OpenAI refuses to be told both
            registered = {name: value for name, value in registered.items() if name not in LENGTHS}
        return registered | said

    # -- what comes -------------------------------------------------------------------------------
    def take_answer(self, status, answer):
        """A whole answer; Failed where it holds no choice."""
        self.status, self.ended_at = status, time.perf_counter()
        self._take_head(answer)
        for choice in choices_of(answer, "message"):
            self._take(choice, choice["message"])
        if not self.choices:
            raise Failed(502, "The provider's answer holds no choice.", code="garbage", upstream=status)
        self.first_at = self.ended_at

    def take_event(self, event):
        """An event of a stream, answered as the (choice, delta) pairs in it; Failed where it tells of an error."""
        if event.get("error"):
            error = event["error"]
            told = error.get("message") if isinstance(error, dict) else error
            told = self.route.endpoint.hidden(str(told))[:500]
            raise Failed(502, f"The provider broke the answer off: {told}", code="provider_failed", upstream=200)
        self.status = 200
        self._take_head(event)
        taken = []
        for choice in choices_of(event, "delta"):
            delta = choice["delta"]
            self._take(choice, delta)
            says = text_of(delta.get("content")) or delta.get("tool_calls") or delta.get("refusal")
            if says and self.first_at is None:
                self.first_at = time.perf_counter()
            taken.append((choice, delta))
        return taken

    def _take_head(self, answer):
        self.upstream_id = self.upstream_id or _word(answer.get("id"))
        self.upstream_model = self.upstream_model or _word(answer.get("model"))
        if usage := _usage(answer.get("usage")):
            self.usage = usage

    def _take(self, choice, message):
        kept = self.choices.setdefault(choice.get("index", 0), Choice())
        kept.take(message)
        kept.finish_reason = _word(choice.get("finish_reason")) or kept.finish_reason

    @property
    def is_whole(self):
        """Whether each choice has told why it ended: a stream may end so without saying that it does."""
        return bool(self.choices) and all(choice.finish_reason for choice in self.choices.values())

    # -- how it ended -----------------------------------------------------------------------------
    def fail(self, failure):
        self.failure = failure
        self.status = failure.upstream or self.status
        if self.choices:
            self.broke_off = UPSTREAM

    def end(self):
        self.ended_at = self.ended_at or time.perf_counter()

    # -- what is kept -----------------------------------------------------------------------------
    def records(self):
        """[(id, record)] of the choices that came; of a call of which nothing came, one without words."""
        self.end()
        choices = sorted((index, choice) for index, choice in self.choices.items() if index in range(self.asked.n))
        return [(self.asked.made[index], self._record(index, choice)) for index, choice in choices or [(0, Choice())]]

    def _record(self, index, choice):
        usage = dict(self.usage or {})
        if len(self.choices) > 1:  # the provider tells what all choices took together
            usage.pop("completion_tokens", None)
            usage.pop("total_tokens", None)
        return {
            **self.asked.record(),
            "completion": _storable(choice.completion),
            "model": self.route.endpoint.model_key,
            "source": self.route.source,
            "created_at": ids.wire_time(ids.time_of(self.asked.made[index])),
            "latency_ms": _milliseconds(self.started, self.ended_at),
            "usage": usage,
            "metadata": _beside(self.asked.metadata, self._metadata(choice)),
        }

    def _metadata(self, choice):
        """What the gateway tells of a choice, None where there is nothing to tell."""
        failure, asked = self.failure, self.asked
        return {
            "parameters": self._parameters | ({"n": asked.n} if asked.n > 1 else {}),
            "stream": asked.stream,
            "finish_reason": choice.finish_reason,
            "tool_calls": _storable(choice.tool_calls) or None,
            "reasoning": _storable("".join(choice.reasoning)) or None,
            "ttft_ms": _milliseconds(self.started, self.first_at) if self.first_at and asked.stream else None,
            "upstream_status": self.status,
            "upstream_id": self.upstream_id,
            "upstream_model": self.upstream_model,
            "usage": self.usage if len(self.choices) > 1 else None,
            "broke_off": self.broke_off,
            "error": _error(failure) if failure else None,
            "ab_campaign": asked.campaign or None,
        }


def _error(failure):
    told = {"code": failure.code, "message": failure.text[:MOST_TOLD], "param": failure.param}
    return {name: _storable(value) for name, value in told.items() if value is not None}


def _beside(said, told):
    """What a request's metadata said beside what is `told`. What it said under one of these names, told this time or
    not, stands in REQUEST: a caller's "error" is no call that failed."""
    kept = {name: value for name, value in told.items() if value is not None}
    if told.keys() & said.keys():
        kept[REQUEST] = {name: value for name, value in said.items() if name in told or name == REQUEST}
    return {name: value for name, value in said.items() if name not in told} | kept


def choices_of(answer, inner):
    """The choices that can be read."""
    choices = answer.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and isinstance(choice.get(inner), dict) and type(choice.get("index", 0)) is int:
            yield choice


def text_of(content):
    """The text of a content: itself, or what its text parts say, as Mistral's models that reason send it."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    texts = (one.get("text") for one in parts if isinstance(one, dict) and one.get("type") == "text")
    return "".join(text for text in texts if isinstance(text, str))


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
                elif isinstance(text, str) and text:
                    told[name] = text


def _usage(usage):
    """{prompt_tokens, completion_tokens, total_tokens} of what a provider tells, None where it tells none."""
    if not isinstance(usage, dict):
        return None
    counted = {name: usage.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    counted = {name: value for name, value in counted.items() if type(value) is int and 0 <= value <= MAX_INT}
    return counted or None


def _word(value):
    """A short text that a provider tells, or None."""
    return _storable(value[:MOST_WORD]) if isinstance(value, str) else None


def _milliseconds(start, end):
    return min(round((end - start) * 1000), MAX_INT)


def _storable(value):
    """The value with what the database cannot keep (NUL, halves of surrogate pairs) replaced in its texts."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return value
