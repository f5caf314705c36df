"""What the roll-ups must say: counted anew from the rows by SQL, set against what they do say.

Each statement begins with the same parts: `said` (the roll-up with its deltas), `counted` (the rows) and `different`
(where they differ, with both). What follows decides what becomes of the differences.
"""

from dataclasses import dataclass

# hours since 1970 of a UUIDv7; uuid_extract_timestamp is of PostgreSQL 17
_HOUR = "to_timestamp((('x' || left({0}::text, 8) || substr({0}::text, 10, 4))::bit(48)::bigint / 3600000) * 3600)"
_RANGE = "{0} >= %(lower)s AND {0} < %(upper)s"
_PROJECT = "({0} = %(project)s OR %(project)s::integer IS NULL)"


@dataclass(frozen=True)
class Tables:
    """Where the rows are read: the families, or partitions of them."""

    interaction: str = "interactions_interaction"
    feedback: str = "feedback_feedback"
    preference: str = "feedback_preference"


@dataclass(frozen=True)
class Kind:
    """A roll-up: its table and that of its deltas, what its rows are named by, and what they measure."""

    rollup: str
    delta: str
    names: tuple
    measures: tuple
    hourly: bool = True

    def said(self):
        """What the roll-up says with its deltas, in one span of hours where it is by hour."""
        columns = ", ".join(self.names + self.measures)
        sums = ", ".join(f"sum({name}) AS {name}" for name in self.measures)
        where = _PROJECT.format("project_id")
        where += " AND hour >= %(start)s AND hour < %(end)s" if self.hourly else ""
        rows = " UNION ALL ".join(f"SELECT {columns} FROM {t} WHERE {where}" for t in (self.rollup, self.delta))
        return f"SELECT {', '.join(self.names)}, {sums} FROM ({rows}) AS both_ GROUP BY {', '.join(self.names)}"

    def compared(self, counting):
        """WITH …, different AS (names, said_…, is_…); `counting` are CTEs of which the last is `counted`."""
        said = ", ".join(f"coalesce(s.{name}, 0) AS said_{name}" for name in self.measures)
        is_ = ", ".join(f"coalesce(c.{name}, 0) AS is_{name}" for name in self.measures)
        wrong = " OR ".join(f"coalesce(s.{name}, 0) <> coalesce(c.{name}, 0)" for name in self.measures)
        return (
            f"WITH said AS ({self.said()}), {counting}, different AS (SELECT {', '.join(self.names)}, {said}, {is_}"
            f" FROM counted c FULL JOIN said s USING ({', '.join(self.names)}) WHERE {wrong})"
        )

    def mended(self, source="different"):
        """INSERT the differences as deltas, which add up with whatever others append at the same time."""
        names = ", ".join(self.names)
        changes = ", ".join(f"is_{name} - said_{name}" for name in self.measures)
        return f"INSERT INTO {self.delta} ({names}, {', '.join(self.measures)}) SELECT {names}, {changes} FROM {source}"


COUNTS = Kind("interactions_rollup", "interactions_rollupdelta", ("project_id", "hour", "dimension", "value"), ("n",))
GIVEN = Kind(
    "feedback_givenrollup", "feedback_givendelta",
    ("project_id", "hour", "key_id", "model_id"), ("n", "total", "squares", "interactions", "ones", "zeros"),
)  # fmt: skip
PAIRS = Kind(
    "feedback_pairrollup", "feedback_pairdelta",
    ("project_id", "key_id", "model_id", "other_model_id", "outcome"), ("n",), hourly=False,
)  # fmt: skip


def counts(tables):
    """Interactions by hour: all, by model, by label."""
    return COUNTS.compared(f"""
        told AS MATERIALIZED (
            SELECT project_id, {_HOUR.format("id")} AS hour, model_id, label_ids FROM {tables.interaction}
            WHERE {_RANGE.format("id")} AND source <> 'simulation' AND {_PROJECT.format("project_id")}
        ), counted AS (
            SELECT project_id, hour, 0::smallint AS dimension, 0 AS value, count(*) AS n FROM told GROUP BY 1, 2
            UNION ALL SELECT project_id, hour, 2::smallint, model_id, count(*) FROM told
            WHERE model_id IS NOT NULL GROUP BY 1, 2, 4
            UNION ALL SELECT project_id, hour, 1::smallint, label_id, count(*) FROM (
                SELECT project_id, hour, unnest(label_ids) AS label_id FROM told) AS labelled GROUP BY 1, 2, 4
        )""")


