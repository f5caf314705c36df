"""The pages of saved views: the list, a new one, changing and deleting, and the bar with its counts."""

from django.contrib import messages
from django.http import QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from exports import saved
from exports.bar import bar_of
from exports.counting import counts_of
from exports.forms import ViewForm
from exports.views import filter_of, table_of, words_of
from interactions.filters import read_wanted
from interactions.rules import Conflict, RecordError
from interactions.wanted import Wanted
from projects.access import project_or_404


@require_GET
def saved_view_list(request, project):
    """All that this person sees."""
    project = project_or_404(request.user, project)
    views = list(saved.views_of(project, request.user))
    for view in views:
        view.words, view.table = words_of(view.query), table_of(project, view.query)
        view.may_change = saved.may_change(view, project, request.user)
    return render(request, "exports/saved_view_list.html", {"project": project, "nav": "interactions", "views": views})


@require_safe
def saved_view_counts(request, project):
    """The bar with how many each view has, for htmx; who opens it is taken to the list."""
    project = project_or_404(request.user, project)
    if not request.htmx:
        return redirect("saved_view_list", project=project.ref)
    try:
        query, _, _ = filter_of(project, request.GET)
    except RecordError:
        query = ""
    bar = bar_of(project, request.user, query)
    bar.counted, *counts = counts_of(project, [Wanted(), *(_wanted(project, tab.view) for tab in bar.tabs)])
    for tab, counted in zip(bar.tabs, counts, strict=True):
        tab.counted = counted
    bar.is_counted = True
    return render(request, "exports/_views.html", {"project": project, "bar": bar})


def _wanted(project, view):
    """None where something of it is no longer there: the table tells what."""
    try:
        return read_wanted(QueryDict(view.query), project)
    except RecordError:
        return None


@require_http_methods(["GET", "POST"])
def saved_view_create(request, project):
    """Save the filter of the query string, as a new view or in the place of another."""
    project = project_or_404(request.user, project)
    try:
        query, words, table = filter_of(project, request.GET)
    except RecordError:
        return redirect(table_of(project, request.GET.urlencode()))  # where it is told
    others = [v for v in saved.views_of(project, request.user) if saved.may_change(v, project, request.user)]
    form = ViewForm(request.POST or None, project=project, others=others)
    if form.is_valid() and (view := _keep(form, project, request.user, query)):
        messages.success(request, f"Saved as {view.name}.")
        return redirect(table)
    context = {"project": project, "nav": "interactions", "form": form, "words": words, "table": table}
    return render(request, "exports/saved_view_form.html", context, status=422 if form.errors else 200)


def _keep(form, project, user, query):
    """The view; None with the fault in the form."""
    given = dict(form.cleaned_data)
    given.pop("more"), (key := given.pop("replace", ""))
    try:
        if not key:
            return saved.create_view(project=project, by=user, query=query, **given)
        changes = {"query": query} | ({"name": given["name"]} if given["name"] else {})
        return saved.change_view(view=saved.changeable_or_404(project, user, key), **changes)
    except (Conflict, RecordError) as error:
        form.add_error(None, str(error))
    return None


@require_http_methods(["GET", "POST"])
def saved_view_edit(request, project, view_key):
    """Its name, whom it is for, and the columns of its exports."""
    project = project_or_404(request.user, project)
    view = saved.changeable_or_404(project, request.user, view_key)
    initial = {"name": view.name, "is_shared": view.is_shared}
    form = ViewForm(request.POST or None, project=project, chosen=view.columns, initial=initial)
    if form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("name", "is_shared", "columns")}
        try:
            saved.change_view(view=view, **given)
        except (Conflict, RecordError) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Saved.")
            return redirect("saved_view_list", project=project.ref)
    context = {
        "project": project, "nav": "interactions", "form": form, "view": view,
        "words": words_of(view.query), "table": table_of(project, view.query),
    }  # fmt: skip
    return render(request, "exports/saved_view_form.html", context, status=422 if form.errors else 200)


@require_POST
def saved_view_delete(request, project, view_key):
    project = project_or_404(request.user, project)
    view = saved.changeable_or_404(project, request.user, view_key)
    saved.delete_view(view=view)
    messages.success(request, f"{view.name} is deleted.")
    return redirect("saved_view_list", project=project.ref)
