"""What an address asks for: what is wanted, or what of it cannot be read; and its page of rows."""

import re

from django.http import QueryDict

from interactions.filters import InteractionFilter
from interactions.search import Page, search
from interactions.views.chips import Fault, faults_of
from interactions.wanted import Wanted

ROWS = 50
MOST_ROWS = 1_000


def wanted_of(project, address):
    """(Wanted, [Fault]) of an address; everything is wanted where something of it cannot be read."""
    filterset = InteractionFilter(QueryDict(address.query), project=project)
    if not filterset.is_valid():
        return Wanted(), faults_of(filterset, address)
    return filterset.wanted, []


def page_of(project, address, without=()):
    """(Wanted, Page, [Fault]); where something cannot be read, nothing is looked for. `without`: see `search`."""
    wanted, errors = wanted_of(project, address)
    limit, cursor = address.one("limit"), address.one("cursor")
    if limit and not (re.fullmatch(r"[0-9]{1,4}", limit) and 1 <= int(limit) <= MOST_ROWS):
        errors.append(Fault("limit", "Rows:", f"Send 1 to {MOST_ROWS:,}.", address.changed(without={"limit"})))
    if errors:
        return wanted, Page(), errors
    try:
        page = search(project, wanted, cursor=cursor, limit=int(limit or ROWS), without=without)
    except ValueError as error:
        return wanted, Page(), [Fault("cursor", "Page:", str(error), address.changed())]
    address.next, address.previous = address.at(page.next), address.at(page.previous)
    return wanted, page, errors
