"""A test's interactions by the values of a label: exploratory, looked up when asked, for at most a second."""

from dataclasses import dataclass

from django.db import OperationalError, connection, transaction

from experiments.figures import kind_of
from experiments.folding import JUDGE, UNIT
from experiments.statistics import Moments
from experiments.statistics.estimates import difference
from experiments.statistics.refusals import of_arm
from interactions.models import Label

MOST = 15_000  # interactions that are looked at, the newest of each arm
TIME_MS = 1_000


@dataclass(frozen=True)
class LabelRow:
    """The interactions with one value of a label key. `arms`: (units with a value, their mean or None) each, in the
    arms' order. Exploratory: many rows are looked at, so that some differ by chance."""

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
    SELECT l.value AS label, i.arm, {UNIT} AS unit, avg(g.value)::float8 AS value FROM {_LABELLED}
    CROSS JOIN LATERAL (
        SELECT avg(f.value) AS value FROM feedback_feedback f
        WHERE f.interaction_id = i.id AND f.feedback_key_id = %(feedback_key)s AND f.superseded_by IS NULL) AS g
    GROUP BY 1, 2, 3
"""
_COMPARED = f"""
    SELECT l.value AS label, i.arm, {JUDGE} AS unit,
        avg(CASE p.outcome WHEN 'won' THEN 1.0 WHEN 'lost' THEN 0.0 ELSE 0.5 END)::float8 AS value FROM {_LABELLED}
    JOIN feedback_preference p ON p.interaction_id = i.id AND p.feedback_key_id = %(feedback_key)s
    JOIN interactions_interaction o ON o.id = p.other_id AND o.arm = ANY(%(arms)s) AND o.arm <> i.arm
    GROUP BY 1, 2, 3
"""
_ROWS = """
    WITH newest AS MATERIALIZED (
        SELECT i.* FROM unnest(%(arms)s::integer[]) AS a(arm) CROSS JOIN LATERAL (
            SELECT i.id, i.arm, i.label_ids, i."user", i.session FROM interactions_interaction i
            WHERE i.arm = a.arm AND i.project_id = %(project)s AND i.source <> 'simulation'
                AND i.received_at >= %(since)s
            ORDER BY i.id DESC LIMIT %(most)s) AS i
    ), labels AS MATERIALIZED (
        SELECT id, value FROM interactions_label WHERE project_id = %(project)s AND key = %(key)s
    ), units AS MATERIALIZED ({units})
    SELECT label, arm, count(value), avg(value), var_pop(value), (SELECT max(n) FROM (
        SELECT count(*) AS n FROM newest GROUP BY arm) AS each)
    FROM units GROUP BY 1, 2
"""


def by_label(test, key, arm=None, limit=20):
    """A ByLabel: the most frequent values of this label key; differences are those of `arm` (an Arm; None: the second)
    to the control. Takes at most about a second."""
    arms = list(test.arms.order_by("position"))
    most, kind = MOST // len(arms), kind_of(test)
    values = {
        "arms": [one.pk for one in arms], "project": test.project_id, "since": test.sequence_started_at, "most": most,
        "key": key, "feedback_key": test.feedback_key_id,
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
    by_value = {}
    for label, arm_id, n, mean, variance, _ in found:
        by_value.setdefault(label, {})[arm_id] = Moments(n, mean, n * variance) if n else Moments()
    asked = arm or arms[1]
    rows = [_row(kind, label, arms, known, asked) for label, known in by_value.items()]
    rows.sort(key=lambda row: (-row.n, row.value))
    return ByLabel(key, rows[:limit], approximate=any(row[-1] >= most for row in found))


def _row(kind, label, arms, known, asked):
    moments = [known.get(one.pk, Moments()) for one in arms]
    told = [(one.n, one.mean if one.n else None) for one in moments]
    control, other = moments[0], known.get(asked.pk, Moments())
    gain = interval = None
    is_comparable = kind != "preference" or len(arms) == 2  # more of them are compared by strength
    if is_comparable and asked.pk != arms[0].pk and not of_arm(kind, control) and not of_arm(kind, other):
        found = difference(kind, other, control, 0.05)
        gain, interval = found.value, found.once
    return LabelRow(label, sum(one.n for one in moments), told, gain, interval)


def label_keys(test, limit=20):
    """The keys of the project's labels that by_label may be asked about, most used first."""
    rows = Label.objects.filter(project=test.project_id).order_by("-uses").values_list("key", flat=True)[:1_000]
    return list(dict.fromkeys(rows))[:limit]
