"""How long the web server waits for a client that has a thread: a thread that waits for one answers nobody else.

What may be awaited without a thread is (handing.py): the head of a request, and the end of a client that is done with.
"""

import errno
import socket
import struct
import time
from typing import NamedTuple

WAIT = 10  # seconds after which a thread that reads looks at the clock
TAKES = 60  # seconds in which a client takes some of its answer


class Pace(NamedTuple):
    """How a body has to come: no pause as long as this, and beside the first one on average so much."""

    pause: float  # seconds
    least: float  # bytes a second


PROGRAMS = Pace(30, 16)  # a batch may be streamed as its records come to be; a key was asked for before
PEOPLE = Pace(10, 1_000)  # a form is there when it is sent, and anybody may send one
REFUSED = Pace(1, 100_000)  # beyond that a client is heard out without a thread


class Late(TimeoutError):
    """The client keeps a thread waiting; gunicorn takes it for a connection that broke."""

    def __init__(self):
        super().__init__(errno.ECONNRESET, "The client keeps us waiting.")


class Patient(socket.socket):
    """A connection that raises Late when its client sends more slowly than the pace begun, or takes nothing."""

    @classmethod
    def of(cls, connection):
        """The same connection; the one given is detached."""
        family, kind, protocol = connection.family, connection.type, connection.proto
        patient = cls(family, kind, protocol, fileno=connection.detach())
        # the kernel's own clocks, set once, cost a request nothing
        patient.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", WAIT, 0))
        patient.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", TAKES, 0))
        patient.begin(PEOPLE)
        return patient

    def begin(self, pace):
        """From here on the client sends at this pace; what it took us to work on what came is not its time."""
        self._pace, self._waited, self._came, self._late = pace, 0.0, 0, False

    def recv(self, size, flags=0):
        if flags:
            return super().recv(size, flags)
        begun = time.monotonic()
        while not self._late:
            try:
                piece = super().recv(size)
            except BlockingIOError:
                piece = None
            paused = time.monotonic() - begun
            if not self._in_time(paused, piece):
                self._late = True  # also for whoever would read on
            elif piece is not None:
                self._waited += paused
                self._came += len(piece)
                return piece
        raise Late

    def _in_time(self, paused, piece):
        if piece is None and paused >= self._pace.pause:
            return False
        return self._waited + paused <= self._pace.pause + self._came / self._pace.least

    def sendall(self, data, flags=0):
        try:
            super().sendall(data, flags)
        except BlockingIOError:
            raise Late from None

    def sendfile(self, file, offset=0, count=None):
        self.settimeout(TAKES)  # it waits by itself, for ever, where only the kernel's clock runs
        try:
            return super().sendfile(file, offset, count)
        except TimeoutError:
            raise Late from None
        finally:
            self.settimeout(None)
