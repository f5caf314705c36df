"""Whether the roll-ups say what the rows say: counted anew, every difference named, and put right where asked.

All of it reads one snapshot, so it is exact while others write. What is wrong is put right by deltas: they add up with
those that others append after the snapshot, so nobody waits and nothing slips through. A month at a time and in SQL,
so that ten million interactions take little memory.
"""

import datetime
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from interactions import ids, recounts
from interactions.partitions import families, spans
from interactions.recounts import COUNTS, GIVEN, PAIRS, Tables
from interactions.rollups import LOCK as FOLDING

LOCK = 0x4D61_7267_0004  # one at a time: a proof, or a month that goes
TOLD = 1_000  # differences of a kind that are named
KINDS = {"interactions": COUNTS, "feedback": GIVEN, "pairs": PAIRS}
USES = "label uses"


class Busy(Exception):
    """Another proof runs, or a month is being dropped."""


class Difference(NamedTuple):
    """One place in a roll-up: `of` which, `where` that is by column, what it `said`, and what there `is`."""

    of: str
    where: dict
    said: dict
    counted: dict


@dataclass
class Proof:
    """How many differences there are, and the first thousand of each kind; `mended` where they were put right."""

    n: int = 0
    differences: list = field(default_factory=list)
    mended: bool = False


def prove(project=None, *, rebuild=False):
    """Compare all roll-ups, or one project's, with the rows; a Proof. Raises Busy.

    Opens the transaction with its snapshot itself, unless one is open. With `rebuild` what is wrong is put right: by
    deltas in that transaction, and the labels' uses in a short one after it.
    """
    scope = {"project": project.pk if project else None}
    with _snapshot(), connection.cursor() as cursor:
        proof = Proof()
        for name, kind in KINDS.items():
            _compare(cursor, kind, scope)
            _tell(cursor, proof, name, kind.names, kind.measures)
        _compare_uses(cursor, scope)
        _tell(cursor, proof, USES, ("project_id", "value"), ("n",))
        if rebuild:
            missing = _append_differences(cursor)
    if rebuild:
        _correct_uses(missing)
        proof.mended = True
    return proof


@contextmanager
def _snapshot():
    own, tables = not connection.in_atomic_block, [family.table for family in families()]
    with transaction.atomic():
        with connection.cursor() as cursor:
            if own:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            # locked before the first query takes the snapshot: no month can go that it still sees
            cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS SHARE MODE")
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                raise Busy("Another proof runs, or a month is being dropped; try again later.")
        yield


def stretches():
    """{lower, upper, start, end} that cover all times there are: the partitions, and what lies between and outside."""
    edges = sorted({edge for span in spans() for edge in span})
    ends = [UUID(int=0), *edges, UUID(int=2**128 - 1)]
    times = ["-infinity", *map(ids.time_of, edges), "infinity"]
    return [
        {"lower": ends[place], "upper": ends[place + 1], "start": times[place], "end": times[place + 1]}
        for place in range(len(ends) - 1)
    ]


def _wrong(kind):
    return f"wrong_{kind.delta}"


def _compare(cursor, kind, scope):
    """Fill a table of this session with what is wrong."""
    columns = [f"{side}_{name}" for side in ("said", "is") for name in kind.measures]
    _make(
        cursor, _wrong(kind), f"SELECT {', '.join(kind.names)},"
        f" {', '.join(f'0::numeric AS {name}' for name in columns)} FROM {kind.delta} WHERE false",
    )  # fmt: skip
    for stretch in stretches() if kind.hourly else [{}]:
        cursor.execute(_STATEMENTS[kind], {**scope, **stretch})


_STATEMENTS = {
    kind: statement(Tables()).replace("WITH", f"INSERT INTO {_wrong(kind)} WITH", 1) + " SELECT * FROM different"
    for kind, statement in ((COUNTS, recounts.counts), (GIVEN, recounts.given), (PAIRS, recounts.pairs))
}


def _compare_uses(cursor, scope):
    _make(cursor, "wrong_uses", recounts.uses(_wrong(COUNTS)), scope)