def given(tables):
    """Current feedback by hour of the interaction, key and model; key 0 is any, -1 by a reviewer."""
    return GIVEN.compared(f"""
        told AS MATERIALIZED (
            SELECT i.project_id, {_HOUR.format("i.id")} AS hour, coalesce(i.model_id, 0) AS model_id, i.id,
                f.feedback_key_id AS key_id, count(*) AS n, sum(f.value::text::numeric) AS total,
                sum(f.value::text::numeric * f.value::text::numeric) AS squares, bool_or(f.value = 1) AS one,
                bool_or(f.value = 0) AS zero, bool_or(f.origin = 'reviewer') AS reviewed
            FROM {tables.feedback} f JOIN {tables.interaction} i ON i.id = f.interaction_id
            WHERE f.superseded_by IS NULL AND {_RANGE.format("f.interaction_id")} AND {_RANGE.format("i.id")}
                AND i.source <> 'simulation' AND {_PROJECT.format("i.project_id")}
            GROUP BY i.project_id, i.id, i.model_id, f.feedback_key_id
        ), counted AS (
            SELECT project_id, hour, key_id, model_id, sum(n) AS n, sum(total) AS total, sum(squares) AS squares,
                count(*) AS interactions, count(*) FILTER (WHERE one) AS ones, count(*) FILTER (WHERE zero) AS zeros
            FROM told GROUP BY 1, 2, 3, 4
            UNION ALL SELECT project_id, hour, 0, model_id, 0, 0, 0, count(DISTINCT id), 0, 0 FROM told GROUP BY 1, 2, 4
            UNION ALL SELECT project_id, hour, -1, model_id, 0, 0, 0, count(DISTINCT id), 0, 0 FROM told
            WHERE reviewed GROUP BY 1, 2, 4
        )""")


# of the two rows of a comparison one counts, and none where either side is simulated: see feedback.preferences._count
COUNTING = """
    (coalesce(p.model_id, 0) < coalesce(p.other_model_id, 0)
        OR coalesce(p.model_id, 0) = coalesce(p.other_model_id, 0)
        AND (p.outcome = 'won' OR p.outcome <> 'lost' AND p.interaction_id < p.other_id))
    AND NOT EXISTS (SELECT FROM interactions_interaction s WHERE s.id = p.interaction_id AND s.source = 'simulation')
    AND NOT EXISTS (SELECT FROM interactions_interaction s WHERE s.id = p.other_id AND s.source = 'simulation')
"""
PAIR = "p.project_id, p.feedback_key_id, coalesce(p.model_id, 0), coalesce(p.other_model_id, 0), p.outcome"


def pairs(tables):
    """Comparisons by key, the two models and how they ended."""
    return PAIRS.compared(f"""
        counted (project_id, key_id, model_id, other_model_id, outcome, n) AS (
            SELECT {PAIR}, count(*) FROM {tables.preference} p
            WHERE {_PROJECT.format("p.project_id")} AND {COUNTING} GROUP BY 1, 2, 3, 4, 5
        )""")


def uses(differing):
    """Labels whose uses are wrong: (project, label, said, is, what is missing once the deltas are folded).

    `differing` is the table of what is wrong in COUNTS. A label's uses are the sum of its roll-up, and both follow the
    same deltas.
    """
    return f"""
        WITH folded AS (
            SELECT value, sum(n) AS n FROM interactions_rollup
            WHERE dimension = 1 AND {_PROJECT.format("project_id")} GROUP BY 1
        ), pending AS (
            SELECT value, sum(n) AS n FROM interactions_rollupdelta
            WHERE dimension = 1 AND {_PROJECT.format("project_id")} GROUP BY 1
        ), missing AS (
            SELECT value, sum(is_n - said_n) AS n FROM {differing} WHERE dimension = 1 GROUP BY 1
        )
        SELECT l.project_id, l.id AS value, l.uses + coalesce(p.n, 0) AS said_n,
            coalesce(f.n, 0) + coalesce(p.n, 0) + coalesce(m.n, 0) AS is_n, coalesce(f.n, 0) - l.uses AS missing
        FROM interactions_label l LEFT JOIN folded f ON f.value = l.id LEFT JOIN pending p ON p.value = l.id
            LEFT JOIN missing m ON m.value = l.id
        WHERE {_PROJECT.format("l.project_id")} AND (l.uses <> coalesce(f.n, 0) OR coalesce(m.n, 0) <> 0)
    """
