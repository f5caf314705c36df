"""Keep-alive HTTP clients that cost next to nothing: ready-made bytes over sockets, one loop for all of them."""

import selectors
import socket
import time
from typing import NamedTuple

PATIENCE = 120  # seconds for an answer
CHUNK = 1 << 18


class Answer(NamedTuple):
    """One request's: when it was sent (perf_counter), seconds to the last byte, status, and the body's beginning."""

    sent: float
    took: float
    status: int
    body: bytes


class ClientError(Exception):
    """The server hung up, said nothing, or spoke something that is not HTTP."""


def request(method, path, headers, body=b"", content_type="application/json"):
    """The bytes of a request; `headers` as {name: value}."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def drive(port, requests, *, clients, seconds=None, rate=None, keep=2**31):
    """Send the requests through so many connections, each as soon as one is free, and return the Answers.

    Ends with the requests, or after so many seconds with what was sent by then answered. `rate` paces them, in requests
    a second. Of each body the first `keep` bytes are kept.
    """
    return _Loop(port, iter(requests), clients, seconds, rate, keep).run()


class _Loop:
    """All connections of one drive."""

    def __init__(self, port, requests, clients, seconds, rate, keep):
        self.requests, self.seconds, self.pause = requests, seconds, 1 / rate if rate else 0
        self.selector = selectors.DefaultSelector()
        self.lines = [_Line(port, self.selector, keep) for _ in range(clients)]
        self.idle, self.answers, self.ended = list(self.lines), [], False

    def run(self):
        self.start = self.due = time.perf_counter()
        try:
            while self._send() or len(self.idle) < len(self.lines):
                self._hear()
        finally:
            for line in self.lines:
                line.close()
        return self.answers

    def _send(self):
        """Give the idle lines work as far as it is due; whether there is more to come."""
        now = time.perf_counter()
        self.ended = self.ended or (self.seconds is not None and now > self.start + self.seconds)
        while self.idle and not self.ended and now >= self.due:
            following = next(self.requests, None)
            self.ended = following is None
            if following is not None:
                self.idle.pop(0).send(following)  # in turn: one that rests for long is hung up
                self.due = self.due + self.pause if self.pause else now
        return not self.ended

    def _hear(self):
        wait = PATIENCE
        if self.idle and not self.ended:
            wait = max(self.due - time.perf_counter(), 0)
        if len(self.idle) == len(self.lines):
            time.sleep(wait)  # nothing is under way: the next is not due yet
            return
        ready = self.selector.select(wait)
        if not ready and wait == PATIENCE:
            raise ClientError(f"No answer in {PATIENCE} seconds.")
        for key, events in ready:
            if answer := key.data.proceed(events):
                self.answers.append(answer)
                self.idle.append(key.data)


class _Line:
    """One connection, made when it is first needed, with at most one request under way."""

    def __init__(self, port, selector, keep):
        self.port, self.selector, self.keep = port, selector, keep
        self.socket = None

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.selector.register(self.socket, selectors.EVENT_READ, self)

    def close(self):
        if self.socket:
            self.socket.close()

    def send(self, data):
        if not self.socket:
            self.connect()
        self.sent, self.heard, self.head = time.perf_counter(), bytearray(), None
        self.left = memoryview(data)
        self._push()
        if self.left:
            self.selector.modify(self.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def proceed(self, events):
        """Go on sending or hearing; the Answer when it is whole."""
        if events & selectors.EVENT_WRITE:
            self._push()
            if not self.left:
                self.selector.modify(self.socket, selectors.EVENT_READ, self)
        if not events & selectors.EVENT_READ:
            return None
        piece = self.socket.recv(CHUNK)
        if not piece:
            raise ClientError("The server hung up.")
        self.heard += piece
        return self._answer()

    def _push(self):
        try:
            while self.left:
                self.left = self.left[self.socket.send(self.left) :]
        except BlockingIOError:
            pass

    def _answer(self):
        if self.head is None and not self._read_head():
            return None
        body = self.heard[self.head :]
        if self.length is None:
            if not body.endswith(b"0\r\n\r\n"):
                return None
            body = _unchunked(body) if self.keep else b""
        elif len(body) < self.length:
            return None
        now = time.perf_counter()
        return Answer(self.sent, now - self.sent, self.status, bytes(body[: self.keep]))

    def _read_head(self):
        end = self.heard.find(b"\r\n\r\n")
        if end < 0:
            return False
        start, *lines = bytes(self.heard[:end]).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.status = int(start.split()[1])
        bare = self.status in (204, 304)
        chunked = "chunked" in headers.get("transfer-encoding", "")
        if not (bare or chunked or "content-length" in headers):
            raise ClientError("The answer has no length.")
        self.length = None if chunked else int(headers.get("content-length", 0)) * (not bare)
        self.head = end + 4
        return True


def _unchunked(body):
    """The content of a chunked body."""
    content, rest = bytearray(), memoryview(body)
    while True:
        line, _, _ = bytes(rest[:20]).partition(b"\r\n")
        size = int(line, 16)
        if not size:
            return bytes(content)
        start = len(line) + 2
        content += rest[start : start + size]
        rest = rest[start + size + 2 :]
