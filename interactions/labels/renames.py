"""Renaming and merging label keys and values: the old name becomes an alias at once, what carries it follows in slices.

Values of a key, and keys whose new name nothing had, are renamed where they stand, whatever number of interactions has
them. Where the new name is taken, or the new key was there, so that an interaction may have both keys, labels are
merged: their interactions are given the other label, with history and counts.
"""

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.audit import record
from accounts.names import name_fault
from interactions import ids
from interactions.labels.changes import KEEP, change, delete_postings
from interactions.labels.dictionary import Names, forget_names, make_labels
from interactions.models import Dimension, Label, LabelAlias, LabelKey, LabelName, LabelPosting
from interactions.rollups import totals
from interactions.rules import Conflict, label_fault, text_fault
from jobs.models import Job
from jobs.services import begin
from projects.access import EntityNotFound
from projects.models import Project

RENAME = "interactions.label_rename"
SLICE = 500  # labels renamed, or interactions moved, in one transaction


@transaction.atomic
def begin_rename(*, project, by, key, to, value=""):
    """Call the key, or with `value` that value of it, `to` from now on; where there is such a one already the two are
    merged. The Job that brings the interactions there; asked for again, what did not come to its end goes on.
    EntityNotFound where there is nothing of that name, ValueError for a name that cannot be, Conflict for one that was
    given up for something else."""
    if text_fault(key) or text_fault(value):  # nothing in the store is called so
        raise EntityNotFound("Label", ascii(f"{key}:{value}" if value else key)[1:-1])
    if fault := label_fault(key, to) if value else label_fault(to, "value") or name_fault(to):
        raise ValueError(fault)
    Project.objects.lock(project)  # one after the other
    names = Names.read(project.pk)
    given_up = names.key(key) if value else key
    if LabelAlias.objects.filter(project=project, key=given_up, value=value, to=to, settled=False).exists():
        return _under_way(project, given_up, value) or _begin(project, by, given_up, value, to)
    key, old = names.pair(key, value) if value else (names.key(key), "")
    if to == (old or key):
        raise ValueError("It has this name already.")
    if not _exists(project, names, key, old):
        raise EntityNotFound("Label", f"{key}:{old}" if old else key)
    new_key = None if old or _in_use(project, set(names.all_of(to)) - {key}) else to
    _give_up(project, by, key, old, to)
    record("label.rename", by=by, project=project, what=f"{key}:{old}" if old else key, after={"name": to})
    if old:
        _reallow(project, key, old, to)
    else:
        _move_agreement(project, key, to)
    forget_names(project.pk)
    return _begin(project, by, key, old, to, new_key)


def _under_way(project, key, value):
    """The Job that brings what is called so to its name in force, unless its end was asked for; or None."""
    jobs = Job.objects.under_way().filter(project=project, kind=RENAME, cancel_asked_at=None)
    return jobs.filter(parameters__contains={"key": key, "value": value}).order_by("-created_at").first()


def _begin(project, by, key, value, to, new_key=None):
    parameters = {"key": key, "value": value, "to": to, "new_key": new_key}
    title = f"Rename {key}:{value} to {key}:{to}" if value else f"Rename the label key {key} to {to}"
    return begin(
        project=project, by=by, kind=RENAME, title=title, parameters=parameters,
        total=_uses(project, _carrying(project, key, value)),
    )  # fmt: skip


def _exists(project, names, key, value):
    """Whether anything is called so, by a name that leads here too: it may not have followed yet."""
    labels = Label.objects.filter(project=project, key__in=names.all_of(key))
    if value:
        return labels.filter(value__in={one for _, one in names.pairs_of(key, value)}).exists()
    return labels.exists() or LabelKey.objects.filter(project=project, key=key).exists()


def _carrying(project, key, value):
    """The labels that are called so."""
    labels = Label.objects.filter(project=project, key=key)
    return labels.filter(value=value) if value else labels


def _in_use(project, keys):
    """Whether any interaction, simulated ones too, has one of these keys."""
    labels = list(Label.objects.filter(project=project, key__in=keys).values_list("pk", flat=True))
    return LabelPosting.objects.filter(label_id__in=labels).exists()


def _uses(project, labels):
    """How many uses these labels have now; the column of a label follows with the next folding."""
    return sum(totals(project, Dimension.LABEL, only=[label.pk for label in labels]).values())


def _give_up(project, by, key, value, to):
    """Make the alias, and let those that led to the old name lead to the new one."""
    names = LabelAlias.objects.filter(project=project)
    scope = names.filter(key=key).exclude(value="") if value else names.filter(value="")
    taken = scope.filter(value=to).first() if value else scope.filter(key=to).first()
    if taken and taken.to != (value or key):
        raise Conflict(f"{to!r} is an old name of {taken.to!r}; take another name.")
    if taken:
        taken.delete()
    scope.filter(to=value or key).update(to=to)
    if not value:
        _take_along(project, key, to)
    names.create(project=project, key=key, value=value, to=to, by=by)


