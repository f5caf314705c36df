"""How much waits for one person, counted only as far as it is told: every page's head asks it."""

from collections import Counter

from accounts import prepared

MOST = 100
BEHIND = 1_000  # items that she was past already and are looked at again
_NEW = "NOT EXISTS (SELECT FROM reviews_review r WHERE r.item_id = i.id AND r.by_id = %(user)s)"
_OPEN = "i.queue_id = q.id AND i.removed_at IS NULL AND i.open"
_FREE = f"{_OPEN} AND NOT i.assigned AND i.gold IS NULL"
_HERS = "EXISTS (SELECT FROM reviews_assignment a WHERE a.item_id = i.id AND a.user_id = %(user)s)"
# Each part ends at `most`, so that a queue of a million costs no more than one of a hundred: what she has not reached
# yet, what she passed, gold, what is assigned to her, and what she began.
_WAITING = f"""
    SELECT q.project_id, q.id, waiting.n FROM reviews_queue q
    LEFT JOIN reviews_seat s ON s.queue_id = q.id AND s.user_id = %(user)s
    CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM (
            (SELECT 1 FROM reviews_item i WHERE {_FREE} AND i.place >= coalesce(s.reached, 0) AND {_NEW}
                ORDER BY i.place LIMIT %(most)s)
            UNION ALL
            (SELECT 1 FROM (SELECT i.id FROM reviews_item i WHERE {_FREE} AND i.place < coalesce(s.reached, 0)
                ORDER BY i.place LIMIT %(behind)s) AS i WHERE {_NEW} LIMIT %(most)s)
            UNION ALL
            (SELECT 1 FROM reviews_item i WHERE {_OPEN} AND i.gold IS NOT NULL AND NOT i.assigned AND {_NEW}
                LIMIT %(most)s)
            UNION ALL
            (SELECT 1 FROM reviews_assignment a JOIN reviews_item i ON i.id = a.item_id
                WHERE a.user_id = %(user)s AND i.assigned AND {_OPEN} AND {_NEW} LIMIT %(most)s)
            UNION ALL
            (SELECT 1 FROM reviews_review r JOIN reviews_item i ON i.id = r.item_id WHERE r.queue_id = q.id
                AND r.by_id = %(user)s AND r.state IN ('pending', 'draft') AND NOT r.decides AND {_OPEN}
                AND (NOT i.assigned OR {_HERS}) LIMIT %(most)s)
            LIMIT %(most)s) AS few) AS waiting
    WHERE q.project_id = ANY(%(projects)s) AND q.closed_at IS NULL
    AND (q.open_to_all OR EXISTS (SELECT FROM reviews_member m WHERE m.queue_id = q.id AND m.user_id = %(user)s))
"""


def waiting(project, user, most=MOST):
    """{queue id: items that wait for this person}, of the open queues that she reviews in; each up to `most`. Of what
    she was past already, and others left since, the first thousand are counted."""
    return {queue_id: n for _, queue_id, n in _waiting([project], user, most)}


def waiting_by_project(projects, user, most=MOST):
    """{project id: items that wait for this person in all its queues}, of those of the projects where any do; a queue
    counts up to `most`."""
    found = Counter()
    for project_id, _, n in _waiting(projects, user, most):
        found[project_id] += n
    return +found


def _waiting(projects, user, most):
    asked = {"projects": [project.pk for project in projects], "user": user.pk, "most": most, "behind": BEHIND}
    return prepared.rows(_WAITING, asked)
