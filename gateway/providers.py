"""Calls to providers: pooled connections, timeouts, a few retries before anything came, and bounds on what comes."""

import asyncio
import contextlib
import email.utils
import json
import random
import time

import httpx
from django.conf import settings

from gateway import wire
from gateway.events import DONE, ERROR, Events, TooLong
from gateway.failures import Failed
from gateway.pools import Pools
from interactions.jsontext import JSONError, dumps, loads_leniently
from registry.endpoints import CHAT, headers, url

TRIES = 3
FIRST_PAUSE = 0.25  # seconds before the second try, twice as many before the third
LONGEST_PAUSE = 5.0  # seconds that a provider's Retry-After may ask for; beyond them the client is told to wait
CONNECT = 5  # seconds
LONGEST = 1_800  # seconds of one call
MOST = 64 * 1024 * 1024  # bytes of one answer
MOST_EVENT = 4 * 1024 * 1024  # bytes of one event of a stream
DRAINING = 0.05  # seconds
MOST_TOLD = 64 * 1024  # bytes of an error that are read
AGAIN = {408, 429, 500, 502, 503, 504, 529}
CLIENTS = {400, 413, 415, 422}  # the request itself is wrong: whoever sent it is told what the provider says


class Providers:
    """One for the process; `close` ends its connections."""

    def __init__(self, figures):
        self._figures = figures
        seconds = settings.GATEWAY_TIMEOUT
        timeout = httpx.Timeout(seconds, connect=min(CONNECT, seconds), pool=None)
        self._pools = Pools(timeout=timeout)

    async def close(self):
        await self._pools.close()

    async def answer(self, endpoint, call, body):
        """(status, the JSON object that the provider answers); Failed."""
        async with _bounded(), self._opened(endpoint, call, body) as response:
            return response.status_code, _object(await _read(response, MOST))

    @contextlib.asynccontextmanager
    async def stream(self, endpoint, body):
        """An iterator over lists of the events that have come, for `read_event`. Failed where it cannot be begun, or
        at the place where it breaks off."""
        async with self._opened(endpoint, CHAT, body) as response:
            kind = response.headers.get("content-type", "")
            if not kind.startswith("text/event-stream"):
                told = endpoint.hidden(kind)[:60] or "nothing"
                raise Failed(502, f"The provider answered no stream, but {told}.", code="garbage",
                             upstream=response.status_code)  # fmt: skip
            events = _events(response)
            try:
                yield events
                await _drain(events)
            finally:
                await events.aclose()

    @contextlib.asynccontextmanager
    async def _opened(self, endpoint, call, body):
        """The response, with 200 and its body unread."""
        async with self._pools.client() as client:
            response = await self._tried(client, endpoint, call, body)
            try:
                yield response
            finally:
                await response.aclose()

    async def _tried(self, client, endpoint, call, body):
        content = dumps(body).encode(errors="replace")
        for left in reversed(range(TRIES)):
            try:
                return await self._once(client, endpoint, call, content)
            except Failed as failure:
                pause = _pause(failure, TRIES - left)
                if pause is None:
                    raise
                if not left:
                    failure.again = False
                    raise
            self._figures.retried += 1
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _once(self, client, endpoint, call, content):
        request = client.build_request(
            "POST",
            url(endpoint, call),
            content=content,
            headers={
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",  # what is packed could grow beyond every bound
                **headers(endpoint, call),
            },
        )
        try:
            response = await client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise _unreached(error, endpoint) from error
        if response.status_code == 200 and response.headers.get("content-encoding", "identity") == "identity":
            return response
        try:
            raise await _refusal(endpoint, response)
        finally:
            await response.aclose()


# -- reading --------------------------------------------------------------------------------------
async def _chunks(response):
    try:
        async for chunk in response.aiter_raw():
            yield chunk
    except httpx.HTTPError as error:
        raise _broken(error, response.status_code) from error


async def _read(response, most):
    """The body; Failed where it breaks off or is longer than `most` bytes."""
    whole = bytearray()
    async for chunk in _chunks(response):
        whole += chunk
        if len(whole) > most:
            raise _too_large(response)
    return bytes(whole)


async def _events(response):
    events, size = Events(MOST_EVENT), 0
    end = time.monotonic() + LONGEST
    async for chunk in _chunks(response):
        size += len(chunk)
        try:
            found = events.feed(chunk)
        except TooLong:
            raise _too_large(response) from None
        if size > MOST:
            raise _too_large(response)
        if time.monotonic() > end:
            raise _too_slow(response.status_code)
        if found:
            yield found
    last = events.end()
    if last is not None:
        yield [last]


async def _drain(events):
    """The end of the answer, which follows at once, so that the connection can be used again."""
    with contextlib.suppress(TimeoutError, Failed):
        async with asyncio.timeout(DRAINING):
            async for _ in events:
                pass


