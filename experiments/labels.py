"""A test's interactions by the values of a label: exploratory, looked up when asked, for at most a second."""

import math
from dataclasses import dataclass

from django.db import OperationalError, connection, transaction

from experiments.figures import kind_of
from experiments.models import LEAST_UNITS
from experiments.statistics import Moments
from experiments.statistics.estimates import difference
from experiments.statistics.refusals import of_arm
from interactions.labels import meant, names_of
from interactions.models import Label
from interactions.wanted import LabelTest

MOST = 15_000  # interactions that are looked at, the newest of each arm
TIME_MS = 1_000


@dataclass(frozen=True)
class LabelRow:
    """The interactions with one value of a label key, as they count in the figures. `arms`: (units with a value, their
    mean, None of fewer than 50) each, in the arms' order. Exploratory: many rows are looked at, so that some differ by
    chance."""

    value: str
    n: int  # units with a value, in all arms; in a test by preferences judges
    arms: list[tuple[int, float | None]]
    difference: float | None  # of the arm that is asked about, less the control; None where the test would not compare
    interval: tuple[float, float] | None  # (low, high) of the difference, 95 % at one look


@dataclass(frozen=True)
class ByLabel:
    """`approximate`: not everything was looked at, only the newest; `timed_out`: there was no time even for these."""

    key: str
    rows: list[LabelRow]
    approximate: bool = False
    timed_out: bool = False


_LABELLED = """newest i
    CROSS JOIN LATERAL unnest(i.label_ids) AS one(id) JOIN labels l ON l.id = one.id"""
_GIVEN = f"""
    SELECT l.value AS label, i.arm, i.unit, avg(i.value)::float8 AS value FROM {_LABELLED} GROUP BY 1, 2, 3
"""
_COMPARED = f"""
    SELECT l.value AS label, i.arm, c.judge AS unit,
        avg(CASE WHEN c.one = i.arm THEN c.points ELSE 2 - c.points END)::float8 / 2 AS value FROM {_LABELLED}
    JOIN feedback_preference p ON p.interaction_id = i.id AND p.feedback_key_id = %(feedback_key)s
    CROSS JOIN LATERAL (
        SELECT c.judge, c.one, c.points FROM experiments_countedvote c
        WHERE c.comparison_id = p.id AND c.test_id = %(test)s AND c.sequence = %(sequence)s LIMIT 1) AS c
    GROUP BY 1, 2, 3
"""
# what is counted is found one by one, by its key: a limit within keeps the plan from reading all of it
_ROWS = """
    WITH newest AS MATERIALIZED (
        SELECT i.* FROM unnest(%(arms)s::integer[]) AS a(arm) CROSS JOIN LATERAL (
            SELECT i.id, i.arm, i.label_ids, c.unit, c.value FROM interactions_interaction i
            CROSS JOIN LATERAL (
                SELECT c.unit, c.value FROM experiments_counted c
                WHERE c.interaction_id = i.id AND c.arm = i.arm AND c.sequence = %(sequence)s LIMIT 1) AS c
            LEFT JOIN LATERAL (
                SELECT s.arm FROM experiments_seen s
                WHERE s.test_id = %(test)s AND s.sequence = %(sequence)s AND s.unit = c.unit AND s.arm <> i.arm
                    AND s.n > 0 AND %(by_metric)s LIMIT 1) AS other ON true
            WHERE i.arm = a.arm AND other.arm IS NULL
            ORDER BY i.id DESC LIMIT %(most)s) AS i
    ), labels AS MATERIALIZED (
        SELECT * FROM unnest(%(labels)s::integer[], %(values)s::text[]) AS l(id, value)
    ), units AS MATERIALIZED ({units})
    SELECT label, arm, count(value), avg(value), var_pop(value),
        count(beside), sum(value * beside), sum(value) FILTER (WHERE beside IS NOT NULL), sum(beside),
        (SELECT max(n) FROM (SELECT count(*) AS n FROM newest GROUP BY arm) AS each)
    FROM (SELECT *, max(value) FILTER (WHERE arm = %(control)s) OVER (PARTITION BY label, unit) AS beside
        FROM units) AS u
    GROUP BY 1, 2
"""


def by_label(test, key, arm=None, limit=20):
    """A ByLabel: the most frequent values of this label key (a former name asks for what it became); differences are
    those of `arm` (an Arm; None: the second) to the control. Takes at most about a second."""
    arms = list(test.arms.order_by("position"))
    most, kind = MOST // len(arms), kind_of(test)
    names = names_of(test.project_id)
    key, [labels] = names.key(key), meant(test.project, [LabelTest(key)])
    values = {
        "arms": [one.pk for one in arms], "test": test.pk, "sequence": test.sequence, "most": most,
        "labels": [label.pk for label in labels],
        "values": [names.pair(label.key, label.value)[1] for label in labels],
        "feedback_key": test.feedback_key_id, "by_metric": kind != "preference", "control": arms[0].pk,
    }  # fmt: skip
    sql = _ROWS.format(units=_COMPARED if kind == "preference" else _GIVEN)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {TIME_MS:d}")
            cursor.execute(sql, values)
            found = cursor.fetchall()
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    except OperationalError:
        return ByLabel(key, [], timed_out=True)
    by_value, shared = {}, {}
    for label, arm_id, n, mean, variance, *both, _ in found:
        by_value.setdefault(label, {})[arm_id] = Moments(n, mean, n * variance) if n else Moments()
        shared[label, arm_id] = both
    asked = arm or arms[1]
    rows = [_row(kind, label, arms, known, asked, shared.get((label, asked.pk))) for label, known in by_value.items()]
    rows.sort(key=lambda row: (-row.n, row.value))
    return ByLabel(key, rows[:limit], approximate=any(row[-1] >= most for row in found))


def _row(kind, label, arms, known, asked, both):
    moments = [known.get(one.pk, Moments()) for one in arms]
    told = [(one.n, one.mean if one.n >= LEAST_UNITS else None) for one in moments]
    control, other = moments[0], known.get(asked.pk, Moments())
    gain = interval = None
    is_comparable = kind != "preference" or len(arms) == 2  # more of them are compared by strength
    if is_comparable and asked.pk != arms[0].pk and not of_arm(kind, control) and not of_arm(kind, other):
        found = difference(kind, other, control, 0.05, _correlation(other, control, *both))
        gain, interval = found.value, found.once
    return LabelRow(label, sum(one.n for one in moments), told, gain, interval)


def _correlation(one, other, n, products, of_one, of_other):
    """That of the means of two arms, -1 to 1, from the `n` units that have a value in both: the sum of the products of
    these values, and the sum of each arm's. Where every vote is between two interactions with the label it is -1; where
    none is, and no judge has votes of both kinds, 0."""
    if not n:
        return 0.0
    apart = products - other.mean * of_one - one.mean * of_other + n * one.mean * other.mean
    return min(1.0, max(-1.0, apart / math.sqrt(one.m2 * other.m2)))


def label_keys(test, limit=20):
    """The keys of the project's labels that by_label may be asked about, most used first."""
    rows = Label.objects.filter(project=test.project_id).order_by("-uses").values_list("key", flat=True)[:1_000]
    return list(dict.fromkeys(map(names_of(test.project_id).key, rows)))[:limit]
