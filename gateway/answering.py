"""One exchange on its way: called, passed on, logged before its end is told."""

import asyncio
import logging

from gateway import wire
from gateway.exchange import LEFT, STOPPED
from gateway.failures import Failed
from gateway.http import STREAM, Left, respond, watched
from gateway.providers import read_event
from gateway.service import told
from interactions.jsontext import dumps
from registry.endpoints import CHAT

logger = logging.getLogger(__name__)


class Answering:
    """Of a request whose model is known; `call` does what the two ways differ in, `finish` tells the end."""

    def __init__(self, call, exchange, receive, send):
        self.service, self.dialect, self.count = call.service(), call.dialect, call.count
        self.exchange, self.receive, self.send = exchange, receive, send
        self.body = exchange.body(self.dialect.messages(exchange.asked.messages))
        self.begun = False

    async def run(self):
        try:
            async with watched(self.receive):
                kept = await self._called()
        except Left:
            self.exchange.broke_off = LEFT
            await self.service.keep(self.exchange)
            raise
        except asyncio.CancelledError:
            self.exchange.broke_off = STOPPED
            self.service.keep_later(self.exchange)
            raise
        failure = self.exchange.failure
        if not failure:
            self.count(200)
            await self.finish(kept)
        elif self.begun:
            self.count(200, failure)
            text = dumps(self.dialect.broken(failure))
            await self.send({"type": "http.response.body", "body": f"data: {text}\n\n".encode(errors="replace")})
        else:
            failure.headers = [*self.headers(), *told(kept)]
            raise failure

    async def _called(self):
        """What became of the logging."""
        try:
            return await self.call()
        except Failed as failure:
            self.exchange.fail(failure)
        except Exception:
            logger.exception("A call broke off")
            self.exchange.fail(Failed(500, "Something went wrong here.", code="internal"))
        return await self.service.keep(self.exchange)

    def headers(self):
        exchange = self.exchange
        made, session = exchange.asked.made, exchange.asked.session
        if exchange.ended_at:  # what did not come has no interaction
            made = [one for index, one in enumerate(made) if index in exchange.choices] or made[:1]
        named = [(b"x-session-id", session.encode())] if session.isascii() and session.isprintable() else []
        if not exchange.asked.store:
            return named
        return [(b"x-completion-ids", ",".join(map(str, made)).encode()), *named]


class Plain(Answering):
    async def call(self):
        endpoint = self.exchange.route.endpoint
        status, self.answer = await self.service.providers.answer(endpoint, CHAT, self.body)
        self.came = self.exchange.take_answer(status, self.answer)
        return await self.service.keep(self.exchange)

    async def finish(self, kept):
        answer = self.dialect.answer(self.exchange, self.answer, self.came)
        await respond(self.send, 200, answer, [*self.headers(), *told(kept)])


class Streamed(Answering):
    async def call(self):
        ended = False
        async with self.service.providers.stream(self.exchange.route.endpoint, self.body) as events:
            async for found in events:
                ended = await self._pass_on(found)
                if ended:
                    break
        if not (ended and self.exchange.choices) and not self.exchange.is_whole:
            raise Failed(502, "The provider's answer broke off.", code="broken_off", upstream=200)
        self.exchange.end()
        return await self.service.keep(self.exchange)

    async def _pass_on(self, found):
        """Whether the stream is at its end. What came before a fault is passed on."""
        chunks, ended, fault = [], False, None
        try:
            for name, data in found:
                event = read_event(name, data)
                if event is None:
                    ended = True
                    break
                chunk = self.dialect.chunk(self.exchange, event, self.exchange.take_event(event))
                if chunk is not None:
                    chunks.append(f"data: {wire.write(chunk)}\n\n")
        except Failed as failure:
            fault = failure
        if chunks:
            await self._send("".join(chunks))
        if fault:
            raise fault
        return ended

    async def _send(self, text):
        if not self.begun:
            lost = [(b"x-marginalia-logged", b"no")] if self.service.loses else []
            headers = [*STREAM, *self.headers(), *lost]
            self.begun = True
            await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.send({"type": "http.response.body", "body": text.encode(errors="replace"), "more_body": True})

    async def finish(self, kept):
        if not self.begun:
            await self._send("")
        await self.send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})
