"""Taking interactions out again: the way in, backwards. Uncounted, unclaimed and deleted in one transaction."""

from django.db import connection, transaction

from accounts.audit import ids_told, record
from feedback.removal import forget, forget_project
from interactions import claims
from interactions.ingest.once import completion_claims
from interactions.models import (
    Blob,
    ChosenColumns,
    Hold,
    ImportProgress,
    Interaction,
    InteractionBody,
    Label,
    LabelAlias,
    LabelKey,
    Rollup,
    RollupDelta,
    Source,
)
from interactions.partitions import families
from interactions.retention.holds import kept_among
from interactions.rollups import LOCK, Deltas
from interactions.touches import insert_touches
from reviews.removal import forget_words, lock_items_of


@transaction.atomic
def delete_interactions(*, project, ids, by=None, stay_counted=False):
    """Delete these interactions of the project whole, in all families; returns how many went.

    Those under a legal hold stay, and what they are compared with. The external ids of what goes are free again, and
    those of what was given to it. Comparisons go on both sides, and what was written about it in queues. Pictures stay
    until the sweep finds that nothing shows them. Running A/B tests no longer count what goes, unless it is to
    `stay_counted`: what only became old was seen. `by` is the person who asks for it, as the audit log tells; None
    where a rule does.
    """
    lock_items_of(ids)
    rows = list(
        Interaction.objects.select_for_update(of=("self",))
        .filter(project=project, pk__in=ids)
        .select_related("model")
        .only("pk", "source", "model_id", "model__key", "label_ids", "content_hash", "arm")
        .order_by("pk")
    )
    kept = kept_among([row.pk for row in rows])  # asked once they are locked: who holds one locks it too
    rows = [row for row in rows if row.pk not in kept]
    gone = [row.pk for row in rows]
    deltas = Deltas(project.pk)
    for row in rows:
        if row.source != Source.SIMULATION:
            deltas.interaction(row.created_at, row.model_id, row.label_ids, sign=-1)
    forget(project=project, rows=rows, touch=not stay_counted)
    forget_words(gone)
    if not stay_counted:
        insert_touches([(row.arm, row.pk, None) for row in rows if row.arm is not None])
    envelopes = InteractionBody.objects.filter(pk__in=gone).values_list("envelope__external_id", flat=True)
    claims.release(project, "interaction", [text for text in envelopes if text is not None])
    claims.release_of(completion_claims(project, rows), gone)
    Hold.objects.filter(interaction_id__in=gone).delete()  # those that were released; the audit log keeps who and why
    if by and gone:
        n = len(gone)
        what = f"{n:,} interactions" if n > 1 else f"the interaction {gone[0]}"
        record("interaction.delete", by=by, project=project, what=what, before=ids_told(gone))
    with connection.cursor() as cursor:
        for family in families():
            cursor.execute(f'DELETE FROM "{family.table}" WHERE "{family.column}" = ANY(%s)', [gone])
    deltas.append()
    return len(gone)


def delete_all_of(*, project, limit=1_000):
    """Delete a slice of what a deleted project holds; returns how many interactions went, 0 when all is gone."""
    slice_ = Interaction.objects.filter(project=project).order_by("-pk").values_list("pk", flat=True)[:limit]
    if gone := delete_interactions(project=project, ids=list(slice_)):
        return gone
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])  # no folding while its counts go
        for model in (RollupDelta, Rollup, Label, LabelKey, LabelAlias, ChosenColumns, Blob, ImportProgress):
            model.objects.filter(project=project).delete()
        forget_project(project)
    return 0
