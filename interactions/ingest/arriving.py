"""Requests that arrive together share one commit: while some are being stored, the others gather for the next."""

import logging
import threading
import time
from collections import deque

from django.conf import settings
from django.db import close_old_connections, connection, connections
from django.db.utils import InterfaceError, OperationalError

MOST = 200  # entries a commit
GATHERING = 0.004  # seconds at most that those who are there wait for as many as were there last
FRESH = 1  # seconds for which a connection that has just stored is taken to be there
IDLE = 60  # seconds without work after which the thread ends, and its connection with it

logger = logging.getLogger(__name__)


class _Waiting:
    """What one thread wants stored; `done` is set when it is, or when it failed."""

    __slots__ = ("done", "entries", "error", "kind", "store", "stored")

    def __init__(self, kind, entries, store):
        self.kind, self.entries, self.store = kind, entries, store
        self.done, self.stored, self.error = threading.Event(), False, None


class Arriving:
    """One thread of the process stores, all of one kind that wait at a time, over one connection to the database.

    With `gives_way` the next is stored at once, and the database's process that stores it leaves the processor to those
    that somebody waits for, where the database is the embedded one.
    """

    def __init__(self, gives_way=False):
        self._gives_way, self._gave_way = gives_way, None  # the connection whose process does
        self._lock = threading.Lock()
        self._joined = threading.Condition(self._lock)
        self._row = deque()
        self._late = 0  # how many were there last: clients that send one record after the other come again at once
        self._storing = False
        self._stored_at = 0.0

    def store(self, kind, entries, store):
        """Returns when `store(entries)` was committed, perhaps together with others of the same kind; raises what it
        raises. In a transaction that is open already nothing is shared."""
        if connection.in_atomic_block:
            store(entries)
            return
        own = _Waiting(kind, entries, store)
        with self._lock:
            self._row.append(own)
            if self._storing:
                self._joined.notify()
            else:
                self._storing = True
                threading.Thread(target=self._run, daemon=True).start()
        own.done.wait()
        if own.error:
            raise own.error

    def _run(self):
        while group := self._next():
            self._store(group)
        connections.close_all()

    def _next(self):
        """Those who are stored next; none where nobody came for long."""
        with self._lock:
            self._storing = self._joined.wait_for(lambda: bool(self._row), IDLE)
            if not self._storing:
                return None
            if not self._gives_way:
                self._joined.wait_for(lambda: len(self._row) >= self._late, GATHERING)
            return self._taken()

    def _store(self, group):
        try:
            if time.monotonic() > self._stored_at + FRESH:
                close_old_connections()  # asks the server whether it is still there
            if self._gives_way:
                self._give_way()
            _store_all(group)
        except BaseException:  # who asks for an end of the thread must not leave the others waiting
            logger.exception("A commit was broken off")
        finally:
            self._stored_at = time.monotonic() if all(one.stored for one in group) else 0.0
            self._late = len(group) + len(self._row)
            for one in group:
                if not one.stored and one.error is None:
                    one.error = OperationalError("The commit was broken off.")
                one.done.set()

    def _give_way(self):
        connection.ensure_connection()
        if settings.EMBEDDED and connection.connection is not self._gave_way:
            from embedded.server import give_way

            self._gave_way = connection.connection
            give_way(settings.DATA_DIR, self._gave_way.info.backend_pid)

    def _taken(self):
        """Take those of the first one's kind out of the row, as many as go together."""
        kind, group, number, left = self._row[0].kind, [], 0, deque()
        for one in self._row:
            if not group or (one.kind == kind and number + len(one.entries) <= MOST):
                group.append(one)
                number += len(one.entries)
            else:
                left.append(one)
        self._row = left
        return group


def _store_all(group):
    """All in one transaction; where that fails for what one of them brought, each in its own."""
    try:
        group[0].store([entry for one in group for entry in one.entries])
        for one in group:
            one.stored = True
    except (InterfaceError, OperationalError) as error:
        for one in group:
            one.error = error
    except Exception as error:
        if len(group) == 1:
            group[0].error = error
            return
        for one in group:
            _store_all([one])
