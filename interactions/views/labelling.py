"""Labels from the drawer, the page and the bulk bar; each change can be taken back."""

import re

from django.http import QueryDict
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import LABEL
from feedback.services import keys_of
from interactions.labels import labels_of, remove_label, remove_labels, set_label, set_labels, suggest_labels, undo
from interactions.models import Interaction
from interactions.rendering import words_pattern
from interactions.templatetags.interactions import FLAG
from interactions.views.address import Address
from interactions.views.detail import interaction_or_404, panel_context
from interactions.views.selection import chosen_ids, leave_toast
from interactions.views.table import COLUMNS, counts_context, fill_rows, wanted_of
from projects.access import project_or_404

SUGGESTIONS = 7
ROWS_REFRESHED = 200


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
        return _refuse(request, project, str(error))
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
        return _refuse(request, project, "Select at least one interaction.")
    if text.startswith("-"):
        key = text[1:].partition(":")[0].strip()
        change = remove_labels(project=project, ids=ids, key=key, by=request.user)
        return _answer(request, project, change, f"Took {key} from {_number(change)}")
    key, value = read_label_text(text)
    try:
        change = set_labels(project=project, ids=ids, key=key, value=value, by=request.user)
    except ValueError as error:
        return _refuse(request, project, str(error))
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
        return _refuse(request, project, str(error))
    return _answer(request, project, change, "Undone" if change.events else "Somebody changed it since", can_undo=False)


def _answer(request, project, change, text, can_undo=True):
    """For htmx the parts of the page that a change shows in, and a toast; else back to where it came from."""
    token = change.undo_token if can_undo and change.events else ""
    if not request.htmx:
        leave_toast(request, text, token)
        return redirect(_back(request, project))
    toast = {"text": text, "token": token}
    context = {
        "project": project,
        "toast": toast,
        "next": _back(request, project),
        **_changed_parts(request, project, change),
    }
    return render(request, "interactions/_labelled.html", context)


def _refuse(request, project, text):
    if not request.htmx:
        leave_toast(request, text, is_error=True)
        return redirect(_back(request, project))
    toast = {"text": text, "is_error": True}
    return render(request, "interactions/_toast.html", {"project": project, "toast": toast}, status=422)


def _back(request, project):
    """Where a form without scripts came from: a page of ours, else the table."""
    after = request.POST.get("next", "")
    listed = Address(project, []).list
    return after if after == listed or after.startswith((f"{listed}?", f"{listed}/")) else listed


def _changed_parts(request, project, change):
    """The rows, the facets and the open interaction, as far as the page that asked can show them."""
    address, shown = _shown(request, project)
    parts = {"address": address}
    if "table" in request.POST:
        rows = labels_of(Interaction.objects.for_table().in_order([one for one, *_ in change.events[:ROWS_REFRESHED]]))
        fill_rows(rows, address, list(keys_of(project).values())[:COLUMNS])
        wanted, errors = wanted_of(project, address)
        parts |= counts_context(project, address, wanted, errors)
        parts |= {"table": True, "rows": rows, "pattern": words_pattern(address.one("q"))}
    if shown:
        parts |= panel_context(project, interaction_or_404(project, shown), address)
    return parts


def _shown(request, project):
    """(the filter, the id of the open interaction or None) of the page that asked."""
    here = request.htmx.current_url_abs_path or ""
    path, _, query = here.partition("?")
    try:
        match = resolve(path)
    except Resolver404:
        return Address(project, []), None
    shown = match.kwargs.get("pk") if match.url_name == "interaction_detail" else None
    return Address.read(project, QueryDict(query)), shown
