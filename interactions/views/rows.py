"""Rows of the table as HTML. There are fifty on a page, and the template engine would take most of a page's time for
them: their template is rendered once for each choice of columns, and its places are filled here.
"""

import functools

from django.templatetags.static import static
from django.utils.html import escape
from django.utils.safestring import mark_safe

from accounts.permissions import DELETE, LABEL, MANAGE_PROJECT, MANAGE_REVIEWS
from accounts.prepared import SHAPES
from interactions.columns import columns_for, folded, unread
from interactions.notes import numbers_of
from interactions.views.cells import KEPT, SPRITE, Filling, cells_of, rendered

SHOWN_KEYS = 2  # feedback keys in a row


def may_tick(project):
    """Whether there is anything that this person may do to ticked rows."""
    return not project.permissions.isdisjoint({LABEL, DELETE, MANAGE_PROJECT, MANAGE_REVIEWS})


def keys_in_rows(keys, address):
    """The feedback keys that the rows show, in their order: those that the filter asks about before others."""
    asked = {key for text in address.all("feedback") for key in (text, text.rpartition(":")[0])}
    return sorted(sorted(keys, key=lambda key: key.key not in asked)[:SHOWN_KEYS], key=keys.index)


def columns_of(project, user, address):
    """(the Columns of the address's table that this person sees, the fields of its rows that are not read for them)"""
    columns = columns_for(project, user)
    if address.one("fold"):
        return folded(columns), unread(columns, "near_hash")
    return columns, unread(columns)


def fill_rows(rows, address, columns, keys, pattern=None):
    """Give each row its `.html` in these columns of the address's table: its texts with the words of the pattern
    marked, how many notes it has, how many are alike it (`.alike`, as count_alike gives it), a mark for each of the
    keys."""
    notes = numbers_of([row.pk for row in rows])
    form, sprite = _form(may_tick(address.project), columns), static(SPRITE)
    cells = cells_of(columns, Filling(rows, address, keys, pattern))
    for row in rows:
        row.html = mark_safe(  # noqa: S308 - each part is escaped, or what a template gave
            form.format(
                id=row.id,
                address=escape(address.of(row.id)),
                inside=_inside(row.images, row.tools, notes.get(row.pk, 0), sprite),
                **{name: cell(row) for name, cell in cells},
            )
        )


@functools.lru_cache(maxsize=SHAPES)
def _form(may_tick, columns):
    places = [(column, f"{{{column.name}}}") for column in columns]
    return rendered("_row", {"may_tick": may_tick, "places": places})


@functools.lru_cache(maxsize=KEPT)
def _inside(images, tools, notes, sprite):
    """What is told of an interaction beside its text; its icons lie in the sprite."""
    return rendered("_row_inside", {"images": images, "tools": tools, "notes": notes})
