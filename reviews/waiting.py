"""How much waits for one person, counted only as far as it is told."""

from django.db import connection

MOST = 100
# the rows end at `most`, so that a queue of a million costs no more than one of a hundred
_WAITING = """
    SELECT q.id, waiting.n FROM reviews_queue q CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM (
            SELECT 1 FROM reviews_item i
            WHERE i.queue_id = q.id AND i.removed_at IS NULL AND i.open
            AND (NOT i.assigned OR EXISTS (
                SELECT FROM reviews_assignment a WHERE a.item_id = i.id AND a.user_id = %(user)s))
            AND NOT EXISTS (
                SELECT FROM reviews_review r WHERE r.item_id = i.id AND r.by_id = %(user)s
                AND r.state IN ('submitted', 'skipped'))
            LIMIT %(most)s) AS few) AS waiting
    WHERE q.project_id = %(project)s AND q.closed_at IS NULL
    AND (q.open_to_all OR EXISTS (SELECT FROM reviews_member m WHERE m.queue_id = q.id AND m.user_id = %(user)s))
"""


def waiting(project, user, most=MOST):
    """{queue id: items that wait for this person}, of the open queues that she reviews in; each up to `most`."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"project": project.pk, "user": user.pk, "most": most})
        return dict(cursor.fetchall())
