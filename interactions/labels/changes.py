"""Labels of many interactions brought to what they should be: rows, postings, history and counts in one transaction."""

from dataclasses import dataclass

from django.core import signing
from django.db import connection, transaction

from interactions import bulk, ids
from interactions.models import Interaction, Label, Source
from interactions.rollups import Deltas
from interactions.rules import MAX_LABELS

SALT = "label-undo"
KEEP = object()  # what a target answers where nothing is to change


def back_to(former):
    """The `target` of a `change` that gives back what was: `former` {interaction id: (label id that it was given or
    None, label id before or None)}. What has another by now, given since that was looked up, keeps it."""

    def target(interaction_id, held):
        label, before = former[interaction_id]
        return before if held[:1] == [pk for pk in [label] if pk is not None] else KEEP

    return target


@dataclass(frozen=True, slots=True)
class Change:
    """What a labelling did: (interaction id, label id or None, former label id or None) each; and how many it left
    alone because they have as many labels as one may."""

    events: list
    full: int = 0

    @property
    def undo_token(self):
        """Signed text that `undo` takes."""
        return signing.dumps([[str(one), label, former] for one, label, former in self.events], salt=SALT)

    @property
    def number(self):
        """Interactions that were changed."""
        return len({one for one, *_ in self.events})


@transaction.atomic
def change(*, project, interaction_ids, keys, target, by, job=None, skip_full=False):
    """Bring the label of a key on each of these interactions of the project to what `target(id, held)` says: a label's
    id, None, or KEEP. `keys` are the key's name in force and its old ones, `held` the ids that the interaction has of
    them, the name in force first: more than one while a merge is under way. A Change.

    ValueError for more labels than an interaction may have; with `skip_full` such are left alone and counted.
    """
    rows = list(
        Interaction.objects.select_for_update(of=("self",))
        .filter(project=project, pk__in=interaction_ids)
        .only("pk", "label_ids", "source")
        .order_by("pk")
    )
    rank = _rank(project, keys, rows)
    events, changed, full, deltas = [], [], 0, Deltas(project.pk)
    for row in rows:
        own = _events(row, rank, target)
        after = sorted(set(row.label_ids) - {pk for *_, pk in own} | {pk for _, pk, _ in own} - {None})
        if own and len(after) > MAX_LABELS:
            if not skip_full:
                raise ValueError(f"An interaction has at most {MAX_LABELS} labels.")
            full += 1
        elif own:
            row.label_ids = after
            changed.append(row)
            events += own
            _count(deltas, row, own)
    _write(changed, events, by, job)
    deltas.append()
    return Change(events, full)


def _rank(project, keys, rows):
    """{label id: place of its key} of those labels of the keys that the rows have. Asked only now that the rows are
    locked: somebody else may just have given them a value that was new."""
    places = {key: place for place, key in enumerate(keys)}
    here = {pk for row in rows for pk in row.label_ids}
    found = Label.objects.filter(project=project, key__in=keys, pk__in=here).values_list("pk", "key")
    return {pk: places[key] for pk, key in found}


def _events(row, rank, target):
    """[(interaction id, label id or None, former id or None)] that bring the row to what is wanted."""
    held = sorted((pk for pk in row.label_ids if pk in rank), key=rank.get)
    wanted = target(row.pk, held)
    if wanted is KEEP:
        return []
    if wanted in held:
        return [(row.pk, None, pk) for pk in held if pk != wanted]
    first, *rest = held or [None]
    own = [] if wanted is None and first is None else [(row.pk, wanted, first)]
    return own + [(row.pk, None, pk) for pk in rest]


def _count(deltas, row, events):
    if row.source == Source.SIMULATION:
        return
    for _, label_id, former_id in events:
        for pk, sign in ((former_id, -1), (label_id, 1)):
            if pk is not None:
                deltas.label(row.created_at, pk, sign)


def _write(rows, events, by, job):
    from_, to = [e for e in events if e[2] is not None], [e for e in events if e[1] is not None]
    _write_label_ids([(row.pk, row.label_ids) for row in rows])
    delete_postings([(former, one) for one, _, former in from_])
    bulk.insert_where(
        "interactions_labelposting",
        {"label_id": ("integer", [e[1] for e in to]), "interaction_id": ("uuid", [e[0] for e in to])},
        "ON CONFLICT DO NOTHING",
    )
    now = ids.now()
    bulk.insert(
        "interactions_labelevent",
        {
            "interaction_id": ("uuid", [one for one, *_ in events]),
            "id": ("uuid", [ids.make(now) for _ in events]),
            "label_id": ("integer", [label for _, label, _ in events]),
            "former_id": ("integer", [former for *_, former in events]),
            "by_id": ("bigint", [by.pk] * len(events)),
            "job_id": ("uuid", [job and job.pk] * len(events)),
        },
        arrays=True,
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


def delete_postings(pairs):
    """Delete (label id, interaction id) postings."""
    if pairs:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM interactions_labelposting p USING unnest(%s::integer[], %s::uuid[]) AS r(label_id, id)"
                " WHERE p.label_id = r.label_id AND p.interaction_id = r.id AND p.interaction_id = ANY(%s)",
                [[label_id for label_id, _ in pairs], [one for _, one in pairs], [one for _, one in pairs]],
            )
