"""The way to a test, and bodies as the calls about it take them."""

from accounts.permissions import DEPLOY, MANAGE_TESTS, READ
from experiments.services import test_or_404
from interactions.rules import RecordError, kind_of
from projects.access import project_or_404


def read(request, project, test):
    return test_or_404(project_or_404(request.user, project, READ), test)


def managed(request, project, test):
    return test_or_404(project_or_404(request.user, project, MANAGE_TESTS), test)


def deployed(request, project, test):
    return test_or_404(project_or_404(request.user, project, DEPLOY), test)


def body_of(request, known, needed=()):
    """The JSON object that was sent (nothing, or null, is an empty one), without what is null; RecordError for anything
    else, for a member that is none of these, and for one that is missing."""
    sent = {} if request.data is None else request.data
    if not isinstance(sent, dict):
        raise RecordError({"": [f"Send an object, not {kind_of(sent)}."]})
    if unknown := sorted(sent.keys() - set(known)):
        offered = f"send {', '.join(sorted(known))}" if known else "send none"
        raise RecordError({unknown[0][:60]: [f"Unknown member; {offered}."]})
    body = {name: value for name, value in sent.items() if value is not None}
    if missing := [name for name in needed if name not in body]:
        raise RecordError({name: ["Send it."] for name in missing})
    return body
