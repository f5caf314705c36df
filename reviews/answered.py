"""What was answered in a queue, counted by the database: nothing here reads a row for an answer.

Answers are told as JSON text, those about a pair as all mean them (its first interaction is A). Those of deciders are
kept apart, and so are those to gold items, which say something of people alone.
"""

import itertools
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from django.db import connection

from reviews.models import Form, Kind, Review, Sample, State
from reviews.questions import PAIR, SCALE, SEVERAL

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
    AND r.item_id NOT IN (
        SELECT id FROM reviews_item WHERE queue_id = %(queue)s AND (gold IS NOT NULL OR removed_at IS NOT NULL))
"""
# what was drawn, whatever had brought it into the queue before: a row an item and a sample, empty of one without strata
_DRAWN = """
    SELECT i.id AS item_id, CASE WHEN s.picked_strata IS NULL THEN '' ELSE s.id || ':' || d.stratum END AS drawn
    FROM reviews_sample s
    CROSS JOIN LATERAL unnest(
        ARRAY(SELECT id FROM unnest(s.picked) WITH ORDINALITY AS p(id, n) WHERE NOT %(pairs)s OR n %% 2 = 1 ORDER BY n),
        ARRAY(SELECT id FROM unnest(s.picked) WITH ORDINALITY AS p(id, n) WHERE %(pairs)s AND n %% 2 = 0 ORDER BY n),
        s.picked_strata) AS d(one, other, stratum)
    JOIN reviews_item i ON i.queue_id = s.queue_id AND i.interaction_id = d.one
        AND (i.other_id = d.other OR i.other_id IS NULL AND d.other IS NULL)
    WHERE s.queue_id = %(queue)s AND s.picked IS NOT NULL AND %(by_stratum)s
"""
# who said what of an item, and said first; alike items counted together. Whole are those whose answers are all in, with
# an answer of each who was asked this. What was drawn comes as rows of its own: to group is safer than to join, for the
# planner cannot know how many of an array there are.
_ALIKE = f"""
    SELECT items.said, items.first, items.decided, NOT i.open AND NOT items.blank AS whole,
        s.id IS NULL OR '' = ANY(items.drawn) AS otherwise, array_remove(items.drawn, '') AS strata, count(*)
    FROM (
        SELECT r.item_id,
            array_agg(r.by_id || ':' || {{answer}} ORDER BY r.by_id)
                FILTER (WHERE NOT r.decides AND r.answers ? %(key)s) AS said,
            array_agg(r.by_id || ':' || {{first}} ORDER BY r.by_id)
                FILTER (WHERE NOT r.decides AND coalesce(r.first, r.answers) ? %(key)s) AS first,
            max({{answer}}) FILTER (WHERE r.decides) AS decided,
            coalesce(bool_or(NOT r.decides AND NOT r.answers ? %(key)s), false) AS blank,
            coalesce(array_agg(r.drawn ORDER BY r.drawn) FILTER (WHERE r.drawn IS NOT NULL), '{{}}') AS drawn
        FROM (
            SELECT r.item_id, r.by_id, r.decides, r.swapped, r.answers, r.first, NULL AS drawn {{given}}
            UNION ALL SELECT item_id, NULL, NULL, NULL, NULL, NULL, drawn FROM ({_DRAWN}) AS d) AS r
        GROUP BY r.item_id HAVING bool_or(r.drawn IS NULL)) AS items
    JOIN reviews_item i ON i.id = items.item_id
    LEFT JOIN reviews_sample s ON s.id = i.sample_id AND s.picked_strata IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6
