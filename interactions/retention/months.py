"""A month that nobody keeps any more goes whole: its partitions are emptied, and what is held is put back.

All in one transaction, so that counts and rows never disagree and a kill leaves nothing half done:

1. A lock on the month's own partitions lets readers in and keeps those out who would write into it.
2. What is held is copied, the roll-ups of these hours are made anew from the copies, comparisons with what goes are
   taken from the other side too.
3. The partitions are truncated and what is held is put back. That locks out who reads this month, and nobody else,
   for milliseconds: whoever cannot have all these locks within LONGEST_WAIT gives them back and tries again.

What can be said at once is sent at once: beside busy readers an answer takes longer to arrive than to be found. The
room is given back at the end of the commit, when the month is gone for everybody and the locks are free. Partitions in
which nothing is left are taken away after that (`leave`), as soon as nobody reads for a moment; until then they stand
empty.
"""

import random
import time
from collections import Counter
from dataclasses import dataclass

from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, QueryCanceled

from feedback import rollups as given_rollups
from interactions import claims, ids, partitions, recounts, rollups
from interactions.models import Departure, Hold
from interactions.proof import LOCK, Busy
from interactions.recounts import COUNTS, GIVEN, PAIR
from interactions.retention import holds
from interactions.retention.rule import kept_by_any
from projects.models import Project

MOST_KEPT = 5_000  # held ones in a month; with more it goes in slices
LONGEST_WAIT = 0.08  # seconds that readers wait while locks are asked for
TRIES = 20
SWAPS = 30  # tries to have all locks before those who wait to write are let in again
GONE, COPY = "gone_", "kept_"  # tables on their way out, copies of what stays


class _Awaited(Exception):
    """Others hold what we need, or wait for it: only when we give way can all go on."""


class Kept(Exception):
    """Somebody keeps something in this month by now, or too much of it is held to be copied."""


@dataclass
class Month:
    """What goes: (lower, upper) ids, each family's partition, and the ids that stay."""

    lower: object
    upper: object
    parts: dict  # Family: name of its partition
    kept: list

    @property
    def bounds(self):
        return {
            "lower": self.lower, "upper": self.upper, "start": ids.time_of(self.lower),
            "end": ids.time_of(self.upper), "kept": self.kept, "project": None,
        }  # fmt: skip

    def part(self, table):
        return next(name for family, name in self.parts.items() if family.table == table)


def drop(lower, upper, now):
    """Take everything of the span but what is held; returns the Departures. Raises Kept, and Busy where the locks
    cannot be had: then nothing has changed."""
    for number in range(TRIES):
        try:
            with transaction.atomic():
                return _take(lower, upper, now)
        except _Awaited:
            pass
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
        time.sleep(random.uniform(0.05, 0.1 * (number + 1)))
    raise Busy("Others were using the month all the time; it is tried again the next night.")


def _take(lower, upper, now):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise Busy("A proof of the roll-ups runs; months go when it has ended.")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [partitions.LOCK])
        month = Month(lower, upper, _parts(cursor, lower), [])
        # below PostgreSQL's own second for deadlocks, so that it is always we who give way
        _lock(cursor, list(month.parts.values()), "EXCLUSIVE", 0.5)
        if kept_by_any(lower, upper, now):
            raise Kept("Somebody keeps interactions of this month.")
        month.kept = sorted(holds.kept_between(lower, upper))
        if len(month.kept) > MOST_KEPT:
            raise Kept(f"More than {MOST_KEPT:,} interactions of this month are held.")
        _copy_kept(cursor, month)
        departures = [one for one in _recount(cursor, month) if one.n]
        _forget_comparisons(cursor, month)
        Hold.objects.filter(interaction_id__gte=lower, interaction_id__lt=upper).exclude(
            interaction_id__in=month.kept
        ).delete()
        Departure.objects.bulk_create(departures)
        _empty(cursor, month)
    return departures


def leave(lower):
    """Take the partitions from `lower` on away if nothing is in them; whether they could be had. Who asks for them
    all at once waits for whoever reads anything, but never for long."""
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [partitions.LOCK])
                parts = _parts(cursor, lower)
                _lock(cursor, [*(family.table for family in parts), *parts.values()], "ACCESS EXCLUSIVE", LONGEST_WAIT)
                for family, part in parts.items():
                    cursor.execute(f'SELECT EXISTS (SELECT FROM "{part}")')
                    if cursor.fetchone()[0]:
                        return True
                    cursor.execute(
                        f'ALTER TABLE "{family.table}" DETACH PARTITION "{part}";'
                        f' ALTER TABLE "{part}" RENAME TO "{GONE}{part}"'
                    )
            return True
        except _Awaited:
            return False


