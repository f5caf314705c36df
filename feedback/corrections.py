"""The better answer that a person writes beside a completion. Append-only like feedback."""

from django.db import transaction

from feedback.models import Correction
from interactions import bulk, ids
from interactions.models import Interaction
from interactions.records import MAX_CORRECTED
from interactions.rules import RecordError, text_fault
from projects.access import EntityNotFound


def correction_of(interaction_id):
    """The current Correction of an interaction with its person, or None."""
    rows = Correction.objects.current().filter(interaction_id=interaction_id).select_related("by")
    return rows.order_by("-id").first()


def corrections_of(interaction_ids):
    """{interaction id: the completion as it was corrected} of those that have one."""
    rows = Correction.objects.current().filter(interaction_id__in=list(interaction_ids)).order_by("id")
    return dict(rows.values_list("interaction_id", "completion"))


def checked_correction(text):
    """The text; RecordError says why it is none."""
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_CORRECTED:
        raise RecordError({"completion": [f"Send the better answer: text of 1 to {MAX_CORRECTED:,} characters."]})
    if fault := text_fault(text):
        raise RecordError({"completion": [fault]})
    return text


@transaction.atomic
def correct_completion(*, interaction, completion, by):
    """Keep this as the better answer, in the place of the one before; returns the Correction."""
    _lock(interaction)
    row = Correction(
        interaction_id=interaction.pk, id=ids.make(ids.now()), completion=checked_correction(completion), by=by
    )
    _supersede(interaction, row.id)
    row.save(force_insert=True)
    return row


@transaction.atomic
def withdraw_correction(*, interaction, by):
    """Take the better answer back; it stays as history, with who withdrew it. EntityNotFound where there is none."""
    _lock(interaction)
    current = correction_of(interaction.pk)
    if current is None:
        raise EntityNotFound("Correction", interaction.pk)
    row_id = ids.make(ids.now())
    _supersede(interaction, row_id)
    Correction.objects.create(
        interaction_id=interaction.pk, id=row_id, completion=current.completion, by=by, superseded_by=row_id
    )


def insert_corrections(completions, *, by):
    """Store {interaction id: better answer} of interactions that are new; the caller has the transaction."""
    now = ids.now()
    bulk.insert(
        "feedback_correction",
        {
            "interaction_id": ("uuid", list(completions)),
            "id": ("uuid", [ids.make(now) for _ in completions]),
            "completion": ("text", list(completions.values())),
            "by_id": ("bigint", [by.pk if by else None] * len(completions)),
        },
    )


def _lock(interaction):
    if not Interaction.objects.select_for_update().filter(pk=interaction.pk).only("pk").first():
        raise EntityNotFound("Interaction", interaction.pk)


def _supersede(interaction, row_id):
    Correction.objects.current().filter(interaction_id=interaction.pk).update(superseded_by=row_id)


def corrections_history(interaction_id):
    """All better answers that were ever written, newest first, with their people; one that names itself as what
    superseded it tells of a withdrawal."""
    return Correction.objects.filter(interaction_id=interaction_id).select_related("by").order_by("-id")
