"""One port for everything: the web server hands the gateway's connections over, untouched, as they come in.

It looks at a request's first bytes without taking them. Where they name one of the gateway's addresses, the socket goes
to the gateway's process through a UNIX socket in the data folder, and the web server forgets it.

Its processes take turns in accepting (evenly.py). A client whose next request comes at once is answered by the same
thread: the way back through the loop that watches all connections, and out of it again, costs as much as storing a
record.

No thread waits for a client that anybody may be: a connection is watched until the head of its request is whole, and
again when it is done with, until its client has closed it. While a body comes it has its pace (patience.py).
"""

import re
import selectors
import socket
import time
from bisect import insort
from collections import deque
from contextlib import suppress
from functools import partial
from operator import attrgetter

from django.conf import settings
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import TConn, ThreadWorker

from gateway.evenly import COUNTS
from gateway.line import CALLS, PREFIX, Line
from gateway.patience import PEOPLE, PROGRAMS, REFUSED, Patient

PEEKED = 512  # bytes; a line that says no more by then is not ours
LOOKED_AT = 4 * 1024  # bytes that are looked at first; more only where a head is not whole by then
MOST_HEAD = 32 * 1024  # bytes of a head
LATE = 30  # seconds in which it must be there
HEARD_OUT = 256 * 1024 * 1024  # bytes of a body that nobody reads, after the answer
LEAVES = 2  # seconds in which a client that is done with closes its connection, or goes on sending
LEAST = LEAVES * 1_000  # bytes, to go on
LINGER = 0.01  # seconds that a thread which has answered looks out for the client's next request
PASSES, PASS = 10, 0.001  # times that a connection is left to others, and seconds that they have for it
FREE = 1  # thread that is always left to others
_OURS = re.compile(
    rb"\s*[A-Z]+ +(?:https?://[^/?# ]*)?(?:%s|(?:%s)(?:[?# ]|$))"
    % (re.escape(PREFIX.encode()), b"|".join(re.escape(call.encode()) for call in CALLS)),
)
_BEGUN = re.compile(rb"\s*(?:[A-Z]{1,20}(?: +[^\s]*)?)?")
_WHOLE = re.compile(rb"\r\n\r\n|(?<!\r)\n")  # by its end, or by a newline at which it is refused
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def is_ours(start):
    """Whether a connection that begins so asks the gateway; None where more must come before that can be told."""
    if not start or (len(start) < PEEKED and _BEGUN.fullmatch(start)):
        return None
    return bool(_OURS.match(start))


def is_whole(start):
    """Whether the head of a request is there, so that reading it keeps no thread waiting."""
    return b"\r\n\r\n" in start or bool(_WHOLE.search(start))


