"""Pictures in the store: each once, under the access of its projects; swept when nothing shows them any more."""

import datetime

from django.db import connection, transaction

from interactions import bulk, ids
from interactions.models import Blob, BlobContent
from interactions.pictures import REFERENCE

# a transaction that began before the marking and ended after it is looked at again
LONGEST_TRANSACTION = datetime.timedelta(hours=1)


def insert_blobs(project, pictures):
    """Store these Pictures of the project; the caller has the transaction."""
    if not pictures:
        return
    named = {picture.sha256: picture for picture in pictures}
    ordered = [named[sha256] for sha256 in sorted(named)]
    names = [picture.sha256 for picture in ordered]
    with connection.cursor() as cursor:
        # no sweep may run from here to the commit: it would not see that these are shown again
        cursor.execute("LOCK TABLE interactions_blob IN ROW EXCLUSIVE MODE")
    bulk.insert_where(
        "interactions_blobcontent",
        {"sha256": ("text", names), "content": ("bytea", [picture.content for picture in ordered])},
        "ON CONFLICT DO NOTHING",
    )
    bulk.insert_where(
        "interactions_blob",
        {
            "project_id": ("integer", [project.pk] * len(ordered)),
            "sha256": ("text", names),
            "media_type": ("text", [picture.media_type for picture in ordered]),
            "size": ("integer", [len(picture.content) for picture in ordered]),
            "width": ("integer", [picture.width for picture in ordered]),
            "height": ("integer", [picture.height for picture in ordered]),
        },
        "ON CONFLICT DO NOTHING",
    )


def sweep_blobs():
    """Delete the pictures that no interaction shows any more; returns how many. Readers are never held up, and
    those who log pictures only for the short second look."""
    started = ids.now()
    candidates = _unshown()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE interactions_blob IN EXCLUSIVE MODE")
        cursor.execute(_SHOWN, [started - LONGEST_TRANSACTION])
        for again in cursor.fetchall():
            candidates.pop(again, None)
        Blob.objects.filter(pk__in=candidates.values()).delete()
        BlobContent.objects.exclude(pk__in=Blob.objects.values("content")).delete()
    return len(candidates)


def _unshown():
    """{(project id, sha256): id of the Blob} of those that no message refers to; what is shown, which may be very many,
    stays in the database."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.shown")
        cursor.execute(f"CREATE TEMP TABLE shown (project_id, sha256) ON COMMIT DROP AS {_SHOWN}", ["-infinity"])
        cursor.execute(
            "SELECT project_id, sha256, id FROM interactions_blob b WHERE NOT EXISTS"
            " (SELECT FROM shown s WHERE s.project_id = b.project_id AND s.sha256 = b.sha256)"
        )
        return {(project_id, sha256): pk for project_id, sha256, pk in cursor.fetchall()}


_SHOWN = f"""
    SELECT DISTINCT i.project_id, found[1] FROM interactions_interaction i
    JOIN interactions_interactionbody b ON b.id = i.id
    CROSS JOIN LATERAL regexp_matches(b.messages::text, '{REFERENCE}([0-9a-f]{{64}})', 'g') AS found
    WHERE i.images > 0 AND i.received_at >= %s
"""
