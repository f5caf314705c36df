"""How many interactions there are, by hour, label and model: appended as deltas, folded by the worker, read as both.

Simulated traffic is counted nowhere here.
"""

import datetime
from collections import Counter

from django.db import connection, models, transaction

from accounts import prepared
from interactions import bulk
from interactions.models import Dimension, Rollup, RollupDelta

LOCK = 0x4D61_7267_0002  # one folder at a time


def hour_of(moment):
    return moment.replace(minute=0, second=0, microsecond=0)


class Deltas:
    """Collects what a transaction changes, then appends it in one statement."""

    def __init__(self, project_id):
        self.project_id = project_id
        self.counts = Counter()

    def interaction(self, moment, model_id, label_ids, sign=1):
        """One interaction came (sign 1) or went (-1), with its model and labels."""
        hour = hour_of(moment)
        self.counts[hour, Dimension.ALL, 0] += sign
        if model_id is not None:
            self.counts[hour, Dimension.MODEL, model_id] += sign
        for label_id in label_ids:
            self.label(moment, label_id, sign)

    def label(self, moment, label_id, sign):
        """One label was set (1) or taken away (-1) on an interaction of this moment."""
        self.counts[hour_of(moment), Dimension.LABEL, label_id] += sign

    def append(self):
        changed = [(*key, n) for key, n in self.counts.items() if n]
        hours, dimensions, values, numbers = map(list, zip(*changed, strict=True)) if changed else ([], [], [], [])
        bulk.insert(
            "interactions_rollupdelta",
            {
                "project_id": ("integer", [self.project_id] * len(changed)),
                "hour": ("timestamptz", hours),
                "dimension": ("smallint", [int(dimension) for dimension in dimensions]),
                "value": ("integer", values),
                "n": ("bigint", numbers),
            },
            arrays=True,
        )


def fold(limit=50_000):
    """Move deltas into the roll-up and the labels' uses; returns how many were moved. Safe to run at any time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(
            """
            WITH moved AS (
                DELETE FROM interactions_rollupdelta WHERE id IN (
                    SELECT id FROM interactions_rollupdelta ORDER BY id LIMIT %s)
                RETURNING project_id, hour, dimension, value, n
            ), summed AS (
                SELECT project_id, hour, dimension, value, sum(n)::bigint AS n FROM moved GROUP BY 1, 2, 3, 4
            ), folded AS (
                INSERT INTO interactions_rollup AS r (project_id, hour, dimension, value, n)
                SELECT * FROM summed ORDER BY project_id, dimension, value, hour
                ON CONFLICT (project_id, dimension, value, hour) DO UPDATE SET n = r.n + excluded.n
            ), used AS (
                UPDATE interactions_label l SET uses = l.uses + s.n,
                    last_used_at = CASE WHEN s.n > 0 THEN statement_timestamp() ELSE l.last_used_at END
                FROM (SELECT value, sum(n) AS n FROM summed WHERE dimension = 1 GROUP BY 1) s WHERE l.id = s.value
            )
            SELECT count(*) FROM moved
            """,
            [limit],
        )
        return cursor.fetchone()[0]


def totals(project, dimension, after=None, before=None, only=None):
    """{value: n} of a dimension; `after` and `before` must be whole hours."""
    return _sum(project, dimension, "value", after, before, only)


def by_hour(project, dimension, after=None, before=None, only=None):
    """{hour: n} of a dimension, of one `only` value of it where given."""
    return _sum(project, dimension, "hour", after, before, only)


def by_span(project, dimension, edges):
    """{(place, value): n}: place i holds edges[i] <= hour < edges[i + 1]; `edges` are whole hours, ascending."""
    where = "project_id = %s AND dimension = %s AND hour >= %s AND hour < %s"
    values = [project.pk, int(dimension), edges[0], edges[-1]]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT width_bucket(hour, %s::timestamptz[]) - 1, value, sum(n)::bigint FROM (
                SELECT hour, value, n FROM interactions_rollup WHERE {where}
                UNION ALL SELECT hour, value, n FROM interactions_rollupdelta WHERE {where}) AS both_
            GROUP BY 1, 2 HAVING sum(n) <> 0
            """,
            [list(edges), *values, *values],
        )
        return {(place, value): n for place, value, n in cursor.fetchall()}


def extent(project):
    """(first hour, hour after the last) that hold anything, or None."""
    hours = by_hour(project, Dimension.ALL)
    return (min(hours), max(hours) + datetime.timedelta(hours=1)) if hours else None


def _sum(project, dimension, group, after, before, only):
    where, values = "project_id = %s AND dimension = %s", [project.pk, int(dimension)]
    of = None if only is None else bulk.array(only)
    for condition, value in (("hour >= %s", after), ("hour < %s", before), ("value = ANY(%s::integer[])", of)):
        if value is not None:
            where, values = f"{where} AND {condition}", [*values, value]
    found = prepared.rows(
        f"""
        SELECT {group}, sum(n)::bigint FROM (
            SELECT {group}, n FROM interactions_rollup WHERE {where}
            UNION ALL SELECT {group}, n FROM interactions_rollupdelta WHERE {where}) AS both_
        GROUP BY 1 HAVING sum(n) <> 0
        """,
        values * 2,
    )
    return dict(found)


def activity(projects):
    """{project id: (how many interactions it holds, the newest hour with any)} of these projects, in two queries."""
    found = {}
    for counts in (Rollup, RollupDelta):
        rows = counts.objects.filter(project__in=projects, dimension=Dimension.ALL).values_list("project_id")
        rows = rows.annotate(held=models.Sum("n"), newest=models.Max("hour", filter=models.Q(n__gt=0)))
        for project_id, n, newest in rows:
            n_before, newest_before = found.get(project_id, (0, None))
            found[project_id] = (n_before + n, max(filter(None, (newest_before, newest)), default=None))
    return found
