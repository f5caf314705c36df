"""The history of an interaction: its labels and their renames, feedback, better answers, notes and reviews, a page
after the other."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import User
from feedback.corrections import corrections_history
from feedback.giving import history_of
from feedback.models import Origin
from feedback.services import keys_of
from interactions.ids import among, time_of
from interactions.labels import history
from interactions.models import Interaction
from interactions.notes import notes_history
from interactions.rendering import cut
from projects.access import EntityNotFound, project_or_404
from reviews.reading import reviews_of, submitted

EVENTS = 50  # on a page
LONGEST = 5_000  # characters of a better answer, or a note, beside the transcript
LONGEST_OF_ALL = 1_000_000  # characters of all of them on a page of their own


@dataclass
class Event:
    """A line of the history; what it tells lies in `row` and `former`, `kind` says of what sort they are. `said` is the
    text that was written then, `shown` as much of it as the page has room for."""

    kind: str
    row: object
    former: object
    by: User | None
    at: datetime
    id: UUID
    is_linked: bool = True
    said: str = ""
    shown: str = ""


@require_safe
def interaction_history(request, project, pk):
    """All that was done with an interaction, newest first; `before` is the id of the event that it goes on behind."""
    project = project_or_404(request.user, project)
    interaction = Interaction.objects.filter(project=project, pk=pk).first()
    if interaction is None:
        raise EntityNotFound("Interaction", pk)
    before = _id(request.GET.get("before", ""))
    reviews = reviews_of(project, pk, request.user)
    events = events_of(interaction, history_of(pk), keys_of(project).values(), notes_history(pk), reviews, whole=True)
    context = {
        "project": project,
        "nav": "interactions",
        "interaction": interaction,
        "before": before,
        "whole": True,
        **page_of_history([one for one in events if before is None or one.id < before], LONGEST_OF_ALL // EVENTS),
    }
    return render(request, "interactions/interaction_history.html", context)


def _id(text):
    try:
        return UUID(text)
    except ValueError:
        return None


def events_of(interaction, told, keys, notes, reviews, *, whole=False):
    """[Event] of labels, feedback, better answers, notes and reviews, newest first. `told` is all feedback with what it
    replaced (see history_of), `keys` are those of the project: what was said under others stays in the history; `notes`
    are all with what they replaced (see notes_history); `reviews` are those that may be read (see reviews_of). Unless
    the `whole` is asked for, what came by a program and was never touched is no event: it is the feedback that is
    shown; so are the notes that are."""
    events = []
    for one in history(interaction):
        kind = "renamed" if one.is_rename else "label"
        events.append(Event(kind, one, one.former, one.by, one.created_at, one.id))
    for row, former in told:
        is_over, is_linked = row.superseded_by not in (None, row.id), row.feedback_key in keys
        if whole or former or is_over or row.origin == Origin.REVIEWER:
            kind = "withdrawn" if row.superseded_by == row.id else "corrected" if former else "given"
            events.append(Event(kind, row, former, row.by, row.created_at, row.id, is_linked))
    for row in corrections_history(interaction.pk):
        kind = "unwritten" if row.superseded_by == row.id else "written"
        said = row.completion if kind == "written" else ""
        events.append(Event(kind, row, None, row.by, row.created_at, row.id, said=said))
    for row, former in notes:
        if whole or row.superseded_by or row.id != row.note_id:
            kind = _kind_of_note(row, former)
            said = "" if kind == "note_deleted" else row.text
            events.append(Event(kind, row, former, row.by, time_of(row.id), row.id, said=said))
    for row in submitted(reviews):
        events.append(Event("reviewed", row, None, row.by, row.ended_at, among(row.ended_at, row.pk)))
    return sorted(events, key=lambda event: event.id, reverse=True)


def _kind_of_note(row, former):
    if row.is_deletion:
        return "note_deleted"
    if former:
        return "note_edited"
    return "noted" if row.id == row.note_id else "note_restored"


def page_of_history(events, longest=LONGEST):
    """What _history.html asks for, of the first of these; of what was written the first `longest` characters."""
    page = events[:EVENTS]
    for event in page:
        event.shown = cut(event.said, longest)
    return {"history": page, "older": page[-1].id if len(events) > EVENTS else None}


def tell_who_set(labels, events):
    """Give each label `.set`, the event that set it last, None where it came with the record."""
    events = [event for event in events if event.kind == "label"]
    for label in labels:
        label.set = next((event for event in events if event.row.label_id == label.pk), None)
