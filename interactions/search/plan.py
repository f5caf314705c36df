"""How what is wanted is looked for: which index drives, what is left to test on the row, and in which range of ids.

A plan is run in blocks: so many entries of the driver, those of them that meet the tests, and where the block ended.
Written so that the planner has nothing to choose: no statement can turn into a scan or a sort of everything.
"""

import math
import uuid
from dataclasses import dataclass, replace

from django.db import connection

from feedback.models import Given
from interactions import ids
from interactions.claims import claimed
from interactions.labels import meant
from interactions.search import conditions, drivers, sizes, spans
from interactions.search.texts import holding, indexed
from registry.models import Model


def plan_of(project, wanted, at):
    """The Plan of what is wanted, resolved to ids, from the Cursor `at` on; None where nothing can match."""
    tests, found = [("i.project_id = %s", [project.pk])], []
    one = claimed(project, "interaction", wanted.external_id) if wanted.external_id is not None else None
    if one:
        tests.append(("i.id = %s", [one]))
    elif wanted.external_id is not None:
        return None
    if wanted.sources:
        tests.append(("i.source = ANY(%s)", [list(wanted.sources)]))
    else:
        tests.append(("i.source <> 'simulation'", []))
    labels, models = meant(project, wanted.labels), _models(project, wanted.models)
    if not all(labels) or wanted.models and not models:
        return None
    for own in labels:
        tests.append(("i.label_ids && %s::integer[]", [[label.pk for label in own]]))
        if len(own) <= drivers.MOST_SOURCES:
            found.append(drivers.of_labels(own))
    everything, kept = sizes.total(project), []
    for own in filter(None, meant(project, wanted.not_labels)):
        tests.append(("NOT i.label_ids && %s::integer[]", [[label.pk for label in own]]))
        kept.append(1 - min(sum(label.uses for label in own) / everything, 1))
    if models:
        tests.append(("i.model_id = ANY(%s)", [models]))
        found.append(drivers.of_models(project, models))
    if wanted.not_models:
        tests.append(("(i.model_id = ANY(%s)) IS NOT TRUE", [_models(project, wanted.not_models)]))
    lower, upper, descending = _span(wanted, at)
    found += _of_columns(project, wanted) + _of_feedback(project, wanted) + _of_near(project, wanted)
    if wanted.prompt:
        found.append(drivers.of_prompt(project, wanted.prompt))
    if 0 < len(wanted.arms) <= drivers.MOST_SOURCES:
        found.append(drivers.of_arms(project, wanted.arms))
    if 0 < 2 * len(wanted.queues) <= drivers.MOST_SOURCES:
        found.append(drivers.of_queues(wanted.queues))
    driver = min(found, key=lambda one: one.size, default=None) or drivers.newest(project, wanted)
    tests = (*tests, *conditions.of_row(wanted))
    if wanted.fold:
        tests = (*tests, _is_first(tests, wanted))
    opened = tuple(conditions.of_body(wanted))
    kept += [min(one.size * one.yields / everything, 1) for one in found if one is not driver]
    share, rate = min(driver.size / everything, 1), driver.yields * math.prod(kept)
    own = drivers.newest(project, wanted, picked="id")
    plan = Plan(tests, driver, own, wanted.words, lower, upper, descending, share, rate, opened)
    return plan.clipped(one, spans.after(one)) if one else plan


def _span(wanted, at):
    """(the id from which on, the id below which, whether downwards) is looked, from the Cursor `at` on."""
    lower, upper = _bounds(wanted)
    descending = not wanted.oldest_first
    if at is not None and at.back:
        descending = not descending
    if at is not None and descending:
        upper = min(upper or at.id, at.id)
    elif at is not None:
        lower = max(lower or uuid.UUID(int=0), spans.after(at.id))
    return lower, upper, descending


def _models(project, keys):
    if not keys:
        return []
    return list(Model.objects.filter(team=project.team_id, key__in=keys).values_list("pk", flat=True))


def _bounds(wanted):
    after = ids.first(wanted.after) if wanted.after else None
    before = ids.first(wanted.before) if wanted.before else None
    return after, before


def _of_columns(project, wanted):
    pairs = (("session", wanted.session), ("user", wanted.user))
    found = [drivers.of_column(project, column, value) for column, value in pairs if value]
    flags = (("images", wanted.has_images), ("tools", wanted.has_tools))
    found += [drivers.of_parts(project, column) for column, flag in flags if flag]
    found += [drivers.of_failed(project)] if wanted.has_error else []
    return [*found, drivers.of_notes(project)] if wanted.has_notes else found


