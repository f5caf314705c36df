"""Logging interactions: checked records become rows, all in one transaction, counted and claimed in it."""

import uuid
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial

from django.db import connection, transaction
from django.db.utils import IntegrityError
from psycopg.errors import CheckViolation

from feedback import rollups as given_rollups
from feedback.corrections import insert_corrections
from feedback.giving import NewFeedback, insert_feedback
from feedback.services import checked_value, key_or_404, keys_of
from interactions import bulk, claims, ids, partitions
from interactions.blobs import insert_blobs
from interactions.ingest.arriving import Arriving
from interactions.ingest.placing import Placed, give_arms, not_there, touch
from interactions.ingest.rows import insert_bodies, insert_interactions, insert_postings
from interactions.ingest.taken import answer_taken, refuse_freed
from interactions.labels import ids_of, resolve_labels, unfit_keys
from interactions.message_records import shows_pictures
from interactions.models import Source
from interactions.records import Record, read_record
from interactions.rollups import Deltas
from interactions.rules import Conflict, RecordError
from projects.access import EntityNotFound, keep_open
from registry.rules import model_key_fault
from registry.services import resolve_models

PIECE = 1_000  # records a transaction
__all__ = ["PIECE", "Outcome", "Placed", "ingest", "log", "refuse_archived", "store_records"]
_arriving = Arriving()


@dataclass(slots=True)
class Outcome:
    """What became of one record: its ids, or the `error` it was refused for; and a `note` to who sent it."""

    id: uuid.UUID | None = None
    session: str | None = None
    note: str = ""
    feedback_ids: list = field(default_factory=list)
    duplicate: bool = False
    error: Exception | None = None


@dataclass(slots=True)
class _Entry:
    """A record on its way into the store."""

    record: Record
    outcome: Outcome
    feedbacks: list = field(default_factory=list)
    model_id: int | None = None
    label_ids: list = field(default_factory=list)
    claim: uuid.UUID | None = None
    once: bool = False  # the claim was given: whatever holds it is the answer
    place: uuid.UUID | None = None  # the id that was given
    arm: int | None = None
    is_placed: bool = False


def ingest(*, project, records, by, also=None, once=None, placed=None):
    """Store the records (JSON objects as they were sent), up to 1,000 at a time; an Outcome each, in their order.

    Each record stands alone: what is wrong with one keeps none of the others out. What an Outcome acknowledges is
    committed, unless the caller has an open transaction. A record whose external id is taken answers with what is
    there if its payload is the same, else with a Conflict. `also(outcomes)` is called inside each transaction. Whoever
    archives or deletes the project meanwhile waits for the piece that is being stored; the next is refused, by a
    Conflict or EntityNotFound. `once` gives each record a claim digest (see once.py) in place of an external id: where
    it is held, that interaction is the answer, whatever the payload. `placed` gives each record a Placed, or None.
    """
    refuse_archived(project)
    outcomes = []
    for start in range(0, len(records), PIECE):
        piece = slice(start, start + PIECE)
        found, entries = _prepare(project, records[piece], once and once[piece], placed and placed[piece])
        _store(project, entries, by, partial(_keep_open, project), also and (lambda found=found: also(found)))
        outcomes += found
    return outcomes


def log(*, kind, admit, record, placed=None):
    """Store one record, `placed` or not; its Outcome, whose error is raised.

    Records of one `kind` that arrive together share one look at the gate and one commit, and each waits for it:
    `admit()` says (project, by) of all that are of this kind, or raises why not; where there are pictures to decode it
    is asked before that too.
    """
    if shows_pictures(record):
        admit()
    try:
        entry = _placed(_Entry(read_record(record, now=ids.now()), Outcome()), placed)
    except RecordError:
        refuse_archived(admit()[0])  # who may not log here is told that alone
        raise
    _arriving.store(kind, [entry], lambda entries: _store_admitted(entries, *admit()))
    if entry.outcome.error:
        raise entry.outcome.error
    return entry.outcome


