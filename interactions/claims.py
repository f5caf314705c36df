"""External ids: who has taken one is told by a digest, because a partitioned table cannot hold a unique index on it."""

import hashlib
import uuid

from django.db import connection

from interactions import bulk
from interactions.models import Claim, Interaction


def claim_digest(project_id, kind, text):
    """The first 16 bytes of SHA-256 over project, kind and text, as a UUID."""
    return uuid.UUID(bytes=hashlib.sha256(f"{project_id}\0{kind}\0{text}".encode()).digest()[:16])


def take(wanted):
    """Claim digests, given as {digest: (interaction id, payload's SHA-256)}; the set of those that were free."""
    won = _insert(wanted)
    lost = wanted.keys() - won
    if lost and _free_gone(lost):
        won |= _insert({digest: wanted[digest] for digest in lost})
    return won


def _insert(wanted):
    digests = sorted(wanted)  # in one order: two who want the same ones must not wait in a circle
    won = bulk.insert_where(
        "interactions_claim",
        {
            "digest": ("uuid", digests),
            "interaction_id": ("uuid", [wanted[digest][0] for digest in digests]),
            "payload_sha256": ("bytea", [wanted[digest][1] for digest in digests]),
        },
        "ON CONFLICT DO NOTHING RETURNING digest",
    )
    return {digest for (digest,) in won}


def _free_gone(digests):
    """Free those whose interaction went with its month before the worker came to its claims; whether there were any.

    A claim and its interaction are committed together, so who sees the one in a statement sees the other.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM interactions_claim c WHERE digest = ANY(%s)"
            " AND NOT EXISTS (SELECT FROM interactions_interaction i WHERE i.id = c.interaction_id)",
            [sorted(digests)],
        )
        return cursor.rowcount > 0


def standing(held):
    """{digest: Claim} without those whose interaction went with its month: they are free."""
    there = Interaction.objects.filter(pk__in={claim.interaction_id for claim in held.values()})
    there = set(there.values_list("pk", flat=True)) if held else set()
    return {digest: claim for digest, claim in held.items() if claim.interaction_id in there}


def claimed(project, kind, text):
    """The id of the interaction that this external id was given to, or None."""
    digest = claim_digest(project.pk, kind, text)
    return Claim.objects.filter(digest=digest).values_list("interaction_id", flat=True).first()


def claimed_among(project, kind, texts):
    """{external id: interaction id} of those of these texts that were given to an interaction; one query."""
    digests = {claim_digest(project.pk, kind, text): text for text in texts}
    found = Claim.objects.filter(digest__in=list(digests)).values_list("digest", "interaction_id") if digests else ()
    return {digests[digest]: interaction_id for digest, interaction_id in found}


def release(project, kind, texts):
    """Free these external ids."""
    with connection.cursor() as cursor:  # there may be thousands: the ORM would write a parameter for each
        digests = bulk.array([claim_digest(project.pk, kind, text) for text in texts])
        cursor.execute("DELETE FROM interactions_claim WHERE digest = ANY(%s::uuid[])", [digests])


def release_of(digests, interaction_ids):
    """Free these claims as far as they are held by these interactions."""
    Claim.objects.filter(digest__in=digests, interaction_id__in=interaction_ids).delete()
