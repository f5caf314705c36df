"""The pages of exports: the list, the form of a new one, the file, and its end."""

from django.contrib import messages
from django.http import QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from exports import saved
from exports.forms import ExportForm
from exports.handing import open_file
from exports.models import KEPT
from exports.services import begin_export, delete_export, export_or_404, exports_of
from exports.views import filter_of, table_of, words_of
from interactions.filters import read_wanted
from interactions.rules import Conflict, RecordError
from interactions.search.facets import count_shown
from interactions.ticked import chosen_ids
from projects.access import project_or_404

SHOWN = 50


@require_GET
@vary_on_headers("HX-Request", "HX-History-Restore-Request")
def export_list(request, project):
    """The newest: one's own, and all for who manages the project; the list alone for htmx, while any is under way."""
    project = project_or_404(request.user, project)
    rows = list(exports_of(project, request.user)[:SHOWN])
    for export in rows:
        export.words, export.table = words_of(export.query), table_of(project, export.query)
    context = {
        "project": project, "nav": "interactions", "exports": rows, "days": KEPT.days,
        "under_way": any(export.is_under_way for export in rows),
    }  # fmt: skip
    alone = request.htmx and not request.htmx.history_restore_request
    return render(request, "exports/_exports.html" if alone else "exports/export_list.html", context)


@require_http_methods(["GET", "POST"])
def export_create(request, project):
    """What of the query string's filter, or of the ticked rows that are posted, is exported, and how."""
    project = project_or_404(request.user, project)
    ids = chosen_ids(request) if request.method == "POST" else []
    is_chosen = "format" in request.POST  # the table's bar posts but which rows
    if request.method == "POST" and not is_chosen and ("all" in request.POST or not ids):
        return redirect(request.get_full_path())
    try:
        query, words, table = filter_of(project, request.GET)
    except RecordError:
        return redirect(table_of(project, request.GET.urlencode()))  # where it is told
    view = _view(project, request.user, request.GET.get("view"), query)
    form = ExportForm(request.POST if is_chosen else None, project=project, chosen=view.columns if view else ())
    if form.is_valid():
        what = {"ids": ids} if ids else {"query": query, "view": view.name if view else ""}
        try:
            begin_export(project=project, by=request.user, **what, **form.asked)
        except (Conflict, RecordError) as error:
            form.add_error(None, str(error))
        else:
            return redirect("export_list", project=project.ref)
    context = {
        "project": project, "nav": "interactions", "form": form, "words": words, "table": table, "view": view,
        "counted": None if ids else count_shown(project, read_wanted(QueryDict(query), project)),
        "ids": ids, "days": KEPT.days,
    }  # fmt: skip
    return render(request, "exports/export_form.html", context, status=422 if form.errors else 200)


def _view(project, user, key, query):
    """The view that was asked for by its key, where its filter is still this one, or None."""
    views = (view for view in saved.views_of(project, user) if view.key == key and view.query == query)
    return next(views, None)


@require_GET
def export_file(request, project, export_id):
    project = project_or_404(request.user, project)
    try:
        return open_file(export_or_404(project, request.user, export_id), request)
    except Conflict as error:
        messages.info(request, str(error))
        return redirect("export_list", project=project.ref)


@require_POST
def export_delete(request, project, export_id):
    project = project_or_404(request.user, project)
    export = export_or_404(project, request.user, export_id)
    delete_export(export=export)
    messages.success(request, f"{export.file_name} is deleted.")
    return redirect("export_list", project=project.ref)
