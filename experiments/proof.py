"""Is what is counted what is there? Everything of a running test counted anew, by other statements than folding's.

Three comparisons: units against interactions and their feedback (or judges against comparisons), cells against units,
pairs against comparisons; what is watched likewise. What retention took is no longer there and stays counted: it is
told apart.
"""

from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction

from experiments import folding, watching
from experiments.expressions import DAY, EXACT, JUDGE, UNIT, VALUES
from experiments.models import RUNNING, ABTest, JudgedBy


@dataclass(frozen=True)
class Proof:
    """How many units, cells and pairs of a test are wrong, and how many of its interactions or comparisons are counted
    though they are no longer stored."""

    test: ABTest
    units: int
    cells: int
    pairs: int
    gone: int

    @property
    def n(self):
        return self.units + self.cells + self.pairs


_METRIC = f"""
    is_ AS (
        SELECT {UNIT} AS unit, i.arm, count(*) AS n, count(g.value) AS answered, coalesce(sum(g.value), 0) AS total,
            coalesce(sum(i.latency_ms) FILTER (WHERE NOT f.failed), 0) AS latency_ms,
            count(i.latency_ms) FILTER (WHERE NOT f.failed) AS timed,
            coalesce(sum(i.completion_tokens) FILTER (WHERE NOT f.failed), 0) AS completion_tokens,
            count(i.completion_tokens) FILTER (WHERE NOT f.failed) AS tokened,
            count(*) FILTER (WHERE f.failed) AS failed
        FROM interactions_interaction i
        CROSS JOIN LATERAL (SELECT i.id = ANY(%(failed)s::uuid[]) AS failed) AS f LEFT JOIN LATERAL (
            SELECT {EXACT.format("avg(f.value::text::numeric)")} AS value FROM feedback_feedback f
            WHERE f.interaction_id = i.id AND f.feedback_key_id = %(key)s AND f.superseded_by IS NULL) AS g ON true
        WHERE i.arm = ANY(%(arms)s) AND i.source <> 'simulation' AND i.received_at >= %(since)s
        GROUP BY 1, 2
        UNION ALL SELECT unit, arm, 1, (value IS NOT NULL)::int, coalesce(value, 0), coalesce(latency_ms, 0),
            (latency_ms IS NOT NULL)::int, coalesce(completion_tokens, 0), (completion_tokens IS NOT NULL)::int,
            failed::int FROM gone
    )"""
_VOTES = f"""
    vote AS MATERIALIZED (
        SELECT p.id, {JUDGE} AS judge, i.arm AS one, o.arm AS other,
            CASE p.outcome WHEN 'won' THEN 1.0 WHEN 'lost' THEN 0.0 ELSE 0.5 END AS score
        FROM feedback_preference p JOIN interactions_interaction i ON i.id = p.interaction_id
        JOIN interactions_interaction o ON o.id = p.other_id
        WHERE p.project_id = %(project)s AND p.feedback_key_id = %(key)s AND i.arm = ANY(%(arms)s)
            AND o.arm = ANY(%(arms)s) AND i.arm < o.arm AND i.source <> 'simulation' AND o.source <> 'simulation'
            AND i.received_at >= %(since)s AND o.received_at >= %(since)s
        UNION ALL SELECT comparison_id, judge, one, other, points / 2.0 FROM gone
    ), is_ AS (
        SELECT unit, arm, count(*) AS n, count(*) AS answered, sum(score) AS total, 0 AS latency_ms, 0 AS timed,
            0 AS completion_tokens, 0 AS tokened, 0 AS failed FROM (
            SELECT judge AS unit, one AS arm, score FROM vote
            UNION ALL SELECT judge, other, 1 - score FROM vote) AS both_
        GROUP BY 1, 2
    )"""
_OF_ARMS = """id IN (
    SELECT id FROM interactions_interaction WHERE arm = ANY(%(arms)s) AND received_at >= %(since)s)"""
_GONE = """
    WITH gone AS MATERIALIZED (
        SELECT c.* FROM experiments_counted c WHERE c.arm = ANY(%(arms)s) AND c.sequence = %(sequence)s
            AND NOT EXISTS (SELECT FROM interactions_interaction i WHERE i.id = c.interaction_id)
    ), """
_GONE_VOTES = """
    WITH gone AS MATERIALIZED (
        SELECT c.* FROM experiments_countedvote c WHERE c.test_id = %(test)s AND c.sequence = %(sequence)s
            AND NOT EXISTS (SELECT FROM feedback_preference p WHERE p.project_id = %(project)s
                AND p.feedback_key_id = %(key)s AND p.id = c.comparison_id)
    ), """
