"""Giving feedback, correcting it and taking it back. Append-only: what is corrected or withdrawn stays as history.

Every change locks the interactions it is about, so that their latest values and the roll-ups hold what is current.
"""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from django.core import signing
from django.db import connection, transaction

from feedback.models import Feedback, FeedbackKey, Origin
from feedback.rollups import Deltas
from feedback.services import checked_value
from interactions import bulk, claims, ids
from interactions.models import Claim, Interaction, Source
from interactions.rules import Conflict
from interactions.touches import insert_touches
from projects.access import EntityNotFound

UNDO_SECONDS = 600  # the toast shows for 8 s; a slow reader may still be right
_SALT = "feedback-undo"


@dataclass(slots=True)
class NewFeedback:
    """A checked value, ready to be stored. `withdraws`: it is history from its beginning."""

    id: UUID
    interaction_id: UUID
    key: FeedbackKey
    value: float
    details: str = ""
    user: str = ""
    origin: str = Origin.USER
    external_id: str | None = None
    withdraws: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What a person did: the row that came, and the one that it took the place of, None where there was none."""

    interaction_id: UUID
    id: UUID
    former_id: UUID | None = None

    @property
    def undo_token(self):
        """Signed text that `undo_feedback` takes."""
        return signing.dumps([str(part) if part else None for part in _parts(self)], salt=_SALT)


def _parts(change):
    return change.interaction_id, change.id, change.former_id


def insert_feedback(rows, *, by):
    """Store NewFeedback rows; the caller has the transaction, and counts them. Conflict, and nothing is to be kept,
    where a key became one for yes and no since a value was checked."""
    bulk.insert_all_where(
        "feedback_feedback",
        {
            "interaction_id": ("uuid", [row.interaction_id for row in rows]),
            "id": ("uuid", [row.id for row in rows]),
            "feedback_key_id": ("integer", [row.key.pk for row in rows]),
            "value": ("float8", [row.value for row in rows]),
            "details": ("text", [row.details for row in rows]),
            "user": ("text", [row.user for row in rows]),
            "origin": ("text", [str(row.origin) for row in rows]),
            "by_id": ("bigint", [by.pk if by else None] * len(rows)),
            "external_id": ("text", [row.external_id for row in rows]),
            "superseded_by": ("uuid", [row.id if row.withdraws else None for row in rows]),
        },
        "JOIN feedback_feedbackkey k ON k.id = r.feedback_key_id WHERE k.kind <> 'bool' OR r.value IN (0, 1)",
        otherwise=Conflict("A key changed its kind at this moment; send the values again."),
    )


# -- one by one -----------------------------------------------------------------------------------
@transaction.atomic
def give_feedback(*, interaction, key, value, by, details="", user="", origin=Origin.USER):
    """A new current value of the interaction; its Change. ValueError where the key does not take the value."""
    row = NewFeedback(ids.make(ids.now()), interaction.pk, key, checked_value(key, value), details, user, origin)
    with _Changing(interaction.project, [interaction.pk]) as changing:
        changing.must_have(interaction.pk)
        insert_feedback([row], by=by)
    return Change(interaction.pk, row.id)


@transaction.atomic
def correct_feedback(*, interaction, feedback_id, value, by, details=None):
    """Put another value in the place of a current one; its user and origin stay. ValueError where the key does not
    take it, Conflict where it is no longer current, EntityNotFound where it never was."""
    with _Changing(interaction.project, [interaction.pk]) as changing:
        former = changing.current_or_conflict(interaction.pk, feedback_id)
        details = former.details if details is None else details
        row = _after(former, checked_value(former.feedback_key, value), details)
        _supersede(former, row, by)
    return Change(interaction.pk, row.id, former.id)


@transaction.atomic
def withdraw_feedback(*, interaction, feedback_id, by):
    """Take a current value back; Conflict and EntityNotFound as above."""
    with _Changing(interaction.project, [interaction.pk]) as changing:
        former = changing.current_or_conflict(interaction.pk, feedback_id)
        row = _after(former, former.value, former.details, withdraws=True)
        _supersede(former, row, by)
    return Change(interaction.pk, row.id, former.id)


@transaction.atomic
def undo_feedback(*, project, token, by):
    """Take a Change back by another one, which is returned. ValueError for a token that is none, Conflict where
    somebody changed the value since."""
    try:
        texts = signing.loads(token, salt=_SALT, max_age=UNDO_SECONDS)
    except signing.BadSignature:
        raise ValueError("This can no longer be undone.") from None
    change = Change(*(UUID(text) if text else None for text in texts))
    with _Changing(project, [change.interaction_id]) as changing:
        changing.must_have(change.interaction_id)
        done = _row(change.interaction_id, change.id)
        if _is_overtaken(done):
            raise Conflict("Somebody changed it since.")
        former = done if change.former_id is None else _row(change.interaction_id, change.former_id)
        row = _after(former, former.value, former.details, withdraws=change.former_id is None)
        if done.superseded_by is None:
            _supersede(done, row, by)
        else:
            insert_feedback([row], by=by)
    return Change(change.interaction_id, row.id, change.id)


def _is_overtaken(done):
    """Whether anything came after this row: a correction of it, or, after a withdrawal, another value."""
    if done.superseded_by == done.id:
        later = Feedback.objects.filter(interaction_id=done.interaction_id, feedback_key=done.feedback_key_id)
        return later.filter(id__gt=done.id).exists()
    return done.superseded_by is not None


def _row(interaction_id, feedback_id):
    return Feedback.objects.select_related("feedback_key").get(interaction_id=interaction_id, id=feedback_id)


def _after(former, value, details, withdraws=False):
    """The row that comes after this one."""
    return NewFeedback(
        ids.make(ids.now()), former.interaction_id, former.feedback_key, value, details, former.user, former.origin,
        withdraws=withdraws,
    )  # fmt: skip


def _supersede(former, row, by):
    insert_feedback([row], by=by)
    Feedback.objects.filter(interaction_id=former.interaction_id, id=former.id).update(superseded_by=row.id)


# -- many -----------------------------------------------------------------------------------------
@dataclass(slots=True)
class Item:
    """A value to be given, checked against its key; `outcome` tells what became of it."""

    row: NewFeedback
    payload_sha256: bytes
    claim: UUID | None = None
    duplicate: bool = False
    error: Exception | None = None


@transaction.atomic
def give_many(*, project, items, by):
    """Store these Items of one project, all that can be; each tells its `row.id`, or its `error`: EntityNotFound
    where the interaction is gone, Conflict where the external id is taken by another payload."""
    with _Changing(project, sorted({item.row.interaction_id for item in items})) as changing:
        for item in items:
            if item.row.interaction_id not in changing.rows:
                item.error = EntityNotFound("Interaction", item.row.interaction_id)
        # claimed after the rows are locked, as deleting frees after locking: nobody waits in a circle
        fresh = _claim(project, [item for item in items if item.error is None])
        insert_feedback([item.row for item in fresh], by=by)


def _claim(project, items):
    """The items that are new; the others become duplicates or conflicts."""
    firsts = {}
    for item in items:
        if item.row.external_id is not None:
            item.claim = claims.claim_digest(project.pk, "feedback", item.row.external_id)
            firsts.setdefault(item.claim, item)
    new = claims.take({digest: (one.row.interaction_id, one.payload_sha256) for digest, one in firsts.items()})
    taken = [item for item in items if item.claim and (item.claim not in new or firsts[item.claim] is not item)]
    _answer_taken(taken, {digest: firsts[digest] for digest in new})
    gone = set(map(id, taken))
    return [item for item in items if id(item) not in gone]


def _answer_taken(taken, firsts):
    """Give each item the id of what has its external id, or a Conflict."""
    if not taken:
        return
    held = Claim.objects.in_bulk({item.claim for item in taken})
    stored = Feedback.objects.filter(
        interaction_id__in={claim.interaction_id for claim in held.values()},
        external_id__in={item.row.external_id for item in taken},
    )
    known = {(row.interaction_id, row.external_id): row.id for row in stored}
    for item in taken:
        claim, first = held.get(item.claim), firsts.get(item.claim)
        if claim is None or bytes(claim.payload_sha256) != item.payload_sha256:
            why = "is taken by another payload" if claim else "is being freed at this moment; send it again"
            item.error = Conflict(f"The external_id {item.row.external_id!r} {why}.")
            continue
        item.duplicate = True
        item.row.id = first.row.id if first else known[claim.interaction_id, item.row.external_id]


def history_of(interaction_id):
    """[(row, the row whose place it took or None)] of all that was ever given, newest first, with keys and people."""
    rows = Feedback.objects.filter(interaction_id=interaction_id).select_related("feedback_key", "by").order_by("-id")
    former = {row.superseded_by: row for row in rows if row.superseded_by != row.id}
    return [(row, former.get(row.id)) for row in rows]


# -- what every change has in common -------------------------------------------------------------
class _Changing:
    """Locks interactions and knows their current values; at its end the roll-up and their latest values follow."""

    def __init__(self, project, interaction_ids):
        self.project, self.ids = project, interaction_ids

    def __enter__(self):
        locked = Interaction.objects.select_for_update(of=("self",)).filter(project=self.project, pk__in=self.ids)
        self.rows = {row.pk: row for row in locked.only("pk", "model_id", "source", "arm").order_by("pk")}
        self.before = current_values(self.rows)
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None:
            return
        deltas, after = Deltas(self.project.pk), current_values(self.rows)
        changed = [pk for pk in self.rows if self.before[pk] != after[pk]]
        for row in (self.rows[pk] for pk in changed):
            if row.source != Source.SIMULATION:
                deltas.went(row.created_at, row.model_id, self.before[row.pk])
                deltas.came(row.created_at, row.model_id, after[row.pk])
        deltas.append()
        tested = [self.rows[pk] for pk in changed if self.rows[pk].arm is not None]
        insert_touches([(row.arm, row.pk, None) for row in tested])
        _show_latest(changed)

    def must_have(self, interaction_id):
        if interaction_id not in self.rows:
            raise EntityNotFound("Interaction", interaction_id)

    def current_or_conflict(self, interaction_id, feedback_id):
        self.must_have(interaction_id)
        row = Feedback.objects.filter(interaction_id=interaction_id, id=feedback_id).select_related("feedback_key")
        found = row.first()
        if found is None:
            raise EntityNotFound("Feedback (score)", feedback_id)
        if found.superseded_by is not None:
            raise Conflict("This feedback was corrected or withdrawn since; read it again.")
        return found


def current_values(interaction_ids):
    """{interaction id: [(key id, value, origin)]} of what is current, by feedback id."""
    found = defaultdict(list)
    rows = Feedback.objects.current().filter(interaction_id__in=list(interaction_ids)).order_by("id")
    for pk, *given in rows.values_list("interaction_id", "feedback_key_id", "value", "origin"):
        found[pk].append(tuple(given))
    return found


def _show_latest(interaction_ids):
    """Bring the rows' copies for display up to date; the rows are locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE interactions_interaction i SET feedbacks = coalesce(latest.values, '{}')
            FROM unnest(%s::uuid[]) AS changed(id) LEFT JOIN (
                SELECT interaction_id, jsonb_object_agg(key, value) AS values FROM (
                    SELECT DISTINCT ON (f.interaction_id, k.key) f.interaction_id, k.key, f.value
                    FROM feedback_feedback f JOIN feedback_feedbackkey k ON k.id = f.feedback_key_id
                    WHERE f.interaction_id = ANY(%s) AND f.superseded_by IS NULL
                    ORDER BY f.interaction_id, k.key, f.id DESC) AS newest
                GROUP BY 1) AS latest ON latest.interaction_id = changed.id
            WHERE i.id = changed.id AND i.id = ANY(%s)
            """,
            [interaction_ids] * 3,  # so often that no other months are planned for or locked
        )
