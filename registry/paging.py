"""Lists of models a page at a time: programs may name any number of them."""

from projects.access import EntityNotFound

PAGE = 50


def page_of(rows, cursor, limit=PAGE):
    """(rows, the cursor of what follows or "") of a queryset, newest first; `cursor` is the id of the last one seen."""
    if cursor:
        if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
            raise EntityNotFound("Page", cursor)
        rows = rows.filter(pk__lt=int(cursor))
    found = list(rows.order_by("-pk")[: limit + 1])
    return found[:limit], str(found[limit - 1].pk) if len(found) > limit else ""
