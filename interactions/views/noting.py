"""Notes from the drawer and the page; each change can be taken back."""

from django.http import QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_POST

from accounts.permissions import FEEDBACK
from interactions.notes import delete_note, edit_note, notes_history, undo_note, undo_token, write_note
from interactions.rules import Conflict, in_words
from interactions.views.address import Address
from interactions.views.answers import answer, refuse
from interactions.views.detail import detail_context, interaction_or_404
from interactions.views.noted import noted_context
from projects.access import project_or_404


@require_POST
def note_write(request, project, pk):
    """A new note."""
    project = project_or_404(request.user, project, FEEDBACK)
    interaction = interaction_or_404(project, pk)
    try:
        note = write_note(interaction=interaction, text=request.POST.get("text", ""), by=request.user)
    except (ValueError, Conflict) as error:
        return _refuse(request, interaction, error)
    return _done(request, project, note, "Note written")


@require_POST
def note_change(request, project, pk, note_id):
    """Another text of one's own note; or, by its other button, its deletion, which is a lead's to do with anybody's."""
    project = project_or_404(request.user, project, FEEDBACK)
    interaction = interaction_or_404(project, pk)
    if "delete" in request.POST:
        note = delete_note(interaction=interaction, note_id=note_id, by=request.user)
        return _done(request, project, note, "Note deleted")
    try:
        text = request.POST.get("text", "")
        note, is_other = edit_note(interaction=interaction, note_id=note_id, text=text, by=request.user)
    except ValueError as error:
        return _refuse(request, interaction, error, note_id)
    return _done(request, project, note, "Note edited") if is_other else answer(request, project, "As it was", [pk])


@require_POST
def note_undo(request, project):
    project = project_or_404(request.user, project, FEEDBACK)
    try:
        note = undo_note(project=project, token=request.POST.get("token", ""), by=request.user)
    except (ValueError, Conflict) as error:
        return refuse(request, project, error)
    return answer(request, project, "Undone", [note.interaction_id])


def _done(request, project, note, text):
    return answer(request, project, text, [note.interaction_id], token=undo_token(note), undo="note_undo")


def _refuse(request, interaction, error, note_id=None):
    """Without scripts the page comes back with what was written in its place, and says why."""
    project = interaction.project
    if request.htmx:
        return refuse(request, project, error)
    query = request.POST.get("next", "").partition("?")[2]
    refused = note_id, request.POST.get("text", "")
    context = {
        **detail_context(request, project, interaction, Address.read(project, QueryDict(query))),
        **noted_context(project, notes_history(interaction.pk), request.user, refused),
        "toast": {"text": in_words(error), "is_error": True},
    }
    return render(request, "interactions/interaction_detail.html", context, status=422)
