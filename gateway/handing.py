"""One port for everything: the web server hands connections over, untouched, to the process that serves them best.

It looks at a request's first bytes without taking them. Where they name one of the gateway's addresses, the socket goes
to the gateway's process through a UNIX socket in the data folder, and the web server forgets it. Where they log one
record, it goes in the same way to that one of the web server's own processes in which all such connections meet:
records that arrive together there share one commit. The first that finds no other is the meeting place; whoever cannot
reach it answers itself.

A client whose next request comes at once is answered by the same thread: the way back through the loop that watches all
connections, and out of it again, costs as much as storing a record.
"""

import fcntl
import re
import selectors
import socket
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from django.conf import settings
from gunicorn.workers.gthread import TConn, ThreadWorker

from gateway.line import CALLS, PREFIX, Door, Line, socket_path

PEEKED = 512  # bytes; a line that says no more by then is not ours
LINGER = 0.01  # seconds that a thread which has answered looks out for the client's next request
FREE = 1  # thread that is always left to others
_OURS = re.compile(
    rb"\s*[A-Z]+ +(?:https?://[^/?# ]*)?(?:%s|(?:%s)(?:[?# ]|$))"
    % (re.escape(PREFIX.encode()), b"|".join(re.escape(call.encode()) for call in CALLS)),
)
_BEGUN = re.compile(rb"\s*(?:[A-Z]{1,20}(?: +[^\s]*)?)?")
_LOGS = re.compile(rb"\s*POST +(?:https?://[^/?# ]*)?/api/v1/interactions[?# ]")


def is_ours(start):
    """Whether a connection that begins so asks the gateway; None where more must come before that can be told."""
    if not start or (len(start) < PEEKED and _BEGUN.fullmatch(start)):
        return None
    return bool(_OURS.match(start))


def logs_one(start):
    """Whether a connection that begins so logs one interaction."""
    return bool(_LOGS.match(start))


class FrontDoor(ThreadWorker):
    """gunicorn's threaded worker, which looks at each request's first bytes before a thread does."""

    def init_process(self):
        self.line = Line(socket_path(settings.DATA_DIR))
        self.meeting = Line(socket_path(settings.DATA_DIR, "logging"))
        self.place = None  # the lock of the meeting place, and its door, where that is here
        self.given, self.lingering = set(), set()  # connections given to threads, and those that keep theirs a moment
        self.threads = self.cfg.threads
        super().init_process()

    def run(self):
        self._meet_here()
        super().run()

    def handle(self, conn):
        """Answer a request, and those that follow it at once."""
        try:
            while (kept := super().handle(conn)) is True and self._follows(conn):
                pass
            return kept
        finally:
            self.given.discard(conn)

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
        elif (ours and self.line.send(conn.sock)) or (self._belongs_elsewhere(start) and self.meeting.send(conn.sock)):
            self.nr_conns -= 1
            conn.sock.close()
        else:
            conn.peeked, conn.data_ready = 0, True
            self._give(conn)

    def on_pending_socket_readable(self, conn, client):
        self._least(conn, 1)
        super().on_pending_socket_readable(conn, client)

    def _follows(self, conn):
        """Whether the next request is there, or comes in a moment, and is to be answered here; never while others wait
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
        return is_ours(start) is False and (self.place is not None or not logs_one(start))

    def _give(self, conn):
        """Give the connection to a thread."""
        self.given.add(conn)
        super().enqueue_req(conn)

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

    # -- where those meet that log ----------------------------------------------------------------
    def _belongs_elsewhere(self, start):
        return logs_one(start) and not self._meet_here()

    def _meet_here(self):
        """Whether this is the meeting place; it becomes that where no other process is."""
        if self.place is None and self.alive:
            lock = Path(settings.DATA_DIR, "logging.lock").open("w")  # noqa: SIM115  held until the process ends
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                return False
            door = Door(socket_path(settings.DATA_DIR, "logging"), self._welcome)
            door.open(_Watched(self.poller))
            self.place = lock, door
        return self.place is not None

    def _welcome(self, connection):
        """Take a connection that another process has accepted."""
        try:
            conn = TConn(self.cfg, connection, connection.getpeername(), connection.getsockname())
        except OSError:  # the client has gone meanwhile
            connection.close()
            return
        self.nr_conns += 1
        conn.data_ready = True
        self._give(conn)


class _Watched:
    """gunicorn's poller, as what a Door asks for."""

    def __init__(self, poller):
        self._poller = poller

    def add_reader(self, file, callback, *arguments):
        self._poller.register(file, selectors.EVENT_READ, lambda _: callback(*arguments))

    def remove_reader(self, file):
        self._poller.unregister(file)