def _parts(cursor, lower):
    """{Family: its partition that begins at `lower`}"""
    cursor.execute(
        "SELECT p.relname, c.relname FROM pg_inherits i"
        " JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent"
        " WHERE c.relkind = 'r' AND pg_get_expr(c.relpartbound, c.oid) LIKE %s",
        [f"%FROM ('{lower}')%"],
    )
    found = dict(cursor.fetchall())
    return {family: found[family.table] for family in partitions.families()}


def _lock(cursor, tables, mode, seconds):
    """Lock all these tables; _Awaited where that takes longer in all."""
    try:
        cursor.execute(
            f"SET LOCAL statement_timeout = {round(1000 * seconds)};"
            f" LOCK TABLE {_only(tables)} IN {mode} MODE;"
            " SET LOCAL statement_timeout = DEFAULT"
        )
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise _Awaited from error
        raise


def _only(tables):
    """The tables of a statement that is not for what lies below them."""
    return ", ".join(f'ONLY "{table}"' for table in tables)


def _copy_kept(cursor, month):
    """The rows that stay, aside; a comparison stays where the other side does too."""
    statements = []
    for family, part in month.parts.items():
        rows = f'SELECT * FROM "{part}" WHERE "{family.column}" = ANY(%(kept)s)'
        if family.table == "feedback_preference":
            rows += " AND (other_id = ANY(%(kept)s) OR other_id < %(lower)s OR other_id >= %(upper)s)"
        if family.table == "interactions_labelposting":
            rows = _POSTINGS.format(part=part, kept=f'"{COPY}{month.part("interactions_interaction")}"')
        statements.append(f'DROP TABLE IF EXISTS pg_temp."{COPY}{part}"')
        statements.append(f'CREATE TEMP TABLE "{COPY}{part}" ON COMMIT DROP AS {rows}')
    cursor.execute("; ".join(statements), month.bounds)


# by the labels of each: by the interaction alone postings are not found
_POSTINGS = """
    SELECT p.* FROM {kept} k CROSS JOIN LATERAL unnest(k.label_ids) AS own (label_id)
    CROSS JOIN LATERAL (
        SELECT * FROM "{part}" p WHERE p.label_id = own.label_id AND p.interaction_id = k.id OFFSET 0) AS p
"""


def _recount(cursor, month):
    """Put what the copies say in the place of what the roll-ups say of these hours; returns the Departures.

    Nobody folds and nobody writes into the month meanwhile, so the rows of the roll-ups themselves may go.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(%s), pg_advisory_xact_lock(%s)", [rollups.LOCK, given_rollups.LOCK])
    cursor.execute(_UNCOUNTED, month.bounds)
    there = Counter(dict(cursor.fetchall()))
    part = month.part("interactions_interaction")
    tables = recounts.Tables(interaction=f'"{COPY}{part}"', feedback=f'"{COPY}{month.part("feedback_feedback")}"')
    gone = [f"DELETE FROM {table} WHERE hour >= %(start)s AND hour < %(end)s" for table in (GIVEN.rollup, GIVEN.delta)]
    kinds = ((COUNTS, recounts.counts), (GIVEN, recounts.given))
    made = [f"{statement(tables)} {kind.mended()}" for kind, statement in kinds]
    cursor.execute("; ".join([*gone, *made]), month.bounds)
    there.update(_by_project(cursor, f"\"{part}\" WHERE source = 'simulation'"))  # which no roll-up counts
    held = _by_project(cursor, f'"{COPY}{part}"')
    return [_departure(month, project_id, there[project_id], held.get(project_id, 0)) for project_id in sorted(there)]


# how many there were by project; of the deltas labels know nothing yet: they are counted when they are folded
_UNCOUNTED = """
    WITH counts AS (
        DELETE FROM interactions_rollup WHERE hour >= %(start)s AND hour < %(end)s
        RETURNING project_id, dimension, value, n
    ), deltas AS (
        DELETE FROM interactions_rollupdelta WHERE hour >= %(start)s AND hour < %(end)s
        RETURNING project_id, dimension, n
    ), unused AS (
        UPDATE interactions_label l SET uses = l.uses - f.n
        FROM (SELECT value, sum(n) AS n FROM counts WHERE dimension = 1 GROUP BY 1) f WHERE l.id = f.value
    )
    SELECT project_id, sum(n)::bigint FROM (
        SELECT project_id, n FROM counts WHERE dimension = 0
        UNION ALL SELECT project_id, n FROM deltas WHERE dimension = 0) AS both_
    GROUP BY 1
