"""How much was given, by hour, key and model: appended as deltas, folded by the worker, read as the sum of both.

Exact decimals, so that what is added can be taken away again and nothing depends on the order. Simulated traffic is
counted nowhere here.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db import connection, transaction

from feedback.models import Given, Origin
from feedback.moments import Moments
from interactions import bulk
from interactions.rollups import hour_of

LOCK = 0x4D61_7267_0003  # one folder at a time
_GROUPS = {"hour", "key_id", "model_id"}


@dataclass(frozen=True, slots=True)
class Totals:
    """The `moments` of the current values; how many `interactions` have any, and any 1 or 0 among them."""

    moments: Moments = field(default_factory=Moments)
    interactions: int = 0
    ones: int = 0
    zeros: int = 0

    def __add__(self, other):
        return Totals(
            self.moments + other.moments,
            self.interactions + other.interactions,
            self.ones + other.ones,
            self.zeros + other.zeros,
        )

    def __sub__(self, other):
        return Totals(
            self.moments - other.moments,
            self.interactions - other.interactions,
            self.ones - other.ones,
            self.zeros - other.zeros,
        )


def contribution(values):
    """{key id: Totals} of one interaction's current values, given as (key id, value, origin)."""
    found = {}
    if values:
        found[Given.ANY] = Totals(interactions=1)
    if any(origin == Origin.REVIEWER for *_, origin in values):
        found[Given.REVIEWED] = Totals(interactions=1)
    by_key = defaultdict(list)
    for key_id, value, _ in values:
        by_key[key_id].append(value)
    for key_id, own in by_key.items():
        found[key_id] = Totals(Moments.of(own), 1, int(1 in own), int(0 in own))
    return found


class Deltas:
    """Collects what a transaction changes, then appends it in one statement."""

    def __init__(self, project_id):
        self.project_id = project_id
        self.totals = defaultdict(Totals)

    def came(self, moment, model_id, values):
        """These current values, as (key id, value, origin), are those of an interaction of this moment now."""
        for place, totals in self._of(moment, model_id, values):
            self.totals[place] += totals

    def went(self, moment, model_id, values):
        """These are no longer."""
        for place, totals in self._of(moment, model_id, values):
            self.totals[place] -= totals

    def _of(self, moment, model_id, values):
        hour = hour_of(moment)
        return (((hour, key_id, model_id or 0), totals) for key_id, totals in contribution(values).items())

    def append(self):
        changed = [(place, totals) for place, totals in self.totals.items() if totals != Totals()]
        places, sums = [place for place, _ in changed], [totals for _, totals in changed]
        bulk.insert(
            "feedback_givendelta",
            {
                "project_id": ("integer", [self.project_id] * len(changed)),
                "hour": ("timestamptz", [hour for hour, *_ in places]),
                "key_id": ("integer", [key_id for _, key_id, _ in places]),
                "model_id": ("integer", [model_id for *_, model_id in places]),
                "n": ("bigint", [one.moments.n for one in sums]),
                "total": ("numeric", [one.moments.total for one in sums]),
                "squares": ("numeric", [one.moments.squares for one in sums]),
                "interactions": ("bigint", [one.interactions for one in sums]),
                "ones": ("bigint", [one.ones for one in sums]),
                "zeros": ("bigint", [one.zeros for one in sums]),
            },
            arrays=True,
        )


class PairDeltas:
    """The same for comparisons of two models."""

    def __init__(self, project_id):
        self.project_id = project_id
        self.counts = defaultdict(int)

    def comparison(self, key_id, model_id, other_model_id, outcome, sign=1):
        """A comparison came (1) or went (-1): `model_id` is the smaller, or None, and the outcome is its own."""
        self.counts[key_id, model_id or 0, other_model_id or 0, outcome] += sign

    def append(self):
        changed = [(*place, n) for place, n in self.counts.items() if n]
        keys, models, others, outcomes, numbers = map(list, zip(*changed, strict=True)) if changed else [[]] * 5
        bulk.insert(
            "feedback_pairdelta",
            {
                "project_id": ("integer", [self.project_id] * len(changed)),
                "key_id": ("integer", keys),
                "model_id": ("integer", models),
                "other_model_id": ("integer", others),
                "outcome": ("text", outcomes),
                "n": ("bigint", numbers),
            },
            arrays=True,
        )


