"""How what is wanted is looked for: which index drives, what is left to test on the row, in SQL.

The rarest label drives by its postings; words go first where few interactions hold them.
"""

import uuid
from dataclasses import dataclass

from django.db import connection

from interactions import ids, partitions
from interactions.models import Label
from registry.models import Model

FEW = 30_000  # estimated matches of words in a partition, up to which they are fetched first
COMMON = 0.1  # share of a partition's interactions from which on a word is common
DRIVING_VALUES = 50  # values of one label key, up to which their postings are merged
BLOCK = 200  # interactions whose words are looked at in one go, while the newest are walked


def plan_of(project, wanted, at):
    """The conditions of what is wanted, resolved to ids; None where nothing can match."""
    tests, drivers = [("i.project_id = %s", [project.pk])], []
    if wanted.sources:
        tests.append(("i.source = ANY(%s)", [list(wanted.sources)]))
    else:
        tests.append(("i.source <> 'simulation'", []))
    for found in _labels(project, wanted.labels):
        if not found:
            return None
        tests.append(("i.label_ids && %s::integer[]", [[label.pk for label in found]]))
        if len(found) <= DRIVING_VALUES:
            drivers.append((sum(label.uses for label in found), [label.pk for label in found]))
    for found in _labels(project, wanted.not_labels):
        if found:
            tests.append(("NOT i.label_ids && %s::integer[]", [[label.pk for label in found]]))
    if wanted.models:
        keys = Model.objects.filter(team=project.team_id, key__in=wanted.models)
        tests.append(("i.model_id = ANY(%s)", [list(keys.values_list("pk", flat=True))]))
    if wanted.not_models:
        keys = Model.objects.filter(team=project.team_id, key__in=wanted.not_models)
        tests.append(("(i.model_id = ANY(%s)) IS NOT TRUE", [list(keys.values_list("pk", flat=True))]))
    for column, value in (("session", wanted.session), ("user", wanted.user)):
        if value is not None:
            tests.append((f'i."{column}" = %s', [value]))
    tests += _numbers(wanted) + [_feedback(condition) for condition in wanted.feedback] + _given(wanted)
    lower, upper = _bounds(wanted)
    descending = not wanted.oldest_first
    if at is not None and at.back:
        descending = not descending
    if at is not None and descending:
        upper = min(upper or at.id, at.id)
    elif at is not None:
        lower = max(lower or uuid.UUID(int=0), uuid.UUID(int=at.id.int + 1))
    driver = min(drivers)[1] if drivers else None
    return Plan(tests, driver, wanted.words, lower, upper, descending)


def _labels(project, wanted):
    """The labels of the dictionary that each test means, in one query for all."""
    if not wanted:
        return []
    known = list(Label.objects.filter(project=project, key__in={test.key for test in wanted}))
    return [[label for label in known if test.holds(label.key, label.value)] for test in wanted]


def _bounds(wanted):
    after = ids.first(wanted.after) if wanted.after else None
    before = ids.first(wanted.before) if wanted.before else None
    return after, before


def _numbers(wanted):
    tests = []
    least, most = wanted.latency or (None, None)
    if least is not None:
        tests.append(("i.latency_ms >= %s", [least]))
    if most is not None:
        tests.append(("i.latency_ms <= %s", [most]))
    for column, flag in (("images", wanted.has_images), ("tools", wanted.has_tools)):
        if flag is not None:
            tests.append((f"i.{column} {'>' if flag else '='} 0", []))
    return tests


def _given(wanted):
    """Whether there is any current feedback, and any of a reviewer."""
    tests = []
    for flag, more in ((wanted.has_feedback, ""), (wanted.reviewed, " AND f.origin = 'reviewer'")):
        if flag is not None:
            found = "SELECT 1 FROM feedback_feedback f WHERE f.interaction_id = i.id AND f.superseded_by IS NULL"
            tests.append((f"{'' if flag else 'NOT '}EXISTS ({found}{more})", []))
    return tests


def _feedback(condition):
    """One EXISTS for both ends of a range: two would let the minimum meet one value and the maximum another."""
    tests = "f.interaction_id = i.id AND f.feedback_key_id = %s AND f.superseded_by IS NULL"
    values = [condition.key_id]
    for sign, bound in ((">=", condition.least), ("<=", condition.most)):
        if bound is not None:
            tests, values = f"{tests} AND f.value {sign} %s", [*values, bound]
    return f"{'NOT ' if condition.none else ''}EXISTS (SELECT 1 FROM feedback_feedback f WHERE {tests})", values


