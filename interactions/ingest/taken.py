"""What a record is answered whose external id is taken: what is there if it says the same, else a conflict."""

from feedback.models import Feedback
from interactions.models import Claim, Interaction, InteractionBody
from interactions.rules import Conflict, IdTaken
from interactions.sameness import differing


def answer_taken(entries, own=None):
    """Give each entry whose external id is taken the ids that are there, or a Conflict; leave the others alone.

    A claim whose interaction went with its month is free, unless it is one of our `own` {digest: Record}, whose is
    still to come.
    """
    if not entries:
        return
    own = own or {}
    held = Claim.objects.in_bulk({entry.claim for entry in entries})
    sessions = _sessions({claim.interaction_id for claim in held.values()})
    feedback = _first_feedback(sessions)
    for entry in entries:
        claim, outcome = held.get(entry.claim), entry.outcome
        if claim is None or not (claim.interaction_id in sessions or entry.claim in own):
            continue
        if not entry.once and bytes(claim.payload_sha256) != entry.record.payload_sha256:
            _compare(entry, claim, own.get(entry.claim))
            if outcome.error:
                continue
        outcome.duplicate = True
        outcome.id = claim.interaction_id
        # within a batch the first of the name is not stored yet: the record itself tells
        outcome.session = sessions.get(claim.interaction_id, outcome.session)
        outcome.feedback_ids = feedback.get(claim.interaction_id, [])[: len(entry.feedbacks)]


def refuse_freed(entry):
    """What holds the external id goes at this moment."""
    external_id = entry.record.external_id
    _refuse(entry, Conflict(f"The external_id {external_id!r} is being freed at this moment; send the record again."))


def _compare(entry, claim, first):
    """Refuse what says something else than the `first` of the same batch, or than what is stored. That is read only
    where the hashes differ, and one by one: each may be large."""
    stored = first or InteractionBody.objects.filter(pk=claim.interaction_id).first()
    if stored is None:
        refuse_freed(entry)
    elif members := differing(stored, entry.record):
        _refuse(entry, IdTaken(entry.record.external_id, claim.interaction_id, members))


def _refuse(entry, error):
    entry.outcome.id = entry.outcome.session = None
    entry.outcome.error = error


def _sessions(interaction_ids):
    return dict(Interaction.objects.filter(id__in=interaction_ids).values_list("id", "session"))


def _first_feedback(interaction_ids):
    """{interaction id: its feedback's ids, oldest first}: what came with the record comes first."""
    found = {}
    rows = Feedback.objects.filter(interaction_id__in=list(interaction_ids)).order_by("id")
    for interaction_id, feedback_id in rows.values_list("interaction_id", "id"):
        found.setdefault(interaction_id, []).append(feedback_id)
    return found
