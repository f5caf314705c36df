"""Labels from the drawer, the page and the bulk bar; each change can be taken back."""

import re
from copy import copy

from django.http import QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import LABEL
from interactions.filters import write_label
from interactions.labels import remove_label, remove_labels, set_label, set_labels, suggest_labels, undo
from interactions.labels.keys import allowed_of
from interactions.rules import label_fault
from interactions.templatetags.interactions import FLAG
from interactions.ticked import MOST, chosen_ids
from interactions.views.address import Address
from interactions.views.alike import all_alike
from interactions.views.answers import answer, refuse
from interactions.views.detail import interaction_or_404
from interactions.views.label_jobs import label_all
from projects.access import project_or_404

SUGGESTIONS = 7
WHOLE_KEYS = 3
FILTERS_BOX = "label-add"
_SPLIT = re.compile(r"((?:\\[\\:]|[^:])*)(:?)(.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\:|-])")
_FITS = re.compile(r"\S(?:[^\r\n]*\S)?")  # a box of one line; blanks around what is typed are left out


def split_label(text):
    """(key, value) of what a person typed or took from the suggestions, which write `\\:` for a colon within the key;
    of a word alone the value is None."""
    key, colon, value = _SPLIT.match(text.strip()).groups()
    key, value = (_ESCAPED.sub(r"\1", piece.strip()) for piece in (key, value))
    return key, value if colon else None


def read_label_text(text):
    """(key, value) of what a person typed: `key:value`; a word alone is a flag, set to "yes"."""
    key, value = split_label(text)
    return key, FLAG if value is None else value


@require_safe
def label_suggest(request, project):
    """The options of a label box for what was typed so far. The box of the filters (`label-add`) asks for what is
    there: of its options none is new, and a key stands there with any value of it too."""
    project = project_or_404(request.user, project)
    box = re.sub(r"[^a-z-]", "", request.GET.get("box", "")) or "label"
    text = request.GET.get("label.add" if box == FILTERS_BOX else "label", "").strip()[:601]
    takes = text.startswith("-")
    typed = text[1:].strip() if takes else text
    key, value = split_label(typed)
    labels = _offered(project, key, value, takes, box)
    filters = box == FILTERS_BOX
    context = {
        "box": box,
        "text": text,
        "takes": takes and not filters,
        "without": takes and filters,
        "keys": _whole_keys(labels, key, takes) if filters and typed and value is None else [],
        "labels": labels,
        "pattern": _typed_pattern(key, value),
        "new": "" if takes or not typed or filters else _new(project, typed, labels),
    }
    return render(request, "interactions/_suggestions.html", context)


def _offered(project, key, value, takes, box):
    """The labels found, each with `.taken`: what choosing it writes into the box, which is read as this label again."""
    offered = []
    for label in suggest_labels(project, key, value, SUGGESTIONS):
        names = [label.key] if takes and box != FILTERS_BOX else [label.key, label.value]
        if all(map(_FITS.fullmatch, names)):
            label.taken = ("-" if takes else "") + _written(*names)
            offered.append(label)
    return offered


def _whole_keys(labels, typed, takes):
    """One label of each key that has what was typed in its name, with `.taken`: what asks for any value of it."""
    found = {label.key: copy(label) for label in labels if typed.casefold() in label.key.casefold()}
    for label in found.values():
        label.taken = ("-" if takes else "") + _written(label.key)
    return sorted(found.values(), key=lambda label: label.key.casefold() != typed.casefold())[:WHOLE_KEYS]


def _written(*names):
    text = write_label(*names)
    return f"\\{text}" if text.startswith("-") else text  # which would take a label away


def _typed_pattern(*pieces):
    pieces = [re.escape(piece) for piece in pieces if piece]
    return re.compile("|".join(pieces), re.IGNORECASE) if pieces else None


def _new(project, text, labels):
    """The label that would be made, as text, or "" where it is there already, or cannot be or not by its key."""
    key, value = read_label_text(text)
    if label_fault(key, value) or any((label.key, label.value) == (key, value) for label in labels):
        return ""
    allowed = allowed_of(project, key)
    return _written(key, value) if allowed is None or value in allowed else ""


@require_POST
def label_set(request, project, pk):
    """By what is typed: `key:value` sets, `-key` takes away."""
    project = project_or_404(request.user, project, LABEL)
    interaction = interaction_or_404(project, pk)
    key, value = _asked(request.POST.get("label", ""))
    if value is None:
        change = remove_labels(project=project, ids=[pk], key=key, by=request.user)
        return _answer(request, project, change, f"Took {key} away" if change.events else f"It has no label {key}")
    try:
        change = set_label(interaction=interaction, key=key, value=value, by=request.user)
    except ValueError as error:
        return refuse(request, project, error)
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
    """Over the ticked rows, in a folded table with all that is alike, or over all in the filter: `key:value` sets,
    `-key` takes away."""
    project = project_or_404(request.user, project, LABEL)
    address = Address.read(project, QueryDict(request.POST.get("filter", "")))
    key, value = _asked(request.POST.get("label", ""))
    if "all" in request.POST:
        return label_all(request, project, address, key, value)
    ids = chosen_ids(request)
    if not ids:
        return refuse(request, project, "Select at least one interaction.")
    if address.one("fold"):
        ids, near = all_alike(project, address, ids, MOST)
        if near:
            return label_all(request, project, address.of_alike(near), key, value, ids)
    if value is None:
        change = remove_labels(project=project, ids=ids, key=key, by=request.user)
        return _answer(request, project, change, f"Took {key} from {_number(change)}")
    try:
        change = set_labels(project=project, ids=ids, key=key, value=value, by=request.user)
    except ValueError as error:
        return refuse(request, project, error)
    return _answer(request, project, change, f"Labelled {_number(change)} {key}:{value}")


def _asked(text):
    """(key, value) to set, (key, None) to take away."""
    text = text.strip()
    return (split_label(text[1:])[0], None) if text.startswith("-") else read_label_text(text)


def _number(change):
    n = change.number
    return f"{n:,} interaction{'' if n == 1 else 's'}"


@require_POST
def label_undo(request, project):
    project = project_or_404(request.user, project, LABEL)
    try:
        change = undo(project=project, token=request.POST.get("token", ""), by=request.user)
    except ValueError as error:
        return refuse(request, project, error)
    text = "Undone" if change.events else "Somebody changed it since"
    return answer(request, project, text, _ids(change))


def _answer(request, project, change, text):
    token = change.undo_token if change.events else ""
    return answer(request, project, text, _ids(change), token=token)


def _ids(change):
    return [interaction_id for interaction_id, *_ in change.events]