def read_event(name, data):
    """The JSON object of an event, None at the end of the stream; Failed. One that is called an error has a member of
    this name, whatever it holds."""
    if data == DONE:
        return None
    event = wire.read(data)
    if name == ERROR and not (event and event.get("error")):
        return {"error": event or data.decode(errors="replace")}
    if event is None:
        raise _garbage()
    return event


def _object(text):
    try:
        answer = loads_leniently(text)
    except JSONError:
        answer = None
    if not isinstance(answer, dict):
        raise _garbage()
    return answer


def _garbage():
    return Failed(502, "The provider answered something that is no JSON object.", code="garbage", upstream=200)


@contextlib.asynccontextmanager
async def _bounded():
    try:
        async with asyncio.timeout(LONGEST):
            yield
    except TimeoutError:
        raise _too_slow(None) from None


# -- what went wrong ------------------------------------------------------------------------------
def _unreached(error, endpoint):
    if isinstance(error, httpx.ReadTimeout):
        seconds = settings.GATEWAY_TIMEOUT
        return Failed(504, f"The provider sent nothing for {seconds:g} seconds.", code="timeout")
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        words = endpoint.hidden(str(error))[:300] or "the connection was refused."
        return Failed(502, f"The provider cannot be reached: {words}", code="unreachable", again=True)
    if isinstance(error, (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)):
        # such as a kept connection that the provider closed at this moment
        return Failed(502, "The provider ended the connection without an answer.", code="unreachable", again=True)
    return Failed(502, "The provider was not asked: the call could not be made.", code="unreachable")


def _broken(error, status):
    if isinstance(error, httpx.TimeoutException):
        seconds = settings.GATEWAY_TIMEOUT
        text = f"The provider's answer stopped: nothing came for {seconds:g} seconds."
        return Failed(504, text, code="timeout", upstream=status)
    return Failed(502, "The provider's answer broke off.", code="broken_off", upstream=status)


def _too_large(response):
    text = (
        f"The provider's answer is larger than {MOST // 1024**2} MB, or one piece of it than {MOST_EVENT // 1024**2}."
    )
    return Failed(502, text, code="too_large", upstream=response.status_code)


def _too_slow(status):
    return Failed(
        504, f"The provider's answer took longer than {LONGEST // 60} minutes.", code="timeout", upstream=status
    )


async def _refusal(endpoint, response):
    """Failed, for any answer but a plain 200."""
    status = response.status_code
    if status < 300:
        return Failed(
            502, f"The provider answered {status}, packed or without a body.", code="garbage", upstream=status
        )
    if status < 400:
        text = f"The provider answered with a redirect ({status}), which is not followed: check its address."
        return Failed(502, text, code="redirect", upstream=status)
    said, names = await _said(endpoint, response)
    wait = _retry_after(response.headers.get("retry-after"))
    if status == 429:
        return Failed(429, f"The provider takes no more for now (429). {said}".strip(), code="rate_limit_exceeded",
                      upstream=status, again=True, retry_after=wait)  # fmt: skip
    if status in CLIENTS:
        text = f"The provider refused the request ({status}): {said}"
        return Failed(413 if status == 413 else 400, text, code="provider_refused", upstream=status, **names)
    if status in (401, 403):
        return Failed(502, f"The provider refused our key ({status}).", code="provider_key", upstream=status)
    text = f"The provider answered {status}: {said}" if said else f"The provider answered {status}."
    return Failed(502, text, code="provider_failed", upstream=status, again=status in AGAIN, retry_after=wait)


async def _said(endpoint, response):
    """The provider's own words about an error, and what it names: its code and the member that it is about. All in
    short and without our key."""
    try:
        told, names = json.loads(await _read(response, MOST_TOLD)), {}
    except (Failed, ValueError, RecursionError):
        return "", {}
    for _ in range(3):  # {"error": {"message": …}}, in a list at Google's
        if isinstance(told, list) and told:
            told = told[0]
        elif isinstance(told, dict):
            names = {"named": told.get("code"), "param": told.get("param")}
            told = told.get("error", told.get("message", told.get("detail")))
    names = {name: endpoint.hidden(value)[:100] for name, value in names.items() if isinstance(value, str)}
    # in this order: half a key would be no key that is found
    return endpoint.hidden(told)[:500] if isinstance(told, str) else "", names


# -- trying again ---------------------------------------------------------------------------------
def _pause(failure, number):
    """Seconds before the next try, None where there is none."""
    if not failure.again:
        return None
    if failure.retry_after is not None:
        return failure.retry_after if failure.retry_after <= LONGEST_PAUSE else None
    return FIRST_PAUSE * 2 ** (number - 1) * random.uniform(0.75, 1.25)


def _retry_after(text):
    """Seconds of a Retry-After header, None where it has none that can be read."""
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
