"""What a project has agreed about its label keys: what they mean, which values may be set, and their colour."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from interactions.labels.dictionary import names_of, unfit_keys
from interactions.models import HUES, Dimension, Label, LabelAlias, LabelKey
from interactions.rollups import totals
from interactions.rules import MAX_LABEL_KEY, MAX_LABEL_VALUE, RecordError, kind_of, text_fault
from projects.access import EntityNotFound

MAX_DESCRIPTION = 2_000
MAX_VALUES = 1_000  # that may be allowed
MOST_KEYS, MOST_VALUES = 500, 500  # that are listed
TOLD = 12  # allowed values that a refusal names


class NotAllowed(ValueError):
    """The key does not allow this value; the message says which it does."""


@dataclass
class KeyUse:
    """A key with its uses now, the number of its values that are used, when one of them was set last, and what is
    agreed about it (a LabelKey, which need not be stored)."""

    key: str
    agreed: LabelKey
    n: int = 0
    values: int = 0
    last_used_at: datetime | None = None

    def add(self, n, values, last_used_at):
        """So much of it is stored by one of its names."""
        self.n, self.values = self.n + n, self.values + values
        self.last_used_at = max(filter(None, (self.last_used_at, last_used_at)), default=None)


@dataclass
class ValueUse:
    """A value of a key: its uses now, when it was set last, and whether people may set it."""

    label: Label
    n: int
    is_allowed: bool

    @property
    def value(self):
        return self.label.value


def allowed_of(project, key):
    """The values that people may set of a key, None for any."""
    return LabelKey.objects.filter(project=project, key=key).values_list("values", flat=True).first()


def refuse_value(project, key, value):
    """NotAllowed where the key does not allow the value. What programs log is not asked: see docs/labels.md."""
    allowed = allowed_of(project, key)
    if allowed is None or value in allowed:
        return
    told = ", ".join(allowed[:TOLD]) + (f" and {len(allowed) - TOLD:,} more" if len(allowed) > TOLD else "")
    raise NotAllowed(f"{key} does not take {value[:100]!r}; it takes {told}.")


# the uses of each label now: what is folded, and what is not yet
_USED = """
    SELECT l.key, l.uses + coalesce(p.n, 0) AS n, l.last_used_at FROM interactions_label l LEFT JOIN (
        SELECT value, sum(n) AS n FROM interactions_rollupdelta WHERE project_id = %(project)s AND dimension = 1
        GROUP BY 1) AS p ON p.value = l.id
    WHERE l.project_id = %(project)s