_UNITS = """
    SELECT count(*), (SELECT count(*) FROM gone) FROM (
        SELECT unit, arm, n, answered, total, latency_ms, timed, completion_tokens, tokened, failed
        FROM experiments_seen WHERE test_id = %(test)s AND sequence = %(sequence)s AND n > 0) AS said
    FULL JOIN is_ USING (unit, arm)
    WHERE (said.n, said.answered, said.total, said.latency_ms, said.timed, said.completion_tokens, said.tokened,
            said.failed) IS DISTINCT FROM (is_.n::int, is_.answered::int, is_.total, is_.latency_ms::bigint,
            is_.timed::int, is_.completion_tokens::bigint, is_.tokened::int, is_.failed::int)
"""
_UNDER = f"""
    SELECT count(*) FROM (
        SELECT unit, arm, feedback_key_id, answered, total FROM experiments_seenunder
        WHERE test_id = %(test)s AND sequence = %(sequence)s AND answered > 0) AS said
    FULL JOIN (
        SELECT unit, arm, feedback_key_id, count(*) AS answered, sum(value) AS total FROM (
            SELECT {UNIT} AS unit, i.arm, g.feedback_key_id, g.value
            FROM interactions_interaction i CROSS JOIN LATERAL ({VALUES.format("f.interaction_id = i.id")}) AS g
            WHERE i.arm = ANY(%(arms)s) AND i.source <> 'simulation' AND i.received_at >= %(since)s
                AND g.feedback_key_id = ANY(%(watched)s)
            UNION ALL SELECT c.unit, c.arm, c.feedback_key_id, c.value FROM experiments_countedunder c
            WHERE c.arm = ANY(%(arms)s) AND c.sequence = %(sequence)s
                AND NOT EXISTS (SELECT FROM interactions_interaction i WHERE i.id = c.interaction_id)) AS each
        GROUP BY 1, 2, 3) AS is_ USING (unit, arm, feedback_key_id)
    WHERE (said.answered, said.total) IS DISTINCT FROM (is_.answered::int, is_.total)
"""
_WATCHED = f"""
    WITH met AS (
        SELECT *, count(*) OVER (PARTITION BY unit) > 1 AS is_crossed
        FROM experiments_seen WHERE test_id = %(test)s AND sequence = %(sequence)s AND n > 0
    ), {watching.PARTS}
    SELECT count(*) FROM (
        SELECT arm_id AS arm, figure, day, units, total, squares FROM experiments_watchedcell
        WHERE test_id = %(test)s AND sequence = %(sequence)s AND (units <> 0 OR total <> 0 OR squares <> 0)) AS said
    FULL JOIN parts USING (arm, figure, day)
    WHERE (said.units, said.total, said.squares) IS DISTINCT FROM (parts.units::int, parts.total, parts.squares)
"""
_CELLS = f"""
    WITH met AS (
        SELECT *, count(*) OVER (PARTITION BY unit) > 1 AND %(by_metric)s AS is_crossed,
            row_number() OVER (PARTITION BY unit ORDER BY first_at, arm) AS place
        FROM experiments_seen WHERE test_id = %(test)s AND sequence = %(sequence)s AND n > 0
    ), valued AS (
        SELECT *,
            CASE WHEN answered > 0 AND NOT is_crossed THEN {EXACT.format("total / nullif(answered, 0)")} END AS value
        FROM met
    ), is_ AS (
        SELECT arm AS arm_id, {DAY.format("first_at")} AS day, count(*) FILTER (WHERE NOT is_crossed) AS units,
            count(value) AS answered, count(*) FILTER (WHERE is_crossed AND place = 1) AS crossed,
            coalesce(sum(value), 0) AS total, coalesce(sum(value * value), 0) AS squares
        FROM valued GROUP BY 1, 2
    )
    SELECT count(*) FROM (
        SELECT arm_id, day, units, answered, crossed, total, squares FROM experiments_cell
        WHERE test_id = %(test)s AND sequence = %(sequence)s AND (units <> 0 OR answered <> 0 OR crossed <> 0
            OR total <> 0 OR squares <> 0)) AS said
    FULL JOIN (SELECT * FROM is_ WHERE units > 0 OR crossed > 0) AS is_ USING (arm_id, day)
    WHERE (said.units, said.answered, said.crossed, said.total, said.squares)
        IS DISTINCT FROM (is_.units::int, is_.answered::int, is_.crossed::int, is_.total, is_.squares)
"""
_PAIRS = """
    SELECT count(*) FROM (
        SELECT one_id AS one, other_id AS other, sum(wins) AS wins, sum(losses) AS losses, sum(ties) AS ties
        FROM experiments_votecell WHERE test_id = %(test)s AND sequence = %(sequence)s GROUP BY 1, 2) AS said
    FULL JOIN (
        SELECT one, other, count(*) FILTER (WHERE score = 1) AS wins, count(*) FILTER (WHERE score = 0) AS losses,
            count(*) FILTER (WHERE score = 0.5) AS ties FROM vote GROUP BY 1, 2) AS is_ USING (one, other)
    WHERE (coalesce(said.wins, 0), coalesce(said.losses, 0), coalesce(said.ties, 0))
        IS DISTINCT FROM (coalesce(is_.wins, 0), coalesce(is_.losses, 0), coalesce(is_.ties, 0))
"""


