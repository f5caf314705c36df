"""The two dialects: OpenAI's, and that of the adaptive-sdk client. Translation alone; what is said is the same."""

import array
import base64
import binascii
import sys
import time

from gateway.asking import parameters_of
from gateway.choices import calls_of, said_in
from gateway.failures import Failed, Refused

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


class OpenAI:
    """OpenAI's own: what the provider says is passed on, under our ids."""

    name = "openai"

    def error(self, error):
        kind = _TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "api_error")
        return {"error": {"message": error.text, "type": kind, "param": error.param, "code": error.code}}

    def messages(self, messages):
        return messages

    def answer(self, exchange, answer, came):
        """What the client is sent of a whole answer, of which `came` ({place: choice})."""
        choices = [{**choice, "index": place, **_named(exchange, place)} for place, choice in came.items()]
        return {**answer, **self._head(exchange), "choices": choices, "session_id": exchange.asked.session}

    def chunk(self, exchange, event, taken):
        """What the client is sent for an event, None where nothing is to be said."""
        choices = [
            {**choice, "index": place, "delta": delta, **_named(exchange, place)} for place, choice, delta in taken
        ]
        chunk = {**event, **self._head(exchange), "choices": choices}
        if not exchange.asked.include_usage:
            chunk.pop("usage", None)
            if not choices:
                return None
        return chunk

    def broken(self, error):
        """The last event of a stream that broke off."""
        return self.error(error)

    def _head(self, exchange):
        route = exchange.route
        return {"id": f"chatcmpl-{exchange.names[0]}", "model": f"{route.project.ref}/{route.endpoint.model_key}"}

    def vectors(self, answer, asked, route):
        """The provider's answer as the client gets it."""
        return {**answer, "model": f"{route.project.ref}/{route.endpoint.model_key}"}

    def embedding(self, body):
        """What the provider is sent of a request for vectors; Refused."""
        if not body.get("input") or not isinstance(body["input"], (str, list)):
            raise Refused(400, "input: send a text, or a list of them.", param="input")
        return parameters_of(body)


class Adaptive:
    """The adaptive-sdk client's: of each choice its text, under the interaction's id."""

    name = "adaptive"

    def error(self, error):
        return {"error": error.text}

    def messages(self, messages):
        """Pictures as OpenAI's dialect has them: the address inside an object."""
        return [self._message(message) for message in messages]

    def _message(self, message):
        content = message.get("content")
        if not isinstance(content, list):
            return message
        parts = [
            {**part, "image_url": {"url": part["image_url"]}} if isinstance(part.get("image_url"), str) else part
            for part in content
        ]
        return {**message, "content": parts}

    def answer(self, exchange, answer, came):
        choices = []
        for place in came:
            choice = exchange.choices[place]
            message = {"id": exchange.names[place], "role": "assistant", "content": choice.text}
            message |= {"tool_calls": choice.tool_calls} if choice.tool_calls else {}
            choices.append({**self._choice(exchange, place, choice.finish_reason), "message": message})
        return {**self._head(exchange), "usage": self._usage(exchange), "choices": choices}

    def chunk(self, exchange, event, taken):
        choices = []
        for place, choice, delta in taken:
            said = {"id": exchange.names[place], "role": "assistant", "content": said_in(delta)}
            said |= {"tool_calls": calls} if (calls := calls_of(delta)) else {}
            choices.append({**self._choice(exchange, place, choice.get("finish_reason")), "delta": said})
        wants_usage = exchange.asked.include_usage and event.get("usage")
        if not choices and not wants_usage:
            return None
        usage = {"usage": self._usage(exchange)} if wants_usage else {}
        return {**self._head(exchange), "choices": choices, **usage}

    def broken(self, error):
        """An event without choices: the client, which knows no errors in a stream, finds its end without [DONE]."""
        return {"error": error.text}

    def _head(self, exchange):
        return {"id": exchange.names[0], "created": int(time.time()), "session_id": exchange.asked.session}

    def _usage(self, exchange):
        return {name: exchange.counts.get(name, none) for name, none in _NOTHING.items()}

    def _choice(self, exchange, index, reason):
        choice = {"index": index, "completion_id": exchange.names[index], "model": exchange.route.endpoint.model_key}
        return {**choice, "finish_reason": reason} if reason else choice

    def embedding(self, body):
        if not isinstance(body.get("input"), str):
            raise Refused(400, "input: send a text.", param="input")
        if body.get("encoding_format", "Float") not in ("Float", "Base64"):
            raise Refused(400, "encoding_format: send Float or Base64.", param="encoding_format")
        return {**parameters_of(body), "encoding_format": "float"}

    def vectors(self, answer, asked, route):
        as_text = asked.get("encoding_format") == "Base64"
        data = [
            {"index": index, "embedding": _packed(one["embedding"]) if as_text else _unpacked(one["embedding"])}
            for index, one in enumerate(answer["data"])
        ]
        usage = answer.get("usage") if isinstance(answer.get("usage"), dict) else {}
        counted = {name: usage[name] for name in _NOTHING if isinstance(usage.get(name), int)}
        return {"data": data, **({"usage": _NOTHING | counted} if counted else {})}


def _named(exchange, index):
    """Which interaction a choice is; nothing where none is made."""
    return {"completion_id": exchange.names[index]} if exchange.asked.store else {}


def _packed(vector):
    """Little-endian single floats in base64."""
    if isinstance(vector, str):
        return vector
    try:
        return base64.b64encode(_little(array.array("f", vector)).tobytes()).decode()
    except (TypeError, OverflowError):
        raise _unreadable() from None


def _unpacked(vector):
    if not isinstance(vector, str):
        return vector
    try:
        floats = array.array("f")
        floats.frombytes(base64.b64decode(vector, validate=True))
    except (binascii.Error, ValueError):
        raise _unreadable() from None
    return _little(floats).tolist()


def _unreadable():
    return Failed(502, "The provider's vectors cannot be read.", code="garbage", upstream=200)


def _little(floats):
    if sys.byteorder == "big":
        floats.byteswap()
    return floats