def _make(cursor, table, query, values=None):
    cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")  # of a proof before, in the same transaction
    cursor.execute(f"CREATE TEMP TABLE {table} ON COMMIT DROP AS {query}", values)


def _tell(cursor, proof, name, names, measures):
    table = "wrong_uses" if name == USES else _wrong(KINDS[name])
    where = "WHERE said_n <> is_n" if name == USES else ""
    columns = [*names, *(f"{side}_{one}" for side in ("said", "is") for one in measures)]
    cursor.execute(f"SELECT count(*) FROM {table} {where}")
    proof.n += cursor.fetchone()[0]
    cursor.execute(f"SELECT {', '.join(columns)} FROM {table} {where} ORDER BY {', '.join(names)} LIMIT {TOLD}")
    width, half = len(names), len(measures)
    for row in cursor.fetchall():
        said, counted = row[width : width + half], row[width + half :]
        told = [dict(zip(measures, side, strict=True)) for side in (said, counted)]
        proof.differences.append(Difference(name, dict(zip(names, row[:width], strict=True)), *told))


def _append_differences(cursor):
    """Append what is missing as deltas; returns what the labels' uses lack beyond these: [(label, number)]."""
    for kind in KINDS.values():
        cursor.execute(kind.mended(_wrong(kind)))
    cursor.execute("SELECT value, missing FROM wrong_uses WHERE missing <> 0 ORDER BY value")
    return cursor.fetchall()


def _correct_uses(missing):
    """Added to what is there by then, while nobody folds: updated in the old snapshot it would fail beside folding."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FOLDING])
        cursor.execute(
            "UPDATE interactions_label l SET uses = l.uses + m.n FROM unnest(%s::integer[], %s::bigint[]) AS m(id, n)"
            " WHERE l.id = m.id",
            [[label for label, _ in missing], [int(n) for _, n in missing]],
        )


def sentences(differences):
    """Each Difference as a line, with names in place of ids."""
    names = _Names(differences)
    return [names.sentence(one) for one in differences]


class _Names:
    """What the ids in differences are called; what has gone from its dictionary is told by its id."""

    def __init__(self, differences):
        self.known = {
            "project": self._read("projects_project", "key", differences, "project_id"),
            "label": self._read("interactions_label", "key || ':' || value", differences, "value"),
            "model": self._read("registry_model", "key", differences, "value", "model_id", "other_model_id"),
            "key": self._read("feedback_feedbackkey", "key", differences, "key_id"),
        }

    def _read(self, table, name, differences, *columns):
        ids_ = {one.where[column] for one in differences for column in columns if column in one.where}
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id, {name} FROM {table} WHERE id = ANY(%s)", [list(ids_)])
            return dict(cursor.fetchall())

    def _name(self, what, pk):
        return self.known[what].get(pk, f"#{pk}")

    def sentence(self, one):
        said = ", ".join(f"{name} {one.said[name]} instead of {one.counted[name]}" for name in one.said
                         if one.said[name] != one.counted[name])  # fmt: skip
        return f"{one.of} of {self._name('project', one.where['project_id'])}, {self._place(one)}: says {said}"

    def _place(self, one):
        where, parts = one.where, []
        if "hour" in where:
            parts.append(f"{where['hour'].astimezone(datetime.UTC):%Y-%m-%d %H}h UTC")
        if one.of == USES or where.get("dimension") == 1:
            parts.append(f"label {self._name('label', where['value'])}")
        elif where.get("dimension") == 2:
            parts.append(f"model {self._name('model', where['value'])}")
        if "key_id" in where:
            words = {0: "any key", -1: "by reviewers"}
            parts.append(words.get(where["key_id"]) or f"key {self._name('key', where['key_id'])}")
        for column in ("model_id", "other_model_id"):
            if column in where:
                parts.append(f"model {self._name('model', where[column])}" if where[column] else "no model")
        return ", ".join([*parts, *([where["outcome"]] if "outcome" in where else [])])
