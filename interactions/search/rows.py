"""Ids to the rows that the table shows, each with its model and its labels: three statements that are kept planned."""

import functools

from accounts import prepared
from interactions import bulk
from interactions.models import Interaction, Label
from registry.models import Model

# the bounds once more: the server leaves out the months of others by them, not by the list
_ROWS = """
    SELECT {columns} FROM interactions_interaction i
    WHERE i.id = ANY(%s::uuid[]) AND i.id >= %s::uuid AND i.id <= %s::uuid
"""


def rows_of(found, without=()):
    """The Interactions of these ids, in their order, each with its `model` and its `.labels` by key; what is gone
    meanwhile is left out. Fields that nobody asks for are named as `without`, and are not read: of a model or labels
    that are among them there is none."""
    if not found:
        return []
    values = [bulk.array(found), str(min(found)), str(max(found))]
    read = (prepared.instance(Interaction, one, without)[0] for one in prepared.rows(_select(without), values))
    rows = {row.pk: row for row in read}
    rows = [rows[one] for one in found if one in rows]
    if "model" not in without:
        models = _entries(Model, {row.model_id for row in rows if row.model_id is not None})
        for row in rows:
            row.model = models.get(row.model_id)
    if "label_ids" not in without:
        labels = _entries(Label, {pk for row in rows for pk in row.label_ids})
        for row in rows:
            known = [labels[pk] for pk in row.label_ids if pk in labels]
            row.labels = sorted(known, key=lambda label: (label.key, label.value))
    return rows


@functools.lru_cache(maxsize=prepared.SHAPES)
def _select(without):
    return _ROWS.format(columns=prepared.columns(Interaction, "i", without))


def _entries(model, wanted):
    """{id: entry} of a dictionary."""
    if not wanted:
        return {}
    sql = f'SELECT {prepared.columns(model, "e")} FROM "{model._meta.db_table}" e WHERE e.id = ANY(%s::integer[])'
    found = [prepared.instance(model, one)[0] for one in prepared.rows(sql, [bulk.array(sorted(wanted))])]
    return {entry.pk: entry for entry in found}
