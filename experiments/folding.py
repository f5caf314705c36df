"""What changed is brought into the tests' figures: touches are taken, and what they name is counted as it is now.

A touch says only what to look at; how that was counted before is remembered (Counted, CountedVote). So it does not
matter how often or in which order touches are folded, and a turn is one transaction: killed, it has not been. One
folder at a time, by an advisory lock that nobody waits for. Only running tests are counted: what comes after the end is
kept, not counted; and only what arrived in the sequence that lasts.

Sums are exact decimals: what was added is taken away to the last digit.
"""

import time
from contextlib import nullcontext

from django.db import connection, transaction

from experiments import watching
from experiments.expressions import DAY, EXACT, GROUP, JUDGE, MOMENT, UNIT, VALUES
from interactions.failed import MAY_HAVE_FAILED, is_of_failed
from interactions.models import ArmTouch

LOCK = 0x4D61_7267_0005  # one folder at a time
SLICE = 5_000  # touches a turn
AWHILE = 0.05  # seconds, when another one folds

# -- interactions: what each was counted as, and is -------------------------------------------------
_INTERACTIONS = f"""
    WITH touched AS MATERIALIZED (
        SELECT DISTINCT u.interaction_id, t.id AS test_id, t.sequence, t.sequence_started_at, t.feedback_key_id,
            t.judged_by = 'metric' AS by_metric
        FROM unnest(%(arms)s::integer[], %(ids)s::uuid[]) AS u(arm, interaction_id)
        JOIN experiments_arm a ON a.id = u.arm JOIN experiments_abtest t ON t.id = a.test_id
        WHERE t.ended_at IS NULL
    ), given AS MATERIALIZED (
        {VALUES.format("f.interaction_id = ANY(%(ids)s::uuid[])")}
    ), present AS MATERIALIZED (
        SELECT i.id, i.arm, i.received_at, {UNIT} AS unit, i.id = ANY(%(failed)s::uuid[]) AS failed,
            CASE WHEN NOT i.id = ANY(%(failed)s::uuid[]) THEN i.latency_ms END AS latency_ms,
            CASE WHEN NOT i.id = ANY(%(failed)s::uuid[]) THEN i.completion_tokens END AS completion_tokens
        FROM interactions_interaction i WHERE i.id = ANY(%(ids)s::uuid[]) AND i.source <> 'simulation'
    ), former AS MATERIALIZED (
        SELECT c.interaction_id, c.arm, c.sequence, c.unit, c.value, c.latency_ms, c.completion_tokens, c.failed
        FROM experiments_counted c WHERE c.interaction_id = ANY(%(ids)s::uuid[])
    ), states AS MATERIALIZED (
        SELECT d.test_id, d.sequence, d.by_metric, d.interaction_id, coalesce(i.arm, c.arm) AS arm,
            coalesce(i.unit, c.unit) AS unit,
            (i.id IS NOT NULL)::int AS is_, (c.interaction_id IS NOT NULL)::int AS was,
            CASE WHEN i.id IS NOT NULL AND d.by_metric THEN g.value END AS value, i.latency_ms,
            i.completion_tokens, c.value AS former_value, c.latency_ms AS former_latency,
            c.completion_tokens AS former_tokens,
            coalesce(i.failed, false) AS failed, coalesce(c.failed, false) AS had_failed
        FROM touched d LEFT JOIN present i ON i.id = d.interaction_id
        LEFT JOIN given g ON g.interaction_id = d.interaction_id AND g.feedback_key_id = d.feedback_key_id
        LEFT JOIN former c ON c.interaction_id = d.interaction_id
        WHERE CASE WHEN c.interaction_id IS NULL THEN i.received_at >= d.sequence_started_at
            ELSE c.sequence = d.sequence END
    ), written AS (
        INSERT INTO experiments_counted
            (interaction_id, arm, sequence, unit, value, latency_ms, completion_tokens, failed)
        SELECT interaction_id, arm, sequence, unit, value, latency_ms, completion_tokens, failed FROM states
        WHERE is_ = 1 AND (was = 0 OR (value, latency_ms, completion_tokens, failed)
            IS DISTINCT FROM (former_value, former_latency, former_tokens, had_failed))
        ON CONFLICT (interaction_id) DO UPDATE SET value = excluded.value, latency_ms = excluded.latency_ms,
            completion_tokens = excluded.completion_tokens, failed = excluded.failed
    ), gone AS (
        DELETE FROM experiments_counted
        WHERE interaction_id = ANY(ARRAY(SELECT interaction_id FROM states WHERE is_ = 0))
    ), changes AS MATERIALIZED (
        SELECT test_id, sequence, by_metric, unit, arm, {MOMENT.format("interaction_id")} AS moment, is_ - was AS n,
            (value IS NOT NULL)::int - (former_value IS NOT NULL)::int AS answered,
            coalesce(value, 0) - coalesce(former_value, 0) AS total,
            coalesce(latency_ms, 0)::bigint - coalesce(former_latency, 0) AS latency_ms,
            (latency_ms IS NOT NULL)::int - (former_latency IS NOT NULL)::int AS timed,
            coalesce(completion_tokens, 0)::bigint - coalesce(former_tokens, 0) AS completion_tokens,
            (completion_tokens IS NOT NULL)::int - (former_tokens IS NOT NULL)::int AS tokened,
            failed::int - had_failed::int AS failed
        FROM states
    ), deltas AS MATERIALIZED (
        SELECT test_id, sequence, unit, arm, min(moment) FILTER (WHERE n >= 0) AS first_at, sum(n)::int AS n,
            sum(answered)::int AS answered, sum(total) AS total, sum(latency_ms)::bigint AS latency_ms,
            sum(timed)::int AS timed, sum(completion_tokens)::bigint AS completion_tokens,
            sum(tokened)::int AS tokened, sum(failed)::int AS failed
        FROM changes WHERE by_metric GROUP BY 1, 2, 3, 4
    ), direct AS (
        SELECT test_id, sequence, arm, {DAY.format("moment")} AS day, n AS interactions, latency_ms, timed,
            failed
        FROM changes WHERE NOT by_metric
    )"""

