"""What was only needed to count goes at night: of tests that are over, and of sequences that are."""

from uuid import UUID

from django.db import connection, transaction

SLICE = 50_000  # rows a transaction
KEPT_DAYS = 7  # in which every evaluation stays; of older ones the first of each hour does, and a test's newest

_COUNTED = """
    WITH slice AS MATERIALIZED (
        SELECT interaction_id, arm, sequence FROM experiments_counted WHERE interaction_id > %(after)s
        ORDER BY interaction_id LIMIT %(limit)s
    ), over AS MATERIALIZED (
        SELECT s.interaction_id FROM slice s LEFT JOIN experiments_arm a ON a.id = s.arm
        LEFT JOIN experiments_abtest t ON t.id = a.test_id
        WHERE t.id IS NULL OR t.ended_at IS NOT NULL OR t.sequence <> s.sequence
    ), gone AS (
        DELETE FROM experiments_counted WHERE interaction_id = ANY(ARRAY(SELECT interaction_id FROM over))
    )
    SELECT interaction_id FROM slice ORDER BY interaction_id DESC LIMIT 1
"""
_VOTES = """
    WITH slice AS MATERIALIZED (
        SELECT comparison_id, test_id, sequence FROM experiments_countedvote WHERE comparison_id > %(after)s
        ORDER BY comparison_id LIMIT %(limit)s
    ), over AS MATERIALIZED (
        SELECT s.comparison_id FROM slice s LEFT JOIN experiments_abtest t ON t.id = s.test_id
        WHERE t.id IS NULL OR t.ended_at IS NOT NULL OR t.sequence <> s.sequence
    ), gone AS (
        DELETE FROM experiments_countedvote WHERE comparison_id = ANY(ARRAY(SELECT comparison_id FROM over))
    )
    SELECT comparison_id FROM slice ORDER BY comparison_id DESC LIMIT 1
"""
_OVER = """
    SELECT t.id, s.sequence FROM experiments_abtest t CROSS JOIN LATERAL generate_series(1, t.sequence) AS s(sequence)
    WHERE (t.ended_at IS NOT NULL OR s.sequence < t.sequence) AND EXISTS (
        SELECT FROM experiments_seen n WHERE n.test_id = t.id AND n.sequence = s.sequence)
"""
_SEEN = """
    DELETE FROM experiments_seen WHERE (test_id, sequence, unit, arm) IN (
        SELECT test_id, sequence, unit, arm FROM experiments_seen
        WHERE test_id = %(test)s AND sequence = %(sequence)s ORDER BY unit LIMIT %(limit)s)
"""
_EVALUATIONS = """
    DELETE FROM experiments_evaluation e WHERE e.at < now() - make_interval(days => %(days)s) AND EXISTS (
        SELECT FROM experiments_evaluation b
        WHERE b.test_id = e.test_id AND b.id < e.id AND b.at >= date_trunc('hour', e.at)
    ) AND EXISTS (
        SELECT FROM experiments_evaluation n WHERE n.test_id = e.test_id AND n.id > e.id AND n.at >= e.at)
"""


def clear():
    """Delete it, a slice a transaction; the days' figures, decisions and logs stay."""
    for statement in (_COUNTED, _VOTES):
        after = UUID(int=0)
        while after is not None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, {"after": after, "limit": SLICE})
                after = next(iter(cursor.fetchone() or ()), None)
    with connection.cursor() as cursor:
        cursor.execute(_OVER)
        for test, sequence in cursor.fetchall():
            gone = SLICE
            while gone == SLICE:
                cursor.execute(_SEEN, {"test": test, "sequence": sequence, "limit": SLICE})
                gone = cursor.rowcount
        cursor.execute(_EVALUATIONS, {"days": KEPT_DAYS})
