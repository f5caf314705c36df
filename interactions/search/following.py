"""What arrived, in the order of its arrival: what a program follows a project by, and misses nothing.

What is stored becomes visible with its commit, which may come after that of what was received later. So a look ends
where the oldest transaction under way began; what lies behind that is told by the next look.
"""

import base64
import binascii
import datetime
import uuid
from typing import NamedTuple

from django.db import connection

from interactions.ids import EPOCH
from interactions.search import Page
from interactions.search.drivers import ROW
from interactions.search.plan import plan_of, row
from interactions.search.rows import rows_of

LATE = 60  # seconds that a transaction under way is waited for
LOOKED_AT = 2_000  # arrivals that one look tests
AHEAD = datetime.timedelta(days=1, minutes=1)  # how long after its arrival an interaction's own time may lie
UNTOLD = datetime.timedelta(milliseconds=50)  # longer than it takes until others see that a transaction began
_TICK = datetime.timedelta(microseconds=1)


class Place(NamedTuple):
    """A place in the order of arrival: behind this interaction."""

    received_at: datetime.datetime
    id: uuid.UUID = uuid.UUID(int=0)

    def __str__(self):
        raw = ((self.received_at - EPOCH) // _TICK).to_bytes(8) + self.id.bytes
        return base64.urlsafe_b64encode(raw).decode()

    @classmethod
    def read(cls, text):
        """The place of this text; ValueError where it is none."""
        try:
            raw = base64.b64decode(text, altchars=b"-_", validate=True)
            if len(raw) == 24:
                return cls(EPOCH + int.from_bytes(raw[:8]) * _TICK, uuid.UUID(bytes=raw[8:]))
        except (binascii.Error, OverflowError, ValueError):
            pass
        raise ValueError("This is no place in the order of arrival; take it from 'next' of an answer in this order.")


def follow(project, wanted, *, cursor=None, limit=50, without=()):
    """A Page of what is wanted in the order of arrival, its `next` always set: where there is nothing more yet, to ask
    again later. `searched_to` tells the arrival up to which was looked, where it is worth asking again at once.
    ValueError for a cursor that is none. Of an interaction what it is at the look is tested, once."""
    place = Place.read(cursor) if cursor else Place(wanted.after - AHEAD if wanted.after else EPOCH)
    plan = plan_of(project, wanted, None)
    if plan is None:
        return Page(next=str(place))
    most = LOOKED_AT if wanted.asked() else limit
    (tests, values), (ends, more) = plan.row_tests(), plan.range("id")
    seen, *last, found, found_at = row(
        f"""
        WITH arrived AS MATERIALIZED (
            SELECT {ROW} FROM interactions_interaction
            WHERE project_id = %s AND received_at >= %s AND received_at < %s AND (received_at > %s OR id > %s)
                AND {ends}
            ORDER BY received_at, id LIMIT %s),
        last AS (SELECT received_at, id FROM arrived ORDER BY received_at DESC, id DESC LIMIT 1),
        found AS MATERIALIZED (
            SELECT i.received_at, i.id FROM arrived i WHERE {tests} ORDER BY i.received_at, i.id LIMIT %s)
        SELECT (SELECT count(*) FROM arrived), (SELECT received_at FROM last), (SELECT id FROM last),
            ARRAY(SELECT id FROM found ORDER BY received_at, id), (SELECT max(received_at) FROM found)
        """,
        [project.pk, place.received_at, settled() - UNTOLD, place.received_at, place.id, *more, most, *values, limit],
    )
    page = Page(rows_of(found, without))
    if len(found) == limit:
        place = Place(found_at, found[-1])
    elif seen:
        place = Place(*last)
        page.searched_to = place.received_at if seen == most else None
    page.next = str(place)
    return page


def settled():
    """The moment before which all that was received is committed: when the oldest transaction of others began that is
    still under way, and no longer ago than LATE."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT greatest(least(min(xact_start), clock_timestamp()), clock_timestamp() - interval '{LATE} seconds')
            FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND xact_start IS NOT NULL AND backend_type = 'client backend'
            """
        )
        return cursor.fetchone()[0]
