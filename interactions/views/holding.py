"""Legal holds from the drawer, the page and the bulk bar."""

from django.shortcuts import render
from django.views.decorators.http import require_POST

from accounts.permissions import MANAGE_PROJECT
from interactions.models import Interaction
from interactions.retention.holds import hold, release
from interactions.rules import RecordError
from interactions.ticked import chosen_ids
from interactions.views.address import Address
from interactions.views.answers import answer, refuse
from interactions.views.detail import interaction_or_404
from interactions.views.selection import SAMPLE
from projects.access import project_or_404


@require_POST
def hold_set(request, project, pk):
    """Hold the interaction, for the reason that is given."""
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    interaction_or_404(project, pk)
    try:
        held = hold(project=project, ids=[pk], reason=request.POST.get("reason"), by=request.user)
    except RecordError as error:
        return refuse(request, project, error)
    return answer(request, project, "Held: nobody can delete it" if held else "It is held already", [pk])


@require_POST
def hold_release(request, project, pk):
    """End the hold; why may be said."""
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    interaction_or_404(project, pk)
    try:
        released = release(project=project, ids=[pk], by=request.user, reason=request.POST.get("reason", ""))
    except RecordError as error:
        return refuse(request, project, error)
    return answer(request, project, "Released" if released else "It was not held", [pk])


@require_POST
def hold_many(request, project):
    """Asks for the reason first; with it the ticked rows are held."""
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    ids = chosen_ids(request)
    rows = Interaction.objects.for_table().filter(project=project).in_order(ids)
    if not rows:
        return refuse(request, project, "Select at least one interaction.")
    if "reason" not in request.POST:
        return _ask(request, project, rows)
    try:
        held = hold(project=project, ids=[row.pk for row in rows], reason=request.POST["reason"], by=request.user)
    except RecordError as error:
        return refuse(request, project, error)
    text = f"Held {len(held):,} interaction{'' if len(held) == 1 else 's'}"
    return answer(request, project, text, [row.pk for row in rows], closes=True)


def _ask(request, project, rows):
    context = {
        "project": project,
        "nav": "interactions",
        "address": Address.read(project, request.GET),
        "n": len(rows),
        "rows": rows[:SAMPLE],
        "ids": [row.pk for row in rows],
    }
    template = "interactions/_hold_ask.html" if request.htmx else "interactions/interaction_hold.html"
    return render(request, template, context)