class Connection(TConn):
    """A client's connection, with what the loop that watches it must know."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.peeked = 0  # bytes of a head that is not whole
        self.due = None  # when it must be
        self.heard = self.lately = 0  # bytes that came after the connection was done with, and those of late

    @property
    def read_ahead(self):
        """How many bytes were taken from the client that nobody has read."""
        return self.parser.unreader.buf.getbuffer().nbytes


class FrontDoor(ThreadWorker):
    """gunicorn's threaded worker, which looks at each request's first bytes before a thread does, and takes turns with
    the others in accepting."""

    def init_process(self):
        self.line = Line(settings.DATA_DIR)
        self.passed = 0  # times in a row that the next connection was left to others
        self.given, self.lingering = set(), set()  # connections given to threads, and those that keep theirs a moment
        self.leaving = deque()  # connections that are done with, the first to be looked after first
        self.threads = self.cfg.threads
        super().init_process()

    def notify(self):
        super().notify()
        COUNTS.tell(self.age, self.nr_conns)

    def accept(self, listener):
        """Accept a connection, unless another process holds fewer and takes it in a moment."""
        fewest = COUNTS.fewest(but=self.age)
        if fewest is not None and fewest < self.nr_conns and self.passed < PASSES:
            self.passed += 1
            time.sleep(PASS)
            return
        self.passed = 0
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        self.enqueue_req(Connection(self.cfg, Patient.of(client), address, listener.getsockname()))
        COUNTS.tell(self.age, self.nr_conns)

    def handle(self, conn):
        """Answer a request, and those that follow it at once."""
        try:
            while (kept := super().handle(conn)) is True and self._follows(conn):
                pass
            return kept
        finally:
            self.given.discard(conn)

    def handle_request(self, req, conn):
        """Answer one request, whose body comes at the pace of those who send such."""
        conn.sock.begin(PROGRAMS if req.path.startswith("/api/") else PEOPLE)
        if conn.read_ahead > getattr(req.body.reader, "length", conn.read_ahead):
            req.force_close()  # whose the next request is can be seen no more: it is to be sent again
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn, keepalive):
        """Whether the client may go on. One that is still sending hears a refusal only if we go on listening."""
        body = conn.parser.mesg.body
        if not keepalive or body.failed:
            return False
        if getattr(body.reader, "length", None) == 0:
            return True
        conn.sock.begin(REFUSED)
        conn.sock.settimeout(REFUSED.pause)
        left = HEARD_OUT
        with suppress(OSError, ParseException):
            while left > 0:
                chunk = body.read(64 * 1024)
                if not chunk:
                    return True
                left -= len(chunk)
        return False

    def _follows(self, conn):
        """Whether the next request is there, or comes in a moment, and is not the gateway's; never while others wait
        for a thread."""
        if not self.alive or len(self.given) > self.threads or len(self.lingering) >= self.threads - FREE:
            return False
        if conn.read_ahead:
            return False  # the next request was read already: the loop gives it a thread
        self.lingering.add(conn)
        try:
            conn.sock.settimeout(LINGER)
            start = conn.sock.recv(LOOKED_AT, socket.MSG_PEEK)
            conn.sock.settimeout(None)
        except OSError:  # nothing came, or never will: the loop sees to it
            return False
        finally:
            self.lingering.discard(conn)
        return is_ours(start) is False and is_whole(start)

    def enqueue_req(self, conn):
        """Hand the connection over once it has said whose it is, or give it to a thread once its head is whole."""
        if conn.parser is not None and conn.read_ahead:
            self._give(conn)  # the next request came behind chunks and was read already
            return
        try:
            start = self._look(conn)
        except BlockingIOError:
            self._await(conn, 1)
            return
        except OSError:
            start = b""
        ours = is_ours(start)
        if ours and self.line.send(conn.sock):
            self._end(conn)
        elif is_whole(start) or len(start) <= conn.peeked:  # nothing will follow what is no more than before
            self._give(conn)
        elif len(start) == MOST_HEAD:
            self._refuse(conn)
        else:
            conn.peeked = len(start)
            self._await(conn, len(start) + 1)

    def _look(self, conn):
        """The first bytes of what the client sends, left where they are."""
        start = conn.sock.recv(LOOKED_AT, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        if len(start) == LOOKED_AT and not is_whole(start):
            start = conn.sock.recv(MOST_HEAD, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        return start

    def _give(self, conn):
        """Give the connection to a thread."""
        conn.peeked, conn.due, conn.data_ready = 0, None, True
        conn.sock.begin(PEOPLE)
        self.given.add(conn)
        super().enqueue_req(conn)

    def on_pending_socket_readable(self, conn, client):
        self._least(conn, 1)
        super().on_pending_socket_readable(conn, client)

    def _await(self, conn, least):
        """Look again once so many bytes are there; no thread waits for them, and nobody beyond their time."""
        if not self.alive:
            self._end(conn)
            return
        self._least(conn, least)
        conn.due = conn.timeout = conn.due or time.monotonic() + LATE
        insort(self.pending_conns, conn, key=attrgetter("timeout"))
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _least(self, conn, number):
        with suppress(OSError):
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, number)

    def _refuse(self, conn):
        """Say that the head is too long."""
        with suppress(OSError):
            conn.sock.send(_TOO_LONG)
        self._let_go(conn)

    def finish_request(self, conn, future):
        if future.cancelled() or future.exception() or future.result():
            super().finish_request(conn, future)
        else:
            self._let_go(conn)

    def _let_go(self, conn):
        """Be done with a connection whose client may still be sending: closed at once, its answer would be lost."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._pass_over, conn))
        except (OSError, ValueError):  # it is gone already
            self._end(conn)
            return
        conn.timeout = time.monotonic() + LEAVES
        self.leaving.append(conn)

    def _pass_over(self, conn, client):
        """Take what comes on a connection that is done with, and end it when its client has."""
        try:
            came = len(client.recv(64 * 1024, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return
        except OSError:
            came = 0
        conn.lately += came
        conn.heard += came
        if not came or conn.heard > HEARD_OUT:
            self.leaving.remove(conn)
            self._leave(conn)

    def murder_pending(self):
        """Close what was waited for too long."""
        super().murder_pending()
        now = time.monotonic()
        while self.leaving and self.leaving[0].timeout <= now:
            conn = self.leaving.popleft()
            if conn.lately < LEAST:
                self._leave(conn)
            else:
                conn.timeout, conn.lately = now + LEAVES, 0
                self.leaving.append(conn)

    def _leave(self, conn):
        self.poller.unregister(conn.sock)
        self._end(conn)

    def _end(self, conn):
        self.nr_conns -= 1
        conn.close()
