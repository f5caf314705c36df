"""How many of what is wanted are alike: of the same words, by the hash of these."""

from dataclasses import replace

from django.db import connection

from interactions.search.plan import plan_of

MOST = 100  # of one kind that are counted


def number_alike(project, wanted, hashes):
    """{near_hash: how many of what is wanted have it, up to 101}. The words asked for are not looked at again: all that
    is alike has the same, and it is asked for what was found by them."""
    plan = plan_of(project, replace(wanted, fold=False, words="", not_words=()), None)
    if plan is None or not hashes:
        return {}
    where, values = plan.row_tests()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT o.near_hash, (SELECT count(*) FROM (
                SELECT FROM interactions_interaction i WHERE i.near_hash = o.near_hash AND i.images = 0 AND {where}
                LIMIT %s) AS found)
            FROM unnest(%s::uuid[]) AS o(near_hash)
            """,
            [*values, MOST + 1, list(hashes)],
        )
        return dict(cursor.fetchall())
