"""When what was received can all be seen: a transaction under way may hold what was received earlier."""

import time

from django.db import connection

LATE = 60  # seconds that a transaction under way is waited for


def now():
    """The database's time, by which things are received."""
    return _one("SELECT clock_timestamp()")


def settled():
    """The moment before which all that was received is committed: when the oldest transaction of others began that is
    still under way, and no longer ago than LATE."""
    return _one(
        f"""
        SELECT greatest(least(min(xact_start), clock_timestamp()), clock_timestamp() - interval '{LATE} seconds')
        FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND xact_start IS NOT NULL AND backend_type = 'client backend'
        """
    )


def await_writers(moment, seconds):
    """Wait until all that was received by this moment is committed, but no longer than so many seconds."""
    until = time.monotonic() + seconds
    while settled() <= moment and time.monotonic() < until:
        time.sleep(0.05)


def _one(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]
