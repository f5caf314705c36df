"""The table of interactions: filtered, counted, page by page."""

import re
import uuid

from django.http import QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect, push_url, replace_url

from accounts.permissions import DELETE, LABEL
from feedback.services import keys_of
from interactions.filters import InteractionFilter
from interactions.models import Interaction, Source
from interactions.rendering import words_pattern
from interactions.search import Page, find, search
from interactions.search.facets import Matches, count_shown, facets, histogram
from interactions.templatetags.interactions import PLUMBING
from interactions.views.address import Address, is_single
from interactions.views.chips import Fault, chips_of, faults_of
from interactions.views.facets import panel_of
from interactions.views.selection import take_toast
from interactions.views.timeline import span_of, timeline_of
from interactions.wanted import Wanted
from projects.access import project_or_404

ROWS = 50
MOST_ROWS = 1_000
TAGS = 2  # labels in a row
COLUMNS = 2  # feedback keys in a row


@require_safe
def interaction_list(request, project):
    """The whole page for people, its inside alone for htmx; an address that is not in its one form is put right."""
    project = project_or_404(request.user, project)
    address = Address.read(project, request.GET)
    pasted = _pasted(project, address)
    if pasted and ("go" in request.GET or pasted["certain"]):
        return HttpResponseClientRedirect(pasted["address"]) if request.htmx else redirect(pasted["address"])
    inside = request.htmx and not request.htmx.history_restore_request
    if not inside and sorted(address.pairs) != sorted(_as_sent(request)):
        return redirect(address.url)
    context = table_context(project, address)
    if not inside and not context["page"].rows and not address.has_filters and _is_empty(project):
        return render(request, "interactions/empty_page.html", {"project": project, "nav": "interactions"})
    template = "interactions/_explore.html" if inside else "interactions/interaction_list.html"
    response = render(
        request,
        template,
        {**context, "pasted": pasted, "toast": take_toast(request)},
        status=400 if context["errors"] else 200,
    )
    patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
    return _at_address(request, response, address) if inside else response


def _at_address(request, response, address):
    """Tell htmx the one address of what it is shown: a new one is pushed, a refresh of the same is not."""
    if request.htmx.source == "div#explore":
        return response
    here = request.htmx.current_url_abs_path == address.url
    return replace_url(response, address.url) if here else push_url(response, address.url)


def _as_sent(request):
    return [(name, value) for name, values in request.GET.lists() for value in values]


def _is_empty(project):
    return not Interaction.objects.filter(project=project).exists()


def _pasted(project, address):
    """What an id in the search box names: its address, and whether it is certain that an id was meant."""
    text = address.one("q")
    if not text or any(character.isspace() for character in text) or len(text) > 200:
        return None
    there = find(project, text)
    if there is None:
        return None
    ref = project.ref
    if isinstance(there, Interaction):
        here = reverse("interaction_detail", kwargs={"project": ref, "pk": there.pk})
        return {"kind": "interaction", "text": text, "address": here, "certain": _is_uuid(text)}
    here = reverse("session_detail", kwargs={"project": ref, "session": there})
    return {"kind": "session", "text": text, "address": here, "certain": _is_uuid(text)}


def _is_uuid(text):
    try:
        return bool(uuid.UUID(text))
    except ValueError:
        return False


def table_context(project, address):
    """All that the table's templates ask for."""
    wanted, page, errors = _read(project, address)
    matches = Matches(project, wanted)
    columns = list(keys_of(project).values())[:COLUMNS]
    fill_rows(page.rows, address, columns)
    return {
        "wanted": wanted,
        "page": page,
        "errors": errors,
        "timeline": None if errors else timeline_of(histogram(project, wanted, matches), wanted),
        "columns": columns,
        "pattern": words_pattern(address.one("q")),
        "may_label": LABEL in project.permissions,
        "may_delete": DELETE in project.permissions,
        **counts_context(project, address, wanted, errors, matches),
    }


def counts_context(project, address, wanted, errors, matches=None):
    """The filter form with its counts, the chips, and how many there are: what every change of a label touches."""
    matches = matches or Matches(project, wanted)
    counted = None if errors else count_shown(project, wanted, matches)
    shown = None if errors else facets(project, wanted, matches)
    faults = {fault.name: fault.text for fault in errors}
    return {
        "project": project,
        "nav": "interactions",
        "address": address,
        "faults": faults,
        "chips": chips_of(address, faults),
        "counted": counted,
        "total": count_shown(project, Wanted()) if address.has_filters and not errors else None,
        "facets": panel_of(address, shown, counted.n if counted else None),
        "span": span_of(address),
        "sources": Source.choices,
    }


def fill_rows(rows, address, columns):
    """Give each row what its template asks: its address, the labels to show, the feedback by column."""
    fixed = {is_single(text) for text in address.all("label")}
    for row in rows:
        free = [label for label in row.labels if (label.key, label.value) not in fixed]
        free.sort(key=lambda label: label.key.lower() in PLUMBING)
        row.address = address.of(row.id)
        row.tags, row.more = free[:TAGS], free[TAGS:]
        row.marks = [(key, row.feedbacks.get(key.key)) for key in columns]


def wanted_of(project, address):
    """(Wanted, [Fault]) of an address; everything is wanted where something of it cannot be read."""
    filterset = InteractionFilter(QueryDict(address.query), project=project)
    if filterset.is_valid():
        return filterset.wanted, []
    return Wanted(), faults_of(filterset, address)


def _read(project, address):
    """(Wanted, Page, [Fault]); where something cannot be read, nothing is looked for."""
    wanted, errors = wanted_of(project, address)
    limit, cursor = address.one("limit"), address.one("cursor")
    if limit and not (re.fullmatch(r"[0-9]{1,4}", limit) and 1 <= int(limit) <= MOST_ROWS):
        errors.append(Fault("limit", "Rows:", f"Send 1 to {MOST_ROWS:,}.", address.changed(without={"limit"})))
    if errors:
        return wanted, Page(), errors
    try:
        page = search(project, wanted, cursor=cursor, limit=int(limit or ROWS))
    except ValueError as error:
        return wanted, Page(), [Fault("cursor", "Page:", str(error), address.changed())]
    address.next, address.previous = address.at(page.next), address.at(page.previous)
    return wanted, page, errors
