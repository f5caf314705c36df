"""Interactions that are alike, shown as one row: how many there are, where they are shown, and all of them to label."""

from dataclasses import replace

from interactions.models import Interaction
from interactions.search import through
from interactions.search.alike import MOST, number_alike
from interactions.views.reading import wanted_of


def count_alike(rows, address):
    """Give each row of a folded table `.alike`: (the number of its like as text, where they are shown), or None where
    it is the only one."""
    for row in rows:
        row.alike = None
    if not address.one("fold"):
        return
    wanted, errors = wanted_of(address.project, address)
    if errors:
        return
    numbers = number_alike(address.project, wanted, {row.near_hash for row in rows if not row.images})
    for row in rows:
        n = 1 if row.images else numbers.get(row.near_hash, 1)
        if n > 1:
            shown = address.changed(("near", row.near_hash.hex), without={"fold"})
            row.alike = f"{MOST}+" if n > MOST else f"{n}", shown


def all_alike(project, address, ids, most):
    """(the ids of all that the address finds and that is alike one of these, and no near_hashes). Where there are more
    than `most`, or it would take long to find them all: the ids of those of these that nothing is alike, and the
    near_hashes of the others, to find all by."""
    rows = Interaction.objects.filter(project=project, pk__in=ids).values_list("pk", "near_hash", "images")
    alone = [pk for pk, _, images in rows if images]
    hashes = sorted({near for _, near, images in rows if not images})
    wanted, errors = wanted_of(project, address)
    if not hashes or errors:
        return ids, []
    wanted = replace(wanted, fold=False, near=tuple(hashes))
    found, further = through(project, wanted, None, most + 1)
    return (alone, hashes) if further is not None or len(found) > most else (alone + found, [])
