"""Labels on interactions: the dictionary, setting and removing them, history and undo."""

from dataclasses import dataclass
from uuid import UUID

from django.core import signing
from django.db import connection, transaction
from django.db.models import F, Q

from interactions import bulk, ids
from interactions.models import Dimension, Interaction, Label, LabelEvent, Source
from interactions.rollups import Deltas, totals
from interactions.rules import MAX_LABELS, label_fault, text_fault
from projects.access import EntityNotFound
from registry.known import Known

UNDO_SECONDS = 600  # the toast shows for 8 s; a slow reader may still be right
_SALT = "label-undo"
_dictionary = Known()


@dataclass(frozen=True, slots=True)
class Change:
    """What a labelling did: (interaction id, label id or None, former label id or None) each."""

    events: list

    @property
    def undo_token(self):
        """Signed text that `undo` takes."""
        return signing.dumps([[str(one), label, former] for one, label, former in self.events], salt=_SALT)


def resolve_labels(*, project, pairs):
    """{(key, value): id} of these labels, those that are new made at once and in one order."""
    names = {(project.pk, *pair) for pair in pairs}
    known = _dictionary.of(names)
    if missing := {name[1:] for name in names - known.keys()}:
        found = _made(project, missing)
        known |= {(project.pk, *pair): pk for pair, pk in found.items()}
        transaction.on_commit(lambda: _dictionary.learn(known))
    return {name[1:]: pk for name, pk in known.items()}


def _made(project, pairs):
    """{(key, value): id}, those that are new made."""
    found = _stored(project, pairs)
    if missing := sorted(pairs - found.keys()):
        Label.objects.bulk_create(
            [Label(project=project, key=key, value=value) for key, value in missing], ignore_conflicts=True
        )
        found |= _stored(project, missing)
    return found


def _stored(project, pairs):
    wanted = set(pairs)
    rows = Label.objects.filter(
        project=project, key__in={key for key, _ in wanted}, value__in={value for _, value in wanted}
    ).values_list("key", "value", "pk")
    return {(key, value): pk for key, value, pk in rows if (key, value) in wanted}


def set_label(*, interaction, key, value, by):
    """Give the interaction this label, replacing the key's former value, and remember who did it."""
    return set_labels(project=interaction.project, ids=[interaction.pk], key=key, value=value, by=by)


def remove_label(*, interaction, key, by):
    """Take the label of this key away; EntityNotFound where the interaction has none."""
    change = remove_labels(project=interaction.project, ids=[interaction.pk], key=key, by=by)
    if not change.events:
        raise EntityNotFound("Label", key)
    return change


def set_labels(*, project, ids, key, value, by):
    """Give all these interactions of the project the label; those that have it already are left alone."""
    if fault := label_fault(key, value):
        raise ValueError(fault)
    label_id = resolve_labels(project=project, pairs={(key, value)})[key, value]
    return _change(project, ids, key, lambda interaction: label_id, by)


def remove_labels(*, project, ids, key, by):
    """Take the labels of this key away from all these interactions of the project."""
    if text_fault(key):
        return Change([])
    return _change(project, ids, key, lambda interaction: None, by)


def undo(*, project, token, by):
    """Take a Change back; labels that somebody changed since are left alone. ValueError for a token that is none."""
    try:
        events = signing.loads(token, salt=_SALT, max_age=UNDO_SECONDS)
    except signing.BadSignature:
        raise ValueError("This can no longer be undone.") from None
    changed = []
    with transaction.atomic():
        for key, group in _by_key(project, events).items():
            former = {UUID(one): (label, before) for one, label, before in group}

            def back(interaction, current, former=former):
                label, before = former[interaction.pk]
                return before if current == label else current

            changed += _change(project, list(former), key, back, by, with_current=True).events
    return Change(changed)


def _by_key(project, events):
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
            groups.setdefault(key, []).append(event)
    return groups