def _of_feedback(project, wanted):
    found = [drivers.of_feedback(project, one) for one in wanted.feedback if not one.none]
    flags = ((wanted.has_feedback, Given.ANY, False), (wanted.reviewed, Given.REVIEWED, True))
    found += [drivers.of_any_feedback(project, key, reviewed) for flag, key, reviewed in flags if flag]
    found += [drivers.of_corrections()] if wanted.has_correction else []
    return [one for one in found if one is not None]


def _of_near(project, wanted):
    return [drivers.of_near(project, wanted.near)] if 0 < len(wanted.near) <= drivers.MOST_SOURCES else []


def _is_first(tests, wanted):
    """None of its like that meets the tests stands before it. The words that are asked for need no test: all that is
    alike has the same."""
    lower, upper = _bounds(wanted)
    bounds = [("i.id >= %s", lower), ("i.id < %s", upper)]
    before = (f"i.images = 0 AND i.near_hash = o.near_hash AND i.id {'<' if wanted.oldest_first else '>'} o.id", [])
    where, values = _all([before, *((sql, [value]) for sql, value in bounds if value is not None), *tests])
    found = (
        "SELECT true FROM (SELECT i.id, i.near_hash) AS o CROSS JOIN LATERAL"
        f" (SELECT FROM interactions_interaction i WHERE {where} LIMIT 1) AS before_"
    )
    return f"(i.images > 0 OR ({found}) IS NOT TRUE)", values