def _take_along(project, key, to):
    """Old names of the key's values are old names under its new name, and lead on by the names there; but for those
    that mean something there."""
    there = LabelAlias.objects.filter(project=project, key=to).exclude(value="")
    used = Label.objects.filter(project=project, key=to).values("value")
    own = LabelAlias.objects.filter(project=project, key=key).exclude(value="")
    meant = Q(value__in=used) | Q(value__in=there.values("value")) | Q(value__in=there.values("to"))
    own.filter(meant).delete()
    own.update(key=to, to=Coalesce(Subquery(there.filter(value=OuterRef("to")).values("to")), "to"))


def _reallow(project, key, value, to):
    """The new name takes the old one's place among the values that are allowed."""
    row = LabelKey.objects.select_for_update().filter(project=project, key=key).exclude(values=None).first()
    if row is None:
        return
    row.values = list(dict.fromkeys(to if one == value else one for one in row.values))
    if to not in row.values:
        raise ValueError(f"{key} does not take {to!r}; allow it first.")
    row.save(update_fields=["values"])


def _move_agreement(project, key, to):
    """What was agreed on is so of the new name, unless there is an agreement about that."""
    if LabelKey.objects.filter(project=project, key=to).exists():
        LabelKey.objects.filter(project=project, key=key).delete()
    else:
        LabelKey.objects.filter(project=project, key=key).update(key=to)


def step(*, project, key, value, by, after, job=None):
    """One slice of bringing what is called so to its name in force; the caller has the transaction. (how many uses were
    brought there, the id of the label to go on behind, None where all is done). The same slice again does no harm."""
    names = Names.read(project.pk)
    labels = list(_carrying(project, key, value).filter(pk__gt=after).order_by("pk")[:SLICE])
    if not labels:
        return 0, None
    there = _targets(project, [names.pair(one.key, one.value) for one in labels])
    free = {}
    for label in labels:
        name = names.pair(label.key, label.value)
        if name == (label.key, label.value):
            after = label.pk  # it was taken back meanwhile
        elif name not in there and name not in free and _stays_alone(label, name, job):
            free[name] = label
            after = label.pk
        else:
            break
    else:
        label = None
    if free or label is None:
        _rename(project, free, by)
        return _uses(project, free.values()), after
    moved = _merge(project, names, label, by, job)
    return moved, after if moved == SLICE else label.pk


def _stays_alone(label, name, job):
    """Whether no interaction of the label can have another one of the key that it is to have. Who has not yet heard of
    the new name may be about to store both keys, so it is not looked for: the new key must have been new altogether."""
    return name[0] == label.key or job is not None and name[0] == job.parameters.get("new_key")


def _targets(project, pairs):
    """{(key, value): id} of the labels that are there."""
    rows = Label.objects.filter(project=project, key__in={key for key, _ in pairs}, value__in={v for _, v in pairs})
    return {(key, value): pk for key, value, pk in rows.values_list("key", "value", "pk")}


def _rename(project, labels, by):
    """Rename {new name: label} where they stand: their ids, and all that holds them, stay. What they were called until
    now is kept."""
    now = ids.now()
    LabelName.objects.bulk_create(
        LabelName(id=ids.make(now), label=one, key=one.key, value=one.value, by=by) for one in labels.values()
    )
    hues = dict(LabelKey.objects.filter(project=project, key__in={k for k, _ in labels}).values_list("key", "hue"))
    for (key, value), label in labels.items():
        label.key, label.value, label.hue = key, value, hues.get(key)
    Label.objects.bulk_update(labels.values(), ["key", "value", "hue"])


def _merge(project, names, label, by, job):
    """Give up to 500 interactions of this label the one of its name in force in its place, those that have the key
    already nothing; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT interaction_id FROM interactions_labelposting WHERE label_id = %s ORDER BY interaction_id LIMIT %s",
            [label.pk, SLICE],
        )
        carrying = [one for (one,) in cursor.fetchall()]
    if not carrying:
        return 0
    name = names.pair(label.key, label.value)
    target = make_labels(project, {name})[name]

    def moved(interaction_id, held):
        if label.pk not in held:
            return KEEP
        return next((pk for pk in held if pk != label.pk), target)

    change(
        project=project, interaction_ids=carrying, keys=names.all_of(label.key), target=moved, by=by, job=job,
        skip_full=True,
    )  # fmt: skip
    delete_postings([(label.pk, one) for one in carrying])  # also of what went meanwhile
    return len(carrying)


def settle(*, project, key, value):
    """All that carried the old name has the new one. The key may have another name by now."""
    key = Names.read(project.pk).key(key) if value else key
    LabelAlias.objects.filter(project=project, key=key, value=value).update(settled=True)


def stragglers(limit=20):
    """[LabelAlias] under whose old names something was stored after all was settled: by who had begun before."""
    used = Label.objects.filter(project=OuterRef("project_id"), key=OuterRef("key"), uses__gt=0)
    carrying = Q(Exists(used), value="") | Q(Exists(used.filter(value=OuterRef("value"))))
    return list(LabelAlias.objects.filter(carrying, settled=True).select_related("project", "by")[:limit])
