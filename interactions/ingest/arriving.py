"""Requests that arrive together share one commit: while one is being stored, the others gather for the next."""

import threading
import time
from collections import deque

from django.db import connection
from django.db.utils import InterfaceError, OperationalError

MOST = 200  # entries a commit
GATHERING = 0.001  # seconds that whoever comes next waits for those who were just answered; nobody alone waits


class _Waiting:
    """What one thread wants stored. `turn` is set when it is done, or when this thread is to store the next ones."""

    __slots__ = ("entries", "error", "kind", "store", "stored", "turn")

    def __init__(self, kind, entries, store):
        self.kind, self.entries, self.store = kind, entries, store
        self.turn, self.stored, self.error = threading.Event(), False, None


class Arriving:
    """Within a process one thread at a time stores, for all of its kind that wait; then the next in the row."""

    def __init__(self):
        self._lock = threading.Lock()
        self._row = deque()
        self._storing = False

    def store(self, kind, entries, store):
        """Returns when `store(entries)` was committed, perhaps together with others of the same kind; raises what it
        raises. In a transaction that is open already nothing is shared."""
        if connection.in_atomic_block:
            store(entries)
            return
        own = _Waiting(kind, entries, store)
        with self._lock:
            self._row.append(own)
            wait, self._storing = self._storing, True
        if wait:
            own.turn.wait()
        if not own.stored and own.error is None:
            if wait:
                time.sleep(GATHERING)
            self._store_with_others(own)
        if own.error:
            raise own.error

    def _store_with_others(self, own):
        group = [own]
        try:
            with self._lock:
                group = self._taken(own)
            _store_all(group)
        finally:
            with self._lock:
                following = self._row[0] if self._row else None
                self._storing = following is not None
            for one in group:
                if not one.stored and one.error is None:
                    one.error = OperationalError("The commit was broken off.")
                one.turn.set()
            if following:
                following.turn.set()

    def _taken(self, own):
        """Take those of one kind out of the row, the first of them being our own."""
        group, number, left = [], 0, deque()
        for one in self._row:
            if one is own or (one.kind == own.kind and number + len(one.entries) <= MOST):
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
