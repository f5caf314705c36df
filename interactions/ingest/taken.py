"""What a record is answered whose external id is taken: what is there if it is the same, else a conflict."""

from feedback.models import Feedback
from interactions.models import Claim, Interaction
from interactions.rules import Conflict


def answer_taken(entries, own=frozenset()):
    """Give each entry whose external id is taken the ids that are there, or a Conflict; leave the others alone.

    A claim whose interaction went with its month is free, unless it is one of our `own`, whose is still to come.
    """
    if not entries:
        return
    held = Claim.objects.in_bulk({entry.claim for entry in entries})
    sessions = _sessions({claim.interaction_id for claim in held.values()})
    feedback = _first_feedback(sessions)
    for entry in entries:
        claim, outcome = held.get(entry.claim), entry.outcome
        if claim is None or not (claim.interaction_id in sessions or entry.claim in own):
            continue
        if not entry.once and bytes(claim.payload_sha256) != entry.record.payload_sha256:
            refuse(entry, "is taken by another payload")
            continue
        outcome.duplicate = True
        outcome.id = claim.interaction_id
        # within a batch the first of the name is not stored yet: the record itself tells
        outcome.session = sessions.get(claim.interaction_id, outcome.session)
        outcome.feedback_ids = feedback.get(claim.interaction_id, [])[: len(entry.feedbacks)]


def refuse(entry, why):
    entry.outcome.id = entry.outcome.session = None
    entry.outcome.error = Conflict(f"The external_id {entry.record.external_id!r} {why}.")


def _sessions(interaction_ids):
    return dict(Interaction.objects.filter(id__in=interaction_ids).values_list("id", "session"))


def _first_feedback(interaction_ids):
    """{interaction id: its feedback's ids, oldest first}: what came with the record comes first."""
    found = {}
    rows = Feedback.objects.filter(interaction_id__in=list(interaction_ids)).order_by("id")
    for interaction_id, feedback_id in rows.values_list("interaction_id", "id"):
        found.setdefault(interaction_id, []).append(feedback_id)
    return found
