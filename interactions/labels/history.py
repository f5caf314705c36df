"""What was done with the labels of an interaction, told by the names that they had then."""

from copy import copy

from interactions import ids
from interactions.models import LabelEvent, LabelName


def history(interaction):
    """[LabelEvent] of an interaction, newest first, with labels and people: each label is called as it was at that
    moment. A rename of a label that the interaction had is among them, as a change of it by `.is_rename`."""
    found = LabelEvent.objects.filter(interaction_id=interaction.pk).select_related("label", "former", "by")
    events = list(found.order_by("-id"))
    labels = {one.pk: one for event in events for one in (event.label, event.former) if one}
    names = _names(labels.keys() | set(interaction.label_ids), ids.first(interaction.received_at))
    renames = []
    for rows in names.values():
        label = labels.setdefault(rows[0].label_id, rows[0].label)
        renames += [
            _rename(row, _then(label, rows, row.id), one)
            for row, one in zip(rows, [*rows[1:], label], strict=True)
            if _had(interaction, events, label.pk, row.id)
        ]
    for event in events:
        event.is_rename = False
        for side in ("label", "former"):
            if one := getattr(event, side):
                setattr(event, side, _then(one, names.get(one.pk, ()), event.id))
    return sorted([*events, *renames], key=lambda event: event.id, reverse=True)


def _names(label_ids, since):
    """{label id: the names that it has given up since this id, the oldest first}"""
    names = {}
    found = LabelName.objects.filter(label__in=label_ids, id__gte=since)
    for row in found.select_related("label", "by").order_by("id"):
        names.setdefault(row.label_id, []).append(row)
    return names


def _then(label, names, moment):
    """The label as it was called at the moment of this id."""
    name = next((one for one in names if one.id >= moment), None)
    return _called(label, name) if name else label


def _called(label, name):
    other = copy(label)
    other.key, other.value = name.key, name.value
    return other


def _rename(row, former, name):
    event = LabelEvent(id=row.id, label=_called(former, name), former=former, by=row.by)
    event.is_rename = True
    return event


def _had(interaction, events, label_id, moment):
    """Whether the interaction had the label at the moment of this id: by the last event about it before, else by the
    first one after, else by what it has now."""
    about = [one for one in events if label_id in (one.label_id, one.former_id)]
    if before := next((one for one in about if one.id < moment), None):
        return before.label_id == label_id
    if about:
        return about[-1].former_id == label_id
    return label_id in interaction.label_ids
