"""The two dialects: OpenAI's, and that of the adaptive-sdk client. Translation alone; what is said is the same."""

import array
import base64
import binascii
import sys
import time

from gateway.asking import parameters_of
from gateway.exchange import choices_of, text_of
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

    def answer(self, exchange, answer):
        named = {choice.get("index", 0): choice for choice in choices_of(answer, "message")}
        choices = [{**named[index], **_named(exchange, index)} for index in _came(exchange) if index in named]
        return {**answer, **self._head(exchange), "choices": choices, "session_id": exchange.asked.session}

    def chunk(self, exchange, event, taken):
        """What the client is sent for an event, None where nothing is to be said."""
        choices = [
            {**choice, **_named(exchange, index)}
            for choice, _ in taken
            if 0 <= (index := choice.get("index", 0)) < len(exchange.names)
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

    def answer(self, exchange, answer):
        choices = []
        for index in _came(exchange):
            choice = exchange.choices[index]
            text = "".join(choice.parts) or "".join(choice.refusal)
            message = {"id": exchange.names[index], "role": "assistant", "content": text}
            message |= {"tool_calls": choice.tool_calls} if choice.tool_calls else {}
            choices.append({**self._choice(exchange, index, choice.finish_reason), "message": message})
        return {**self._head(exchange), "usage": _NOTHING | (exchange.usage or {}), "choices": choices}

    def chunk(self, exchange, event, taken):
        names, choices = exchange.names, []
        for choice, delta in taken:
            index = choice.get("index", 0)
            if 0 <= index < len(names):
                said = {"id": names[index], "role": "assistant", "content": text_of(delta.get("content"))}
                said |= {"tool_calls": delta["tool_calls"]} if delta.get("tool_calls") else {}
                reason = choice.get("finish_reason")
                choices.append({**self._choice(exchange, index, reason), "delta": said})
        wants_usage = exchange.asked.include_usage and event.get("usage")
        if not choices and not wants_usage:
            return None
        usage = {"usage": _NOTHING | exchange.usage} if wants_usage and exchange.usage else {}
        return {**self._head(exchange), "choices": choices, **usage}

    def broken(self, error):
        """An event without choices: the client, which knows no errors in a stream, finds its end without [DONE]."""
        return {"error": error.text}

    def _head(self, exchange):
        return {"id": exchange.names[0], "created": int(time.time()), "session_id": exchange.asked.session}

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


def _came(exchange):
    """The places of the choices that came."""
    return [index for index in range(len(exchange.names)) if index in exchange.choices]


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