def _store_admitted(entries, project, by):
    refuse_archived(project)
    _store(project, _ready(project, entries), by)


def store_records(*, project, records, by):
    """Store Records that need no more checking, all in one transaction; an Outcome each, in their order."""
    entries = [_Entry(record, Outcome()) for record in records]
    _store_admitted(entries, project, by)
    return [entry.outcome for entry in entries]


def _keep_open(project):
    keep_open(project)
    refuse_archived(project)


def refuse_archived(project):
    """Conflict where the project is closed to new interactions."""
    if project.archived_at:
        raise Conflict(f"The project {project.key} is archived and takes no interactions.")


def _prepare(project, records, once=None, placed=None):
    """(an Outcome each, the entries that are to be stored)"""
    outcomes, entries, now, none = [Outcome() for _ in records], [], ids.now(), [None] * len(records)
    for raw, outcome, claim, place in zip(records, outcomes, once or none, placed or none, strict=True):
        try:
            entry = _Entry(read_record(raw, now=now), outcome, claim=claim, once=claim is not None)
            entries.append(_placed(entry, place))
        except RecordError as error:
            outcome.error = error
    return outcomes, _ready(project, entries)


def _placed(entry, placed):
    if placed is not None:
        (entry.place, entry.arm), entry.is_placed = placed, True
    return entry


def _ready(project, entries):
    """Those of the entries that are to be stored, their names resolved; the others' outcomes say why not."""
    _check_feedbacks(project, [entry for entry in entries if entry.record.feedbacks])
    give_arms(project, entries)
    entries = _unclaimed(project, [entry for entry in entries if entry.outcome.error is None])
    _check_labels(project, entries)
    _resolve(project, [entry for entry in entries if entry.outcome.error is None])
    return [entry for entry in entries if entry.outcome.error is None]


def _check_feedbacks(project, entries):
    keys = keys_of(project) if entries else {}
    for entry in entries:
        try:
            entry.feedbacks = _checked(entry.record, keys)
        except (RecordError, EntityNotFound) as error:
            entry.outcome.error = error


def _checked(record, keys):
    """[(FeedbackKey, value, details, user, origin)] of the feedback that came with the record."""
    errors, checked = {}, []
    for given in record.feedbacks:
        key = key_or_404(keys, given.key)
        try:
            checked.append((key, checked_value(key, given.value), given.details, given.user, given.origin))
        except ValueError as error:
            errors[f"{given.path}.value"] = [str(error)]
    if errors:
        raise RecordError(errors)
    return checked


def _unclaimed(project, entries):
    """The entries whose external id is free so far. The others are answered before any model or label is made."""
    for entry in entries:
        if entry.record.external_id is not None and not entry.once:
            entry.claim = claims.claim_digest(project.pk, "interaction", entry.record.external_id)
    answer_taken([entry for entry in entries if entry.claim])
    return [entry for entry in entries if entry.outcome.error is None and not entry.outcome.duplicate]


def _check_labels(project, entries):
    unfit = unfit_keys(project=project, keys={key for entry in entries for key in entry.record.labels})
    for entry in entries if unfit else ():
        if faults := {f"labels.{key[:60]}": [unfit[key]] for key in entry.record.labels if key in unfit}:
            entry.outcome.error = RecordError(faults)


def _resolve(project, entries):
    """Turn models and labels into ids. The dictionaries grow in transactions of their own, in one order, so that
    two batches that bring the same new labels never wait for each other in a circle."""
    named = [entry for entry in entries if entry.record.model]
    models = resolve_models(
        project=project,
        known={entry.record.model for entry in named if entry.record.model_must_exist},
        new={entry.record.model for entry in named if not entry.record.model_must_exist},
    )
    for entry in named:
        entry.model_id = models.get(entry.record.model)
        if entry.model_id is None and entry.record.model_must_exist:
            entry.outcome.error = EntityNotFound("Model", entry.record.model)
        elif entry.model_id is None:
            entry.outcome.error = RecordError({"model": [model_key_fault(entry.record.model)]})
    sound = [entry for entry in entries if entry.outcome.error is None]
    labels = resolve_labels(project=project, pairs={pair for e in sound for pair in e.record.labels.items()})
    for entry in sound:
        entry.label_ids = ids_of(project=project, resolved=labels, labels=entry.record.labels)