@transaction.atomic
def _change(project, interaction_ids, key, target, by, with_current=False):
    """Bring the label of `key` on each interaction to what `target` says (a label id or None); ValueError for more
    labels than an interaction may have."""
    rows = list(
        Interaction.objects.select_for_update(of=("self",))
        .filter(project=project, pk__in=interaction_ids)
        .only("pk", "label_ids", "source")
        .order_by("pk")
    )
    # asked only now that the rows are locked: somebody else may just have given them a value that was new
    of_key = set(Label.objects.filter(project=project, key=key).values_list("pk", flat=True))
    events, deltas = [], Deltas(project.pk)
    changed = []
    for row in rows:
        current = next((pk for pk in row.label_ids if pk in of_key), None)
        wanted = target(row, current) if with_current else target(row)
        if wanted == current:
            continue
        row.label_ids = sorted({pk for pk in row.label_ids if pk != current} | ({wanted} - {None}))
        if len(row.label_ids) > MAX_LABELS:
            raise ValueError(f"An interaction has at most {MAX_LABELS} labels.")
        changed.append(row)
        events.append((row.pk, wanted, current))
        if row.source != Source.SIMULATION:
            for label_id, sign in ((current, -1), (wanted, 1)):
                if label_id is not None:
                    deltas.label(row.created_at, label_id, sign)
    _write(changed, events, by)
    deltas.append()
    return Change(events)


def _write(rows, events, by):
    from_, to = [e for e in events if e[2] is not None], [e for e in events if e[1] is not None]
    _write_label_ids([(row.pk, row.label_ids) for row in rows])
    _delete_postings([(former, one) for one, _, former in from_])
    bulk.insert_where(
        "interactions_labelposting",
        {"label_id": ("integer", [e[1] for e in to]), "interaction_id": ("uuid", [e[0] for e in to])},
        "ON CONFLICT DO NOTHING",
    )
    now = ids.now()
    LabelEvent.objects.bulk_create(
        LabelEvent(interaction_id=one, id=ids.make(now), label_id=label, former_id=former, by=by)
        for one, label, former in events
    )


def _write_label_ids(rows):
    """Write (interaction id, label ids) rows."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE interactions_interaction i SET label_ids = r.labels::integer[]"
                " FROM unnest(%s::uuid[], %s::text[]) AS r(id, labels) WHERE i.id = r.id AND i.id = ANY(%s)",
                # the ids once more, so that the months of others are neither planned for nor locked
                [[one for one, _ in rows], [bulk.array(label_ids) for _, label_ids in rows], [one for one, _ in rows]],
            )


def _delete_postings(pairs):
    """Delete (label id, interaction id) postings."""
    if pairs:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM interactions_labelposting p USING unnest(%s::integer[], %s::uuid[]) AS r(label_id, id)"
                " WHERE p.label_id = r.label_id AND p.interaction_id = r.id AND p.interaction_id = ANY(%s)",
                [[label_id for label_id, _ in pairs], [one for _, one in pairs], [one for _, one in pairs]],
            )


def history(interaction):
    """The label events of an interaction, newest first, with labels and people."""
    events = LabelEvent.objects.filter(interaction_id=interaction.pk)
    return events.select_related("label", "former", "by").order_by("-id")


def labels_of(rows):
    """Give every interaction of the list its `.labels` (by key), in one query."""
    labels = Label.objects.in_bulk({pk for row in rows for pk in row.label_ids})
    for row in rows:
        row.labels = sorted(
            (labels[pk] for pk in row.label_ids if pk in labels), key=lambda label: (label.key, label.value)
        )
    return rows


def suggest_labels(project, text="", limit=10):
    """Labels for the combobox, most used and newest first. `text` is looked for in the key and in the value,
    or as `key:value` with the value's beginning. Each has `.n`, its uses now."""
    key, colon, value = text.strip().partition(":")
    named = Label.objects.filter(project=project)
    if colon:
        found = named.filter(key__iexact=key.strip(), value__istartswith=value.strip())
    else:
        found = named.filter(Q(key__icontains=key) | Q(value__icontains=key))
    candidates = list(found.order_by(F("uses").desc(), "-last_used_at", "-pk")[: limit * 5])
    uses = totals(project, Dimension.LABEL, only=[label.pk for label in candidates])
    for label in candidates:
        label.n = uses.get(label.pk, 0)
    used = sorted((label for label in candidates if label.n), key=lambda label: (-label.n, label.key, label.value))
    return used[:limit]