@dataclass(frozen=True)
class Plan:
    """Tests on the row `i`, the Driver, that of the project's `own` ids, the words, and the range of ids to look at:
    from lower, to below upper.

    About how large the driver is, as a `share` of the project, and which share of its entries meets the tests, their
    `rate`; both from 0 to 1. Tests for which bodies are `opened` come after all others.
    """

    tests: tuple
    driver: drivers.Driver
    own: drivers.Driver
    words: str
    lower: uuid.UUID | None
    upper: uuid.UUID | None
    descending: bool
    share: float
    rate: float
    opened: tuple = ()

    def within(self, lower, upper):
        """The same between these ids."""
        return replace(self, lower=lower, upper=upper)

    def clipped(self, lower, upper):
        """The same where its range and this one, which may have no upper end, meet."""
        lowest, highest = max(lower, self.lower or lower), min(filter(None, (upper, self.upper)), default=None)
        return self.within(lowest, highest and max(lowest, highest))

    def beyond(self, one):
        """The same from behind this id on."""
        return self.within(self.lower, one) if self.descending else self.within(spans.after(one), self.upper)

    def parts(self):
        """(the same plan for a part of its range, whether it is the last one), in the order of the walk. Where nothing
        lies any more is asked when the walk comes that way: most end in the first part."""
        parts = spans.parts(self.lower, self.upper, self.descending)
        if self.descending and len(parts) > 1:
            yield self.within(*parts[0]), False
            parts = parts[1:]
        oldest = spans.oldest() if len(parts) > 1 else None
        parts = [(low, high) for low, high in parts if oldest is None or high is None or high > oldest]
        for place, part in enumerate(parts, 1):
            yield self.within(*part), place == len(parts)

    def block(self, size, limit, counted=False):
        """(the last id of the block where it is full, else None; up to `limit` ids of it that match, in the order of
        the walk, one perhaps more than once, or how many): so many entries of the driver are looked at."""
        entries, values = self._entries(size)
        # of the last one there may be more entries, which no other block looks at: it is tested by its row alone
        last = ("e.id = (SELECT id FROM block OFFSET %s LIMIT 1)", [size - 1])
        found, found_values = self._matching("block", counted, last)
        each = "*" if self.driver.holds_row else "DISTINCT id"  # a row comes once; postings or values may be several
        yielded = f"(SELECT count({each}) FROM ({found}) AS found)" if counted else f"ARRAY({found} LIMIT %s)"
        sql = f"WITH block AS MATERIALIZED ({entries}) SELECT (SELECT id FROM block OFFSET %s LIMIT 1), {yielded}"
        return row(sql, [*values, size - 1, *found_values, *([] if counted else [limit])])

    def meeting(self, entries, values, counted=False, most=None):
        """(how many `entries`, a query that yields an `id` each, has; those that meet the tests, or how many). Where
        they are more than `most`, some of them."""
        by_id = replace(self.driver, holds_row=False, rest=())
        found, found_values = replace(self, driver=by_id, words="")._matching("entries", counted)
        yielded = f"(SELECT count(*) FROM ({found}) AS found)" if counted else f"ARRAY({found})"
        if most is not None:  # limited outside, else the planner chooses by it
            entries, values = f"WITH unlimited AS MATERIALIZED ({entries}) TABLE unlimited LIMIT %s", [*values, most]
        sql = f"WITH entries AS MATERIALIZED ({entries}) SELECT (SELECT count(*) FROM entries), {yielded}"
        return row(sql, [*values, *found_values])

    def ends(self, n):
        """(the next of the project's own ids in the range, the one so many after it), None for what there is not."""
        own = replace(self, driver=self.own)
        (first, values), (last, more) = own._entries(1), own._entries(n + 1)
        return row(f"SELECT ({first}), (SELECT id FROM ({last}) AS own OFFSET %s LIMIT 1)", [*values, *more, n])

    def own_rows(self):
        """[(table with conditions, values)] of all of the project's own in the range; of real ones first."""
        found = []
        for one in self.own.sources:
            where, values = _all([(one.condition, one.values), self.range(one.column)])
            found.append((f"{one.table} WHERE {where}", values))
        return found

    def row_tests(self):
        """(SQL, values) of all that is wanted of one row `i`, its words included."""
        words = [self._of_body(*holding(self.words), True)] if self.words else []
        return _all([self.range("i.id"), *self._tests, *words])

    def whole(self):
        """(tables, conditions, values) of all rows, for a statement that the planner orders by itself."""
        source, tests = "interactions_interaction i", [self.range("i.id"), *self._tests]
        if not self.driver.holds_row:
            by = [f"SELECT {one.column} FROM {one.table} WHERE {one.condition}" for one in self.driver.sources]
            values = [value for one in self.driver.sources for value in one.values]
            tests.append((f"i.id IN ({' UNION ALL '.join(by)})", values))
        if self.words:
            source += " JOIN interactions_interactionbody b ON b.id = i.id"
            tests.append(indexed(self.words))
        sql, values = _all(tests)
        return source, sql, values

    def range(self, column):
        """(SQL, values) of the plan's range."""
        bounds = [(f"{column} >= %s", self.lower), (f"{column} < %s", self.upper)]
        return _all([(sql, [value]) for sql, value in bounds if value is not None])

    @property
    def _direction(self):
        return "DESC" if self.descending else "ASC"

    @property
    def _tests(self):
        return [*self.tests, *(self._of_body(*one) for one in self.opened)]

    def _of_body(self, sql, values, holds):
        """(SQL, values) of a test of the body on the row `i`. LIMIT keeps the planner from turning it into a join."""
        ends, own = self.range("b.id")
        found = f"SELECT true FROM interactions_interactionbody b WHERE b.id = i.id AND {ends} AND {sql} LIMIT 1"
        return f"({found}) IS {'' if holds else 'NOT '}TRUE", [*own, *values]

    def _entries(self, size):
        """(SQL, values): the next entries of the driver."""
        parts, values = [], []
        for one in self.driver.sources:
            where, more = _all([(one.condition, one.values), self.range(one.column)])
            order = f"ORDER BY {one.column} {self._direction} LIMIT %s"
            parts.append(f"SELECT {one.picked} FROM {one.table} WHERE {where} {order}")
            values += [*more, size]
        if len(parts) == 1:
            return parts[0], values
        merged = " UNION ALL ".join(f"({part})" for part in parts)
        return f"SELECT * FROM ({merged}) AS merged ORDER BY id {self._direction} LIMIT %s", [*values, size]

    def _matching(self, name, counted, exempt=("false", [])):
        """(SQL, values): the ids of the entries that meet everything; those `exempt` need not meet what is asked of
        the entry itself. OFFSET 0 keeps row and body looked up by id; in IS TRUE the planner finds no other index than
        that of ids, whose pages are read for the rows anyway, and which counting alone may do better without."""
        if self.driver.holds_row:
            where, values = _all(self._tests)
            found = f"SELECT i.id FROM {name} i WHERE {where}"
        else:
            (ends, ends_values), (where, values) = self.range("i.id"), _all(self._tests)
            where, values = f"{ends} AND {where if counted else f'({where}) IS TRUE'}", [*ends_values, *values]
            after, after_values = _all(self.driver.rest)
            if self.driver.rest:
                after, after_values = f"({after} OR {exempt[0]})", [*after_values, *exempt[1]]
            by_id = f"SELECT FROM interactions_interaction i WHERE i.id = e.id AND {where} OFFSET 0"
            found = f"SELECT e.id FROM {name} e CROSS JOIN LATERAL ({by_id}) AS i WHERE {after}"
            values = [*values, *after_values]
        if self.words:
            where, more = _all([self.range("b.id"), holding(self.words)])
            by_id = f"SELECT FROM interactions_interactionbody b WHERE b.id = c.id AND {where} OFFSET 0"
            found, values = f"SELECT c.id FROM ({found}) AS c CROSS JOIN LATERAL ({by_id}) AS b", [*values, *more]
        return found, values


def _all(tests):
    """(SQL, values) of all the tests."""
    return " AND ".join(sql for sql, _ in tests if sql) or "true", [value for _, values in tests for value in values]


def row(sql, values):
    """The one row of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()