@dataclass(frozen=True)
class Plan:
    """Tests on the row `i`, the labels whose postings drive, the words, and the range of ids to look at."""

    tests: list
    driver: list | None
    words: str
    lower: uuid.UUID | None
    upper: uuid.UUID | None
    descending: bool

    def within(self, lower, upper):
        return Plan(self.tests, self.driver, self.words, lower, upper, self.descending)

    def beyond(self, one):
        """The same from behind this id on."""
        if self.descending:
            return self.within(self.lower, one)
        return self.within(uuid.UUID(int=one.int + 1), self.upper)

    def spans(self):
        """The partitions inside the range, in the order of the walk, cut at its ends."""
        found = [
            (max(lower, self.lower or lower), min(upper, self.upper or upper))
            for lower, upper in partitions.spans()
            if (self.upper is None or lower < self.upper) and (self.lower is None or self.lower < upper)
        ]
        return found if self.descending else found[::-1]

    def few(self):
        """Whether the planner expects few interactions with these words here: so few that fetching them first beats
        walking the newest, of which a common word is in every other one."""
        where, values = self._range("b.id")
        rows = f"EXPLAIN (FORMAT JSON) SELECT FROM interactions_interactionbody b WHERE {where}"
        with_words = f"{rows} AND interactions_words(b.messages, b.completion) @@ to_tsquery('simple', %s)"
        expected = _estimate(with_words, [*values, self.words])
        return expected < FEW and (expected < BLOCK or expected < COMMON * _estimate(rows, values))

    def words_first(self, limit):
        """(SQL, values): fetch all that hold the words, then test the rest."""
        where, values = self._range("b.id")
        rows, row_values = self._rows("found JOIN interactions_interaction i ON i.id = found.id", "i.id", [])
        return (
            f"WITH found AS MATERIALIZED (SELECT b.id FROM interactions_interactionbody b WHERE {where}"
            " AND interactions_words(b.messages, b.completion) @@ to_tsquery('simple', %s))"
            f" {rows} ORDER BY 1 {self._direction} LIMIT %s"
        ), [*values, self.words, *row_values, limit]

    def holding(self, candidates):
        """(SQL, values) that yields those of the candidates that hold the words. IS TRUE fits no index: the matches
        of a common word are never fetched first."""
        return (
            "SELECT id FROM interactions_interactionbody WHERE id = ANY(%s)"
            " AND (interactions_words(messages, completion) @@ to_tsquery('simple', %s)) IS TRUE"
        ), [candidates, self.words]

    def statement(self, limit):
        """(SQL, values) that yields up to `limit` ids in the order of the walk, whatever their words."""
        if self.driver is None:
            rows, values = self._rows("interactions_interaction i", "i.id", [])
            return f"{rows} ORDER BY 1 {self._direction} LIMIT %s", [*values, limit]
        merged, all_values = [], []
        for label_id in self.driver:
            source = "interactions_labelposting p JOIN interactions_interaction i ON i.id = p.interaction_id"
            own = [("p.label_id = %s", [label_id]), self._range("p.interaction_id")]
            rows, values = self._rows(source, "p.interaction_id", own)
            merged.append(f"({rows} ORDER BY 1 {self._direction} LIMIT %s)")
            all_values += [*values, limit]
        union = " UNION ALL ".join(merged)
        return f"SELECT * FROM ({union}) AS merged ORDER BY 1 {self._direction} LIMIT %s", [*all_values, limit]

    def whole(self):
        """(tables, conditions, values) of all rows, for a statement that the planner orders by itself."""
        source, tests = "interactions_interaction i", [self._range("i.id"), *self.tests]
        if self.driver is not None:
            postings = "SELECT interaction_id FROM interactions_labelposting WHERE label_id = ANY(%s)"
            tests.append((f"i.id IN ({postings})", [self.driver]))
        if self.words:
            source += " JOIN interactions_interactionbody b ON b.id = i.id"
            tests.append(("interactions_words(b.messages, b.completion) @@ to_tsquery('simple', %s)", [self.words]))
        return source, " AND ".join(sql for sql, _ in tests), [value for _, values in tests for value in values]

    def row_tests(self):
        """(SQL, values) of all that is wanted of one row `i`, its words included."""
        where, values = self._range("i.id")
        conditions = [(where, values), *self.tests]
        if self.words:
            words = "interactions_words(b.messages, b.completion) @@ to_tsquery('simple', %s)"
            body = f"SELECT {words} FROM interactions_interactionbody b WHERE b.id = i.id LIMIT 1"
            conditions.append((f"({body}) IS TRUE", [self.words]))
        return " AND ".join(sql for sql, _ in conditions), [value for _, values in conditions for value in values]

    @property
    def _direction(self):
        return "DESC" if self.descending else "ASC"

    def _rows(self, source, column, more):
        tests = [*more, self._range("i.id"), *self.tests]
        where = " AND ".join(sql for sql, _ in tests)
        return f"SELECT {column} FROM {source} WHERE {where}", [value for _, values in tests for value in values]

    def _range(self, column):
        bounds = [(f"{column} >= %s", self.lower), (f"{column} < %s", self.upper)]
        tests = [(sql, value) for sql, value in bounds if value is not None]
        return " AND ".join(sql for sql, _ in tests) or "true", [value for _, value in tests]


def _estimate(sql, values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0][0]["Plan"]["Plan Rows"]


def run(sql, values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [row[0] for row in cursor.fetchall()]
