"""The way to a queue: its project first, then what this person may do there."""

from django.core.exceptions import PermissionDenied

from accounts.permissions import MANAGE_REVIEWS, READ, REVIEW
from projects.access import project_or_404
from reviews.services import may_review, queue_or_404


def queue_for(request, project, queue, permission=READ):
    """(project, queue) of an address; 404 to strangers, 403 to those who may not do this."""
    project = project_or_404(request.user, project, permission)
    return project, queue_or_404(project, queue)


def managed_queue(request, project, queue):
    return queue_for(request, project, queue, MANAGE_REVIEWS)


def desk_queue(request, project, queue):
    """For who reviews in it, or decides its conflicts."""
    project, queue = queue_for(request, project, queue, REVIEW)
    if not may_review(queue, request.user) and MANAGE_REVIEWS not in project.permissions:
        raise PermissionDenied(f"You are none of the reviewers of {queue.name}: ask who made it to add you.")
    return project, queue
