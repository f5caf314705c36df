"""Providers and models that are called to see whether they answer, and what is remembered of it."""

import asyncio
import errno
import os
import ssl
import threading
import time
from dataclasses import dataclass, field

import httpx
from django.utils import timezone

from registry.addresses import async_client
from registry.answers import Odd, check_completion, check_embedding, reported_models, told
from registry.endpoints import (
    CHAT,
    EMBEDDINGS,
    MODELS,
    NotCallable,
    endpoint_of_model,
    endpoint_of_provider,
    headers,
    url,
)
from registry.hosts import SETTING
from registry.kinds import LENGTHS, MAX_COMPLETION_TOKENS, MAX_TOKENS, PRESETS
from registry.models import Capability, Model, Provider, State

DEADLINE = 20  # seconds for all of a check
PATIENCE = httpx.Timeout(10, connect=5)
MOST_BYTES = 4 * 1024 * 1024
MOST_AT_ONCE = 2  # in this process: each holds a thread of the web server
ASKED = {"role": "user", "content": "Answer with one word: ok"}
_places = threading.BoundedSemaphore(MOST_AT_ONCE)


class Busy(Exception):
    """As many checks are under way as there may be."""


@dataclass
class Outcome:
    """What a check has found: `fault` is "" where all is well."""

    fault: str = ""
    seconds: float = 0.0
    reported: list = field(default_factory=list)


def check_provider(provider):
    """Ask the provider which models it has; state, fault and what it reported are kept. Outcome; Busy."""
    outcome = _checked(lambda: endpoint_of_provider(provider), MODELS, None, reported_models)
    values = _state(outcome) | ({} if outcome.fault else {"reported": outcome.reported})
    _keep(Provider, provider, values, sealed_address=provider.sealed_address, sealed_api_key=provider.sealed_api_key)
    return outcome


def check_model(model):
    """Ask the model for a word, or for an embedding where it makes nothing else; state and fault are kept. Outcome;
    Busy. `model` with its provider."""
    embeds = model.capabilities == [Capability.EMBEDDING]
    call, read = (EMBEDDINGS, check_embedding) if embeds else (CHAT, check_completion)
    outcome = _checked(lambda: endpoint_of_model(model), call, _body_of(model, call), read)
    _keep(Model, model, _state(outcome), provider=model.provider, external_id=model.external_id)
    return outcome


def _body_of(model, call):
    if call == EMBEDDINGS:
        return {**model.parameters, "model": model.external_id, "input": "ok"}
    length = PRESETS[model.provider.kind].length if model.provider else MAX_TOKENS
    usual = {name: value for name, value in model.parameters.items() if name not in LENGTHS}
    few = {length: 16 if length == MAX_COMPLETION_TOKENS else 1}
    return {**usual, **few, "model": model.external_id, "messages": [ASKED]}


def _state(outcome):
    state = State.FAILING if outcome.fault else State.ONLINE
    return {"state": state, "fault": outcome.fault, "checked_at": timezone.now()}


def _keep(rows, row, values, **as_called):
    """Written where it is still what was called: somebody may have changed it while the call was under way."""
    rows.objects.filter(pk=row.pk, **as_called).update(**values)
    for name, value in values.items():
        setattr(row, name, value)


def _checked(endpoint, call, body, read):
    """The Outcome of one call; Busy."""
    if not _places.acquire(blocking=False):
        raise Busy
    started, endpoint_found = time.monotonic(), None
    try:
        endpoint_found = endpoint()
        found = read(asyncio.run(_answer(endpoint_found, call, body)))
        return Outcome("", time.monotonic() - started, found or [])
    except NotCallable as why:
        return Outcome(str(why))
    except (Odd, TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError) as fault:
        text = endpoint_found.hidden(_said(fault))
        return Outcome(text[:500], time.monotonic() - started)
    finally:
        _places.release()


async def _answer(endpoint, call, body):
    """The bytes of a 2xx; Odd with what is said by any other answer."""
    method = "GET" if body is None else "POST"
    # not compressed: a few bytes could become any number of them
    sent = {**headers(endpoint, call), "Accept-Encoding": "identity"}
    async with (
        asyncio.timeout(DEADLINE),
        async_client(timeout=PATIENCE) as client,
        client.stream(method, url(endpoint, call), headers=sent, json=body) as response,
    ):
        found = await _bounded(response)
    if response.is_redirect or 300 <= response.status_code < 400:
        status = response.status_code
        raise Odd(f"It answers with a redirect ({status}), which is not followed: send the address it leads to.")
    if not response.is_success:
        raise Odd(_refused(response.status_code, told(endpoint.hidden(found.decode(errors="replace")))))
    return found


async def _bounded(response):
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Odd("It answers compressed although it was asked not to.")
    found = bytearray()
    async for part in response.aiter_raw():
        found += part
        if len(found) > MOST_BYTES:
            raise Odd(f"Its answer is larger than {MOST_BYTES // 1024**2} MB; the rest was not read.")
    return bytes(found)


def _refused(status, text):
    says = {
        401: "It refuses the key",
        403: "It refuses the key",
        404: "It knows no such address, or no such model",
        429: "It has had too many calls, or the account has no credit",
    }.get(status, "It answers with an error" if status < 500 else "It fails")
    return f"{says} ({status})" + (f": {text}" if text else ".")


def _said(fault):
    """What went wrong on the way, without the addresses that the messages of the system tell."""
    if isinstance(fault, Odd) or (isinstance(fault, httpx.ConnectError) and SETTING in str(fault)):
        return str(fault)
    if isinstance(fault, httpx.ConnectTimeout):
        return f"No connection within {PATIENCE.connect:g} seconds."
    if isinstance(fault, (TimeoutError, httpx.TimeoutException)):
        return "It takes the connection, but no answer came in time."
    if isinstance(fault, httpx.ConnectError):
        return _unconnected(fault)
    if isinstance(fault, (httpx.RemoteProtocolError, httpx.ReadError)):
        return "It breaks off in the middle of an answer, or speaks no HTTP."
    return "The call did not succeed."


def _unconnected(fault):
    cause = fault
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"Its certificate does not do: {cause.verify_message}."
        if isinstance(cause, ssl.SSLError):
            return "It does not speak TLS: is it http:// instead of https://?"
        if isinstance(cause, ConnectionRefusedError) or getattr(cause, "errno", None) == errno.ECONNREFUSED:
            return "The connection is refused: nothing listens at this address."
        if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
            return f"No connection: {os.strerror(cause.errno)}."
        cause = cause.__cause__ or cause.__context__
    return "No connection: the name of its host is not known." if "name" in str(fault) else "No connection."
