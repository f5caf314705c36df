"""Labels on interactions: setting and removing them, history and undo, and what a label box suggests.

`dictionary` knows their names, `keys` what is agreed about a key, `renames` brings what has an old name to the new
one, `many` labels everything that a filter finds, `history` tells what was done with them.
"""

from uuid import UUID

from django.core import signing
from django.db import transaction
from django.db.models import F, Q

from interactions.labels.changes import SALT, Change, back_to, change
from interactions.labels.dictionary import ids_of, meant, names_of, resolve_labels, unfit_keys
from interactions.labels.history import history
from interactions.labels.keys import allowed_of, refuse_value
from interactions.models import Dimension, Label
from interactions.rollups import totals
from interactions.rules import label_fault, text_fault
from projects.access import EntityNotFound

__all__ = [
    "Change", "history", "ids_of", "labels_of", "meant", "names_of", "remove_label", "remove_labels", "resolve_labels",
    "set_label", "set_labels", "suggest_labels", "undo", "unfit_keys",
]  # fmt: skip
UNDO_SECONDS = 600  # the toast shows for 8 s; a slow reader may still be right


def set_label(*, interaction, key, value, by):
    """Give the interaction this label, replacing the key's former value, and remember who did it. ValueError for what
    is no label, or a value that its key does not allow."""
    return set_labels(project=interaction.project, ids=[interaction.pk], key=key, value=value, by=by)


def remove_label(*, interaction, key, by):
    """Take the label of this key away; EntityNotFound where the interaction has none."""
    done = remove_labels(project=interaction.project, ids=[interaction.pk], key=key, by=by)
    if not done.events:
        raise EntityNotFound("Label", key)
    return done


def set_labels(*, project, ids, key, value, by, restores=False):
    """Give all these interactions of the project the label; those that have it already are left alone. ValueError as
    for `set_label`, but that what `restores` a label of before need not be allowed. An old name sets the label that it
    became."""
    if not restores and (fault := label_fault(key, value)):
        raise ValueError(fault)
    names = names_of(project.pk)
    key, value = names.pair(key, value)
    if not restores:
        refuse_value(project, key, value)
        for fault in unfit_keys(project=project, keys=[key]).values():
            raise ValueError(fault)
    label_id = resolve_labels(project=project, pairs={(key, value)})[key, value]
    return change(
        project=project, interaction_ids=ids, keys=names.all_of(key), target=lambda one, held: label_id, by=by
    )


def remove_labels(*, project, ids, key, by):
    """Take the labels of this key away from all these interactions of the project."""
    if text_fault(key):
        return Change([])
    keys = names_of(project.pk).all_of(key)
    return change(project=project, interaction_ids=ids, keys=keys, target=lambda one, held: None, by=by)


def undo(*, project, token, by):
    """Take a Change back; labels that somebody changed since are left alone. ValueError for a token that is none."""
    try:
        events = signing.loads(token, salt=SALT, max_age=UNDO_SECONDS)
    except signing.BadSignature:
        raise ValueError("This can no longer be undone.") from None
    names, changed = names_of(project.pk), []
    with transaction.atomic():
        for key, group in _by_key(project, names, events).items():
            former = {UUID(one): (label, before) for one, label, before in reversed(group)}
            changed += change(
                project=project, interaction_ids=list(former), keys=names.all_of(key), target=back_to(former), by=by
            ).events
    return Change(changed)


def _by_key(project, names, events):
    """The events by the key of their labels; those of another project's labels are left out."""
    keys = dict(
        Label.objects.filter(
            project=project, pk__in={pk for _, *pair in events for pk in pair if pk is not None}
        ).values_list("pk", "key")
    )
    groups = {}
    for event in events:
        key = keys.get(event[1] if event[1] is not None else event[2])
        if key is not None:
            groups.setdefault(names.key(key), []).append(event)
    return groups


def labels_of(rows):
    """Give every interaction of the list its `.labels` (by key), in one query."""
    labels = Label.objects.in_bulk({pk for row in rows for pk in row.label_ids})
    for row in rows:
        row.labels = sorted(
            (labels[pk] for pk in row.label_ids if pk in labels), key=lambda label: (label.key, label.value)
        )
    return rows


def suggest_labels(project, key="", value=None, limit=10):
    """Labels for the combobox, most used and newest first. A `key` alone is looked for in keys and in values, with a
    `value` that is the value's beginning, or both are the key's, which may hold a colon; then values that the key
    allows are among them, used or not. Each has `.n`, its uses now."""
    if text_fault(key) or text_fault(value or ""):
        return []
    named, allowed = Label.objects.filter(project=project), []
    if value is not None:
        whole, key = f"{key}:{value}", names_of(project.pk).key(key)
        found = named.filter(Q(key__iexact=key, value__istartswith=value) | Q(key__istartswith=whole))
        allowed = [one for one in allowed_of(project, key) or [] if one.lower().startswith(value.lower())]
    else:
        found = named.filter(Q(key__icontains=key) | Q(value__icontains=key))
    candidates = list(found.order_by(F("uses").desc(), "-last_used_at", "-pk")[: limit * 5])
    uses = totals(project, Dimension.LABEL, only=[label.pk for label in candidates])
    for label in candidates:
        label.n = uses.get(label.pk, 0)
    used = sorted((label for label in candidates if label.n), key=lambda label: (-label.n, label.key, label.value))
    there = {(label.key, label.value) for label in used}
    for one in allowed:
        if (key, one) not in there:
            used.append(Label(project=project, key=key, value=one))
            used[-1].n = 0
    return used[:limit]
