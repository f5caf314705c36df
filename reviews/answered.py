"""What was answered in a queue, counted by the database: nothing here reads a row for an answer.

Answers are told as JSON text, those about a pair as all mean them (its first interaction is A). Those of deciders are
kept apart, and so are those to controls, which say something of people alone.
"""

import json
from collections import defaultdict

from django.db import connection

# an answer to a question, whoever saw what on the left
MEANT = """
    CASE WHEN r.swapped AND r.answers -> %(key)s = '"a"' THEN '"b"' WHEN r.swapped AND r.answers -> %(key)s = '"b"'
    THEN '"a"' ELSE (r.answers -> %(key)s)::text END
"""
SAID = "(r.answers -> %(key)s)::text"
_GIVEN = """
    FROM reviews_review r JOIN reviews_item i ON i.id = r.item_id
    JOIN reviews_form f ON f.id = r.form_id
    WHERE r.queue_id = %(queue)s AND r.state = 'submitted' AND i.removed_at IS NULL AND r.answers ? %(key)s
    AND f.questions @> jsonb_build_array(jsonb_build_object('key', %(key)s::text, 'kind', %(kind)s::text))
"""
ORDINARY = " AND NOT r.decides AND i.gold IS NULL"


def _rows(sql, queue, question, **more):
    meant = MEANT if question["kind"] == "pair" else SAID
    with connection.cursor() as cursor:
        values = {"queue": queue.pk, "key": question["key"], "kind": question["kind"], **more}
        cursor.execute(sql.replace("{meant}", meant).replace("{given}", _GIVEN), values)
        return cursor.fetchall()


def counts(queue, question):
    """{answer as JSON text: how many gave it}."""
    return dict(_rows("SELECT {meant} AS answer, count(*) {given}" + ORDINARY + " GROUP BY 1", queue, question))


def patterns(queue, question):
    """{(answer, …) of one item, sorted: how many items have these}."""
    sql = (
        """
        SELECT answers, count(*) FROM (
            SELECT array_agg(answer ORDER BY answer) AS answers FROM (
                SELECT r.item_id, {meant} AS answer {given}"""
        + ORDINARY
        + """) AS given GROUP BY item_id) AS items
        GROUP BY answers
    """
    )
    return {tuple(answers): number for answers, number in _rows(sql, queue, question)}


def between(queue, question):
    """{(one's id, other's id): {(her answer, the other's): items}} of people who answered the same items."""
    sql = (
        """
        WITH given AS MATERIALIZED (SELECT r.item_id, r.by_id, {meant} AS answer {given}"""
        + ORDINARY
        + """)
        SELECT one.by_id, other.by_id, one.answer, other.answer, count(*)
        FROM given one JOIN given other ON other.item_id = one.item_id AND one.by_id < other.by_id
        GROUP BY 1, 2, 3, 4
    """
    )
    found = defaultdict(dict)
    for one, other, hers, theirs, number in _rows(sql, queue, question):
        found[one, other][hers, theirs] = number
    return dict(found)


def verdicts(queue, question):
    """{answer: items} of what stands: a decider's word, else what all who answered said; items on which people differ
    stand nowhere yet."""
    sql = """
        SELECT answer, count(*) FROM (
            SELECT CASE WHEN bool_or(decides) THEN max(answer) FILTER (WHERE decides)
                WHEN min(answer) = max(answer) THEN min(answer) END AS answer
            FROM (SELECT r.item_id, r.decides, {meant} AS answer {given} AND i.gold IS NULL) AS given GROUP BY item_id
        ) AS items WHERE answer IS NOT NULL GROUP BY 1
    """
    return dict(_rows(sql, queue, question))


def shown_left(queue, question):
    """{"a": how many chose what they saw as A, "b": …}."""
    sql = "SELECT r.answers ->> %(key)s, count(*) {given} AND NOT r.decides GROUP BY 1"
    return {answer: number for answer, number in _rows(sql, queue, question) if answer in {"a", "b"}}


def people(queue):
    """[(user id, submitted, skipped, median seconds or None)], who did most first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT by_id, count(*) FILTER (WHERE state = 'submitted'), count(*) FILTER (WHERE state = 'skipped'),
                percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE state = 'submitted')
            FROM reviews_review WHERE queue_id = %s AND NOT decides GROUP BY 1
            HAVING count(*) FILTER (WHERE state IN ('submitted', 'skipped')) > 0 ORDER BY 2 DESC, 1
            """,
            [queue.pk],
        )
        return cursor.fetchall()


def totals(queue):
    """(items, complete, conflicts, decided, gold, removed) and (submitted, skipped, drafts, first, last)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE there), count(*) FILTER (WHERE there AND NOT open),
                count(*) FILTER (WHERE there AND conflict), count(*) FILTER (WHERE there AND decided),
                count(*) FILTER (WHERE there AND gold IS NOT NULL), count(*) FILTER (WHERE NOT there)
            FROM (SELECT *, removed_at IS NULL AS there FROM reviews_item WHERE queue_id = %s) AS items
            """,
            [queue.pk],
        )
        items = cursor.fetchone()
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE state = 'submitted'), count(*) FILTER (WHERE state = 'skipped'),
                count(*) FILTER (WHERE state = 'draft'), min(ended_at), max(ended_at)
            FROM reviews_review WHERE queue_id = %s AND NOT decides
            """,
            [queue.pk],
        )
        return items, cursor.fetchone()


def controls(queue):
    """{user id: (answers that are right, answers given)} of the questions that controls know the answer to."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.by_id, count(*) FILTER (WHERE g.value = CASE
                    WHEN r.swapped AND q.kind = 'pair' AND r.answers -> g.key = '"a"' THEN '"b"'::jsonb
                    WHEN r.swapped AND q.kind = 'pair' AND r.answers -> g.key = '"b"' THEN '"a"'::jsonb
                    ELSE r.answers -> g.key END), count(*)
            FROM reviews_item i JOIN reviews_review r ON r.item_id = i.id AND r.state = 'submitted' AND NOT r.decides
            JOIN reviews_form f ON f.id = r.form_id
            CROSS JOIN LATERAL jsonb_each(i.gold) AS g(key, value)
            JOIN LATERAL (SELECT one ->> 'kind' AS kind FROM jsonb_array_elements(f.questions) AS one
                WHERE one ->> 'key' = g.key) AS q ON true
            WHERE i.queue_id = %s AND i.gold IS NOT NULL AND i.removed_at IS NULL GROUP BY 1
            """,
            [queue.pk],
        )
        return {user: (right, given) for user, right, given in cursor.fetchall()}


def value_of(text):
    """The answer of its JSON text."""
    return json.loads(text)
