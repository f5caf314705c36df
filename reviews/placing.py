"""Putting interactions into a queue: each once, whatever brings it, and never again what a person took out."""

import hashlib

from django.db import connection
from django.db.models import Exists, Max, OuterRef

from interactions.models import Interaction
from reviews.models import Item


def digest(seed, *unit):
    """The place of an interaction, or of a pair, among all of its population: SHA-256 as a number."""
    text = ":".join([str(seed), *map(str, unit)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def next_place(queue):
    """Behind all that is in the queue."""
    last = Item.objects.filter(queue=queue).aggregate(last=Max("place"))["last"]
    return 0 if last is None else last + 1


def put_in(queue, units, place, sample=None):
    """Items of these units, (id,) or (id, other id), from this place on. How many are new; the others, removed ones
    among them, are left as they are."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO reviews_item (queue_id, interaction_id, other_id, sample_id, place,
                submitted, open, assigned, conflict, decided)
            SELECT %s, r.id, r.other_id, %s, %s + r.n - 1, 0, true, false, false, false
            FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS r(id, other_id, n)
            ON CONFLICT DO NOTHING
            """,
            [
                queue.pk,
                sample and sample.pk,
                place,
                [unit[0] for unit in units],
                [unit[1] if len(unit) > 1 else None for unit in units],
            ],
        )
        return cursor.rowcount


def without_like(queue, units):
    """These units, (id,) each, without those that are alike something in the queue, or one before them: of the same
    words by near_hash, where neither has pictures."""
    there = Interaction.objects.filter(pk__in=[one for (one,) in units], images=0)
    hashes = dict(there.values_list("pk", "near_hash"))
    inside = Item.objects.filter(queue=queue, interaction_id=OuterRef("pk"))
    alike = Interaction.objects.filter(project=queue.project, images=0, near_hash__in=set(hashes.values()))
    seen = dict(alike.filter(Exists(inside)).values_list("near_hash", "pk"))
    return [unit for unit in units if unit[0] not in hashes or seen.setdefault(hashes[unit[0]], unit[0]) == unit[0]]


def partners(project, found, received_by):
    """{id: [((newer id, older id), label ids of the found one)]} of those that have a partner: the newest interaction
    with the same prompt by another model that was received by then; real with real, simulated with simulated."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.id, o.id, i.label_ids FROM interactions_interaction i CROSS JOIN LATERAL (
                SELECT p.id FROM interactions_interaction p
                WHERE p.project_id = i.project_id AND p.prompt_hash = i.prompt_hash AND p.model_id <> i.model_id
                AND (p.source = 'simulation') = (i.source = 'simulation') AND p.received_at <= %s
                ORDER BY p.id DESC LIMIT 1) AS o
            WHERE i.id = ANY(%s) AND i.project_id = %s AND i.received_at <= %s
            """,
            [received_by, list(found), project.pk, received_by],
        )
        return {one: [((max(one, other), min(one, other)), labels)] for one, other, labels in cursor.fetchall()}