# -- comparisons: both arms' win rate of each judge --------------------------------------------------
_VOTES = f"""
    WITH touched AS MATERIALIZED (
        SELECT DISTINCT ON (u.comparison_id) u.comparison_id, t.id AS test_id, t.sequence, t.sequence_started_at,
            t.feedback_key_id
        FROM unnest(%(arms)s::integer[], %(comparisons)s::uuid[]) AS u(arm, comparison_id)
        JOIN experiments_arm a ON a.id = u.arm JOIN experiments_abtest t ON t.id = a.test_id
        WHERE t.ended_at IS NULL AND t.judged_by = 'preference' ORDER BY u.comparison_id
    ), sides AS MATERIALIZED (
        SELECT DISTINCT ON (p.id) p.id, p.interaction_id, p.other_id, p.outcome, p.feedback_key_id, {JUDGE} AS judge
        FROM feedback_preference p
        WHERE p.interaction_id = ANY(%(ids)s::uuid[]) AND p.id = ANY(%(comparisons)s::uuid[]) ORDER BY p.id
    ), present AS MATERIALIZED (
        SELECT i.id, i.arm, i.received_at FROM interactions_interaction i
        WHERE i.id = ANY(ARRAY(SELECT interaction_id FROM sides UNION SELECT other_id FROM sides))
            AND i.source <> 'simulation'
    ), found AS MATERIALIZED (
        SELECT p.id, d.test_id, d.sequence, p.judge, least(i.arm, o.arm) AS one, greatest(i.arm, o.arm) AS other,
            CASE WHEN p.outcome = 'won' AND i.arm < o.arm OR p.outcome = 'lost' AND i.arm > o.arm THEN 2
                WHEN p.outcome IN ('won', 'lost') THEN 0 ELSE 1 END AS points
        FROM touched d JOIN sides p ON p.id = d.comparison_id AND p.feedback_key_id = d.feedback_key_id
        JOIN present i ON i.id = p.interaction_id JOIN present o ON o.id = p.other_id
        JOIN experiments_arm a ON a.id = i.arm AND a.test_id = d.test_id
        JOIN experiments_arm b ON b.id = o.arm AND b.test_id = d.test_id
        WHERE i.arm <> o.arm AND least(i.received_at, o.received_at) >= d.sequence_started_at
    ), former AS MATERIALIZED (
        SELECT * FROM experiments_countedvote WHERE comparison_id = ANY(%(comparisons)s::uuid[])
    ), came AS MATERIALIZED (
        SELECT f.* FROM found f WHERE NOT EXISTS (SELECT FROM former c WHERE c.comparison_id = f.id)
    ), went AS MATERIALIZED (
        SELECT c.* FROM former c JOIN touched d USING (comparison_id)
        WHERE c.sequence = d.sequence AND NOT EXISTS (SELECT FROM sides p WHERE p.id = c.comparison_id)
    ), written AS (
        INSERT INTO experiments_countedvote (comparison_id, test_id, sequence, judge, one, other, points)
        SELECT id, test_id, sequence, judge, one, other, points FROM came
    ), gone AS (
        DELETE FROM experiments_countedvote
        WHERE comparison_id = ANY(ARRAY(SELECT comparison_id FROM went))
    ), votes AS MATERIALIZED (
        SELECT id, test_id, sequence, judge, one, other, points, 1 AS sign FROM came
        UNION ALL SELECT comparison_id, test_id, sequence, judge, one, other, points, -1 FROM went
    ), pairs AS (
        INSERT INTO experiments_votecell AS v (test_id, sequence, judges, one_id, other_id, wins, losses, ties)
        SELECT test_id, sequence,
            {GROUP.format("judge")} AS judges, one, other,
            sum(sign * (points = 2)::int), sum(sign * (points = 0)::int), sum(sign * (points = 1)::int)
        FROM votes GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (test_id, sequence, judges, one_id, other_id) DO UPDATE SET wins = v.wins + excluded.wins,
            losses = v.losses + excluded.losses, ties = v.ties + excluded.ties
    ), changes AS (
        SELECT test_id, sequence, judge AS unit, one AS arm, id, sign, points FROM votes
        UNION ALL SELECT test_id, sequence, judge, other, id, sign, 2 - points FROM votes
    ), deltas AS MATERIALIZED (
        SELECT test_id, sequence, unit, arm, min({MOMENT.format("id")}) FILTER (WHERE sign = 1) AS first_at,
            sum(sign)::int AS n, sum(sign)::int AS answered, sum(sign * points * 0.5) AS total, 0::bigint AS latency_ms,
            0 AS timed, 0::bigint AS completion_tokens, 0 AS tokened, 0 AS failed
        FROM changes GROUP BY 1, 2, 3, 4
    ), direct AS (
        SELECT 0 AS test_id, 0::smallint AS sequence, 0 AS arm, current_date AS day, 0 AS interactions,
            0::bigint AS latency_ms, 0 AS timed, 0 AS failed WHERE false
    )"""

