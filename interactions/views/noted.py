"""What is shown of the notes on an interaction."""

from accounts.permissions import FEEDBACK, MANAGE_REVIEWS
from interactions.notes import thread_of


def noted_context(project, told, user, refused=None):
    """What the panel's template asks for: the notes (of all that was done with them, see notes_history), each with
    `.is_own` and its `.draft`, and `draft`, that of a new one. `refused` is (the note's id, None of a new one; what was
    written): without scripts it would be lost."""
    note_id, written = refused or (None, None)
    notes = thread_of(told)
    for note in notes:
        note.is_own = note.author_id == user.pk
        note.draft = written if note.note_id == note_id else None
    may_note = FEEDBACK in project.permissions
    return {
        "notes": notes,
        "note_draft": written if note_id is None else None,
        "may_note": may_note,
        "may_delete_notes": may_note and MANAGE_REVIEWS in project.permissions,
    }
