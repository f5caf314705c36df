"""When what was received can all be seen: a transaction under way may hold what was received earlier."""

import time

from django.db import connection

from interactions.search.following import settled


def now():
    """The database's time, by which things are received."""
    return _one("SELECT clock_timestamp()")


def await_writers(moment, seconds):
    """Wait until all that was received by this moment is committed, but no longer than so many seconds."""
    until = time.monotonic() + seconds
    while settled() <= moment and time.monotonic() < until:
        time.sleep(0.05)


def _one(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]
