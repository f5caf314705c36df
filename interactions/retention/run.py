"""The rule applied, a step after the other: months, slices, and the external ids that are free again.

Each step is a transaction of its own. Broken off, or run twice, it goes on with what is left.
"""

import time
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from interactions import ids
from interactions.ingest.removal import delete_interactions
from interactions.models import Departure, Interaction, Source
from interactions.proof import Busy
from interactions.retention import holds
from interactions.retention.months import Kept, drop, drop_detached, leave
from interactions.retention.rule import expiring, still_expires, whole_spans

SLICE = 2_000  # interactions a transaction
CLAIMS = 50_000


def run(now, seconds=None):
    """Take what the rule takes at `now`, for at most about so many seconds; whether there is more to do.

    What cannot be had tonight, because others use it, is left for the next run.
    """
    end = None if seconds is None else time.monotonic() + seconds
    return any(end is not None and time.monotonic() > end for _ in _steps(now))


def _steps(now):
    drop_detached()
    floor = ids.first(ids.EPOCH)
    for lower, upper in whole_spans(now):
        try:
            drop(lower, upper, now)
            leave(lower)  # where that cannot be had now, the month is empty and goes the next night
        except Kept:
            pass  # in slices, below
        except Busy:
            floor = upper  # not in slices: tomorrow it may go whole
        drop_detached()
        yield
    for project, until in expiring(now):
        yield from _slices(project, until, floor, now)
    yield from _free_claims()


def _slices(project, until, floor, now):
    for of_source in (Interaction.objects.exclude, Interaction.objects.filter):
        rows = of_source(source=Source.SIMULATION).filter(project=project, id__lt=ids.first(until)).order_by("id")
        after = floor
        while chosen := list(rows.filter(id__gte=after).values_list("id", flat=True)[:SLICE]):
            if not _take(project, chosen, until, now):
                return
            after = UUID(int=chosen[-1].int + 1)
            yield


@transaction.atomic
def _take(project, chosen, until, now):
    """Delete a slice, and add it to the row that tells of this night; False where the rule keeps it by now."""
    if not still_expires(project, until, now):
        return False
    n = delete_interactions(project=project, ids=chosen, stay_counted=True)
    if not n:
        return True
    night = {"project": project, "way": Departure.Way.SLICE, "end": until}
    if not Departure.objects.filter(**night).update(n=F("n") + n):
        held = len(holds.kept_between(ids.first(ids.EPOCH), ids.first(until), project))
        Departure.objects.create(**night, start=ids.time_of(chosen[0]), n=n, held=held)
    return True


def _free_claims():
    """Free what dropped months had claimed, in the order of digests; until then a claim that names what is gone is
    taken over by whoever needs it (see interactions.claims)."""
    left = list(Departure.objects.filter(claims_left=True))
    if not left:
        return
    lower, upper = (ids.first(edge) for edge in (min(one.start for one in left), max(one.end for one in left)))
    last = (UUID(int=0),)
    while last:
        with connection.cursor() as cursor:
            cursor.execute(_FREE, {"after": last[0], "limit": CLAIMS, "lower": lower, "upper": upper})
            last = cursor.fetchone()
        yield
    Departure.objects.filter(pk__in=[one.pk for one in left]).update(claims_left=False)


_FREE = """
    WITH slice AS MATERIALIZED (
        SELECT digest, interaction_id FROM interactions_claim WHERE digest > %(after)s ORDER BY digest LIMIT %(limit)s
    ), freed AS (
        DELETE FROM interactions_claim c USING slice s
        WHERE c.digest = s.digest AND c.interaction_id = s.interaction_id
            AND s.interaction_id >= %(lower)s AND s.interaction_id < %(upper)s
            AND NOT EXISTS (SELECT FROM interactions_interaction i WHERE i.id = s.interaction_id)
    )
    SELECT digest FROM slice ORDER BY digest DESC LIMIT 1
"""


def departures(project, limit=50):
    """What went of the project, newest first."""
    return list(Departure.objects.filter(project=project).order_by("-at", "-pk")[:limit])
