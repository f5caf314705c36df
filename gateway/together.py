"""Work on the database that the event loop hands to one thread: what comes while it is busy is done together."""

import logging
import queue
import threading
import time
from concurrent.futures import Future

from django.db import connections

MOST = 200  # pieces of work at once
_END = object()

logger = logging.getLogger(__name__)


class Together:
    """One thread, one connection to the database. `work(list)` answers a list as long, in which exceptions are what
    they are told to be; `aside()`, where given, is called between, and answers the seconds until the next time."""

    def __init__(self, name, work, aside=None):
        self._work, self._aside = work, aside
        self._due = time.monotonic() if aside else None
        self._row = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, one):
        """A Future of what becomes of it."""
        future = Future()
        self._row.put((one, future))
        return future

    def close(self):
        """Returns when all that was put in is done."""
        self._row.put(_END)
        self._thread.join()

    def _run(self):
        ending = False
        while not ending:
            group, ending = self._next()
            if group:
                self._do(group)
            if self._due is not None and time.monotonic() >= self._due:
                self._due = time.monotonic() + self._guarded(self._aside)
        connections.close_all()

    def _next(self):
        """([(piece, future)], whether that was all)"""
        group = []
        try:
            item = self._row.get(timeout=None if self._due is None else max(0, self._due - time.monotonic()))
            while item is not _END:
                if item[1].set_running_or_notify_cancel():
                    group.append(item)
                if len(group) >= MOST:
                    return group, False
                item = self._row.get_nowait()
            return group, True
        except queue.Empty:
            return group, False

    def _do(self, group):
        try:
            answers = self._work([one for one, _ in group])
        except Exception as error:
            logger.exception("Work on the database broke off")
            answers = [error] * len(group)
        for (_, future), answer in zip(group, answers, strict=True):
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def _guarded(self, aside):
        try:
            return aside()
        except Exception:
            logger.exception("Work on the database broke off")
            return 10
