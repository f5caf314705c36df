"""Interactions counted by label, model, latency and feedback: in the database, by two statements for so many ids."""

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from django.db import connection

LABEL, MODEL, LATENCY = range(3)
FIRST = 250  # ids that are counted however long it takes; of the rest so many as their pace lets hope for

_ROWS = """
    WITH found AS MATERIALIZED (
        SELECT i.* FROM unnest(%s::uuid[]) AS wanted(id) CROSS JOIN LATERAL (
            SELECT label_ids, model_id, latency_ms FROM interactions_interaction
            WHERE id = wanted.id AND id >= %s AND id <= %s OFFSET 0) AS i)
    SELECT 0, label_id, count(*) FROM found, unnest(label_ids) AS label_id GROUP BY 2
    UNION ALL SELECT 1, model_id, count(*) FROM found WHERE model_id IS NOT NULL GROUP BY 2
    UNION ALL SELECT 2, latency_ms, count(*) FROM found WHERE latency_ms IS NOT NULL GROUP BY 2
"""
_GIVEN = """
    WITH given AS MATERIALIZED (
        SELECT wanted.id, f.* FROM unnest(%s::uuid[]) AS wanted(id) CROSS JOIN LATERAL (
            SELECT feedback_key_id AS key_id, value FROM feedback_feedback
            WHERE interaction_id = wanted.id AND interaction_id >= %s AND interaction_id <= %s
                AND superseded_by IS NULL OFFSET 0) AS f)
    SELECT key_id, value, count(*), count(DISTINCT id) FROM given GROUP BY GROUPING SETS ((key_id, value), (key_id))
"""


@dataclass
class Values:
    """The current values of one key: {value: how often}, {value: interactions with it}, interactions with any."""

    counts: Counter = field(default_factory=Counter)
    holders: Counter = field(default_factory=Counter)
    interactions: int = 0


@dataclass
class Tally:
    """How many, and {label id: n}, {model id: n}, {milliseconds: n}, {feedback key id: Values}."""

    n: int = 0
    labels: Counter = field(default_factory=Counter)
    models: Counter = field(default_factory=Counter)
    latencies: Counter = field(default_factory=Counter)
    values: dict = field(default_factory=lambda: defaultdict(Values))


def tally(found, seconds):
    """The Tally of these ids; where the seconds are used up before, of the first so many."""
    told, until, most = Tally(), time.monotonic() + seconds, FIRST
    while found and most >= min(FIRST, len(found)):
        began = time.monotonic()
        some, found = found[:most], found[most:]
        _add(told, some)
        now = time.monotonic()
        most = int((until - now) / (now - began) * len(some))
    return told


def _add(told, found):
    told.n += len(found)
    # written here: psycopg takes as long for thousands of ids as the database for the look-ups
    values = ["{" + ",".join(one.hex for one in found) + "}", min(found), max(found)]
    counters = {LABEL: told.labels, MODEL: told.models, LATENCY: told.latencies}
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, values)
        for kind, value, n in cursor.fetchall():
            counters[kind][value] += n
        cursor.execute(_GIVEN, values)
        for key_id, value, n, holders in cursor.fetchall():
            own = told.values[key_id]
            if value is None:
                own.interactions += holders
            else:
                own.counts[value] += n
                own.holders[value] += holders
