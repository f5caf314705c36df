"""Which tests are to be looked at. By itself, so that asking loads none of what looking at them needs."""

from django.db import connection

# running, and something was folded since it was looked at last, or an arm came or went, or that was long ago, or it
# waits for the second time
_DUE = """
    SELECT t.id FROM experiments_abtest t
    JOIN projects_project p ON p.id = t.project_id AND p.deleted_at IS NULL
    LEFT JOIN LATERAL (
        SELECT e.at, e.sequence, e.leader_id, e.figures -> 'arms' AS arms FROM experiments_evaluation e
        WHERE e.test_id = t.id
        ORDER BY e.at DESC LIMIT 1
    ) AS last ON true
    WHERE t.ended_at IS NULL AND (
        last.at IS NULL OR last.sequence <> t.sequence OR last.at < statement_timestamp() - interval '1 hour'
        OR t.auto_deploy AND last.leader_id IS NOT NULL
        OR EXISTS (
            SELECT FROM experiments_arm a LEFT JOIN registry_attachment c ON c.project_id = t.project_id
                AND c.model_id = a.model_id AND c.detached_at IS NULL AND c.desired_online
            WHERE a.test_id = t.id
                AND coalesce((last.arms -> a.position::int ->> 'off')::boolean, false) <> (c.id IS NULL))
        OR last.at < (SELECT max(c.folded_at) FROM experiments_cell c
            WHERE c.test_id = t.id AND c.sequence = t.sequence))
    ORDER BY t.id
"""


def due():
    """The ids of the tests that have something new to say, or have not been looked at for long."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE)
        return [pk for (pk,) in cursor.fetchall()]