"""


def keys_in_use(project, newest=False):
    """Up to 500 KeyUse, most used first or (`newest`) latest used first; what is agreed on but not used comes last."""
    agreed = {row.key: row for row in LabelKey.objects.filter(project=project)[: 2 * MOST_KEYS]}
    found, names = {}, names_of(project.pk)
    for key, *told in _used_keys(project, newest):
        name = names.key(key)
        use = found.setdefault(name, KeyUse(name, agreed.get(name) or LabelKey(project=project, key=name)))
        use.add(*told)
    for key, row in sorted(agreed.items()):
        found.setdefault(key, KeyUse(key, row))
    return list(found.values())[:MOST_KEYS]


def names_in_use(project):
    """The names in force of up to 500 keys that are in use, in their order."""
    names = names_of(project.pk)
    return sorted({names.key(key) for key, *_ in _used_keys(project)})


def _used_keys(project, newest=False, only=None):
    """[(key as it is stored, its uses, the number of its values, when it was used last)], of `only` these keys."""
    these = "" if only is None else "AND l.key = ANY(%(only)s)"
    order = "max(last_used_at) DESC" if newest else "sum(n) DESC, max(last_used_at) DESC"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT key, sum(n)::bigint, count(*), max(last_used_at) FROM ({_USED} {these}) AS used WHERE n > 0"
            f" GROUP BY key ORDER BY {order}, key LIMIT {MOST_KEYS}",
            {"project": project.pk, "only": only},
        )
        return cursor.fetchall()


def key_or_404(project, key):
    """(the KeyUse of a key by its name in force, its ValueUses: the most used first, up to 500); EntityNotFound where
    there is nothing of this name."""
    if text_fault(key):
        raise EntityNotFound("Label key", key)
    names = names_of(project.pk)
    key = names.key(key)
    agreed = LabelKey.objects.filter(project=project, key=key).first()
    labels = Label.objects.filter(project=project, key__in=names.all_of(key))
    used = list(labels.order_by("-uses", "-last_used_at", "-pk")[: MOST_VALUES + 1])
    if agreed is None and not used:
        raise EntityNotFound("Label key", key)
    use = KeyUse(key, agreed or LabelKey(project=project, key=key))
    for _, *told in _used_keys(project, only=names.all_of(key)):
        use.add(*told)
    return use, _values(project, names, use, used)


def _values(project, names, use, labels):
    allowed, uses = use.agreed.values, totals(project, Dimension.LABEL, only=[label.pk for label in labels])
    found = {}
    for label in labels:
        value, n = names.pair(label.key, label.value)[1], uses.get(label.pk, 0)
        if n:  # what still has an old name counts under the new one
            shown = Label(project=project, key=use.key, value=value, hue=label.hue, last_used_at=label.last_used_at)
            one = found.setdefault(value, ValueUse(shown, 0, allowed is None or value in allowed))
            one.n += n
    for value in allowed or []:
        shown = Label(project=project, key=use.key, value=value, hue=use.agreed.hue)
        found.setdefault(value, ValueUse(shown, 0, True))
    return sorted(found.values(), key=lambda one: -one.n)[:MOST_VALUES]


def old_names(project, key):
    """([LabelAlias] that lead to a key, [LabelAlias] of its values), each newest first."""
    names = LabelAlias.objects.filter(project=project).order_by("-at", "pk")
    return list(names.filter(value="", to=key)), list(names.filter(key=key).exclude(value=""))


@transaction.atomic
def describe_key(*, project, key, **agreed):
    """Agree on `description`, `values` (a list of texts, None for any) or `hue` (0 to 9, None for the name's own) of a
    key, whether it is used or not; the LabelKey. RecordError says what of it cannot be."""
    if not key or len(key) > MAX_LABEL_KEY or text_fault(key):
        raise RecordError({"key": [f"A label's key has 1 to {MAX_LABEL_KEY} characters."]})
    if faults := {name: [fault] for name, value in agreed.items() if (fault := _FAULTS[name](value))}:
        raise RecordError(faults)
    if agreed.get("values") is not None:
        agreed["values"] = list(dict.fromkeys(agreed["values"]))
    key = names_of(project.pk).key(key)
    for fault in unfit_keys(project=project, keys=[key]).values():
        raise RecordError({"key": [fault]})
    row, _ = LabelKey.objects.update_or_create(project=project, key=key, defaults=agreed)
    if "hue" in agreed:
        Label.objects.filter(project=project, key=key).exclude(hue=row.hue, hue__isnull=row.hue is None).update(
            hue=row.hue
        )
    return row


def _description_fault(text):
    if not isinstance(text, str):
        return f"Send text, not {kind_of(text)}."
    return f"Send at most {MAX_DESCRIPTION:,} characters." if len(text) > MAX_DESCRIPTION else text_fault(text)


def _values_fault(values):
    if values is None:
        return None
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_VALUES:
        return f"Send a list of 1 to {MAX_VALUES:,} texts, or null for any value."
    for place, value in enumerate(values):
        if not isinstance(value, str) or not 1 <= len(value) <= MAX_LABEL_VALUE:
            return f"values[{place}] is no text of 1 to {MAX_LABEL_VALUE} characters."
        if fault := text_fault(value):
            return f"values[{place}]: {fault}"
    return None


def _hue_fault(hue):
    if hue is None or isinstance(hue, int) and not isinstance(hue, bool) and 0 <= hue < HUES:
        return None
    return f"Send a whole number from 0 to {HUES - 1}, or null for the colour of the name."


_FAULTS = {"description": _description_fault, "values": _values_fault, "hue": _hue_fault}