"""


def _by_project(cursor, rows):
    cursor.execute(f"SELECT project_id, count(*) FROM {rows} GROUP BY 1")
    return dict(cursor.fetchall())


def _departure(month, project_id, n, held):
    return Departure(
        project_id=project_id, start=ids.time_of(month.lower), end=ids.time_of(month.upper), n=n - held, held=held,
        way=Departure.Way.MONTH, claims_left=True,
    )  # fmt: skip


# of each comparison that loses a side the other row, where that lies elsewhere or belongs to one that stays
_LOST = """
    DROP TABLE IF EXISTS pg_temp.lost;
    CREATE TEMP TABLE lost ON COMMIT DROP AS SELECT other_id, id FROM "{part}"
    WHERE interaction_id <> ALL(%(kept)s)
        AND (other_id = ANY(%(kept)s) OR other_id < %(lower)s OR other_id >= %(upper)s);
    ANALYZE pg_temp.lost;
    DROP TABLE IF EXISTS pg_temp.left_behind;
    CREATE TEMP TABLE left_behind (LIKE feedback_preference) ON COMMIT DROP;
"""
# the ends once more, written out: the server leaves out the months of others by them
_ENDS = """
    SELECT (SELECT other_id FROM lost ORDER BY other_id LIMIT 1),
        (SELECT other_id FROM lost ORDER BY other_id DESC LIMIT 1)
"""
_LEFT_BEHIND = """
    WITH gone AS (
        DELETE FROM feedback_preference o USING lost
        WHERE o.interaction_id = lost.other_id AND o.id = lost.id AND o.interaction_id BETWEEN %s AND %s RETURNING o.*
    )
    INSERT INTO left_behind SELECT * FROM gone
"""
_UNCOUNT = f"""
    INSERT INTO feedback_pairdelta (project_id, key_id, model_id, other_model_id, outcome, n)
    SELECT {PAIR}, -count(*) FROM (
        SELECT * FROM "{{part}}" WHERE interaction_id <> ALL(%(kept)s) UNION ALL SELECT * FROM left_behind) AS p
    WHERE {recounts.COUNTING} GROUP BY 1, 2, 3, 4, 5
"""


def _forget_comparisons(cursor, month):
    """Uncount what loses a side; delete the sides that would be left behind, and free their external ids: those that
    name the preferred one, which has stayed. The others name what has gone, and are freed with its own."""
    part = month.part("feedback_preference")
    cursor.execute(_LOST.format(part=part), month.bounds)
    cursor.execute(_ENDS)
    ends = cursor.fetchone()
    if None not in ends:
        cursor.execute(_LEFT_BEHIND, ends)
    cursor.execute(_UNCOUNT.format(part=part), month.bounds)
    cursor.execute(
        "SELECT project_id, array_agg(external_id) FROM left_behind WHERE external_id IS NOT NULL AND outcome <> 'lost'"
        " GROUP BY 1"
    )
    for project_id, texts in cursor.fetchall():
        claims.release(Project(pk=project_id), "preference", texts)


def _empty(cursor, month):
    """Truncate the partitions and put back what stays."""
    # readers must not wait for the disk; should a crash undo the commit, it is the month whole that comes back
    cursor.execute("SET LOCAL synchronous_commit = off")
    # the interactions last: most who read two of the tables have the other one first, and would wait for us with it
    last, *parts = month.parts.values()
    for number in range(SWAPS):
        _give_way(cursor, month)
        try:
            with transaction.atomic():  # a savepoint: what was locked is given back where not all can be had
                _lock(cursor, [*parts, last], "ACCESS EXCLUSIVE", LONGEST_WAIT)
            break
        except _Awaited:
            if number == SWAPS - 1:
                raise
            time.sleep(random.uniform(0.01, 0.04))
    back = [f'INSERT INTO "{part}" SELECT * FROM pg_temp."{COPY}{part}"' for part in [last, *parts] if month.kept]
    cursor.execute("; ".join([f"TRUNCATE {_only([last, *parts])}", *back]))


def _give_way(cursor, month):
    """Before PostgreSQL takes who waits for one half of a deadlock, after a second."""
    cursor.execute(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = ANY(%s::regclass[]))",
        [list(month.parts.values())],
    )
    if cursor.fetchone()[0]:
        raise _Awaited


def drop_detached():
    """Give back the room of the tables that were detached, also of those that a kill has left."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
            " AND NOT relispartition AND relname LIKE 'gone\\_%'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP TABLE "{name}"')
