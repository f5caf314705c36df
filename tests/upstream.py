"""An OpenAI-compatible provider for tests, whose models are called after what they do.

    python -m tests.upstream --port 9000 [--rate TOKENS_A_SECOND] [--tokens N] [--think SECONDS]

good, fair      an answer that holds "[65]" or "[55]": how often a crowd would find it helpful
echo            the last message's text
slow:10         streams for 10 seconds
fail429         429 with Retry-After: 1; fail500, fail400 likewise; fail500:2 fails twice and is then "good"
garbage         no JSON; half breaks off in the middle; silent never answers; stalls stops answering after two tokens
redirect        302; huge sends 2 GB; tools asks for a tool; embed embeds
reasons:1       thinks aloud for a second in parts of the content, as Mistral's do, which answer in parts too
aloud           thinks aloud in a member of its own, as DeepSeek's
parallel        asks for two tools, each call whole and under index 0 in a stream
"""

import argparse
import asyncio
import base64
import json
import logging
import socket
import struct
import threading
import time
from collections import Counter

import uvicorn

WORDS = [
    "the",
    "answer",
    "is",
    "that",
    "you",
    "are",
    "covered",
    "as",
    "long",
    "as",
    "you",
    "have",
    "told",
    "us",
    "about",
    "it",
    "before",
    "you",
    "set",
    "out",
]
QUALITY = {"good": "[65]", "fair": "[55]"}
THINKING = [{"type": "thinking", "thinking": [{"type": "text", "text": "Let me see."}]}]
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "lookup", "arguments": '{"plan": "gold"}'}}


class BreakOff(Exception):
    """Ends the connection in the middle of an answer."""


