"""How many came since a moment: what a page that stands open asks every few seconds."""

import datetime
from dataclasses import replace

from interactions import ids
from interactions.search import Counted, walk
from interactions.search.drivers import ROW
from interactions.search.plan import plan_of, row

LOOKED_AT = 1_000  # arrivals that one poll looks at, the latest
LATE = datetime.timedelta(minutes=10)  # how long after its own time a live interaction arrives at the most
BRIEFLY = 0.005  # seconds


def arrived_since(project, wanted, moment, most=100):
    """The Counted of those that match and were received after the moment, an aware datetime, up to `most`; capped
    where there may be more: of very many arrivals the latest alone are looked at."""
    plan = plan_of(project, wanted, None)
    if plan is None:
        return Counted(0, False)
    tests, values = plan.row_tests()
    seen, n = row(
        f"""
        WITH arrived AS MATERIALIZED (
            SELECT {ROW} FROM interactions_interaction WHERE project_id = %s AND received_at > %s
            ORDER BY received_at DESC LIMIT %s)
        SELECT (SELECT count(*) FROM arrived),
            (SELECT count(*) FROM (SELECT FROM arrived i WHERE {tests} LIMIT %s) AS found)
        """,
        [project.pk, moment, LOOKED_AT, *values, most + 1],
    )
    if n <= most and seen == LOOKED_AT:
        n = max(n, _live(plan, moment, most + 1))
    return Counted(min(n, most), n > most or seen == LOOKED_AT)


def _live(plan, moment, limit):
    """How many of the newest match and arrived since: found by the filter's own index, however much else came."""
    tests = (*plan.tests, ("i.received_at > %s", [moment]))
    recent = plan.clipped(ids.first(moment - LATE), plan.upper)
    return walk.number_of(replace(recent, tests=tests), limit, BRIEFLY)[0]