# -- what both have in common: units, and the days' sums of them ------------------------------------
_FOLD = f"""
    , before AS MATERIALIZED (
        SELECT s.* FROM (SELECT DISTINCT test_id, sequence, unit FROM deltas) AS k CROSS JOIN LATERAL (
            SELECT s.test_id, s.sequence, s.unit, s.arm, s.first_at, s.n, s.answered, s.total, s.latency_ms, s.timed,
                s.completion_tokens, s.tokened, s.failed
            FROM experiments_seen s WHERE s.test_id = k.test_id AND s.sequence = k.sequence AND s.unit = k.unit
            OFFSET 0) AS s
    ), after AS MATERIALIZED (
        SELECT test_id, sequence, unit, arm, CASE WHEN b.n > 0 THEN least(b.first_at, d.first_at)
                ELSE coalesce(d.first_at, b.first_at) END AS first_at,
            coalesce(b.n, 0) + coalesce(d.n, 0) AS n, coalesce(b.answered, 0) + coalesce(d.answered, 0) AS answered,
            coalesce(b.total, 0) + coalesce(d.total, 0) AS total,
            coalesce(b.latency_ms, 0) + coalesce(d.latency_ms, 0) AS latency_ms,
            coalesce(b.timed, 0) + coalesce(d.timed, 0) AS timed,
            coalesce(b.completion_tokens, 0) + coalesce(d.completion_tokens, 0) AS completion_tokens,
            coalesce(b.tokened, 0) + coalesce(d.tokened, 0) AS tokened,
            coalesce(b.failed, 0) + coalesce(d.failed, 0) AS failed, d.n IS NOT NULL AS changed
        FROM before b FULL JOIN deltas d USING (test_id, sequence, unit, arm)
    ), stored AS (
        INSERT INTO experiments_seen (test_id, sequence, unit, arm, first_at, n, answered, total, latency_ms, timed,
            completion_tokens, tokened, failed)
        SELECT test_id, sequence, unit, arm, first_at, n, answered, total, latency_ms, timed, completion_tokens,
            tokened, failed
        FROM after WHERE changed
        ON CONFLICT (test_id, sequence, unit, arm) DO UPDATE SET first_at = excluded.first_at, n = excluded.n,
            answered = excluded.answered, total = excluded.total, latency_ms = excluded.latency_ms,
            timed = excluded.timed, completion_tokens = excluded.completion_tokens, tokened = excluded.tokened,
            failed = excluded.failed
    ), weighed AS (
        SELECT *, count(*) OVER unit_ > 1 AND NOT %(votes)s AS is_crossed,
            row_number() OVER (PARTITION BY sign, test_id, sequence, unit ORDER BY first_at, arm) AS place
        FROM (
            SELECT -1 AS sign, test_id, sequence, unit, arm, first_at, n, answered, total, latency_ms, timed, failed
            FROM before
            UNION ALL
            SELECT 1, test_id, sequence, unit, arm, first_at, n, answered, total, latency_ms, timed, failed FROM after
        ) AS both_ WHERE n > 0 WINDOW unit_ AS (PARTITION BY sign, test_id, sequence, unit)
    ), valued AS (
        SELECT *,
            CASE WHEN answered > 0 AND NOT is_crossed THEN {EXACT.format("total / nullif(answered, 0)")} END AS value
        FROM weighed
    ), parts AS (
        SELECT test_id, sequence, arm, {DAY.format("first_at")} AS day, sign * (NOT is_crossed)::int AS units,
            sign * (value IS NOT NULL)::int AS answered, sign * (is_crossed AND place = 1)::int AS crossed,
            sign * coalesce(value, 0) AS total, sign * coalesce(value * value, 0) AS squares,
            CASE WHEN %(votes)s THEN 0 ELSE sign * n END AS interactions, sign * latency_ms AS latency_ms,
            sign * timed AS timed, sign * failed AS failed
        FROM valued
        UNION ALL SELECT test_id, sequence, arm, day, 0, 0, 0, 0, 0, interactions, latency_ms, timed, failed FROM direct
    ), cells AS (
        INSERT INTO experiments_cell AS c (test_id, sequence, arm_id, day, units, answered, crossed, total, squares,
            interactions, latency_ms, timed, failed, folded_at)
        SELECT test_id, sequence, arm, day, sum(units), sum(answered), sum(crossed), sum(total), sum(squares),
            sum(interactions), sum(latency_ms), sum(timed), sum(failed), statement_timestamp()
        FROM parts GROUP BY 1, 2, 3, 4
        HAVING sum(units) <> 0 OR sum(answered) <> 0 OR sum(crossed) <> 0 OR sum(total) <> 0 OR sum(squares) <> 0
            OR sum(interactions) <> 0 OR sum(latency_ms) <> 0 OR sum(timed) <> 0 OR sum(failed) <> 0
        ORDER BY 1, 2, 3, 4
        ON CONFLICT (test_id, sequence, arm_id, day) DO UPDATE SET units = c.units + excluded.units,
            answered = c.answered + excluded.answered, crossed = c.crossed + excluded.crossed,
            total = c.total + excluded.total, squares = c.squares + excluded.squares,
            interactions = c.interactions + excluded.interactions, latency_ms = c.latency_ms + excluded.latency_ms,
            timed = c.timed + excluded.timed, failed = c.failed + excluded.failed, folded_at = excluded.folded_at
    )
    SELECT count(*) FROM touched
"""
_MAY_HAVE_FAILED = """
    SELECT id, envelope FROM interactions_interactionbody WHERE {} AND {}
"""
_TAKE = """
    DELETE FROM interactions_armtouch WHERE id IN (SELECT id FROM interactions_armtouch ORDER BY id LIMIT %s)
    RETURNING arm, interaction_id, comparison_id
"""
# a test that somebody is changing at this moment is looked at the next time
_BEGIN = """
    WITH begun AS (
        UPDATE experiments_abtest SET state = 'in_progress' WHERE id IN (
            SELECT t.id FROM experiments_abtest t WHERE t.state = 'warmup' AND NOT EXISTS (
                SELECT FROM experiments_arm a WHERE a.test_id = t.id AND a.weight > 0 AND NOT EXISTS (
                    SELECT FROM experiments_cell c
                    WHERE c.test_id = t.id AND c.sequence = t.sequence AND c.arm_id = a.id AND c.interactions > 0))
            FOR UPDATE OF t SKIP LOCKED)
        RETURNING id
    )
    INSERT INTO experiments_event (test_id, text) SELECT id, 'All arms have had traffic.' FROM begun
"""
_FIRST = """
    UPDATE experiments_abtest t SET first_unit_at = (
        SELECT min(s.first_at) FROM experiments_seen s
        WHERE s.test_id = t.id AND s.sequence = t.sequence AND s.n > 0)
    WHERE t.id IN (
        SELECT t.id FROM experiments_abtest t WHERE t.first_unit_at IS NULL AND t.ended_at IS NULL AND EXISTS (
            SELECT FROM experiments_seen s WHERE s.test_id = t.id AND s.sequence = t.sequence AND s.n > 0)
        FOR UPDATE OF t SKIP LOCKED)
"""