class Upstream:
    """The ASGI application. `calls` are the last requests, (path, headers, body); `left` counts streams whose reader
    went away."""

    def __init__(self, *, rate=0, tokens=20, think=0.0):
        self.rate, self.tokens, self.think = rate, tokens, think
        self.calls, self.left, self.failed = [], 0, Counter()

    async def __call__(self, scope, receive, send):
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        asked = json.loads(body) if body else {}
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.calls = [*self.calls[-999:], (scope["path"], headers, asked)]
        what = scope["path"].rpartition("/v1/")[2]
        serve = {"models": self.models, "embeddings": self.embeddings, "chat/completions": self.chat}.get(what)
        if serve is None:
            await whole(send, 404, {"error": {"message": f"No {scope['path']} here."}})
        else:
            await serve(asked, receive, send)

    async def models(self, asked, receive, send):
        names = ["good", "fair", "echo", "tools", "embed"]
        data = [{"id": name, "object": "model", "created": 1, "owned_by": "tests"} for name in names]
        await whole(send, 200, {"object": "list", "data": data})

    async def embeddings(self, asked, receive, send):
        if await self.misbehave(asked, send):
            return
        texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        data = []
        for index, text in enumerate(texts):
            vector = [float(len(text)), 0.5, -1.0]
            if asked.get("encoding_format") == "base64":
                vector = base64.b64encode(struct.pack("<3f", *vector)).decode()
            data.append({"object": "embedding", "index": index, "embedding": vector})
        usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
        await whole(send, 200, {"object": "list", "model": asked["model"], "data": data, "usage": usage})

    async def chat(self, asked, receive, send):
        if await self.misbehave(asked, send):
            return
        await asyncio.sleep(self.think)
        serve = self.stream if asked.get("stream") else self.plain
        await serve(asked, receive, send)

    async def misbehave(self, asked, send):
        """Whether it did what the model's name says in place of an answer."""
        name, _, times = asked["model"].partition(":")
        if name.startswith("fail"):
            self.failed[asked["model"]] += 1
            if times and self.failed[asked["model"]] > int(times):
                return False
            code = int(name.removeprefix("fail"))
            told = {"message": f"Failing with {code} as asked.", "type": "test", "code": "test", "param": "temperature"}
            await whole(send, code, {"error": told}, [(b"retry-after", b"1")] if code == 429 else [])
        elif name == "redirect":
            await whole(send, 302, {}, [(b"location", b"http://127.0.0.1:1/v1/chat/completions")])
        elif name == "silent":
            await asyncio.sleep(3600)
        elif name == "garbage":
            kind = b"text/event-stream" if asked.get("stream") else b"application/json"
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
            await send({"type": "http.response.body", "body": b"data: <html>Bad gateway\n\n"})
        elif name == "huge":
            await self.huge(send)
        else:
            return False
        return True

    async def huge(self, send):
        """2 GB in one line."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b'data: {"choices": [', "more_body": True})
        for _ in range(2 * 1024**3 // 65536):
            await send({"type": "http.response.body", "body": b" " * 65536, "more_body": True})
            await asyncio.sleep(0)

    def words(self, asked):
        """The tokens of one answer."""
        name, _, seconds = asked["model"].partition(":")
        if name == "echo":
            return [said_last(asked["messages"])]
        if name == "slow":
            return [f"{WORDS[i % len(WORDS)]} " for i in range(int(float(seconds) * (self.rate or 20)))]
        most = min(self.tokens, asked.get("max_tokens") or self.tokens)
        return [f"{WORDS[i % len(WORDS)]} " for i in range(most)] + [QUALITY.get(name, "")] * (name in QUALITY)

    async def plain(self, asked, receive, send):
        name, words = asked["model"].partition(":")[0], self.words(asked)
        message = {"role": "assistant", "content": "".join(words)}
        if name == "reasons":
            message["content"] = [*THINKING, {"type": "text", "text": "".join(words)}]
        if name == "aloud":
            message["reasoning_content"] = "Let me see."
        if name == "tools":
            message = {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]}
        number = asked.get("n") or 1
        reason = "tool_calls" if name == "tools" else "stop"
        choices = [{"index": i, "message": message, "finish_reason": reason} for i in range(number)]
        answer = {**head(asked, "chat.completion"), "choices": choices, "usage": usage(len(words) * number)}
        if name == "half":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100000")]})
            await send({"type": "http.response.body", "body": json.dumps(answer).encode(), "more_body": True})
            raise BreakOff
        await whole(send, 200, answer)

    async def stream(self, asked, receive, send):
        start = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": start})
        gone = asyncio.ensure_future(leaving(receive))
        try:
            async for event in self.events(asked):
                if gone.done():
                    self.left += 1
                    return
                text = event if isinstance(event, str) else json.dumps(event)
                await send({"type": "http.response.body", "body": f"data: {text}\n\n".encode(), "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()

    async def events(self, asked):
        name, _, seconds = asked["model"].partition(":")
        number = asked.get("n") or 1
        first = head(asked, "chat.completion.chunk")
        pause = 1 / (self.rate or 20) if name == "slow" or self.rate else 0
        for i in range(number):
            yield {**first, "choices": [choice(i, {"role": "assistant", "content": ""})]}
        if name == "reasons":
            yield {**first, "choices": [choice(0, {"content": THINKING})]}
            await asyncio.sleep(float(seconds or 0))
        if name == "aloud":
            yield {**first, "choices": [choice(0, {"reasoning_content": "Let me "})]}
            yield {**first, "choices": [choice(0, {"reasoning_content": "see."})]}
        words = [] if name in ("tools", "parallel") else self.words(asked)
        for place, word in enumerate(words):
            content = [{"type": "text", "text": word}] if name == "reasons" and place == 0 else word
            for i in range(number):
                yield {**first, "sent": time.time(), "choices": [choice(i, {"content": content})]}
            await asyncio.sleep(pause)
            if place == 1 and name == "half":
                raise BreakOff
            if place == 1 and name == "stalls":
                await asyncio.sleep(3600)
        if name == "tools":
            for event in tool_events(first):
                yield event
        if name == "parallel":
            for call in ({**TOOL_CALL, "index": 0}, {**TOOL_CALL, "id": "call_2", "index": 0}):
                yield {**first, "choices": [choice(0, {"tool_calls": [call]})]}
        for i in range(number):
            yield {**first, "choices": [choice(i, {}, "tool_calls" if name == "tools" else "stop")]}
        if (asked.get("stream_options") or {}).get("include_usage"):
            yield {**first, "choices": [], "usage": usage(len(words) * number)}
        yield "[DONE]"


def tool_events(first):
    """A tool call in two pieces, as providers stream it."""
    arguments = TOOL_CALL["function"]["arguments"]
    named = {"name": "lookup", "arguments": arguments[:5]}
    yield {**first, "choices": [choice(0, {"tool_calls": [{**TOOL_CALL, "index": 0, "function": named}]})]}
    rest = {"index": 0, "function": {"arguments": arguments[5:]}}
    yield {**first, "choices": [choice(0, {"tool_calls": [rest]})]}


def head(asked, kind):
    return {"id": "up-1", "object": kind, "created": int(time.time()), "model": asked["model"]}


def choice(index, delta, reason=None):
    return {"index": index, "delta": delta, "finish_reason": reason}


def usage(tokens):
    return {"prompt_tokens": 7, "completion_tokens": tokens, "total_tokens": 7 + tokens}


def said_last(messages):
    content = messages[-1]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


async def leaving(receive):
    """Returns when the reader has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def whole(send, status, answer, headers=()):
    start = [(b"content-type", b"application/json"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def server_of(app):
    """A server that says nothing of what is broken off on purpose."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
    return uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", http="httptools"))


class Running:
    """An Upstream on a thread of this process; `with Running() as upstream:` has `.address` and `.calls`."""

    def __init__(self, **options):
        self.app = Upstream(**options)
        self.server = server_of(self.app)

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.app.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],), daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        return self.app

    def __exit__(self, *error):
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(5)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0, help="tokens a second of a stream; unlimited unless given")
    parser.add_argument("--tokens", type=int, default=20, help="of an answer")
    parser.add_argument("--think", type=float, default=0, help="seconds before an answer begins")
    given = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", given.port), backlog=1024)
    server_of(Upstream(rate=given.rate, tokens=given.tokens, think=given.think)).run([listener])


if __name__ == "__main__":
    main()
