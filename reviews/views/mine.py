"""One's own reviewing: what one answered, and what became of it."""

from dataclasses import dataclass

from django.core.exceptions import BadRequest
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import REVIEW
from interactions.models import Interaction
from interactions.rules import RecordError
from projects.access import project_or_404
from reviews.models import Review
from reviews.own import answers_of_person, by_day
from reviews.sayings import Said, said_to
from reviews.views.telling import span

BECAME = {
    "waiting": "Waits for others",
    "alone": "Taken",
    "agreed": "Others said the same",
    "conflict": "In conflict",
    "decided": "Decided as you said",
    "decided_otherwise": "Decided otherwise",
    "decides": "You decided",
    "removed": "Taken out since",
}


@dataclass
class Row:
    """An answer as the list shows it; `text` is None where the interaction was deleted."""

    review: Review
    text: str | None
    said: Said
    became: str


@require_safe
def my_reviews(request, project):
    """What this person answered, fifty a page, newest first; and how much it was a day."""
    project = project_or_404(request.user, project, REVIEW)
    after = request.GET.get("after", "")
    try:
        reviews, older = answers_of_person(project, request.user, after=after)
    except RecordError:
        raise BadRequest("This page's place cannot be read; go back to the first page.") from None
    ids = [review.item.interaction_id for review in reviews]
    texts = dict(Interaction.objects.filter(project=project, pk__in=ids).values_list("pk", "prompt_preview"))
    for review in reviews:
        review.by = request.user
    context = {
        "project": project,
        "nav": "review",
        "rows": [
            Row(review, texts.get(review.item.interaction_id), said_to(review, review), BECAME[review.became])
            for review in reviews
        ],
        "days": [(one, span(one.seconds) if one.seconds is not None else "") for one in by_day(project, request.user)],
        "after": after,
        "older": older,
    }
    return render(request, "reviews/my_reviews.html", context)
