"""The columns that a person chooses for a project's table."""

import functools

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from accounts.prepared import SHAPES
from interactions.columns import ALWAYS, COLUMNS, USUAL, choose_columns
from interactions.views.answers import back, refuse
from interactions.views.cells import rendered
from projects.access import project_or_404


@functools.lru_cache(maxsize=SHAPES)
def boxes_of(columns):
    """A box for each Column there is, those of `columns` ticked."""
    return rendered("_column_boxes", {"offered": COLUMNS, "always": ALWAYS, "columns": columns})


@require_POST
def columns_choose(request, project):
    """The table shows this person these columns from now on; `usual`: the usual ones again. Whoever may read the table
    may: nobody else's is changed."""
    project = project_or_404(request.user, project)
    names = USUAL if "usual" in request.POST else request.POST.getlist("column")
    try:
        choose_columns(project=project, user=request.user, names=names)
    except ValueError as error:
        return refuse(request, project, error)
    if request.htmx:
        return trigger_client_event(HttpResponse(), "kit:refresh", {"target": "#explore"})
    return redirect(back(request, project))
