"""External ids: who has taken one is told by a digest, because a partitioned table cannot hold a unique index on it."""

import hashlib
import uuid

from interactions.models import Claim


def claim_digest(project_id, kind, text):
    """The first 16 bytes of SHA-256 over project, kind and text, as a UUID."""
    return uuid.UUID(bytes=hashlib.sha256(f"{project_id}\0{kind}\0{text}".encode()).digest()[:16])


def claimed(project, kind, text):
    """The id of the interaction that this external id was given to, or None."""
    digest = claim_digest(project.pk, kind, text)
    return Claim.objects.filter(digest=digest).values_list("interaction_id", flat=True).first()


def release(project, kind, texts):
    """Free these external ids."""
    Claim.objects.filter(digest__in=[claim_digest(project.pk, kind, text) for text in texts]).delete()


def release_of(digests, interaction_ids):
    """Free these claims as far as they are held by these interactions."""
    Claim.objects.filter(digest__in=digests, interaction_id__in=interaction_ids).delete()
