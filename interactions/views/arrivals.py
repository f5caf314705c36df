"""What arrived since a page of the table was made, asked every few seconds by every open page.

The page carries the moment it was made, by the database's clock, and how many of its rows were received shortly
before: what was being stored at that moment may appear later with an earlier time, so that counting begins a little
earlier and what the page shows of that is taken off.
"""

import datetime
from dataclasses import replace

from django.core.exceptions import BadRequest
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from interactions.ids import EPOCH, time_of
from interactions.rules import moment_of
from interactions.search.arrivals import arrived_since
from interactions.views.address import Address, write_instant
from interactions.views.reading import MOST_ROWS, wanted_of
from projects.access import project_or_404

MOST = 100  # counted up to here
OVERLAP = datetime.timedelta(seconds=30)  # longer than any single store takes
TICK = datetime.timedelta(milliseconds=1)  # of an id


@require_safe
def interaction_arrivals(request, project):
    """A pill that says how many came, or 204 where none did."""
    project = project_or_404(request.user, project)
    address = Address.read(project, request.GET)
    wanted, errors = wanted_of(project, address)
    since, above, shown = _read(request.GET)
    if errors:
        raise BadRequest("This filter cannot be read.")
    if above and (wanted.after is None or wanted.after < above):
        wanted = replace(wanted, after=above)
    arrived = arrived_since(project, wanted, since - OVERLAP, most=MOST + shown)
    n = arrived.n - shown
    if n <= 0:
        return HttpResponse(status=204)
    context = {"address": address, "n": n, "capped": n >= MOST and arrived.capped}
    return render(request, "interactions/_arrivals.html", context)


def arrivals_address(address, wanted, page, moment):
    """Where a page of the table asks, or "" where nothing new can come upon it: it is not the first one, begins with
    the oldest, or ends in the past."""
    if address.one("cursor") or wanted.oldest_first or (wanted.before and wanted.before <= timezone.now()):
        return ""
    # of a full page only what comes above its last row: all that is below was there before, or is of the past
    above = time_of(page.rows[-1].id) + TICK if page.next and page.rows else None
    shown = sum(row.received_at >= moment - OVERLAP and (not above or row.created_at >= above) for row in page.rows)
    pairs = [("since", _exact(moment)), ("shown", shown)]
    return address.part("interaction_arrivals", *pairs, *([("above", write_instant(above))] if above else []))


def database_now():
    """This moment by the clock that `received_at` is taken from."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        return cursor.fetchone()[0]


def _exact(moment):
    return moment.astimezone(datetime.UTC).isoformat()


def _read(query):
    """(since, above or None, shown) of the query; BadRequest where one cannot be read."""
    since, above, shown = moment_of(query.get("since", "")), query.get("above", ""), query.get("shown", "0")
    if since is None or since < EPOCH + OVERLAP:
        raise BadRequest("Send the moment that the page was made as 'since'.")
    if above and moment_of(above) is None:
        raise BadRequest("Send a time as 'above'.")
    if not (shown.isascii() and shown.isdigit() and len(shown) < 5 and int(shown) <= MOST_ROWS):
        raise BadRequest(f"Send up to {MOST_ROWS:,} as 'shown'.")
    return since, moment_of(above) if above else None, int(shown)
