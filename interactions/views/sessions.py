"""A session: all its turns in order, with what was said of each."""

import uuid
from collections import defaultdict
from urllib.parse import urlencode

from django.db.models.functions import Left, Length
from django.shortcuts import render
from django.utils.encoding import escape_uri_path
from django.views.decorators.http import require_safe

from feedback.models import Correction, Feedback
from feedback.services import keys_of
from interactions.labels import labels_of
from interactions.messages import blobs_of, calls_of
from interactions.models import Interaction
from interactions.transcript import BUDGET, Transcript, new_messages
from interactions.transcripts import picture_address
from interactions.views.address import Address
from projects.access import EntityNotFound, project_or_404

ROWS = 50
VALUES = 10  # of feedback that a turn shows, the newest; the interaction's own page has all
LONGEST_NOTE = 300  # characters
LONGEST_ANSWER = 5_000  # characters of a better answer


@require_safe
def session_detail(request, project, session):
    """All turns of a session, oldest first; what a call repeats of those before it is left out."""
    project = project_or_404(request.user, project)
    rows = Interaction.objects.filter(project=project, session=session).select_related("model", "body").order_by("id")
    start = request.GET.get("from", "")
    page = list((rows.filter(id__gte=start) if _is_uuid(start) else rows)[: ROWS + 1])
    if not page:
        raise EntityNotFound("Session", session)
    more = page[ROWS] if len(page) > ROWS else None
    inside = Address(project, [("session", session), ("order", "created_at")])
    turns = _turns(project, labels_of(page[:ROWS]), inside)
    _tell_what_was_said(project, turns)
    context = {
        "project": project,
        "nav": "interactions",
        "session": session,
        "turns": turns,
        "is_start": not start,
        "more": f"{escape_uri_path(request.path)}?{urlencode({'from': more.pk})}" if more else "",
        "list": Address(project, [("session", session)]).url,
    }
    return render(request, "interactions/session_detail.html", context)


def _turns(project, rows, inside):
    """Each interaction with its `.address`, `.transcript` of what is new in it, and `.repeated`, how much is not."""
    blobs = blobs_of(project, [message for row in rows for message in row.body.messages])
    before = []
    for row in rows:
        new, row.repeated = new_messages(row.body.messages, before)
        before = [*row.body.messages, {"role": "assistant", "content": row.body.completion}]
        row.address = inside.of(row.pk)
        row.transcript = Transcript(
            new, row.body.completion, address=picture_address(project), blobs=blobs, calls=calls_of(row.body),
            budget=BUDGET // len(rows),
        )  # fmt: skip
    return rows


def _tell_what_was_said(project, rows):
    """Give each interaction `.values`, its newest current feedback, oldest first; `.more_values`, how many there are
    besides; and `.correction`, the better answer or None. Two queries, and the keys."""
    keys, ids = {key.pk: key for key in keys_of(project).values()}, [row.pk for row in rows]
    given = Feedback.objects.current().filter(interaction_id__in=ids, feedback_key__in=keys)
    given = given.annotate(note=Left("details", LONGEST_NOTE + 1)).defer("details").select_related("by").order_by("id")
    values = defaultdict(list)
    for one in given:
        one.key, one.is_cut, one.note = keys[one.feedback_key_id], len(one.note) > LONGEST_NOTE, one.note[:LONGEST_NOTE]
        values[one.interaction_id].append(one)
    written = Correction.objects.current().filter(interaction_id__in=ids).select_related("by").defer("completion")
    written = written.annotate(shown=Left("completion", LONGEST_ANSWER), length=Length("completion"))
    corrections = {one.interaction_id: one for one in written.order_by("id")}
    for row in rows:
        row.values, row.correction = values[row.pk][-VALUES:], corrections.get(row.pk)
        row.more_values = len(values[row.pk]) - len(row.values)


def _is_uuid(text):
    try:
        return bool(uuid.UUID(text))
    except ValueError:
        return False