def _store(project, entries, by, first=None, also=None):
    """Store, and once more after making the partitions that were missing, as imports of the past need theirs, or
    without those whose given ids are stored already. `first` and `also` are called in the transaction around it."""
    try:
        _insert(project, entries, by, first, also)
    except IntegrityError as error:
        if _is_of_no_month(error):
            partitions.ensure([ids.time_of(e.place) if e.place else e.record.created_at for e in entries])
            _insert(project, entries, by, first, also)
            return
        left = not_there(entries)
        if len(left) == len(entries):
            raise
        _store(project, left, by, first, also)


def _is_of_no_month(error):
    """Whether a row belongs to no partition, in whatever language the server says so: a check without a name."""
    cause = error.__cause__
    return isinstance(cause, CheckViolation) and cause.diag.constraint_name is None


def _insert(project, entries, by, first, also):
    """All or nothing: few rows of the plainest kind go as one statement, which needs no transaction around it."""
    few = len(entries) < bulk.COPIED
    plain = not first and not also and not any(e.claim or e.record.pictures for e in entries)
    # in somebody else's transaction a statement that fails must not take that with it
    with nullcontext() if few and plain and not connection.in_atomic_block else transaction.atomic():
        if first:
            first()
        _insert_rows(project, entries, by, bulk.together if few else nullcontext)
        if also:
            also()


def _insert_rows(project, entries, by, together):
    for entry in entries:
        # anew at each try: what a failed one said of duplicates went with it
        entry.outcome.id = entry.place or ids.make(entry.record.created_at)
        entry.outcome.session = entry.record.session
        entry.outcome.duplicate, entry.outcome.error = False, None
    fresh = _claim(entries)
    insert_blobs(project, [picture for entry in fresh for picture in entry.record.pictures])
    with together():
        _insert_feedbacks(fresh, by)
        insert_interactions(project, fresh, by)
        insert_bodies(fresh)
        insert_postings(fresh)
        touch(fresh)
        corrected = {e.outcome.id: e.record.corrected for e in fresh if e.record.corrected is not None}
        insert_corrections(corrected, by=by)
        _count(project, fresh)


def _claim(entries):
    """The entries that are new. Those whose external id is taken become duplicates or conflicts."""
    firsts, taken = {}, []
    for entry in entries:
        if entry.claim and firsts.setdefault(entry.claim, entry) is not entry:
            taken.append(entry)
    won = claims.take({digest: (one.outcome.id, one.record.payload_sha256) for digest, one in firsts.items()})
    lost = firsts.keys() - won
    taken += [firsts[digest] for digest in lost]
    answer_taken(taken, own={digest: firsts[digest].record for digest in won})
    for entry in taken:
        if not entry.outcome.duplicate and entry.outcome.error is None:
            refuse_freed(entry)
    gone = set(map(id, taken))
    return [entry for entry in entries if id(entry) not in gone]


def _insert_feedbacks(entries, by):
    rows, now = [], ids.now()
    for entry in entries:
        new = [NewFeedback(ids.make(now), entry.outcome.id, *checked) for checked in entry.feedbacks]
        entry.outcome.feedback_ids = [row.id for row in new]
        rows += new
    insert_feedback(rows, by=by)


def _count(project, entries):
    deltas, given = Deltas(project.pk), given_rollups.Deltas(project.pk)
    for entry in entries:
        if entry.record.source == Source.SIMULATION:
            continue
        moment = ids.time_of(entry.outcome.id)
        deltas.interaction(moment, entry.model_id, entry.label_ids)
        values = [(key.pk, value, origin) for key, value, _, _, origin in entry.feedbacks]
        given.came(moment, entry.model_id, values)
    deltas.append()
    given.append()
