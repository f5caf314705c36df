"""How many came since a moment: what a page that stands open asks every few seconds."""

from django.db import connection

from interactions.search import Counted
from interactions.search.plan import plan_of

LOOKED_AT = 1_000  # arrivals that one poll looks at, the latest


def arrived_since(project, wanted, moment, most=100):
    """The Counted of those that match and were received after the moment, an aware datetime, up to `most`; capped
    where there may be more: of very many arrivals the latest alone are looked at."""
    plan = plan_of(project, wanted, None)
    if plan is None:
        return Counted(0, False)
    tests, values = plan.row_tests()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH arrived AS MATERIALIZED (
                SELECT * FROM interactions_interaction WHERE project_id = %s AND received_at > %s
                ORDER BY received_at DESC LIMIT %s)
            SELECT (SELECT count(*) FROM arrived),
                (SELECT count(*) FROM (SELECT FROM arrived i WHERE {tests} LIMIT %s) AS found)
            """,
            [project.pk, moment, LOOKED_AT, *values, most + 1],
        )
        seen, found = cursor.fetchone()
    return Counted(min(found, most), found > most or seen == LOOKED_AT)
