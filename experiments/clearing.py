"""What was only needed to count goes at night: of tests that are over, and of sequences that are.

Of a test that is over stays how its comparisons and its interactions count, those that are still there: labels.py reads
it.
"""

from uuid import UUID

from django.db import connection, transaction

SLICE = 50_000  # rows a transaction
KEPT_DAYS = 7  # in which every evaluation stays; of older ones the first of each hour does, and a test's newest

_COUNTED = """
    WITH slice AS MATERIALIZED (
        SELECT interaction_id, arm, sequence, unit FROM experiments_counted WHERE interaction_id > %(after)s
        ORDER BY interaction_id LIMIT %(limit)s
    ), over AS MATERIALIZED (
        SELECT s.interaction_id FROM slice s LEFT JOIN experiments_arm a ON a.id = s.arm
        LEFT JOIN experiments_abtest t ON t.id = a.test_id
        LEFT JOIN LATERAL (
            SELECT true AS is_ FROM interactions_interaction i WHERE i.id = s.interaction_id LIMIT 1) AS there ON true
        LEFT JOIN LATERAL (
            SELECT true AS is_ FROM experiments_seen o
            WHERE o.test_id = t.id AND o.sequence = s.sequence AND o.unit = s.unit AND o.arm <> s.arm AND o.n > 0
                AND t.judged_by = 'metric' LIMIT 1) AS crossed ON true
        WHERE t.id IS NULL OR t.sequence <> s.sequence
            OR t.ended_at IS NOT NULL AND (there.is_ IS NULL OR crossed.is_)
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
        WHERE t.id IS NULL OR t.sequence <> s.sequence
    ), gone AS (
        DELETE FROM experiments_countedvote WHERE comparison_id = ANY(ARRAY(SELECT comparison_id FROM over))
    )
    SELECT comparison_id FROM slice ORDER BY comparison_id DESC LIMIT 1
"""
_UNDER = """
    WITH slice AS MATERIALIZED (
        SELECT interaction_id, feedback_key_id, arm, sequence FROM experiments_countedunder
        WHERE interaction_id > %(after)s ORDER BY interaction_id LIMIT %(limit)s
    ), over AS MATERIALIZED (
        SELECT s.interaction_id FROM slice s LEFT JOIN experiments_arm a ON a.id = s.arm
        LEFT JOIN experiments_abtest t ON t.id = a.test_id
        WHERE t.id IS NULL OR t.sequence <> s.sequence OR t.ended_at IS NOT NULL
    ), gone AS (
        DELETE FROM experiments_countedunder WHERE interaction_id = ANY(ARRAY(SELECT interaction_id FROM over))
    )
    SELECT interaction_id FROM slice ORDER BY interaction_id DESC LIMIT 1
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
_SEEN_UNDER = """
    DELETE FROM experiments_seenunder WHERE (test_id, sequence, unit, arm, feedback_key_id) IN (
        SELECT test_id, sequence, unit, arm, feedback_key_id FROM experiments_seenunder
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
    with connection.cursor() as cursor:
        cursor.execute(_OVER)
        over = cursor.fetchall()  # first: who was seen in two arms is asked of the units before they go
    for statement in (_COUNTED, _VOTES, _UNDER):
        after = UUID(int=0)
        while after is not None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, {"after": after, "limit": SLICE})
                after = next(iter(cursor.fetchone() or ()), None)
    with connection.cursor() as cursor:
        for test, sequence in over:
            for statement in (_SEEN_UNDER, _SEEN):
                gone = SLICE
                while gone == SLICE:
                    cursor.execute(statement, {"test": test, "sequence": sequence, "limit": SLICE})
                    gone = cursor.rowcount
        cursor.execute(_EVALUATIONS, {"days": KEPT_DAYS})