_FOLD_GIVEN = """
    WITH moved AS (
        DELETE FROM feedback_givendelta WHERE id IN (SELECT id FROM feedback_givendelta ORDER BY id LIMIT %s)
        RETURNING *
    ), summed AS (
        SELECT project_id, key_id, model_id, hour, sum(n)::bigint AS n, sum(total) AS total, sum(squares) AS squares,
            sum(interactions)::bigint AS interactions, sum(ones)::bigint AS ones, sum(zeros)::bigint AS zeros
        FROM moved GROUP BY 1, 2, 3, 4
    ), folded AS (
        INSERT INTO feedback_givenrollup AS r
            (project_id, key_id, model_id, hour, n, total, squares, interactions, ones, zeros)
        SELECT * FROM summed ORDER BY 1, 2, 3, 4
        ON CONFLICT (project_id, key_id, model_id, hour) DO UPDATE SET n = r.n + excluded.n,
            total = r.total + excluded.total, squares = r.squares + excluded.squares,
            interactions = r.interactions + excluded.interactions, ones = r.ones + excluded.ones,
            zeros = r.zeros + excluded.zeros
    )
    SELECT count(*) FROM moved
"""
_FOLD_PAIRS = """
    WITH moved AS (
        DELETE FROM feedback_pairdelta WHERE id IN (SELECT id FROM feedback_pairdelta ORDER BY id LIMIT %s)
        RETURNING *
    ), summed AS (
        SELECT project_id, key_id, model_id, other_model_id, outcome, sum(n)::bigint AS n FROM moved
        GROUP BY 1, 2, 3, 4, 5
    ), folded AS (
        INSERT INTO feedback_pairrollup AS r (project_id, key_id, model_id, other_model_id, outcome, n)
        SELECT * FROM summed ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (project_id, key_id, model_id, other_model_id, outcome) DO UPDATE SET n = r.n + excluded.n
    )
    SELECT count(*) FROM moved
"""


def fold(limit=50_000):
    """Move deltas into the roll-ups; returns how many were moved. Safe to run at any time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        moved = 0
        for statement in (_FOLD_GIVEN, _FOLD_PAIRS):
            cursor.execute(statement, [limit])
            moved += cursor.fetchone()[0]
        return moved


def given(project, *, by=(), keys=None, models=None, after=None, before=None):
    """{group: Totals} of the project, a group being a tuple of what `by` names: "hour", "key_id", "model_id".

    `keys` and `models` are ids, None for all: of keys all but ANY and REVIEWED, which must be named; of models 0
    stands for none. `after` and `before` must be whole hours.
    """
    columns = [name for name in by if name in _GROUPS]
    where, values = "project_id = %s", [project.pk]
    where += " AND key_id > 0" if keys is None else ""
    for condition, value in (
        ("key_id = ANY(%s)", keys),
        ("model_id = ANY(%s)", models),
        ("hour >= %s", after),
        ("hour < %s", before),
    ):
        if value is not None:
            where, values = f"{where} AND {condition}", [*values, value]
    sums = "n, total, squares, interactions, ones, zeros"
    picked = "".join(f"{name}, " for name in columns)
    group = f"GROUP BY {', '.join(columns)}" if columns else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {picked} coalesce(sum(n), 0)::bigint, coalesce(sum(total), 0), coalesce(sum(squares), 0),
                coalesce(sum(interactions), 0)::bigint, coalesce(sum(ones), 0)::bigint, coalesce(sum(zeros), 0)::bigint
            FROM (SELECT {picked} {sums} FROM feedback_givenrollup WHERE {where}
                UNION ALL SELECT {picked} {sums} FROM feedback_givendelta WHERE {where}) AS both_ {group}
            """,
            values * 2,
        )
        found = {}
        for row in cursor.fetchall():
            place, (n, total, squares, *counts) = row[: len(columns)], row[len(columns) :]
            if n or any(counts) or not columns:
                found[place] = Totals(Moments(n, total, squares), *counts)
        return found


def pairs(project, key):
    """{(model id, other model id, outcome of the first): n} of the key's comparisons; 0 stands for no model."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT model_id, other_model_id, outcome, sum(n)::bigint FROM (
                SELECT * FROM feedback_pairrollup WHERE project_id = %s AND key_id = %s
                UNION ALL SELECT * FROM feedback_pairdelta WHERE project_id = %s AND key_id = %s) AS both_
            GROUP BY 1, 2, 3 HAVING sum(n) <> 0
            """,
            [project.pk, key.pk] * 2,
        )
        return {(a, b, outcome): n for a, b, outcome, n in cursor.fetchall()}


def comparisons(project):
    """{key id: n} of the project's comparisons."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT key_id, sum(n)::bigint FROM (
                SELECT key_id, n FROM feedback_pairrollup WHERE project_id = %s
                UNION ALL SELECT key_id, n FROM feedback_pairdelta WHERE project_id = %s) AS both_
            GROUP BY 1 HAVING sum(n) <> 0
            """,
            [project.pk] * 2,
        )
        return dict(cursor.fetchall())
