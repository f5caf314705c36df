"""What a test watches beside what it is judged by, counted in the same turn as the rest: a value a unit of each figure.

Of the units that are touched all that their figures held is taken away, and what they hold afterwards is brought back.
So it does not matter what happened to a unit: a value that changed, a day, a second arm. Tests by preferences watch
nothing, for their units are judges.
"""

from contextlib import contextmanager

from django.db import connection, transaction

from experiments.expressions import DAY, EXACT, UNIT, VALUES

FAILED, LATENCY, TOKENS = -1, -2, -3  # figures that are no feedback key's
SLICE = 5_000  # interactions a turn that are counted again

_OF_METRIC = "t.ended_at IS NULL AND t.judged_by = 'metric'"
# logarithms of what is skewed, to nine digits: those of decimals would take a hundred times as long. A call of under a
# millisecond, or an answer of no token, has none and is taken as 1
_LOG = "CASE WHEN {1} > 0 THEN round(ln(greatest({0}::float8 / {1}, 1))::numeric, 9) END"
PARTS = f"""
    valued AS (
        SELECT m.test_id, m.sequence, m.arm, {DAY.format("m.first_at")} AS day, f.figure, f.value
        FROM met m CROSS JOIN LATERAL (
            SELECT {FAILED} AS figure, {EXACT.format("m.failed::numeric / m.n")} AS value
            UNION ALL SELECT {LATENCY}, {_LOG.format("m.latency_ms", "m.timed")}
            UNION ALL SELECT {TOKENS}, {_LOG.format("m.completion_tokens", "m.tokened")}
            UNION ALL SELECT u.feedback_key_id, {EXACT.format("u.total / u.answered")} FROM experiments_seenunder u
            WHERE u.test_id = m.test_id AND u.sequence = m.sequence AND u.unit = m.unit AND u.arm = m.arm
                AND u.answered > 0
        ) AS f WHERE f.value IS NOT NULL AND NOT m.is_crossed
    ), parts AS (
        SELECT test_id, sequence, arm, figure, day, count(*) AS units, sum(value) AS total,
            sum(value * value) AS squares
        FROM valued GROUP BY 1, 2, 3, 4, 5
    )"""