"""


@dataclass
class Answers:
    """The answers to one question, as JSON texts.

    `counts` {answer: how many gave it}; `patterns` {(answer, …) of one item, sorted: items}; `between` {(one's id,
    other's id): {(her answer, the other's): items}} of people who answered the same items. These two are of what each
    said first; `changed` answers are another by now. `verdicts` {(otherwise, strata): {answer: items}} of what stands:
    a decider's word, else what all who were asked said, once all answers are in. Else nothing stands yet. `strata` are
    those that an item was drawn for, each as "SAMPLE:VALUE"; `otherwise` says that it came into the queue by other ways
    (too). `left_out`: answers to a scale of other ends.
    """

    counts: Counter = field(default_factory=Counter)
    patterns: Counter = field(default_factory=Counter)
    between: dict = field(default_factory=lambda: defaultdict(Counter))
    verdicts: dict = field(default_factory=lambda: defaultdict(Counter))
    changed: int = 0
    left_out: int = 0

    def add(self, now, first, number):
        """So many items of which people said the same: {user id: answer} as it is now, and as it was first."""
        self.counts.update({answer: number * many for answer, many in Counter(now.values()).items()})
        if first:
            self.patterns[tuple(sorted(first.values()))] += number
        for (one, hers), (other, theirs) in itertools.combinations(sorted(first.items()), 2):
            self.between[one, other][hers, theirs] += number
        self.changed += number * sum(first.get(user) != now.get(user) for user in first.keys() | now.keys())

    @property
    def otherwise(self):
        """{answer: items} of what stands of the items that came by other ways than a stratified sample, or by both."""
        return sum((found for (otherwise, _), found in self.verdicts.items() if otherwise), Counter())

    def drawn_for(self, sample, value):
        """{answer: items} of what stands of the items that this stratified sample drew for a value."""
        stratum = f"{sample.pk}:{value}"
        return sum((found for (_, strata), found in self.verdicts.items() if stratum in strata), Counter())


def answers_to(queue, question):
    """The Answers to a question, by all versions that ask it under the same key and kind, of a scale with its ends."""
    found = Answers(left_out=_left_out(queue, question) if question["kind"] == SCALE else 0)
    for said, first, decided, whole, otherwise, strata, number in _rows(_ALIKE, queue, question):
        now = _by_user(said)
        found.add(now, _by_user(first), number)
        if decided is not None or (whole and len(set(now.values())) == 1):
            found.verdicts[otherwise, tuple(strata)][min(now.values()) if decided is None else decided] += number
    return found


def _by_user(said):
    return {int(user): answer for user, answer in (text.split(":", 1) for text in said or ())}


def shown_left(queue, question):
    """{"a": how many chose what they saw as A, "b": …}."""
    sql = "SELECT r.answers ->> %(key)s, count(*) {given} AND r.answers ? %(key)s AND NOT r.decides GROUP BY 1"
    return {answer: number for answer, number in _rows(sql, queue, question) if answer in {"a", "b"}}


def _rows(sql, queue, question):
    answer = _ANSWER.get(question["kind"], _SAID)
    first = answer.replace("r.answers", "coalesce(r.first, r.answers)")
    sql = sql.replace("{answer}", answer).replace("{first}", first).replace("{given}", _GIVEN)
    stratified = Sample.objects.filter(queue=queue, picked_strata__isnull=False)
    values = {
        "queue": queue.pk,
        "key": question["key"],
        "forms": list(_asking(queue, question).values_list("pk", flat=True)),
        "pairs": queue.kind == Kind.PAIR,
        "by_stratum": bool(question["defect"]) and stratified.exists(),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def _asking(queue, question):
    """The Forms that ask what can be compared with it."""
    same = ("key", "kind", "least", "most") if question["kind"] == SCALE else ("key", "kind")
    return Form.objects.filter(queue=queue, questions__contains=[{name: question[name] for name in same}])


def _left_out(queue, question):
    """How many answered it where its scale had other ends."""
    other = Form.objects.filter(queue=queue).exclude(pk__in=_asking(queue, question))
    given = Review.objects.filter(queue=queue, form__in=other, state=State.SUBMITTED, answers__has_key=question["key"])
    return given.count()


def people(queue):
    """[(user id, submitted, skipped, decided, median seconds or None)], who did most first: of the items whose answers
    count; the pace is that at gold items too."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT by_id, count(*) FILTER (WHERE state = 'submitted' AND counts AND NOT decides),
                count(*) FILTER (WHERE state = 'skipped' AND counts AND NOT decides),
                count(*) FILTER (WHERE state = 'submitted' AND counts AND decides),
                percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE state = 'submitted' AND NOT decides)
            FROM (SELECT r.*, i.gold IS NULL AND i.removed_at IS NULL AS counts FROM reviews_review r
                JOIN reviews_item i ON i.id = r.item_id
                WHERE r.queue_id = %s AND r.state IN ('submitted', 'skipped')) AS given
            GROUP BY 1 ORDER BY 2 DESC, 1
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
            FROM reviews_review r JOIN reviews_item i ON i.id = r.item_id
            WHERE r.queue_id = %s AND NOT decides AND i.gold IS NULL AND i.removed_at IS NULL
            """,
            [queue.pk],
        )
        return items, cursor.fetchone()


def gold(queue):
    """{user id: (answers that are right, answers given)} of the questions that gold items know the answer to, as they
    were answered first; what was left unanswered is neither."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.by_id, count(*) FILTER (WHERE CASE
                    WHEN q.kind = 'several' THEN g.value @> (r.said -> g.key) AND g.value <@ (r.said -> g.key)
                    WHEN r.swapped AND q.kind = 'pair' AND r.said -> g.key = '"a"' THEN g.value = '"b"'
                    WHEN r.swapped AND q.kind = 'pair' AND r.said -> g.key = '"b"' THEN g.value = '"a"'
                    ELSE g.value = r.said -> g.key END), count(*)
            FROM reviews_item i JOIN (SELECT *, coalesce(first, answers) AS said FROM reviews_review) AS r
                ON r.item_id = i.id AND r.state = 'submitted' AND NOT r.decides
            JOIN reviews_form f ON f.id = r.form_id
            CROSS JOIN LATERAL jsonb_each(i.gold) AS g(key, value)
            JOIN LATERAL (SELECT one ->> 'kind' AS kind FROM jsonb_array_elements(f.questions) AS one
                WHERE one ->> 'key' = g.key) AS q ON true
            WHERE i.queue_id = %s AND i.gold IS NOT NULL AND i.removed_at IS NULL AND r.said ? g.key GROUP BY 1
            """,
            [queue.pk],
        )
        return {user: (right, given) for user, right, given in cursor.fetchall()}


def value_of(text):
    """The answer of its JSON text."""
    return json.loads(text)
