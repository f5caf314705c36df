"""Ticked rows: deleting them after a question, and the toast left for the page that comes next."""

from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from accounts.permissions import DELETE
from interactions.ingest.removal import delete_interactions
from interactions.models import Interaction
from interactions.retention.holds import kept_among
from interactions.ticked import chosen_ids
from interactions.views.address import Address
from projects.access import EntityNotFound, project_or_404

SAMPLE = 5


def leave_toast(request, text, token="", is_error=False, undo="label_undo"):
    """Say this on the page that comes next; `undo` names the address that takes the token."""
    request.session["toast"] = {"text": text, "token": token, "is_error": is_error, "undo": undo}


def take_toast(request):
    """What an earlier request left to be said, once."""
    return request.session.pop("toast", None) if "toast" in request.session else None


@require_safe
def interaction_delete(request, project, pk):
    """The question before one interaction is deleted."""
    project = project_or_404(request.user, project, DELETE)
    if not Interaction.objects.filter(project=project, pk=pk).exists():
        raise EntityNotFound("Interaction", pk)
    return _ask(request, project, [pk], Address.read(project, request.GET))


@require_POST
def interaction_delete_many(request, project):
    """Asks about the ticked rows first; with `sure` they are deleted."""
    project = project_or_404(request.user, project, DELETE)
    address, ids = Address.read(project, request.GET), chosen_ids(request)
    if "sure" not in request.POST:
        return _ask(request, project, ids, address)
    n = delete_interactions(project=project, ids=ids, by=request.user)
    held = len(kept_among(ids))
    text = f"Deleted {n:,} interaction{'' if n == 1 else 's'}"
    text += f"; {held:,} stay{'s' if held == 1 else ''}: under a legal hold, or compared with what is" if held else ""
    if request.htmx and "table" in request.POST:
        response = render(request, "interactions/_deleted.html", {"project": project, "toast": {"text": text}})
        return trigger_client_event(response, "kit:deleted", {})
    leave_toast(request, text)
    return HttpResponseClientRedirect(address.url) if request.htmx else redirect(address.url)


def _ask(request, project, ids, address):
    rows = Interaction.objects.for_table().filter(project=project).in_order(ids)
    context = {
        "project": project,
        "nav": "interactions",
        "address": address,
        "n": len(rows),
        "rows": rows[:SAMPLE],
        "ids": [row.pk for row in rows],
        "table": "table" in request.GET or "table" in request.POST,
    }
    return render(
        request, "interactions/_ask.html" if request.htmx else "interactions/interaction_delete.html", context
    )
