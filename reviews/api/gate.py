"""The way to a queue, and bodies as the calls about it take them."""

from accounts.models import User
from accounts.permissions import MANAGE_REVIEWS, REVIEW
from interactions.rules import RecordError, kind_of
from projects.access import project_or_404
from reviews.services import check_reviewer, queue_or_404


def managed(request, project, queue):
    """The queue for who manages it."""
    return queue_or_404(project_or_404(request.user, project, MANAGE_REVIEWS), queue)


def reviewed(request, project, queue):
    """The queue for who reviews in it, or manages it."""
    queue = queue_or_404(project_or_404(request.user, project, REVIEW), queue)
    check_reviewer(queue, request.user)
    return queue


def body_of(request, known):
    """The JSON object that was sent; RecordError for anything else, and for a member that is none of these."""
    if not isinstance(request.data, dict):
        raise RecordError({"": [f"Send an object, not {kind_of(request.data)}."]})
    if unknown := sorted(request.data.keys() - set(known)):
        raise RecordError({unknown[0][:60]: [f"Unknown member; send {', '.join(sorted(known))}."]})
    return dict(request.data)


def people_of(emails, name):
    """The Users of these addresses; RecordError names those that nobody has."""
    if not isinstance(emails, list) or any(not isinstance(email, str) or "\x00" in email for email in emails):
        raise RecordError({name: ["Send a list of e-mail addresses."]})
    users = {user.email: user for user in User.objects.filter(email__in=emails)}
    if unknown := sorted(set(emails) - users.keys()):
        raise RecordError({name: [f"Nobody here has the address {unknown[0][:200]}."]})
    return list(users.values())


def whole_number(request, name, default=None, most=2**31):
    """A number of the query string, 0 to `most`; RecordError."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18 or int(text) > most:
        raise RecordError({name: [f"Send a whole number from 0 to {most}."]})
    return int(text)