def prove(projects=None, *, rebuild=False):
    """A Proof of every running test, of these projects or of all; with `rebuild` what is wrong is counted anew."""
    tests = ABTest.objects.filter(state__in=RUNNING).select_related("project", "feedback_key").order_by("pk")
    if projects is not None:
        tests = tests.filter(project__in=projects)
    proofs = []
    for test in tests:
        with _alone():
            while watching.recount() + folding.fold():
                pass
            proofs.append(_proof(test))
            if rebuild and proofs[-1].n:
                _rebuild(test)
    return proofs


@contextmanager
def _alone():
    """A transaction that sees one moment of everything, in which nobody else folds."""
    is_first = not connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [folding.LOCK])
        try:
            with transaction.atomic():
                if is_first:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [folding.LOCK])


def _proof(test):
    by_metric = test.judged_by == JudgedBy.METRIC
    values = {
        "arms": list(test.arms.values_list("pk", flat=True)), "test": test.pk, "sequence": test.sequence,
        "since": test.sequence_started_at, "key": test.feedback_key_id, "project": test.project_id,
        "by_metric": by_metric, "watched": list(test.watched_keys.values_list("feedback_key", flat=True)),
    }  # fmt: skip
    head = _GONE + _METRIC if by_metric else _GONE_VOTES + _VOTES
    with connection.cursor() as cursor:
        values["failed"] = folding.failed_calls(cursor, _OF_ARMS, values) if by_metric else []
        cursor.execute(head + _UNITS, values)
        units, gone = cursor.fetchone()
        cursor.execute(_CELLS, values)
        [cells] = cursor.fetchone()
        pairs = 0
        if by_metric:
            for statement in (_UNDER, _WATCHED):
                cursor.execute(statement, values)
                cells += cursor.fetchone()[0]
        else:
            cursor.execute(head + _PAIRS, values)
            [pairs] = cursor.fetchone()
    return Proof(test, units, cells, pairs, gone)


_FORGET = (
    "DELETE FROM experiments_counted WHERE arm = ANY(%(arms)s) AND sequence = %(sequence)s",
    "DELETE FROM experiments_countedvote WHERE test_id = %(test)s AND sequence = %(sequence)s",
    "DELETE FROM experiments_countedunder WHERE arm = ANY(%(arms)s) AND sequence = %(sequence)s",
    "DELETE FROM experiments_seenunder WHERE test_id = %(test)s AND sequence = %(sequence)s",
    "DELETE FROM experiments_watchedcell WHERE test_id = %(test)s AND sequence = %(sequence)s",
    "DELETE FROM experiments_seen WHERE test_id = %(test)s AND sequence = %(sequence)s",
    "DELETE FROM experiments_cell WHERE test_id = %(test)s AND sequence = %(sequence)s",
    "DELETE FROM experiments_votecell WHERE test_id = %(test)s AND sequence = %(sequence)s",
    """
    INSERT INTO interactions_armtouch (arm, interaction_id) SELECT arm, id FROM interactions_interaction
    WHERE arm = ANY(%(arms)s) AND received_at >= %(since)s
    """,
    """
    INSERT INTO interactions_armtouch (arm, interaction_id, comparison_id) SELECT i.arm, i.id, p.id
    FROM feedback_preference p JOIN interactions_interaction i ON i.id = p.interaction_id
    WHERE p.project_id = %(project)s AND p.feedback_key_id = %(key)s AND i.arm = ANY(%(arms)s)
    """,
)


def _rebuild(test):
    """Count the sequence anew, by the same folding; what is no longer stored is not counted any more."""
    values = {
        "arms": list(test.arms.values_list("pk", flat=True)), "test": test.pk, "sequence": test.sequence,
        "since": test.sequence_started_at, "key": test.feedback_key_id, "project": test.project_id,
    }  # fmt: skip
    with connection.cursor() as cursor:
        for statement in _FORGET:
            cursor.execute(statement, values)
    while folding.fold():
        pass
