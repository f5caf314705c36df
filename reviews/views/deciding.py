"""What is put before a third person: conflicts to decide, and questions to a lead."""

from django.contrib import messages
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from interactions.rules import Conflict, RecordError, in_words
from reviews.decisions import decide
from reviews.leading import answer_lead
from reviews.reading import readable_review
from reviews.views.gate import managed_queue


@require_POST
def queue_reply(request, project, queue, review_id):
    """A lead's answer to who asked, on the page of the item."""
    project, queue = managed_queue(request, project, queue)
    review = readable_review(queue, request.user, review_id)
    try:
        answer_lead(review=review, text=request.POST.get("text", "").replace("\r\n", "\n"), by=request.user)
    except (Conflict, RecordError) as error:
        messages.error(request, in_words(error))
    else:
        messages.success(request, f"Settled. {review.by} reads it on the item.")
    return redirect("queue_item", project=project.ref, queue=queue.key, item_id=review.item_id)


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
