"""Labels from the drawer, the page and the bulk bar; each change can be taken back."""

import re

from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import LABEL
from interactions.labels import remove_label, remove_labels, set_label, set_labels, suggest_labels, undo
from interactions.templatetags.interactions import FLAG
from interactions.views.answers import answer, refuse
from interactions.views.detail import interaction_or_404
from interactions.views.selection import chosen_ids
from projects.access import project_or_404

SUGGESTIONS = 7


def read_label_text(text):
    """(key, value) of what a person typed: `key:value`; a word alone is a flag, set to "yes"."""
    key, colon, value = (piece.strip() for piece in text.strip().partition(":"))
    return key, value if colon else FLAG


@require_safe
def label_suggest(request, project):
    """The options of a label box for what was typed so far."""
    project = project_or_404(request.user, project)
    text = request.GET.get("label", "").strip()[:601]
    takes = text.startswith("-")
    typed = text[1:].strip() if takes else text
    labels = suggest_labels(project, typed, SUGGESTIONS)
    context = {
        "box": re.sub(r"[^a-z-]", "", request.GET.get("box", "")) or "label",
        "text": text,
        "takes": takes,
        "labels": labels,
        "pattern": _typed_pattern(typed),
        "new": None if takes or not typed else _new(typed, labels),
    }
    return render(request, "interactions/_suggestions.html", context)


def _typed_pattern(text):
    pieces = [re.escape(piece.strip()) for piece in text.split(":") if piece.strip()]
    return re.compile("|".join(pieces), re.IGNORECASE) if pieces else None


def _new(text, labels):
    """The label that would be made, as text, or "" where it is there already."""
    key, value = read_label_text(text)
    if not key or not value or any((label.key, label.value) == (key, value) for label in labels):
        return ""
    return f"{key}:{value}"


@require_POST
def label_set(request, project, pk):
    project = project_or_404(request.user, project, LABEL)
    interaction = interaction_or_404(project, pk)
    key, value = read_label_text(request.POST.get("label", ""))
    try:
        change = set_label(interaction=interaction, key=key, value=value, by=request.user)
    except ValueError as error:
        return refuse(request, project, str(error))
    return _answer(
        request, project, change, f"Labelled {key}:{value}" if change.events else "It has this label already"
    )


@require_POST
def label_remove(request, project, pk):
    project = project_or_404(request.user, project, LABEL)
    interaction = interaction_or_404(project, pk)
    key = request.POST.get("key", "")
    change = remove_label(interaction=interaction, key=key, by=request.user)
    return _answer(request, project, change, f"Took {key} away")


@require_POST
def label_many(request, project):
    """Over the ticked rows: `key:value` sets, `-key` takes away."""
    project = project_or_404(request.user, project, LABEL)
    ids, text = chosen_ids(request), request.POST.get("label", "").strip()
    if not ids:
        return refuse(request, project, "Select at least one interaction.")
    if text.startswith("-"):
        key = text[1:].partition(":")[0].strip()
        change = remove_labels(project=project, ids=ids, key=key, by=request.user)
        return _answer(request, project, change, f"Took {key} from {_number(change)}")
    key, value = read_label_text(text)
    try:
        change = set_labels(project=project, ids=ids, key=key, value=value, by=request.user)
    except ValueError as error:
        return refuse(request, project, str(error))
    return _answer(request, project, change, f"Labelled {_number(change)} {key}:{value}")


def _number(change):
    n = len(change.events)
    return f"{n:,} interaction{'' if n == 1 else 's'}"


@require_POST
def label_undo(request, project):
    project = project_or_404(request.user, project, LABEL)
    try:
        change = undo(project=project, token=request.POST.get("token", ""), by=request.user)
    except ValueError as error:
        return refuse(request, project, str(error))
    text = "Undone" if change.events else "Somebody changed it since"
    return answer(request, project, text, _ids(change))


def _answer(request, project, change, text):
    token = change.undo_token if change.events else ""
    return answer(request, project, text, _ids(change), token=token)


def _ids(change):
    return [interaction_id for interaction_id, *_ in change.events]
