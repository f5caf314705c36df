"""Notes: what people write to each other about one interaction.

Append-only like feedback: an edit is a row that takes the place of the one before, a deletion one that names itself.
All of them stay in the interaction's history. Every change locks the interaction, so that one comes after the other.
"""

from uuid import UUID

from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts import prepared
from accounts.audit import record
from accounts.permissions import MANAGE_REVIEWS
from interactions import bulk, ids
from interactions.models import Interaction, Note
from interactions.rules import Conflict, RecordError, text_fault
from projects.access import EntityNotFound, needs

MAX_NOTE = 10_000  # characters
MOST = 100  # of one interaction
UNDO_SECONDS = 600  # the toast shows for 8 s; a slow reader may still be right
NOT_YOURS = "This is another person's note: she alone may change it."
_SALT = "note-undo"
# the bounds once more: the server leaves out the months of others by them, not by the list
_NUMBERS = """
    SELECT interaction_id, count(*) FROM interactions_note
    WHERE interaction_id = ANY(%s::uuid[]) AND interaction_id >= %s::uuid AND interaction_id <= %s::uuid
        AND superseded_by IS NULL
    GROUP BY 1
"""


def notes_history(interaction_id):
    """[(Note, the row whose place it took or None)] of all that was ever done with the interaction's notes, newest
    first, with people."""
    rows = Note.objects.filter(interaction_id=interaction_id).select_related("author", "by").order_by("-id")
    former = {row.superseded_by: row for row in rows if not row.is_deletion}
    return [(row, former.get(row.id)) for row in rows]


def thread_of(told):
    """The notes that stand, oldest first, of a history."""
    return sorted((row for row, _ in told if row.superseded_by is None), key=lambda row: row.note_id)


def numbers_of(interaction_ids):
    """{interaction id: how many notes it has} of those that have any."""
    found = list(interaction_ids)
    return dict(prepared.rows(_NUMBERS, [bulk.array(found), str(min(found)), str(max(found))])) if found else {}


def checked_note(text):
    """The text without blanks at its ends, its lines ended as here; RecordError says why it is none."""
    kept = text.replace("\r\n", "\n").strip() if isinstance(text, str) else ""
    if not kept or len(kept) > MAX_NOTE:
        raise RecordError({"text": [f"Send a note of 1 to {MAX_NOTE:,} characters."]})
    if fault := text_fault(kept):
        raise RecordError({"text": [fault]})
    return kept


@transaction.atomic
def write_note(*, interaction, text, by):
    """A new Note. RecordError for a text that is none, Conflict where the interaction has as many as it may."""
    text = checked_note(text)
    _lock(interaction)
    if Note.objects.filter(interaction_id=interaction.pk, superseded_by=None).count() >= MOST:
        raise Conflict(f"An interaction takes at most {MOST} notes; delete one that is settled.")
    note_id = ids.make(ids.now())
    return _keep(interaction, note_id, author=by, by=by, text=text, id=note_id)


@transaction.atomic
def edit_note(*, interaction, note_id, text, by):
    """Put another text in the place of one's own note's; (the Note, whether it says anything else now). RecordError as
    above, PermissionDenied where it is another's, EntityNotFound where there is none."""
    text = checked_note(text)
    current = _current(interaction, note_id)
    if current.author_id != by.pk:
        raise PermissionDenied(NOT_YOURS)
    if current.text == text:
        return current, False
    return _follow(interaction, current, by=by, text=text, edited_at=ids.now()), True


@transaction.atomic
def delete_note(*, interaction, note_id, by):
    """Delete one's own note; anybody's, which the audit log tells, for who manages reviews. The row that says so.
    PermissionDenied and EntityNotFound as above."""
    current = _current(interaction, note_id)
    if current.author_id != by.pk and MANAGE_REVIEWS not in interaction.project.permissions:
        raise PermissionDenied(needs(interaction.project, MANAGE_REVIEWS))
    _record("note.delete", interaction.project, current, by)
    return _follow(interaction, current, by=by, deletes=True)


def undo_token(note):
    """Signed text by which who made this row takes it back."""
    return signing.dumps([str(note.interaction_id), str(note.id)], salt=_SALT)


@transaction.atomic
def undo_note(*, project, token, by):
    """Take back what a person did with a note, by another row, which is returned. ValueError for a token that is none
    of hers, Conflict where the note was changed since."""
    try:
        interaction_id, row_id = map(UUID, signing.loads(token, salt=_SALT, max_age=UNDO_SECONDS))
    except signing.BadSignature:
        raise ValueError("This can no longer be undone.") from None
    interaction = _lock(Interaction(pk=interaction_id, project=project))
    done = Note.objects.select_related("author").get(interaction_id=interaction_id, id=row_id)
    if done.by_id != by.pk:
        raise ValueError("This can no longer be undone.")
    versions = Note.objects.filter(interaction_id=interaction_id, note_id=done.note_id)
    if versions.filter(id__gt=done.id).exists():
        raise Conflict("The note was changed since.")
    if done.is_deletion:
        _record("note.restore", project, done, by)
        return _follow(interaction, done, by=by)
    former = versions.filter(superseded_by=done.id).first()
    if former is None:
        return _follow(interaction, done, by=by, deletes=True)
    return _follow(interaction, done, by=by, text=former.text, edited_at=former.edited_at)


def _lock(interaction):
    """The interaction, locked; EntityNotFound where it is gone."""
    rows = Interaction.objects.select_for_update().filter(pk=interaction.pk, project=interaction.project)
    if not rows.only("pk").first():
        raise EntityNotFound("Interaction", interaction.pk)
    return interaction


def _current(interaction, note_id):
    """The Note as it stands, of an interaction that is locked by it; EntityNotFound where there is none."""
    _lock(interaction)
    rows = Note.objects.filter(interaction_id=interaction.pk, note_id=note_id, superseded_by=None)
    if (found := rows.select_related("author").first()) is None:
        raise EntityNotFound("Note", note_id)
    return found


def _follow(interaction, former, *, by, deletes=False, **changed):
    """The row that comes after this one, and says what it said but for what is `changed`."""
    row_id = ids.make(ids.now())
    if former.superseded_by is None:
        Note.objects.filter(interaction_id=interaction.pk, id=former.id).update(superseded_by=row_id)
    said = {"text": former.text, "edited_at": former.edited_at, **changed}
    superseded_by = row_id if deletes else None
    return _keep(
        interaction, former.note_id, author=former.author, by=by, id=row_id, superseded_by=superseded_by, **said
    )


def _keep(interaction, note_id, **said):
    row = Note(interaction_id=interaction.pk, note_id=note_id, project_id=interaction.project_id, **said)
    row.save(force_insert=True)
    return row


def _record(verb, project, note, by):
    """What is done with another's note is told in the audit log; what it says stays in the interaction's history."""
    if note.author_id != by.pk:
        what = f"{note.author.email} on the interaction {note.interaction_id}"
        record(verb, by=by, project=project, what=what, before={"note": str(note.note_id)})
