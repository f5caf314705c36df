"""Feedback and better answers from the drawer and the page; each change of a value can be taken back."""

import math

from django.views.decorators.http import require_POST

from accounts.permissions import FEEDBACK
from feedback.corrections import correct_completion, withdraw_correction
from feedback.giving import correct_feedback, give_feedback, undo_feedback, withdraw_feedback
from feedback.models import Feedback, Origin
from feedback.services import key_or_404, keys_of
from interactions.forms import plain_figure
from interactions.rules import Conflict, text_fault
from interactions.templatetags.interactions import said
from interactions.views.answers import answer, refuse
from interactions.views.detail import interaction_or_404
from projects.access import EntityNotFound, project_or_404

MAX_DETAILS = 10_000


@require_POST
def feedback_give(request, project, pk):
    """A value of the reader's own: it takes the place of what she gave under the key before; the same value again
    takes it back."""
    project = project_or_404(request.user, project, FEEDBACK)
    interaction = interaction_or_404(project, pk)
    key = key_or_404(keys_of(project), request.POST.get("key", ""))
    try:
        value = _value(request)
        mine = _mine(interaction, key, request.user)
        if mine is None:
            change = give_feedback(
                interaction=interaction, key=key, value=value, by=request.user, origin=Origin.REVIEWER
            )
        elif mine.value == value:
            return _withdraw(request, project, interaction, mine)
        else:
            change = correct_feedback(interaction=interaction, feedback_id=mine.id, value=value, by=request.user)
    except (ValueError, Conflict) as error:
        return refuse(request, project, error)
    return _done(request, project, change, f"{key.name}: {said(key, value)}")


@require_POST
def feedback_correct(request, project, pk, feedback_id):
    """Another value, other details, in the place of a current one; or, by its other button, its withdrawal."""
    project = project_or_404(request.user, project, FEEDBACK)
    interaction = interaction_or_404(project, pk)
    former = Feedback.objects.filter(interaction_id=pk, id=feedback_id).select_related("feedback_key").first()
    if former is None or former.feedback_key.key not in keys_of(project):
        raise EntityNotFound("Feedback (score)", feedback_id)
    try:
        if "withdraw" in request.POST:
            return _withdraw(request, project, interaction, former)
        value, details = _value(request), _details(request)
        change = correct_feedback(
            interaction=interaction, feedback_id=feedback_id, value=value, details=details, by=request.user
        )
    except (ValueError, Conflict) as error:
        return refuse(request, project, error)
    key = former.feedback_key
    return _done(request, project, change, f"{key.name} corrected: {said(key, value)}")


@require_POST
def feedback_undo(request, project):
    project = project_or_404(request.user, project, FEEDBACK)
    try:
        change = undo_feedback(project=project, token=request.POST.get("token", ""), by=request.user)
    except (ValueError, Conflict) as error:
        return refuse(request, project, error)
    return answer(request, project, "Undone", [change.interaction_id])


@require_POST
def correction_write(request, project, pk):
    """The better answer; by its other button it is taken back."""
    project = project_or_404(request.user, project, FEEDBACK)
    interaction = interaction_or_404(project, pk)
    try:
        if "withdraw" in request.POST:
            withdraw_correction(interaction=interaction, by=request.user)
            return answer(request, project, "The better answer is taken back", [pk])
        # browsers send line ends as CR LF
        text = request.POST.get("completion", "").replace("\r\n", "\n")
        correct_completion(interaction=interaction, completion=text, by=request.user)
    except ValueError as error:
        return refuse(request, project, error)
    return answer(request, project, "The better answer is kept", [pk])


def _withdraw(request, project, interaction, former):
    change = withdraw_feedback(interaction=interaction, feedback_id=former.id, by=request.user)
    return _done(request, project, change, f"Took {former.feedback_key.name} back")


def _done(request, project, change, text):
    return answer(request, project, text, [change.interaction_id], token=change.undo_token, undo="feedback_undo")


def _mine(interaction, key, user):
    """What this person gave under the key and is current, the newest."""
    own = Feedback.objects.current().filter(
        interaction_id=interaction.pk, feedback_key=key, by=user, user="", origin=Origin.REVIEWER
    )
    return own.order_by("-id").first()


def _value(request):
    """The number of the form; ValueError where it is none."""
    try:
        value = float(plain_figure(request.POST.get("value", "")))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("Send a number such as 4, 0.5 or 1,500: with a point before its decimals.")
    return value


def _details(request):
    text = request.POST.get("details", "").strip().replace("\r\n", "\n")
    if fault := text_fault(text):
        raise ValueError(fault)
    if len(text) > MAX_DETAILS:
        raise ValueError(f"Details have at most {MAX_DETAILS:,} characters; these have {len(text):,}.")
    return text