def fold(limit=SLICE):
    """Bring up to so many touches into the figures; returns how many were taken, 0 also where another one folds."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_TAKE, [limit])
        touches = cursor.fetchall()
        if not touches:
            return 0
        _count(cursor, [touch for touch in touches if touch[2] is None])
        _count(cursor, [touch for touch in touches if touch[2] is not None])
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN)
        cursor.execute(_FIRST)
    return len(touches)


def _count(cursor, touches):
    """Interactions, or comparisons: none, or all of them."""
    if not touches:
        return
    arms, ids, comparisons = map(list, zip(*touches, strict=True))
    votes = comparisons[0] is not None
    values = {"arms": arms, "ids": ids, "comparisons": comparisons, "votes": votes}
    if not votes:
        values["failed"] = failed_calls(cursor, "id = ANY(%(ids)s::uuid[])", values)
    with nullcontext() if votes else watching.moved(cursor, values):
        cursor.execute((_VOTES if votes else _INTERACTIONS) + _FOLD, values)


def failed_calls(cursor, which, values):
    """The ids of the interactions, of `which` bodies (a condition in SQL), whose calls failed. The row tells it too,
    but of what was logged before rows did not until the worker has been there."""
    cursor.execute(_MAY_HAVE_FAILED.format(which, MAY_HAVE_FAILED), values)
    return [pk for pk, envelope in cursor.fetchall() if is_of_failed(envelope)]


def settle(turns=20):
    """Fold what is there, before figures are taken for good: at most so many turns, another one's counted among
    them."""
    for _ in range(turns):
        taken = fold()
        if taken < SLICE and not ArmTouch.objects.exists():
            return
        if not taken:
            time.sleep(AWHILE)
