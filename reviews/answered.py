"""What was answered in a queue, counted by the database: nothing here reads a row for an answer.

Answers are told as JSON text, those about a pair as all mean them (its first interaction is A). Those of deciders are
kept apart, and so are those to gold items, which say something of people alone.
"""

import itertools
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from django.db import connection

from reviews.models import Form
from reviews.questions import PAIR, SEVERAL

# an answer to a question as it was seen; as all mean it, of a pair and of several options
_SAID = "(r.answers -> %(key)s)::text"
_MEANT = """
    CASE WHEN r.swapped AND r.answers -> %(key)s = '"a"' THEN '"b"' WHEN r.swapped AND r.answers -> %(key)s = '"b"'
    THEN '"a"' ELSE (r.answers -> %(key)s)::text END
"""
_CHOSEN = """
    (SELECT coalesce(jsonb_agg(one ORDER BY one), '[]')::text FROM jsonb_array_elements(r.answers -> %(key)s) AS one)
"""
_ANSWER = {PAIR: _MEANT, SEVERAL: _CHOSEN}
_GIVEN = """
    FROM reviews_review r WHERE r.queue_id = %(queue)s AND r.state = 'submitted' AND r.form_id = ANY(%(forms)s)
    AND r.answers ? %(key)s AND r.item_id NOT IN (
        SELECT id FROM reviews_item WHERE queue_id = %(queue)s AND (gold IS NOT NULL OR removed_at IS NOT NULL))
"""
# who said what of an item, alike items counted together; complete are those whose answers are all in
_ALIKE = """
    SELECT items.said, items.decided, i.id IS NOT NULL, count(*) FROM (
        SELECT r.item_id, array_agg(r.by_id || ':' || {answer} ORDER BY r.by_id) FILTER (WHERE NOT r.decides) AS said,
            max({answer}) FILTER (WHERE r.decides) AS decided
        {given} GROUP BY r.item_id) AS items
    LEFT JOIN reviews_item i ON i.id = items.item_id AND NOT i.open
    GROUP BY 1, 2, 3
"""


@dataclass
class Answers:
    """The answers to one question, as JSON texts.

    `counts` {answer: how many gave it}; `patterns` {(answer, …) of one item, sorted: items}; `between` {(one's id,
    other's id): {(her answer, the other's): items}} of people who answered the same items; `verdicts` {answer: items}
    of what stands: a decider's word, else what all said once all answers are in. Else nothing stands yet.
    """

    counts: Counter = field(default_factory=Counter)
    patterns: Counter = field(default_factory=Counter)
    between: dict = field(default_factory=lambda: defaultdict(Counter))
    verdicts: Counter = field(default_factory=Counter)

    def add(self, given, decided, complete, number):
        """So many items of which people said the same: [(user id, answer)] by user, the decider's or None, and whether
        all answers are in."""
        answers = sorted(answer for _, answer in given)
        if given:
            self.counts.update({answer: number * answers.count(answer) for answer in set(answers)})
            self.patterns[tuple(answers)] += number
        for (one, hers), (other, theirs) in itertools.combinations(given, 2):
            self.between[one, other][hers, theirs] += number
        if decided is not None or (complete and len(set(answers)) == 1):
            self.verdicts[answers[0] if decided is None else decided] += number


def answers_to(queue, question):
    """The Answers to a question, by all versions that ask it under the same key and kind."""
    found = Answers()
    for said, decided, complete, number in _rows(_ALIKE, queue, question):
        given = [text.split(":", 1) for text in said or ()]
        found.add([(int(user), answer) for user, answer in given], decided, complete, number)
    return found


def shown_left(queue, question):
    """{"a": how many chose what they saw as A, "b": …}."""
    sql = "SELECT r.answers ->> %(key)s, count(*) {given} AND NOT r.decides GROUP BY 1"
    return {answer: number for answer, number in _rows(sql, queue, question) if answer in {"a", "b"}}


def _rows(sql, queue, question):
    key, kind = question["key"], question["kind"]
    asking = Form.objects.filter(queue=queue, questions__contains=[{"key": key, "kind": kind}])
    sql = sql.replace("{answer}", _ANSWER.get(kind, _SAID)).replace("{given}", _GIVEN)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"queue": queue.pk, "key": key, "forms": list(asking.values_list("pk", flat=True))})
        return cursor.fetchall()


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
            SELECT count(*) FILTER (WHERE there AND gold IS NULL), count(*) FILTER (WHERE there AND NOT open),
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


def gold(queue):
    """{user id: (answers that are right, answers given)} of the questions that gold items know the answer to; what was
    left unanswered is neither."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.by_id, count(*) FILTER (WHERE CASE
                    WHEN q.kind = 'several' THEN g.value @> (r.answers -> g.key) AND g.value <@ (r.answers -> g.key)
                    WHEN r.swapped AND q.kind = 'pair' AND r.answers -> g.key = '"a"' THEN g.value = '"b"'
                    WHEN r.swapped AND q.kind = 'pair' AND r.answers -> g.key = '"b"' THEN g.value = '"a"'
                    ELSE g.value = r.answers -> g.key END), count(*)
            FROM reviews_item i JOIN reviews_review r ON r.item_id = i.id AND r.state = 'submitted' AND NOT r.decides
            JOIN reviews_form f ON f.id = r.form_id
            CROSS JOIN LATERAL jsonb_each(i.gold) AS g(key, value)
            JOIN LATERAL (SELECT one ->> 'kind' AS kind FROM jsonb_array_elements(f.questions) AS one
                WHERE one ->> 'key' = g.key) AS q ON true
            WHERE i.queue_id = %s AND i.gold IS NOT NULL AND i.removed_at IS NULL AND r.answers ? g.key GROUP BY 1
            """,
            [queue.pk],
        )
        return {user: (right, given) for user, right, given in cursor.fetchall()}


def value_of(text):
    """The answer of its JSON text."""
    return json.loads(text)
