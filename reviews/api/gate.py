"""The way to a queue, and bodies as the calls about it take them."""

from django.db.models.functions import Lower

from accounts.permissions import AUDIT, MANAGE_REVIEWS, REVIEW
from interactions.rules import RecordError, kind_of
from projects.access import project_or_404
from reviews.services import check_reviewer, people_who_review, queue_or_404


def managed(request, project, queue):
    """The queue for who manages it."""
    return queue_or_404(project_or_404(request.user, project, MANAGE_REVIEWS), queue)


def audited(request, project, queue):
    """The queue for who manages it, and for who only reads what was done in it."""
    return queue_or_404(project_or_404(request.user, project, MANAGE_REVIEWS, AUDIT), queue)


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


def people_of(queue, emails, name):
    """The Users of these addresses, in large or small letters; RecordError names one of nobody who may review in the
    queue's project, whether she has an account or not."""
    if not isinstance(emails, list) or any(not isinstance(email, str) or "\x00" in email for email in emails):
        raise RecordError({name: ["Send a list of e-mail addresses."]})
    wanted = {email.strip().lower(): email for email in emails}
    found = people_who_review(queue.project).annotate(small=Lower("email")).filter(small__in=wanted)
    users = {user.small: user for user in found}
    if unknown := sorted(wanted[one] for one in wanted.keys() - users.keys()):
        raise RecordError({name: [f"Nobody who may review in this project has the address {unknown[0][:200]}."]})
    return list(users.values())


def whole_number(request, name, default=None, most=2**31):
    """A number of the query string, 0 to `most`; RecordError."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18 or int(text) > most:
        raise RecordError({name: [f"Send a whole number from 0 to {most}."]})
    return int(text)
