"""Ticked rows of the table put into a queue."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.permissions import MANAGE_REVIEWS
from interactions.ticked import chosen_ids
from projects.access import project_or_404
from reviews.by_hand import put_by_hand
from reviews.models import Kind, Queue
from reviews.services import queue_or_404


@require_POST
def review_many(request, project):
    """Asks for the queue first; with it the ticked rows are put in."""
    project = project_or_404(request.user, project, MANAGE_REVIEWS)
    ids, back = chosen_ids(request), _back(request, project)
    if not ids:
        messages.error(request, "Select at least one interaction.")
        return redirect(back)
    if "queue" not in request.POST:
        queues = Queue.objects.filter(project=project, closed_at=None).order_by("name", "pk")
        context = {"project": project, "nav": "interactions", "ids": ids, "queues": queues, "back": back}
        return render(request, "reviews/_add.html" if request.htmx else "reviews/add.html", context)
    queue = queue_or_404(project, request.POST["queue"])
    messages.success(request, _told(queue, *put_by_hand(queue=queue, ids=ids, by=request.user)))
    return redirect(back)


def _back(request, project):
    """Where it came from: the table as it was, or an interaction."""
    after, table = request.POST.get("next", ""), reverse("interaction_list", kwargs={"project": project.ref})
    return after if after == table or after.startswith((f"{table}?", f"{table}/")) else table


def _told(queue, new, old, without):
    what = "pair" if queue.kind == Kind.PAIR else "interaction"
    texts = [f"{new:,} {what}{'' if new == 1 else 's'} put into {queue.name}"]
    if old:
        texts.append(f"{old:,} {'was' if old == 1 else 'were'} in it already, or taken out of it by hand")
    if without:
        texts.append(f"{without:,} left out: " + ("no other model's answer" if what == "pair" else "gone meanwhile"))
    return "; ".join(texts)
