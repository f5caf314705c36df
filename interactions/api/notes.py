"""The notes on one interaction."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import FEEDBACK, READ
from interactions.api.interactions import interaction_or_404
from interactions.calls import object_of
from interactions.notes import MAX_NOTE, delete_note, edit_note, notes_history, thread_of, write_note
from interactions.serializers import wire_time


class PersonShape(serializers.Serializer):
    name = serializers.CharField()
    email = serializers.CharField()


class NoteTextShape(serializers.Serializer):
    text = serializers.CharField(max_length=MAX_NOTE, help_text="plain text; without blanks at its ends")


class NoteShape(NoteTextShape):
    id = serializers.UUIDField()
    by = PersonShape()
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)


class NotesShape(serializers.Serializer):
    results = NoteShape(many=True)


class InteractionNotes(APIView):
    """What people write to each other about an interaction."""

    @extend_schema(operation_id="interaction_notes_list", responses=NotesShape)
    def get(self, request, interaction_id):
        """List the notes, oldest first."""
        row = interaction_or_404(request.user, interaction_id, READ)
        return Response({"results": [present_note(one) for one in thread_of(notes_history(row.pk))]})

    @extend_schema(request=NoteTextShape, responses={201: NoteShape})
    def post(self, request, interaction_id):
        """Write a note. 409 where the interaction has a hundred."""
        row = interaction_or_404(request.user, interaction_id, FEEDBACK)
        written = write_note(interaction=row, text=object_of(request, "text").get("text"), by=request.user)
        return Response(present_note(written), status=status.HTTP_201_CREATED)


class InteractionNote(APIView):
    """One note."""

    @extend_schema(request=NoteTextShape, responses=NoteShape)
    def patch(self, request, interaction_id, note_id):
        """Put another text in the place of your own note's; what it said before stays in the history."""
        row = interaction_or_404(request.user, interaction_id, FEEDBACK)
        text = object_of(request, "text").get("text")
        edited, _ = edit_note(interaction=row, note_id=note_id, text=text, by=request.user)
        return Response(present_note(edited))

    @extend_schema(responses={204: None})
    def delete(self, request, interaction_id, note_id):
        """Delete your own note, or anybody's with the permission to manage reviews; what it said stays in the
        history."""
        row = interaction_or_404(request.user, interaction_id, FEEDBACK)
        delete_note(interaction=row, note_id=note_id, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


def person(user):
    return {"name": str(user), "email": user.email} if user else None


def present_note(note):
    """A Note, as it stands or stood."""
    return {
        "id": str(note.note_id),
        "text": note.text,
        "by": person(note.author),
        "created_at": wire_time(note.created_at),
        "edited_at": wire_time(note.edited_at) if note.edited_at else None,
    }
