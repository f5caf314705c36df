"""Which units were seen in two arms of a test, so that somebody may find out why."""

import datetime
from dataclasses import dataclass

from django.db import OperationalError, connection, transaction

from experiments.models import Arm

SHOWN = 20  # units, those first whom a second arm met last
TIME_MS = 3_000

# a unit is known by its digest; who it is says the interaction that it came with, whose id begins with that moment
_MOMENT = "lpad(to_hex(round(extract(epoch FROM s.first_at) * 1000)::bigint + {0}), 12, '0') || repeat('0', 20)"
_CROSSED = f"""
    WITH twice AS MATERIALIZED (
        SELECT unit, max(first_at) AS crossed_at FROM experiments_seen
        WHERE test_id = %(test)s AND sequence = %(sequence)s AND n > 0
        GROUP BY unit HAVING count(*) > 1 ORDER BY crossed_at DESC, unit LIMIT %(limit)s
    )
    SELECT s.unit, s.arm, s.n, s.first_at, i."user", i.session FROM twice t
    JOIN experiments_seen s ON s.test_id = %(test)s AND s.sequence = %(sequence)s AND s.unit = t.unit AND s.n > 0
    LEFT JOIN LATERAL (
        SELECT i."user", i.session FROM experiments_counted c JOIN interactions_interaction i ON i.id = c.interaction_id
        WHERE c.unit = s.unit AND c.interaction_id >= ({_MOMENT.format(0)})::uuid
            AND c.interaction_id < ({_MOMENT.format(1)})::uuid LIMIT 1) AS i ON true
    ORDER BY t.crossed_at DESC, s.unit, s.first_at, s.arm
"""


@dataclass(frozen=True)
class Met:
    """An arm that a unit was seen in: how many of its interactions are counted there, and when the first was."""

    arm: Arm
    interactions: int
    first_at: datetime.datetime


@dataclass(frozen=True)
class Crossed:
    """A unit in several arms, in the order of time. Known by its end user, else by its session; both empty where the
    interactions that told are no longer there."""

    user: str
    session: str
    met: list[Met]


def crossed_units(test, limit=SHOWN):
    """The newest Crossed units of the test's sequence, or None where looking for them takes more than three seconds.
    Of a test that is over they are forgotten during the night."""
    arms = {arm.pk: arm for arm in test.arms.select_related("model")}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {TIME_MS:d}")
            cursor.execute(_CROSSED, {"test": test.pk, "sequence": test.sequence, "limit": limit})
            rows = cursor.fetchall()
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    except OperationalError:
        return None
    found = {}
    for unit, arm, n, first_at, user, session in rows:
        one = found.setdefault(unit, {"user": "", "session": "", "met": []})
        one["met"].append(Met(arms[arm], n, first_at))
        one["user"] = one["user"] or user or ""
        one["session"] = one["session"] or ("" if user else session or "")
    return [Crossed(**one) for one in found.values()]
