"""The way to a queue: its project first, then what this person may do there."""

from accounts.permissions import AUDIT, MANAGE_REVIEWS, READ, REVIEW
from projects.access import project_or_404
from reviews.services import check_reviewer, queue_or_404


def queue_for(request, project, queue, *permissions):
    """(project, queue) of an address; 404 to strangers, 403 to those who may not do this."""
    project = project_or_404(request.user, project, *(permissions or [READ]))
    return project, queue_or_404(project, queue)


def managed_queue(request, project, queue):
    return queue_for(request, project, queue, MANAGE_REVIEWS)


def audited_queue(request, project, queue):
    """For who manages it, and for who only reads what was done in it."""
    return queue_for(request, project, queue, MANAGE_REVIEWS, AUDIT)


def desk_queue(request, project, queue):
    """For who reviews in it, or decides its conflicts."""
    project, queue = queue_for(request, project, queue, REVIEW)
    check_reviewer(queue, request.user)
    return project, queue
