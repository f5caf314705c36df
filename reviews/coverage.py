"""Which share of a time's interactions a human has seen."""

import datetime
from dataclasses import dataclass

from django.db import connection

from feedback.moments import wilson
from feedback.services import keys_of
from interactions import ids
from interactions.models import Dimension, Label
from interactions.rollups import extent, hour_of, totals
from interactions.rules import RecordError
from registry.models import Model

MOST = 100
HOUR = datetime.timedelta(hours=1)
YEARS = range(1970, 9999)  # an hour on from the last of them is still a time


@dataclass(frozen=True)
class Share:
    """`seen` of `n` interactions. `low` to `high`: the 95 % interval by Wilson of what the share would be of all such
    traffic, None where n is 0. `name`: a model's key, a label as key:value, None for all."""

    name: str | None
    seen: int
    n: int
    low: float | None = None
    high: float | None = None

    @property
    def share(self):
        return self.seen / self.n if self.n else None


@dataclass(frozen=True)
class Coverage:
    """From `after` to `before`, whole hours, aware. `models` and `labels` the largest first, up to 100; an interaction
    counts under each of its labels."""

    after: datetime.datetime | None
    before: datetime.datetime | None
    all: Share
    models: list
    labels: list


def coverage(project, after=None, before=None):
    """The Coverage of a time, its ends widened to whole hours: seen is what a person submitted a review of, or gave
    feedback to as a reviewer. Who labels a thousand at once has not seen them. Simulated traffic aside. None for an
    end: as far as there is anything. RecordError names an end that cannot be one."""
    after, before = _whole_hours(after, before)
    known = extent(project)
    if known is None:
        return Coverage(after, before, Share(None, 0, 0), [], [])
    after = after or known[0]
    before = max(after, before or known[1])
    everything, seen = {}, _seen(project, after, before)
    for dimension in (Dimension.ALL, Dimension.MODEL, Dimension.LABEL):
        everything[dimension] = totals(project, dimension, after, before)
    return Coverage(
        after,
        before,
        _share(None, seen.get((0, 0), 0), everything[Dimension.ALL].get(0, 0)),
        _shares(Dimension.MODEL, seen, everything, _model_names),
        _shares(Dimension.LABEL, seen, everything, _label_names),
    )


def _whole_hours(after, before):
    """The ends in UTC, whose hours are counted: zones that are half an hour off cut theirs elsewhere."""
    for name, moment in (("after", after), ("before", before)):
        if moment and moment.year not in YEARS:
            raise RecordError({name: [f"Send a time from {YEARS[0]} to {YEARS[-1]}."]})
    after = after and hour_of(after.astimezone(ids.UTC))
    before = before and -((ids.EPOCH - before) // HOUR) * HOUR + ids.EPOCH
    if after and before and after >= before:
        raise RecordError({"after": ["Send a time before the end."]})
    return after, before


def _shares(dimension, seen, everything, names):
    largest = sorted(everything[dimension].items(), key=lambda one: (-one[1], one[0]))[:MOST]
    known = names([value for value, _ in largest])
    return [_share(known[value], seen.get((dimension, value), 0), n) for value, n in largest if value in known]


def _model_names(wanted):
    return dict(Model.objects.filter(pk__in=wanted).values_list("pk", "key"))


def _label_names(wanted):
    return {label.pk: str(label) for label in Label.objects.filter(pk__in=wanted)}


def _share(name, seen, n):
    n = max(n, seen)  # what was logged since the counts were read
    return Share(name, seen, n, *(wilson(seen, n) or (None, None)))


def _seen(project, after, before):
    """{(dimension, value): how many were seen}."""
    span = {"project": project.pk, "first": ids.first(after), "last": ids.first(before)}
    keys = [key.pk for key in keys_of(project).values()]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH seen AS MATERIALIZED (
                SELECT i.interaction_id AS id FROM reviews_item i JOIN reviews_queue q ON q.id = i.queue_id
                WHERE q.project_id = %(project)s AND i.submitted > 0
                AND i.interaction_id >= %(first)s AND i.interaction_id < %(last)s
                UNION SELECT i.other_id FROM reviews_item i JOIN reviews_queue q ON q.id = i.queue_id
                WHERE q.project_id = %(project)s AND i.submitted > 0
                AND i.other_id >= %(first)s AND i.other_id < %(last)s
                UNION SELECT f.interaction_id FROM feedback_feedback f
                WHERE f.feedback_key_id = ANY(%(keys)s) AND f.origin = 'reviewer' AND f.superseded_by IS NULL
                AND f.interaction_id >= %(first)s AND f.interaction_id < %(last)s
            ), there AS MATERIALIZED (
                SELECT i.model_id, i.label_ids FROM seen
                CROSS JOIN LATERAL (SELECT model_id, label_ids FROM interactions_interaction i WHERE i.id = seen.id
                    AND i.project_id = %(project)s AND i.source <> 'simulation'
                    AND i.id >= %(first)s AND i.id < %(last)s OFFSET 0) AS i
            )
            SELECT 0, 0, count(*) FROM there
            UNION ALL SELECT 2, model_id, count(*) FROM there WHERE model_id IS NOT NULL GROUP BY 2
            UNION ALL SELECT 1, label, count(*) FROM there CROSS JOIN unnest(label_ids) AS label GROUP BY 2
            """,
            span | {"keys": keys},
        )
        return {(dimension, value): n for dimension, value, n in cursor.fetchall()}
