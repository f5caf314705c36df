"""One interaction in full: drawer, page, exact payload."""

import json
from itertools import islice

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from accounts.permissions import DELETE, LABEL
from interactions.filters import write_label
from interactions.jsontext import dumps
from interactions.labels import labels_of
from interactions.messages import payload_of
from interactions.models import Interaction
from interactions.notes import notes_history
from interactions.rendering import RAW_LIMIT, code, cut
from interactions.rules import MAX_TEXT
from interactions.search import neighbours
from interactions.transcripts import transcripts_of
from interactions.views.address import Address
from interactions.views.given import given_context
from interactions.views.held import held_context
from interactions.views.noted import noted_context
from interactions.views.reading import wanted_of
from interactions.views.selection import take_toast
from projects.access import EntityNotFound, project_or_404

OTHERS = 20  # answers to the same messages
PAIRS = 100  # of the metadata, and of the usage
PAIR = 2_000  # characters of a value of it


@require_safe
def interaction_detail(request, project, pk):
    """The page for people, the drawer for htmx; previous and next stay inside the filter of the address."""
    project = project_or_404(request.user, project)
    interaction, address = interaction_or_404(project, pk), Address.read(project, request.GET)
    context = detail_context(request, project, interaction, address) | {"toast": take_toast(request)}
    drawer = request.htmx and not request.htmx.history_restore_request
    template = "interactions/_drawer.html" if drawer else "interactions/interaction_detail.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
    return response


def detail_context(request, project, interaction, address):
    """All that the page and the drawer ask for."""
    raw = "raw" in request.GET
    return {
        **panel_context(project, interaction, address, request.user),
        "nav": "interactions",
        "raw": raw,
        "raw_address": _raw_address(address.of(interaction.pk), raw),
        "transcript": transcripts_of(project, [interaction], raw=raw)[0],
        **_around(project, interaction, address),
        **_leads(project, interaction),
    }


def _raw_address(here, raw):
    """The same interaction, the texts as they are; or rendered, where they are raw now."""
    return here if raw else f"{here}{'&' if '?' in here else '?'}raw=1"


def interaction_or_404(project, pk):
    """The project's interaction with its model, body and `.labels`."""
    rows = Interaction.objects.select_related("model", "logged_by", "api_key", "body")
    row = rows.filter(project=project, pk=pk).first()
    if row is None:
        raise EntityNotFound("Interaction", pk)
    row.project = project
    return labels_of([row])[0]


def panel_context(project, interaction, address, user):
    """What stands beside the transcript, and changes with a label or a value."""
    notes = notes_history(interaction.pk)
    return {
        "project": project,
        "address": address,
        "interaction": interaction,
        "here": address.of(interaction.pk),
        **given_context(project, interaction, user, notes),
        **noted_context(project, notes, user),
        **held_context(project, interaction),
        **_usage(interaction, interaction.body.envelope.get("usage") or {}),
        "metadata": _pairs(interaction.body.envelope.get("metadata") or {}, Address(project, [])),
        "external_id": interaction.body.envelope.get("external_id"),
        "may_label": LABEL in project.permissions,
        "may_delete": DELETE in project.permissions,
    }


def _leads(project, interaction):
    """What else there is: the newest answers to the same messages, and where the user's and the model's others are."""
    table = Address(project, [])
    same = Interaction.objects.filter(project=project, prompt_hash=interaction.prompt_hash).exclude(pk=interaction.pk)
    others = list(same.select_related("model").only("id", "model__key").order_by("-id")[: OTHERS + 1])
    return {
        "others": others[:OTHERS],
        "more_others": len(others) > OTHERS,
        "of_prompt": table.changed(("prompt", interaction.prompt_hash.hex)),
        "of_user": table.changed(("user", interaction.user)) if interaction.user else "",
        "of_key": table.changed(("api_key", interaction.api_key.hint)) if interaction.api_key else "",
        "of_model": table.changed(("model", interaction.model.key)) if interaction.model else "",
    }


def _usage(interaction, reported):
    """`tokens`, how many in all where nothing finer was reported, and `usage`, what the page does not tell already."""
    came, went, total = interaction.prompt_tokens, interaction.completion_tokens, reported.get("total_tokens")
    is_alone = came is None and went is None
    told = {
        **dict.fromkeys(["prompt_tokens", "input_tokens"], came),
        **dict.fromkeys(["completion_tokens", "output_tokens"], went),
        "total_tokens": total if is_alone else (came or 0) + (went or 0),
    }
    others = {name: value for name, value in reported.items() if value is not None and told.get(name) != value}
    return {"tokens": total if is_alone else None, "usage": _pairs(others)}


def _pairs(value, table=None):
    """The first `pairs` (name, text, length of the whole text, where the `table` shows all that have it, if that is
    asked for), nested values as JSON, and how many there are."""
    first = islice(value.items(), PAIRS)
    texts = [(name, item if isinstance(item, str) else dumps(item)) for name, item in first]
    pairs = [(name, text[:PAIR], len(text), _all_with(table, name, text) if table else "") for name, text in texts]
    return {"pairs": pairs, "n": len(value)}


def _all_with(table, name, text):
    """The address; none for what is too long for one, or has no name."""
    is_short = name and len(name) <= MAX_TEXT and len(text) <= MAX_TEXT
    return table.changed(("metadata", write_label(name, text))) if is_short else ""


def _around(project, interaction, address):
    """The addresses of the interactions before and after this one in the filter's order."""
    wanted, _ = wanted_of(project, address)
    before, after = neighbours(project, wanted, interaction.pk)
    return {
        "before": address.of(before) if before else "",
        "after": address.of(after) if after else "",
        "back": address.url,
    }


@require_safe
def interaction_payload(request, project, pk):
    """The record exactly as it was received, with the SHA-256 of its RFC 8785 form; as JSON, or as a call of curl."""
    project = project_or_404(request.user, project)
    interaction = interaction_or_404(project, pk)
    payload = payload_of(interaction.body)
    form = request.GET.get("as")
    if form == "json":
        return _plain(dumps(payload), "application/json")
    if form == "curl":
        return _plain(_curl(project, payload))
    if form == "completion":
        return _plain(interaction.body.completion)
    text = json.dumps(payload, ensure_ascii=False, indent=2)
    shown = cut(text, RAW_LIMIT)
    context = {
        "project": project,
        "nav": "interactions",
        "interaction": interaction,
        "here": Address.read(project, request.GET).of(pk),
        "sha256": bytes(interaction.body.payload_sha256).hex(),
        "code": code(shown, "json"),
        "shown": len(shown),
        "length": len(text),
    }
    return render(request, "interactions/interaction_payload.html", context)


def _plain(text, media_type="text/plain"):
    # never a type that a browser would run: what is inside was written by strangers
    return HttpResponse(
        text, content_type=f"{media_type}; charset=utf-8", headers={"X-Content-Type-Options": "nosniff"}
    )


def _curl(project, payload):
    """A call that logs the same record again, under a new id."""
    again = {"project": project.ref, **{name: value for name, value in payload.items() if name != "external_id"}}
    body = json.dumps(again, ensure_ascii=False).replace("'", "'\\''")
    return (
        f"curl {settings.ADDRESS}/api/v1/interactions \\\n"
        '  -H "Authorization: Bearer $MARGINALIA_API_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d '{body}'\n"
    )
