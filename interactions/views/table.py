"""The table of interactions, page by page. What is counted of it comes by requests of its own (see counts)."""

from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect, push_url, replace_url

from accounts.permissions import DELETE, LABEL, MANAGE_PROJECT, MANAGE_REVIEWS
from exports.bar import bar_of
from feedback.services import keys_of
from interactions.models import Interaction
from interactions.rendering import words_pattern
from interactions.search.naming import find, id_in
from interactions.ticked import MOST
from interactions.views.address import Address, strange_words
from interactions.views.alike import count_alike
from interactions.views.arrivals import arrivals_address, database_now
from interactions.views.columns import boxes_of
from interactions.views.counts import uncounted_context
from interactions.views.reading import page_of
from interactions.views.rows import columns_of, fill_rows, keys_in_rows, may_tick
from interactions.views.selection import leave_toast, take_toast
from interactions.views.timeline import span_of
from projects.access import project_or_404


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
        if strange := strange_words(request.GET):
            leave_toast(request, f"Left out, for it is no filter: {', '.join(strange)[:200]}", is_error=True)
        return redirect(address.url)
    context = table_context(project, address, request.user)
    if not inside and not context["page"].rows and not address.has_filters and _is_empty(project):
        return render(request, "interactions/empty_page.html", {"project": project, "nav": "interactions"})
    template = "interactions/_explore.html" if inside else "interactions/interaction_list.html"
    context["bar"] = bar_of(project, request.user, address.lasting)
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
    there = find(project, text) if text else None
    if there is None:
        return None
    kind, what = there
    if kind == "interaction":
        here = reverse("interaction_detail", kwargs={"project": project.ref, "pk": what.pk})
    elif kind == "session":
        here = reverse("session_detail", kwargs={"project": project.ref, "session": what})
    else:
        here = Address(project, [("user", what)]).url
    return {"kind": kind, "text": text, "address": here, "certain": id_in(text) is not None}


def table_context(project, address, user):
    """All that the table's templates ask for: nothing that takes longer than the rows."""
    moment = database_now()  # before the rows are looked for, so that what comes meanwhile counts as new
    columns, without = columns_of(project, user, address)
    wanted, page, errors = page_of(project, address, without)
    keys = list(keys_of(project).values())
    shown_keys = keys_in_rows(keys, address)
    count_alike(page.rows, address)
    fill_rows(page.rows, address, columns, shown_keys, words_pattern(address.one("q")))
    return {
        "project": project,
        "nav": "interactions",
        "wanted": wanted,
        "page": page,
        "errors": errors,
        "columns": columns,
        "column_boxes": boxes_of(columns),
        "shown_keys": shown_keys,
        "span": span_of(address),
        "arrivals": "" if errors else arrivals_address(address, wanted, page, moment),
        "may_label": LABEL in project.permissions,
        "may_delete": DELETE in project.permissions,
        "may_hold": MANAGE_PROJECT in project.permissions,
        "may_queue": MANAGE_REVIEWS in project.permissions,
        "may_tick": may_tick(project),
        "most_ticked": MOST,
        **uncounted_context(project, address, wanted, errors, keys),
    }
