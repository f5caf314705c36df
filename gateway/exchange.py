"""One call to a model while it lasts: what has come of each choice, when, how it ended, and the records of it."""

import time

from gateway.choices import MOST_ANNOTATION, Choice, Places, bounded, says, storable, word
from gateway.failures import Failed
from interactions import ids
from interactions.jsontext import dumps
from interactions.records import MAX_INT
from registry.kinds import LENGTHS

MOST_TOLD = 2_000  # characters of an error that are kept
MOST_USAGE = 10_000  # characters of JSON
# of a record's usage, under OpenAI's older names and those of its Responses
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens")
OF_PROMPT = ("prompt_tokens", "input_tokens")
REQUEST = "request"  # the member of what is kept that holds what the request says under a name of the gateway's
LEFT, STOPPED, UPSTREAM = "client", "gateway", "provider"  # who broke an answer off


class Exchange:
    """A call to the model of `route` for what was `asked`. Times are counted from `started` (time.perf_counter)."""

    def __init__(self, asked, route, started):
        self.asked, self.route, self.started = asked, route, started
        self.names = [str(one) for one in asked.made]  # the choices' ids as each event tells them
        self.places, self.choices = Places(asked.n), {}
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
        """A whole answer, answered as the {place: choice} in it; Failed where it holds none."""
        self.status, self.ended_at = status, time.perf_counter()
        self._take_head(answer)
        came = self.places.whole(answer)
        for place, choice in came.items():
            self._take(place, choice, choice["message"])
        if not came and answer.get("error"):  # as OpenRouter tells what went wrong behind it
            raise self._told("The provider answered with an error", answer["error"], status)
        if not came:
            raise Failed(502, "The provider's answer holds no choice.", code="garbage", upstream=status)
        self.first_at = self.ended_at
        return came

    def take_event(self, event):
        """An event of a stream, answered as the (place, choice, delta) in it; Failed where it tells of an error."""
        if event.get("error"):
            raise self._told("The provider broke the answer off", event["error"], 200)
        self.status = 200
        self._take_head(event)
        taken = list(self.places.pieces(event))
        for place, choice, delta in taken:
            self._take(place, choice, delta)
            if self.first_at is None and says(delta):
                self.first_at = time.perf_counter()
        return taken

    def _told(self, what, error, status):
        told = self.route.endpoint.hidden(_words_of(error))[:500]
        return Failed(502, f"{what}: {told}", code="provider_failed", upstream=status)

    def _take_head(self, answer):
        self.upstream_id = self.upstream_id or word(answer.get("id"))
        self.upstream_model = self.upstream_model or word(answer.get("model"))
        if isinstance(told := answer.get("usage"), dict):
            self.usage = (self.usage or {}) | told

    def _take(self, place, choice, message):
        kept = self.choices.get(place)
        if kept is None:
            kept = self.choices[place] = Choice()
        kept.take(message)
        kept.finish_reason = word(choice.get("finish_reason")) or kept.finish_reason

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
        choices = sorted(self.choices.items()) or [(0, Choice())]
        usage = self._usage()
        return [(self.asked.made[place], self._record(place, choice, usage)) for place, choice in choices]

    @property
    def counts(self):
        """{name: tokens} that the provider told."""
        return _counts(self.usage or {})

    def _usage(self):
        """What the provider told of the tokens and all beside them, as it can be kept."""
        told = bounded(self.usage or {}, MOST_USAGE) or {}
        return {name: value for name, value in told.items() if name not in COUNTS} | self.counts

    def _record(self, place, choice, usage):
        metadata = self._metadata(choice)
        if len(self.choices) > 1:  # the provider tells what all choices took together
            metadata["usage"] = usage or None
            usage = {name: value for name, value in usage.items() if name in OF_PROMPT}
        return {
            **self.asked.record(),
            "completion": storable(choice.completion),
            "model": self.route.endpoint.model_key,
            "source": self.route.source,
            "created_at": ids.wire_time(ids.time_of(self.asked.made[place])),
            "latency_ms": _milliseconds(self.started, self.ended_at),
            "usage": usage,
            "metadata": _beside(self.asked.metadata, metadata),
        }

    def _metadata(self, choice):
        """What the gateway tells of a choice, None where there is nothing to tell."""
        failure, asked = self.failure, self.asked
        return {
            "parameters": self._parameters | ({"n": asked.n} if asked.n > 1 else {}),
            "stream": asked.stream,
            "finish_reason": choice.finish_reason,
            "tool_calls": storable(choice.tool_calls) or None,
            "reasoning": storable("".join(choice.reasoning)) or None,
            "ttft_ms": _milliseconds(self.started, self.first_at) if self.first_at and asked.stream else None,
            "upstream_status": self.status,
            "upstream_id": self.upstream_id,
            "upstream_model": self.upstream_model,
            "usage": None,
            "annotations": _annotations(choice) or None,
            "broke_off": self.broke_off,
            "error": _error(failure) if failure else None,
            "ab_campaign": asked.campaign or None,
        }


def _error(failure):
    told = {"code": failure.code, "message": failure.text[:MOST_TOLD], "param": failure.param}
    return {name: storable(value) for name, value in told.items() if value is not None}


def _words_of(error):
    """A provider's words about what broke its answer off."""
    told = error.get("message") or error.get("detail") if isinstance(error, dict) else error
    return told if isinstance(told, str) else dumps(error)


def _annotations(choice):
    """What the answer tells of its words, such as the pages that it cites."""
    told = (bounded(one, MOST_ANNOTATION) for one in choice.annotations if isinstance(one, dict))
    return [one for one in told if one]


def _beside(said, told):
    """What a request's metadata said beside what is `told`. What it said under one of these names, told this time or
    not, stands in REQUEST: a caller's "error" is no call that failed."""
    kept = {name: value for name, value in told.items() if value is not None}
    if told.keys() & said.keys():
        kept[REQUEST] = {name: value for name, value in said.items() if name in told or name == REQUEST}
    return {name: value for name, value in said.items() if name not in told} | kept


def _counts(usage):
    """{name: tokens} of what a provider tells under the names that are counted by."""
    told = {name: usage.get(name) for name in COUNTS}
    return {name: value for name, value in told.items() if type(value) is int and 0 <= value <= MAX_INT}


def _milliseconds(start, end):
    return min(round((end - start) * 1000), MAX_INT)
