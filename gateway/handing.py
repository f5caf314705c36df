"""One port for everything: the web server hands the gateway's connections over, untouched, as they come in.

It looks at a request's first bytes without taking them. Where they name one of the gateway's addresses, the socket goes
to the gateway's process through a UNIX socket in the data folder, and the web server forgets it.

Its processes take turns in accepting (evenly.py). A client whose next request comes at once is answered by the same
thread: the way back through the loop that watches all connections, and out of it again, costs as much as storing a
record.
"""

import re
import selectors
import socket
import time
from contextlib import suppress
from functools import partial

from django.conf import settings
from gunicorn.workers.gthread import ThreadWorker

from gateway.evenly import COUNTS
from gateway.line import CALLS, PREFIX, Line

PEEKED = 512  # bytes; a line that says no more by then is not ours
LINGER = 0.01  # seconds that a thread which has answered looks out for the client's next request
PASSES, PASS = 10, 0.001  # times that a connection is left to others, and seconds that they have for it
FREE = 1  # thread that is always left to others
_OURS = re.compile(
    rb"\s*[A-Z]+ +(?:https?://[^/?# ]*)?(?:%s|(?:%s)(?:[?# ]|$))"
    % (re.escape(PREFIX.encode()), b"|".join(re.escape(call.encode()) for call in CALLS)),
)
_BEGUN = re.compile(rb"\s*(?:[A-Z]{1,20}(?: +[^\s]*)?)?")


def is_ours(start):
    """Whether a connection that begins so asks the gateway; None where more must come before that can be told."""
    if not start or (len(start) < PEEKED and _BEGUN.fullmatch(start)):
        return None
    return bool(_OURS.match(start))


class FrontDoor(ThreadWorker):
    """gunicorn's threaded worker, which looks at each request's first bytes before a thread does, and takes turns with
    the others in accepting."""

    def init_process(self):
        self.line = Line(settings.DATA_DIR)
        self.passed = 0  # times in a row that the next connection was left to others
        self.given, self.lingering = set(), set()  # connections given to threads, and those that keep theirs a moment
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
        super().accept(listener)
        COUNTS.tell(self.age, self.nr_conns)

    def handle(self, conn):
        """Answer a request, and those that follow it at once."""
        try:
            while (kept := super().handle(conn)) is True and self._follows(conn):
                pass
            return kept
        finally:
            self.given.discard(conn)

    def _follows(self, conn):
        """Whether the next request is there, or comes in a moment, and is not the gateway's; never while others wait
        for a thread."""
        if not self.alive or len(self.given) > self.threads or len(self.lingering) >= self.threads - FREE:
            return False
        if conn.parser.unreader.buf.getvalue():
            return False  # the next request was read already: the loop gives it a thread
        self.lingering.add(conn)
        try:
            conn.sock.settimeout(LINGER)
            start = conn.sock.recv(PEEKED, socket.MSG_PEEK)
            conn.sock.settimeout(None)
        except OSError:  # nothing came, or never will: the loop sees to it
            return False
        finally:
            self.lingering.discard(conn)
        return is_ours(start) is False

    def enqueue_req(self, conn):
        """Hand the connection over, or give it to a thread, once it has said whose it is."""
        if conn.parser is not None and conn.parser.unreader.buf.getvalue():
            self._give(conn)  # the next request came with the last one and was read already
            return
        try:
            start = conn.sock.recv(PEEKED, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._await(conn, 1)
            return
        except OSError:
            start = b""
        ours = is_ours(start)
        if ours is None and len(start) > getattr(conn, "peeked", 0):
            conn.peeked = len(start)
            self._await(conn, len(start) + 1)
        elif ours and self.line.send(conn.sock):
            self.nr_conns -= 1
            conn.sock.close()
        else:
            conn.peeked, conn.data_ready = 0, True
            self._give(conn)

    def _give(self, conn):
        """Give the connection to a thread."""
        self.given.add(conn)
        super().enqueue_req(conn)

    def on_pending_socket_readable(self, conn, client):
        self._least(conn, 1)
        super().on_pending_socket_readable(conn, client)

    def _await(self, conn, least):
        """Look again once so many bytes are there; no thread waits for them."""
        if not self.alive:
            self.nr_conns -= 1
            conn.close()
            return
        self._least(conn, least)
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _least(self, conn, number):
        with suppress(OSError):
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, number)
