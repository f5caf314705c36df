"""HTTP as the gateway needs it, on bare ASGI: bodies within bounds, answers, and clients that leave."""

import asyncio
import contextlib
import functools

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from gateway.failures import Refused
from interactions.jsontext import dumps

MOST = 32 * 1024 * 1024  # bytes of a request
LATE = 120  # seconds in which it must be there
JSON = (b"content-type", b"application/json")
STREAM = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # a proxy in front is to pass on each piece as it comes
]


class Left(Exception):
    """The client went away before its answer was there."""


def header(scope, name):
    """The header's value, "" where there is none."""
    for own, value in scope["headers"]:
        if own == name:
            return value.decode("latin-1")
    return ""


@functools.lru_cache(maxsize=64)
def answers_to(host):
    """Whether a Host, "" for none, is one that this server goes by, as Django asks it of pages."""
    return not host or validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)


def bearer(scope):
    """The key of `Authorization: Bearer KEY`, "" without one."""
    kind, _, key = header(scope, b"authorization").partition(" ")
    return key.strip() if kind.lower() == "bearer" else ""


async def read_body(receive):
    """The whole body; Refused where it is too long or takes too long, Left where it was cut off."""
    try:
        async with asyncio.timeout(LATE):
            return await _read(receive)
    except TimeoutError:
        raise Refused(408, f"The body was not there after {LATE} seconds.") from None


async def _read(receive):
    whole = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Left
        whole += message.get("body", b"")
        if len(whole) > MOST:
            raise Refused(413, f"The body is larger than {MOST // 1024**2} MB.")
        if not message.get("more_body"):
            return bytes(whole)


async def respond(send, status, answer, headers=()):
    """A whole answer: an object as JSON, or bytes as they are."""
    text = answer if isinstance(answer, bytes) else dumps(answer).encode(errors="replace")
    kind = [] if isinstance(answer, bytes) else [JSON]
    length = (b"content-length", str(len(text)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*kind, length, *headers]})
    await send({"type": "http.response.body", "body": text})


@contextlib.asynccontextmanager
async def watched(receive):
    """What is done inside is cancelled when the client leaves, and Left is raised in its place."""
    task, left = asyncio.current_task(), False

    async def watch():
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        left = True
        task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if not left:
            raise
        task.uncancel()
        raise Left from None
    finally:
        watcher.cancel()
