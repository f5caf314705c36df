"""The labels of a project by their names: ids of new and known ones, and what became of the names that were given up.

Which names were given up is kept in the process for a second, so that logging asks for it rarely. Who stores under an
old name meanwhile is put right by the worker (renames.py).
"""

import time

from django.db import transaction

from accounts import prepared
from accounts.names import name_fault
from interactions.models import Label, LabelAlias, LabelKey
from interactions.wanted import LabelTest
from registry.known import Known

KEPT = 1.0  # seconds
PROJECTS = 1_000  # remembered at once
# of a key there may be thousands of values: only those are read that are asked for
_NAMED = f"""
    SELECT {prepared.columns(Label, "l")} FROM unnest(%(keys)s::text[], %(values)s::text[]) AS n(key, value)
    JOIN interactions_label l ON l.project_id = %(project)s AND l.key = n.key AND l.value = n.value
    UNION ALL SELECT {prepared.columns(Label, "l")} FROM interactions_label l
    WHERE l.project_id = %(project)s AND l.key = ANY(%(whole)s::text[])
"""
_dictionary = Known()
_given_up = {}


class Names:
    """The names of one project that were given up: {old key: key} and {(key in force, old value): value}."""

    def __init__(self, keys=None, values=None):
        self.keys, self.values = keys or {}, values or {}

    @classmethod
    def read(cls, project_id):
        """As they are stored at this moment."""
        rows = LabelAlias.objects.filter(project_id=project_id).values_list("key", "value", "to")
        keys, values = {}, {}
        for key, value, to in rows:
            if value:
                values[key, value] = to
            else:
                keys[key] = to
        return cls(keys, values)

    def __bool__(self):
        return bool(self.keys or self.values)

    def key(self, key):
        """The name in force of a key."""
        return self.keys.get(key, key)

    def pair(self, key, value):
        """(key, value) in force of a label."""
        key = self.key(key)
        return key, self.values.get((key, value), value)

    def all_of(self, key):
        """The key in force, then its old names: labels of all of them are labels of one key."""
        key = self.key(key)
        return [key, *sorted(old for old, to in self.keys.items() if to == key)]

    def pairs_of(self, key, value):
        """All (key, value) that stand for this one, which is in force: a value that was given up under any of them."""
        keys = self.all_of(key)
        values = [value, *(old for (of, old), to in self.values.items() if of == key and to == value)]
        return [(one, other) for one in keys for other in values]


def names_of(project_id):
    """The Names of a project, at most a second old."""
    until, names = _given_up.get(project_id, (0, None))
    if until < time.monotonic():
        if len(_given_up) > PROJECTS:
            _given_up.clear()
        names = Names.read(project_id)
        _given_up[project_id] = time.monotonic() + KEPT, names
    return names


def forget_names(project_id):
    """Names were given up: look anew, at once and once more when that is committed."""
    _given_up.pop(project_id, None)
    transaction.on_commit(lambda: _given_up.pop(project_id, None))


def resolve_labels(*, project, pairs):
    """{(key, value): id} of these labels, those that are new made at once and in one order. Of a name that was given
    up it is the id of what it became."""
    names = names_of(project.pk)
    if not names:
        return _resolved(project, pairs)
    became = {pair: names.pair(*pair) for pair in pairs}
    found = _resolved(project, set(became.values()))
    return {pair: found[one] for pair, one in became.items()}


def unfit_keys(*, project, keys):
    """{key: why} of those that no new label can have; those that the project has, or gave up, go on."""
    faults = {key: fault for key in keys if (fault := name_fault(key))}
    if not faults:
        return {}
    known = {
        key
        for named in (Label, LabelKey)
        for key in named.objects.filter(project=project, key__in=faults).values_list("key", flat=True).distinct()
    }
    known |= names_of(project.pk).keys.keys()
    return {key: fault for key, fault in faults.items() if key not in known}


def ids_of(*, project, resolved, labels):
    """The ids of a record's labels {key: value}, ascending; where it has a key by two of its names, the one in force
    counts."""
    names = names_of(project.pk)
    if not names:
        return sorted({resolved[pair] for pair in labels.items()})
    found = {}
    for pair in sorted(labels.items(), key=lambda pair: names.key(pair[0]) == pair[0]):
        found[names.key(pair[0])] = resolved[pair]
    return sorted(set(found.values()))


def meant(project, tests):
    """[[Label]]: those that each LabelTest asks for. An old name asks for what it became, and what still carries one is
    asked for by the name in force."""
    if not tests:
        return []
    names = names_of(project.pk)
    asked = [_in_force(names, test) for test in tests]
    whole = {key for test in asked if test.values is None for key in names.all_of(test.key)}
    pairs = {pair for test in asked for value in test.values or () for pair in names.pairs_of(test.key, value)}
    pairs = [pair for pair in pairs if pair[0] not in whole]
    keys, values = map(list, zip(*pairs, strict=True)) if pairs else ([], [])
    found = prepared.rows(_NAMED, {"project": project.pk, "keys": keys, "values": values, "whole": list(whole)})
    known = [prepared.instance(Label, row)[0] for row in found]
    return [[label for label in known if test.holds(*names.pair(label.key, label.value))] for test in asked]


def _in_force(names, test):
    key = names.key(test.key)
    if test.values is None:
        return LabelTest(key)
    return LabelTest(key, tuple(dict.fromkeys(names.pair(key, value)[1] for value in test.values)))


def _resolved(project, pairs):
    wanted = {(project.pk, *pair) for pair in pairs}
    known = _dictionary.of(wanted)
    if missing := {name[1:] for name in wanted - known.keys()}:
        found = make_labels(project, missing)
        known |= {(project.pk, *pair): pk for pair, pk in found.items()}
        transaction.on_commit(lambda: _dictionary.learn(known))
    return {name[1:]: pk for name, pk in known.items()}


def make_labels(project, pairs):
    """{(key, value): id} of labels by just these names, those that are new made in the colours of their keys."""
    found = _stored(project, pairs)
    if missing := sorted(pairs - found.keys()):
        keys = LabelKey.objects.filter(project=project, key__in={key for key, _ in missing})
        hues = dict(keys.values_list("key", "hue"))
        Label.objects.bulk_create(
            [Label(project=project, key=key, value=value, hue=hues.get(key)) for key, value in missing],
            ignore_conflicts=True,
        )
        found |= _stored(project, missing)
    return found


def _stored(project, pairs):
    wanted = set(pairs)
    rows = Label.objects.filter(
        project=project, key__in={key for key, _ in wanted}, value__in={value for _, value in wanted}
    ).values_list("key", "value", "pk")
    return {(key, value): pk for key, value, pk in rows if (key, value) in wanted}
