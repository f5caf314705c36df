"""The playground: one prompt to several models side by side, and a vote between their answers.

The answers themselves come from the gateway, which the page's script asks with a pass of a few minutes.
"""

import uuid

from django.core.exceptions import PermissionDenied
from django.http import JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import CALL, FEEDBACK, MANAGE_MODELS, MANAGE_PROJECT
from feedback.services import key_or_404, keys_of
from gateway.playground import Prompt, callable_models, in_openai_form, prompt_of, take_back, vote
from gateway.tokens import playground_token
from interactions import rendering
from interactions.messages import blobs_of, calls_of, with_data
from interactions.models import Interaction
from interactions.rules import Conflict
from interactions.transcript import Transcript
from projects.access import EntityNotFound, needs, project_or_404
from registry.kinds import MAX_COMPLETION_TOKENS, MAX_TOKENS

ANY = uuid.UUID(int=0)  # stands in an address for an id that the script puts there
KNOBS = ("temperature", "top_p", MAX_TOKENS)


def _project(request, key, *more):
    """The project; PermissionDenied where its interactions may not be read or its models not called."""
    project = project_or_404(request.user, key)
    for permission in (CALL, *more):
        if permission not in project.permissions:
            raise PermissionDenied(needs(project, permission))
    return project


def _interaction(project, text):
    """The project's interaction with its body."""
    pk = _uuid(text)
    row = pk and Interaction.objects.filter(project=project, pk=pk).select_related("body").first()
    if not row:
        raise EntityNotFound("Interaction", text)
    return row


def _uuid(text):
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


# -- the page -------------------------------------------------------------------------------------
@require_safe
def playground(request, project):
    """The prompt, empty or taken over from `?interaction=`, and the models to choose from."""
    project = _project(request, project)
    interaction = _interaction(project, request.GET["interaction"]) if "interaction" in request.GET else None
    prompt = prompt_of(interaction.body.messages) if interaction else Prompt()
    models = [] if project.archived_at else callable_models(project)
    asked = [key for key in request.GET.getlist("model") if key in {one.model.key for one in models}]
    context = {
        "project": project,
        "nav": "playground",
        "models": models,
        "chosen": set(asked[:4] or [one.model.key for one in models[:2]]),
        "prompt": prompt,
        "interaction": interaction,
        "knobs": _knobs(interaction),
        **_shown(project, interaction, prompt),
        "keys": list(keys_of(project).values()),
        "may_vote": FEEDBACK in project.permissions,
        "may_manage": MANAGE_PROJECT in project.permissions,
        "may_manage_models": MANAGE_MODELS in project.permissions,
        "addresses": _addresses(project, interaction),
    }
    return render(request, "gateway/playground.html", context)


def _addresses(project, interaction):
    """{data attribute: address} for the script."""

    def of(name, **more):
        return reverse(name, kwargs={"project": project.ref, **more})

    addresses = {
        "pass": of("playground_pass"),
        "answer": of("playground_answer", pk=ANY),
        "open": of("interaction_detail", pk=ANY),
        "vote": of("playground_vote"),
        "undo": of("playground_undo"),
    }
    return addresses | ({"messages": of("playground_messages", pk=interaction.pk)} if interaction else {})


def _knobs(interaction):
    """{name: number or ""} of the parameters that the interaction was made with, where that was kept."""
    metadata = interaction and interaction.body.envelope.get("metadata")
    kept = metadata.get("parameters") if isinstance(metadata, dict) else None
    kept = {MAX_TOKENS: kept.get(MAX_COMPLETION_TOKENS), **kept} if isinstance(kept, dict) else {}
    return {name: kept[name] if type(kept.get(name)) in (int, float) else "" for name in KNOBS}


def _shown(project, interaction, prompt):
    """The messages before the user's as turns, and what her message has besides its text."""
    if interaction is None:
        return {}
    last = prompt.last and prompt.last.get("content")
    others = [part for part in last if part["type"] != "text"] if isinstance(last, list) else []
    messages = [*prompt.before, *([{"role": "user", "content": others}] if others else [])]

    def picture(sha256):
        return reverse("blob", kwargs={"project_id": project.uid, "sha256": sha256})

    turns = Transcript(messages, "", address=picture, blobs=blobs_of(project, messages)).turns
    back = reverse("interaction_detail", kwargs={"project": project.ref, "pk": interaction.pk})
    parts = turns.pop().parts if others else []
    return {"turns": turns, "parts": parts, "back": back, "raw_address": f"{back}?raw=1"}


# -- what the script asks -------------------------------------------------------------------------
@require_POST
@never_cache
def playground_pass(request, project):
    """A pass to the gateway, for this project and a few minutes."""
    project = _project(request, project)
    return JsonResponse({"token": playground_token(user=request.user, project=project)})


@require_safe
def playground_messages(request, project, pk):
    """What of the interaction's messages is sent again as it was, its pictures as data: `before`, and `last`, whose
    text is written anew."""
    project = _project(request, project)
    prompt = prompt_of(_interaction(project, pk).body.messages)
    before, last = with_data([prompt.before, [prompt.last] if prompt.last else []])
    return JsonResponse(
        {"before": [in_openai_form(one) for one in before], "last": in_openai_form(last[0]) if last else None}
    )


@require_safe
def playground_answer(request, project, pk):
    """A logged answer as the detail shows it: Markdown made into HTML that does nothing, and the calls of tools."""
    project = _project(request, project)
    interaction = _interaction(project, pk)
    body = interaction.body
    transcript = Transcript([], body.completion, address=str, blobs={}, calls=calls_of(body))
    return render(request, "gateway/_answer.html", {"transcript": transcript})


# -- votes ----------------------------------------------------------------------------------------
@require_POST
def playground_vote(request, project):
    """`verdict` (best, tie, bad) on the `answer`s under the feedback `key`, `best` among them."""
    project = _project(request, project, FEEDBACK)
    key = key_or_404(keys_of(project), request.POST.get("key", ""))
    answers = [_interaction_id(text) for text in request.POST.getlist("answer")]
    best = _uuid(request.POST.get("best", ""))
    try:
        votes = vote(
            project=project,
            key=key,
            verdict=request.POST.get("verdict", ""),
            answers=answers,
            best=best,
            by=request.user,
        )
    except (ValueError, Conflict) as error:
        return _refuse(error)
    return JsonResponse({"votes": [f"{interaction_id} {pk}" for interaction_id, pk in votes]}, status=201)


@require_POST
def playground_undo(request, project):
    """Take back the `vote`s, as they were told."""
    project = _project(request, project, FEEDBACK)
    votes = []
    for told in request.POST.getlist("vote")[:20]:
        first, _, second = told.partition(" ")
        votes.append((_interaction_id(first), _interaction_id(second)))
    try:
        return JsonResponse({"taken_back": take_back(project=project, votes=votes, by=request.user)})
    except PermissionDenied as error:
        return JsonResponse({"text": str(error)}, status=403)


def _interaction_id(text):
    pk = _uuid(text)
    if pk is None:
        raise EntityNotFound("Interaction", text)
    return pk


def _refuse(error):
    return JsonResponse({"text": rendering.cut(str(error), 500)}, status=409 if isinstance(error, Conflict) else 422)
