"""Preferences as programs send them: each checked whole, its texts turned into interactions, then stored in pieces.

Everything a piece needs is looked up first, and what is wrong refused. Then models are registered, and one transaction
makes the completions that are missing (claimed by their content, so that they are made once), locks the interactions,
claims the external ids and stores. All in one order, so that pieces that overlap never wait for each other in a circle.
Where something changed in between, nothing of the transaction is kept and all is looked up again.
"""

from dataclasses import dataclass, replace

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from accounts.permissions import LOG
from experiments.assignment import arms_of, not_an_arm
from feedback.models import Outcome as Ending
from feedback.preferences import Moved, NewPreference, insert_preferences, unclaimed
from feedback.services import key_or_404, keys_of
from interactions import ids
from interactions.claims import claimed_among
from interactions.ingest import Outcome, ingest
from interactions.ingest.batches import in_pieces
from interactions.ingest.once import completion_claim
from interactions.models import Interaction
from interactions.preference_records import ITSELF, SIDES, Own, PreferenceRecord, Text, read_preference
from interactions.rules import Conflict, RecordError
from projects.access import EntityNotFound, keep_open
from registry.models import Model
from registry.services import resolve_models, unfit_models

PIECE = 500  # preferences a transaction: their completions are stored as one piece of interactions
TRIES = 10
REFUSALS = (RecordError, EntityNotFound, PermissionDenied, Conflict)


@dataclass(slots=True)
class _Entry:
    """A preference on its way into the store."""

    record: PreferenceRecord
    outcome: Outcome
    row: NewPreference | None = None


def take_many(*, admit, numbered, by):
    """Store what `read_lines` or `read_list` yields in pieces, each committed when it is told about; `admit()` is asked
    for the project before each, and raises where no more of them may be stored."""
    return in_pieces(numbered, lambda records, _: take_preferences(project=admit(), records=records, by=by), PIECE)


def take_preferences(*, project, records, by):
    """Store these preferences (JSON objects as they were sent), 500 a transaction; an Outcome each, in their order.

    Each stands alone and is stored whole or not at all: of one that is refused nothing stays, no interaction either.
    One whose external id is taken answers with what is there if its payload is the same, else with a Conflict. The
    project comes from the gate, with its `.permissions`: texts, which may make interactions, need LOG. One that is
    archived is judged as before, but makes none.
    """
    outcomes = [Outcome() for _ in records]
    for start in range(0, len(records), PIECE):
        piece = slice(start, start + PIECE)
        entries = _named(project, list(_read(project, records[piece], outcomes[piece])))
        _settle(project, entries, by)
    return outcomes


def _read(project, records, outcomes):
    """Entries of the preferences that are sound; the others' outcomes hold their error."""
    for raw, outcome in zip(records, outcomes, strict=True):
        try:
            record = read_preference(raw)
            if record.texts and LOG not in project.permissions:
                raise PermissionDenied(f"Completions sent as text need the permission {LOG} in {project.key}.")
            yield _Entry(record, outcome)
        except REFUSALS as error:
            outcome.error = error


def _named(project, entries):
    """The entries with the ids of those sides that are named by their external ids, all of them looked up at once."""
    texts = {side.external_id for entry in entries for side in entry.record.sides if isinstance(side, Own)}
    known, sound = claimed_among(project, "interaction", texts), []
    for entry in entries:
        record = entry.record
        try:
            record.preferred, record.other = (_by_own(side, known) for side in record.sides)
            if record.preferred == record.other:
                raise RecordError({"other_completion": [ITSELF]})
            sound.append(entry)
        except REFUSALS as error:
            entry.outcome.error = error
    return sound


def _by_own(side, known):
    if not isinstance(side, Own):
        return side
    if side.external_id not in known:
        raise EntityNotFound("Interaction", side.external_id)
    return known[side.external_id]


def _settle(project, entries, by):
    for _ in range(TRIES):
        try:
            _store(project, _unclaimed(project, _found(project, entries)), by)
            break
        except Moved:
            continue
    else:
        for entry in entries:
            entry.outcome.error = entry.outcome.error or Moved()
    for entry in entries:
        if entry.outcome.error is None:
            entry.outcome.error, entry.outcome.duplicate = entry.row.error, entry.row.duplicate
            entry.outcome.id = None if entry.row.error else entry.row.id


# -- looked up ------------------------------------------------------------------------------------
def _found(project, entries):
    """The entries whose key and interactions there are, each with its row; None stands for a completion to be made."""
    keys, known = keys_of(project), _known(project, entries)
    entries = _in_arms(project, entries, known)
    texts = {text.place: text for entry in entries for text in entry.record.texts}
    equal = equal_interactions(project, texts.values())
    unfit, found = unfit_models(project=project, keys={model for model, *_ in texts}), []
    for entry in entries:
        try:
            _check_models(entry.record, unfit)
            entry.row = _row(entry.record, keys, known, equal)
            if project.archived_at and None in (entry.row.preferred_id, entry.row.other_id):
                raise Conflict(f"The project {project.key} is archived and takes no interactions, so none was made.")
            found.append(entry)
        except REFUSALS as error:
            entry.outcome.error = error
    return found


def _check_models(record, unfit):
    for name, side in zip(SIDES, record.sides, strict=True):
        if isinstance(side, Text) and side.model in unfit:
            raise RecordError({f"{name}.model": [unfit[side.model]]})


def _known(project, entries):
    """{interaction id: its arm} of those that are named and there."""
    named = {side for entry in entries for side in entry.record.sides if not isinstance(side, Text)}
    return dict(Interaction.objects.filter(project=project, pk__in=named).values_list("pk", "arm"))


