"""Taking up a conflict: a third person's word on what others differ about."""

from django.contrib import messages
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from interactions.rules import Conflict
from reviews.decisions import decide
from reviews.views.gate import managed_queue


@require_POST
def conflict_decide(request, project, queue, item_id):
    """To the desk with this item, where what was said is shown."""
    project, queue = managed_queue(request, project, queue)
    try:
        review = decide(queue, request.user, item_id)
    except Conflict as error:
        messages.error(request, str(error))
        return redirect("queue_detail", project=project.ref, queue=queue.key)
    return redirect("desk_review", project=project.ref, queue=queue.key, review_id=review.pk)
