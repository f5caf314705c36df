"""What a form of the desk sent when the session had ended: kept for the browser that sent it, until she is in again."""

from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import QueryDict

from reviews.models import Review

NAME = "unsent"
MOST = 200_000  # characters: a comment and some long texts


def is_kept(view):
    """A view of one review that asks for the login itself, and keeps what was sent until it was given."""

    @login_not_required
    @wraps(view)
    def kept(request, *, review_id, **where):
        if request.user.is_authenticated:
            return view(request, review_id=review_id, **where)
        if not request.htmx:  # a script keeps it, and a session of nobody's would end one that she begins elsewhere
            _keep(request, review_id)
        return redirect_to_login(request.get_full_path())

    return kept


def _keep(request, review_id):
    """In the session, where there is such a review: strangers leave nothing there."""
    sent = request.POST.copy()
    sent.pop("csrfmiddlewaretoken", None)
    body = sent.urlencode()
    if sent and len(body) <= MOST and Review.objects.filter(pk=review_id).exists():
        request.session[NAME] = {"review": str(review_id), "body": body}
        messages.info(request, "You were logged out: what you sent stands in its form again once you are in.")


def taken(request, review):
    """What waits of this review as the QueryDict that was sent, or None; it waits no more."""
    kept = request.session.get(NAME)
    if not kept or kept["review"] != str(review.pk):
        return None
    del request.session[NAME]
    return QueryDict(kept["body"])