def _in_arms(project, entries, known):
    """The entries whose sides may be of the A/B test that they name, their texts with their arms."""
    campaigns = {entry.record.ab_campaign for entry in entries if entry.record.ab_campaign}
    tests, sound = arms_of(project=project, campaigns=campaigns) if campaigns else {}, []
    for entry in entries:
        entry.row, entry.outcome.error = None, None
        record = entry.record
        try:
            if record.ab_campaign:
                record.preferred = _in_arm(tests, record, "preferred_completion", record.preferred, known)
                record.other = _in_arm(tests, record, "other_completion", record.other, known)
            sound.append(entry)
        except REFUSALS as error:
            entry.outcome.error = error
    return sound


def _in_arm(tests, record, name, side, known):
    """This side of the comparison: a Text in the arm of its model, or the id of what was logged in an arm. Where the
    test is paused or over, it is stored and not counted."""
    campaign = record.ab_campaign
    if campaign not in tests:
        raise EntityNotFound("A/B test", campaign)
    arms = tests[campaign]
    if isinstance(side, Text):
        if arms is not None and side.model not in arms:
            raise RecordError({f"{name}.model": [not_an_arm(campaign, side.model, arms)]})
        return replace(side, arm=arms and arms[side.model])
    if arms is not None and side in known and known[side] not in arms.values():
        raise RecordError({name: [f"This interaction was not logged for the A/B test {campaign}."]})
    return side


def _row(record, keys, known, equal):
    key = key_or_404(keys, record.key)
    for side in record.sides:
        if not isinstance(side, Text) and side not in known:
            raise EntityNotFound("Interaction", side)
    preferred, other = (equal.get(side.place) if isinstance(side, Text) else side for side in record.sides)
    if preferred and preferred == other:
        raise RecordError({"other_completion": [ITSELF]})
    return NewPreference(
        ids.make(ids.now()), key, preferred, other, Ending(record.outcome), record.user, record.origin,
        record.external_id, record.payload_sha256,
    )  # fmt: skip


def equal_interactions(project, texts):
    """{place: id} of the newest interaction that is equal to each of these Texts: same messages, same completion, same
    model, and the same arm where the text is of one. A simulated one only where there is no other."""
    texts = list(texts)
    models = Model.objects.filter(team=project.team_id, key__in={text.model for text in texts})
    models = dict(models.values_list("key", "pk"))
    texts = [text for text in texts if text.model in models]
    if not texts:
        return {}
    with connection.cursor() as cursor:
        # all in one look: one by one, a project without statistics was read whole for each text
        cursor.execute(
            """
            SELECT DISTINCT ON (model_id, content_hash, arm) model_id, content_hash, arm, source <> 'simulation', id
            FROM interactions_interaction
            WHERE project_id = %s AND prompt_hash = ANY(%s) AND content_hash = ANY(%s) AND model_id = ANY(%s)
            ORDER BY model_id, content_hash, arm, source = 'simulation', id DESC
            """,
            [
                project.pk, [text.prompt_hash for text in texts], [text.content_hash for text in texts],
                list(models.values()),
            ],
        )  # fmt: skip
        found = {}
        for model_id, content_hash, arm, is_real, pk in cursor.fetchall():
            for place in {(model_id, content_hash, arm), (model_id, content_hash, None)}:
                found[place] = max(found.get(place, (False, pk)), (is_real, pk))
    places = {text.place: (models[text.model], text.content_hash, text.arm) for text in texts}
    return {place: found[one][1] for place, one in places.items() if one in found}


def _unclaimed(project, entries):
    free = {id(row) for row in unclaimed(project=project, rows=[entry.row for entry in entries])}
    return [entry for entry in entries if id(entry.row) in free]


# -- stored ---------------------------------------------------------------------------------------
def _store(project, entries, by):
    missing = {}
    for entry in entries:
        for text, found in zip(entry.record.sides, (entry.row.preferred_id, entry.row.other_id), strict=True):
            if found is None:
                missing.setdefault(text.place, text)
    resolve_models(project=project, new={model for model, *_ in missing})
    with transaction.atomic():
        if not missing:  # else it is asked with the completions that are made
            keep_open(project)
        made, fresh = _make(project, missing, by)
        for entry in entries:
            row, (preferred, other) = entry.row, entry.record.sides
            row.preferred_id = row.preferred_id or made[preferred.place]
            row.other_id = row.other_id or made[other.place]
            if row.preferred_id == row.other_id:
                raise Moved
        rows = [entry.row for entry in entries]
        insert_preferences(project=project, rows=rows, by=by)
        used = {one for row in rows if _is_new(row) for one in (row.preferred_id, row.other_id)}
        if fresh - used:
            raise Moved  # made for a preference that came too late


def _make(project, missing, by):
    """{place: id} of the interactions made of these Texts, or made by another at the same moment; and the ids of those
    that are new."""
    if not missing:
        return {}, set()
    claims = [completion_claim(project, *place) for place in missing]
    records = [text.record for text in missing.values()]
    try:
        outcomes = ingest(project=project, records=records, by=by, once=claims)
    except Conflict:  # archived since it was looked at
        raise Moved from None
    if any(outcome.error for outcome in outcomes):
        raise Moved
    made = {place: outcome.id for place, outcome in zip(missing, outcomes, strict=True)}
    return made, {outcome.id for outcome in outcomes if not outcome.duplicate}


def _is_new(row):
    return row.error is None and not row.duplicate