_MOVE = f"""
    WITH met AS (
        SELECT s.*, count(*) OVER (PARTITION BY s.test_id, s.sequence, s.unit) > 1 AS is_crossed
        FROM unnest(%(tests)s::integer[], %(sequences)s::smallint[], %(units)s::uuid[]) AS k(test, sequence, unit)
        CROSS JOIN LATERAL (
            SELECT * FROM experiments_seen s
            WHERE s.test_id = k.test AND s.sequence = k.sequence AND s.unit = k.unit AND s.n > 0 OFFSET 0) AS s
    ), {PARTS}
    INSERT INTO experiments_watchedcell AS c (test_id, sequence, arm_id, figure, day, units, total, squares)
    SELECT test_id, sequence, arm, figure, day, %(sign)s * units, %(sign)s * total, %(sign)s * squares FROM parts
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (test_id, sequence, arm_id, figure, day) DO UPDATE SET units = c.units + excluded.units,
        total = c.total + excluded.total, squares = c.squares + excluded.squares
"""
_UNITS = f"""
    WITH known AS MATERIALIZED (
        SELECT interaction_id, unit FROM experiments_counted WHERE interaction_id = ANY(%(ids)s::uuid[])
        UNION SELECT i.id, {UNIT} FROM interactions_interaction i WHERE i.id = ANY(%(ids)s::uuid[])
    )
    SELECT DISTINCT t.id, t.sequence, known.unit
    FROM unnest(%(arms)s::integer[], %(ids)s::uuid[]) AS u(arm, interaction_id)
    JOIN experiments_arm a ON a.id = u.arm JOIN experiments_abtest t ON t.id = a.test_id
    JOIN known USING (interaction_id) WHERE {_OF_METRIC}
"""
# what was given under the keys, after the interactions were counted: one that is not counted has nothing
_UNDER = f"""
    WITH touched AS MATERIALIZED (
        SELECT DISTINCT u.interaction_id, t.id AS test_id, t.sequence
        FROM unnest(%(arms)s::integer[], %(ids)s::uuid[]) AS u(arm, interaction_id)
        JOIN experiments_arm a ON a.id = u.arm JOIN experiments_abtest t ON t.id = a.test_id
        WHERE {_OF_METRIC} AND EXISTS (SELECT FROM experiments_watchedkey w WHERE w.test_id = t.id)
    ), given AS MATERIALIZED (
        {VALUES.format("f.interaction_id = ANY(ARRAY(SELECT interaction_id FROM touched))")}
    ), counted AS MATERIALIZED (
        SELECT c.interaction_id, c.arm, c.sequence, c.unit FROM experiments_counted c
        WHERE c.interaction_id = ANY(ARRAY(SELECT interaction_id FROM touched))
    ), former AS MATERIALIZED (
        SELECT d.test_id, c.* FROM touched d JOIN experiments_countedunder c USING (interaction_id, sequence)
        WHERE c.interaction_id = ANY(ARRAY(SELECT interaction_id FROM touched))
    ), is_ AS MATERIALIZED (
        SELECT d.test_id, d.sequence, d.interaction_id, c.arm, c.unit, g.feedback_key_id, g.value
        FROM touched d JOIN counted c USING (interaction_id, sequence)
        JOIN experiments_watchedkey w ON w.test_id = d.test_id
        JOIN given g ON g.interaction_id = d.interaction_id AND g.feedback_key_id = w.feedback_key_id
    ), states AS MATERIALIZED (
        SELECT test_id, sequence, interaction_id, feedback_key_id, coalesce(i.arm, o.arm) AS arm,
            coalesce(i.unit, o.unit) AS unit, i.value, o.value AS former
        FROM is_ i FULL JOIN former o USING (test_id, sequence, interaction_id, feedback_key_id)
        WHERE i.value IS DISTINCT FROM o.value
    ), written AS (
        INSERT INTO experiments_countedunder (interaction_id, feedback_key_id, arm, sequence, unit, value)
        SELECT interaction_id, feedback_key_id, arm, sequence, unit, value FROM states WHERE value IS NOT NULL
        ON CONFLICT (interaction_id, feedback_key_id) DO UPDATE SET value = excluded.value
    ), gone AS (
        DELETE FROM experiments_countedunder c USING states s
        WHERE s.value IS NULL AND c.interaction_id = s.interaction_id AND c.feedback_key_id = s.feedback_key_id
    ), deltas AS (
        SELECT test_id, sequence, unit, arm, feedback_key_id,
            sum((value IS NOT NULL)::int - (former IS NOT NULL)::int)::int AS answered,
            sum(coalesce(value, 0) - coalesce(former, 0)) AS total
        FROM states GROUP BY 1, 2, 3, 4, 5
    )
    INSERT INTO experiments_seenunder AS s (test_id, sequence, unit, arm, feedback_key_id, answered, total)
    SELECT * FROM deltas WHERE answered <> 0 OR total <> 0
    ON CONFLICT (test_id, sequence, unit, arm, feedback_key_id) DO UPDATE SET answered = s.answered + excluded.answered,
        total = s.total + excluded.total
"""
# in the order of ids arm by arm, as their index has them
_AGAIN = """
    WITH test AS MATERIALIZED (
        SELECT id, recount_after, sequence_started_at FROM experiments_abtest
        WHERE recount_after IS NOT NULL AND ended_at IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    ), next AS MATERIALIZED (
        SELECT i.* FROM test t JOIN experiments_arm a ON a.test_id = t.id CROSS JOIN LATERAL (
            SELECT i.arm, i.id, i.received_at >= t.sequence_started_at AS counts FROM interactions_interaction i
            WHERE i.arm = a.id AND i.id > t.recount_after ORDER BY i.id LIMIT %(limit)s) AS i
        ORDER BY i.id LIMIT %(limit)s
    ), touched AS (
        INSERT INTO interactions_armtouch (arm, interaction_id) SELECT arm, id FROM next WHERE counts
    ), moved AS (
        UPDATE experiments_abtest SET recount_after = CASE WHEN (SELECT count(*) FROM next) = %(limit)s
            THEN (SELECT id FROM next ORDER BY id DESC LIMIT 1) END
        WHERE id = (SELECT id FROM test)
    )
    SELECT count(*) FROM next
"""


@contextmanager
def moved(cursor, values):
    """Around the counting of touched interactions (`arms` and `ids` of `values`), in its transaction: what is watched
    of their units, taken away before and brought back after."""
    cursor.execute(_UNITS, values)
    found = cursor.fetchall()
    tests, sequences, units = map(list, zip(*found, strict=True)) if found else ([], [], [])
    touched = {"tests": tests, "sequences": sequences, "units": units}
    cursor.execute(_MOVE, touched | {"sign": -1})
    yield
    cursor.execute(_UNDER, values)
    cursor.execute(_MOVE, touched | {"sign": 1})


def recount(limit=SLICE):
    """Touch the next so many interactions of a test that is to be counted again, since more of it is watched than was;
    returns how many were looked at."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_AGAIN, {"limit": limit})
        return cursor.fetchone()[0]
