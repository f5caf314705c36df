"""Two answers side by side: those of a comparison, or any two."""

from dataclasses import dataclass

from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from feedback.models import Outcome, Preference
from interactions.differences import mark
from interactions.models import Interaction
from interactions.transcript import Transcript
from interactions.transcripts import transcripts_of
from projects.access import EntityNotFound, project_or_404


@dataclass
class Side:
    """One of the two answers as the page shows it; with `pieces` where the differences are marked."""

    letter: str
    interaction: Interaction
    transcript: Transcript
    address: str
    preferred: bool = False
    pieces: list | None = None  # (whether only this side says it, the text, the white space behind)

    @property
    def raw_address(self):
        return f"{self.address}?raw=1"


@require_safe
def comparison_detail(request, project, interaction, pk):
    """Two answers side by side, the one of the address on the left, with what was said of them."""
    project = project_or_404(request.user, project)
    row = _preference(project, interaction, pk)
    both = _sides(project, row.interaction_id, row.other_id)
    for side, outcome in zip(both, (Outcome.WON, Outcome.LOST), strict=True):
        side.preferred = row.outcome == outcome
    return _beside(request, project, both, {"nav": "feedback", "row": row, "key": row.feedback_key})


@require_safe
def answers_beside(request, project, pk, other):
    """Two answers side by side, whether anybody has compared them or not."""
    project = project_or_404(request.user, project)
    return _beside(request, project, _sides(project, pk, other), {"nav": "interactions"})


def _beside(request, project, both, context):
    marked = request.GET.get("diff") == "1"
    compared = mark(both) if marked else True
    first, second = (side.interaction.body for side in both)
    context |= {
        "project": project,
        "sides": both,
        "same_prompt": first.messages == second.messages,
        "marked": marked,
        "compared": compared,
        "alike": marked and compared and not any(only for side in both for only, *_ in side.pieces),
    }
    return render(request, "feedback/comparison_detail.html", context)


def _sides(project, *ids):
    """The Side of each of these two interactions of the project."""
    found = Interaction.objects.filter(project=project).select_related("model", "body").in_bulk(ids)
    for pk in ids:
        if pk not in found:
            raise EntityNotFound("Interaction", pk)
    pair = [found[pk] for pk in ids]
    both = zip("AB", pair, transcripts_of(project, pair), strict=True)
    return [Side(letter, one, transcript, _detail(project, one)) for letter, one, transcript in both]


def _preference(project, interaction_id, pk):
    row = (
        Preference.objects.filter(
            project=project, interaction_id=interaction_id, id=pk, feedback_key__links__project=project
        )
        .select_related("feedback_key", "model", "other_model", "by")
        .first()
    )
    if row is None:
        raise EntityNotFound("Comparison", pk)
    return row


def _detail(project, interaction):
    return reverse("interaction_detail", kwargs={"project": project.ref, "pk": interaction.pk})
