"""The heavy tables are cut by time: a month each from two years back, a year each before that.

All families (interactions, bodies, postings, events, feedback …) are cut at the same ids, so a month can be
dropped whole. The catalogue tells which tables belong: every table partitioned by a range of interaction ids.
"""

import datetime
from typing import NamedTuple

from django.db import connection, transaction

from interactions import ids

LOCK = 0x4D61_7267_0001  # pg_advisory_xact_lock: one maker of partitions at a time
BODIES = "interactions_interactionbody"
# What was just logged is marked as seen by everybody within a minute or two, which takes half a second, and not after a
# fifth of the month: until then an index cannot answer alone, and each of its entries costs a look at the row. Not for
# bodies: nobody asks their indexes alone, and that of words is read whole by whoever marks them.
SEEN_SOON = "autovacuum_vacuum_insert_threshold = 10000, autovacuum_vacuum_insert_scale_factor = 0"


class Family(NamedTuple):
    """A partitioned table and the column that holds the interaction's id."""

    table: str
    column: str


class Span(NamedTuple):
    """A month or a year: `start` inclusive, `end` exclusive, both UTC midnights."""

    start: datetime.datetime
    end: datetime.datetime

    @property
    def suffix(self):
        months = (self.end.year - self.start.year) * 12 + self.end.month - self.start.month
        return f"{self.start:%Y%m}" if months == 1 else f"{self.start:%Y}"


def families():
    """All partitioned tables of ours, the interactions first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, a.attname FROM pg_partitioned_table p
            JOIN pg_class c ON c.oid = p.partrelid
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
            WHERE c.relnamespace = current_schema()::regnamespace
            ORDER BY c.relname <> 'interactions_interaction', c.relname
            """
        )
        return [Family(*row) for row in cursor.fetchall()]


def span_of(moment, now):
    """The span that this moment belongs to."""
    return _year(moment) if moment.year < now.year - 2 else _month(moment)


def ensure(moments):
    """Make the partitions that these moments fall into, in all families; those that exist are left alone.

    Takes an advisory lock to the end of its transaction. Attaching blocks no reader and no writer.
    """
    now = datetime.datetime.now(ids.UTC)
    months = sorted({_start(moment.year, moment.month) for moment in moments})
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        for family in families():
            taken = _bounds(cursor, family.table)
            for month in months:
                if not any(lower <= ids.first(month) < upper for lower, upper in taken):
                    taken.append(_attach(cursor, family, _free_span(month, taken, now)))


def ensure_ahead(now=None):
    """Make this month and the next two, as the worker does every day."""
    this = _month(now or datetime.datetime.now(ids.UTC))
    following = _month(this.end)
    ensure([this.start, following.start, following.end])


def spans():
    """(lower id, upper id) of every partition of the interactions, newest first."""
    with connection.cursor() as cursor:
        return sorted(_bounds(cursor, "interactions_interaction"), reverse=True)


def _start(year, month):
    return datetime.datetime(year, month, 1, tzinfo=ids.UTC)


def _month(moment):
    year, month = moment.year, moment.month
    return Span(_start(year, month), _start(year + month // 12, month % 12 + 1))


def _year(moment):
    return Span(_start(moment.year, 1), _start(moment.year + 1, 1))


def _free_span(month, taken, now):
    """The span for this month; a year of which some months were once made by themselves goes on by months."""
    span = span_of(month, now)
    lower, upper = ids.first(span.start), ids.first(span.end)
    return _month(month) if any(low < upper and lower < high for low, high in taken) else span


def _bounds(cursor, table):
    cursor.execute(
        """
        SELECT (regexp_match(bounds, 'FROM \\(''([^'']+)''\\)'))[1]::uuid,
               (regexp_match(bounds, 'TO \\(''([^'']+)''\\)'))[1]::uuid
        FROM (SELECT pg_get_expr(c.relpartbound, c.oid) AS bounds FROM pg_inherits i
              JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass) AS parts
        """,
        [table],
    )
    return cursor.fetchall()


def _attach(cursor, family, span):
    name = f"{family.table}_{span.suffix}"
    bounds = ids.first(span.start), ids.first(span.end)
    kept = "" if family.table == BODIES else f" WITH ({SEEN_SOON})"
    # made apart and then attached: CREATE TABLE … PARTITION OF would lock out every reader of the parent
    cursor.execute(f'CREATE TABLE "{name}" (LIKE "{family.table}" INCLUDING DEFAULTS INCLUDING STORAGE){kept}')
    cursor.execute(
        f'ALTER TABLE "{family.table}" ATTACH PARTITION "{name}" FOR VALUES FROM (%s) TO (%s)',
        [str(bound) for bound in bounds],
    )
    return bounds
