"""What a change answers: to htmx the parts of the page that it shows in, and a toast; else the page it came from."""

from django.http import QueryDict
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django_htmx.http import trigger_client_event

from feedback.services import keys_of
from interactions.rendering import words_pattern
from interactions.rules import in_words
from interactions.search.rows import rows_of
from interactions.views.address import Address
from interactions.views.alike import count_alike
from interactions.views.detail import interaction_or_404, panel_context
from interactions.views.rows import columns_of, fill_rows, keys_in_rows
from interactions.views.selection import leave_toast

ROWS_REFRESHED = 200  # of more than that the page is asked for again


def answer(request, project, text, changed, *, token="", undo="label_undo", closes=False):
    """Say what was done to these interactions' ids; `undo` names the address that takes the token, `closes` the
    dialog that asked."""
    if not request.htmx:
        leave_toast(request, text, token, undo=undo)
        return redirect(back(request, project))
    context = {
        "project": project,
        "toast": {"text": text, "token": token, "undo": undo},
        "next": back(request, project),
        "closes": closes,
        **_changed_parts(request, project, changed),
    }
    response = render(request, "interactions/_changed.html", context)
    if "table" not in request.POST:
        return response
    if len(changed) > ROWS_REFRESHED:
        return trigger_client_event(response, "kit:refresh", {"target": "#explore"})
    return trigger_client_event(response, "kit:counts", {})  # the page asks for them again, once this is shown


def refuse(request, project, why):
    """Say in a toast why nothing was changed: a text, or the error that tells it."""
    text = in_words(why)
    if not request.htmx:
        leave_toast(request, text, is_error=True)
        return redirect(back(request, project))
    toast = {"text": text, "is_error": True}
    return render(request, "interactions/_toast.html", {"project": project, "toast": toast}, status=422)


def back(request, project):
    """Where a form without scripts came from: a page of ours, else the table."""
    after = request.POST.get("next", "")
    listed = Address(project, []).list
    return after if after == listed or after.startswith((f"{listed}?", f"{listed}/")) else listed


def _changed_parts(request, project, changed):
    """The rows of these interactions' ids and the open interaction, as far as the page that asked can show them."""
    address, shown = _shown(request, project)
    parts = {"address": address}
    if "table" in request.POST:
        few = changed if len(changed) <= ROWS_REFRESHED else []
        columns, without = columns_of(project, request.user, address)
        rows = rows_of(few, without)
        keys = keys_in_rows(list(keys_of(project).values()), address)
        count_alike(rows, address)
        fill_rows(rows, address, columns, keys, words_pattern(address.one("q")))
        parts |= {"table": True, "rows": rows}
    if shown:
        parts |= panel_context(project, interaction_or_404(project, shown), address, request.user)
    return parts


def _shown(request, project):
    """(the filter, the id of the open interaction or None) of the page that asked."""
    here = request.htmx.current_url_abs_path or ""
    path, _, query = here.partition("?")
    try:
        match = resolve(path)
    except Resolver404:
        return Address(project, []), None
    shown = match.kwargs.get("pk") if match.url_name == "interaction_detail" else None
    return Address.read(project, QueryDict(query)), shown
