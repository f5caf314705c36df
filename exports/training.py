"""Interactions as examples to train with: chats that end in the answer, and pairs of a chosen and a rejected one."""

from feedback.models import Outcome, Preference
from feedback.services import keys_of
from interactions.models import Interaction, InteractionBody


def example(messages, answer):
    """{"messages": [...]}: the chat with its tool calls, and the answer as the assistant's last word."""
    return {"messages": [*map(_message, messages), _said(answer)]}


def pair(messages, chosen, rejected):
    """{"prompt", "chosen", "rejected"}, each a list of messages."""
    return {"prompt": list(map(_message, messages)), "chosen": [_said(chosen)], "rejected": [_said(rejected)]}


def pairs_of(project, rows):
    """{interaction id: [completions that it was preferred to]}, oldest comparison first, of the rows that have any.

    Only what both answered counts: two completions of different prompts are no pair. The same two completions make
    one pair, however often they were compared with this end.
    """
    hashes = {row.pk: row.prompt_hash for row in rows}
    won = Preference.objects.filter(
        interaction_id__in=list(hashes),
        outcome=Outcome.WON,
        feedback_key__in=[key.pk for key in keys_of(project).values()],
    )
    won = list(won.order_by("id").values_list("interaction_id", "other_id"))
    others = {other for _, other in won}
    asked = dict(Interaction.objects.filter(project=project, pk__in=others).values_list("pk", "prompt_hash"))
    said = dict(InteractionBody.objects.filter(pk__in=others).values_list("pk", "completion"))
    found = {}
    for own, other in won:
        if asked.get(other) == hashes[own] and other in said and said[other] not in found.setdefault(own, []):
            found[own].append(said[other])
    return {own: rejected for own, rejected in found.items() if rejected}


def _said(text):
    return {"role": "assistant", "content": text}


def _message(message):
    """With pictures in the one spelling that OpenAI takes: an object that holds the address."""
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = [
        {**part, "image_url": {"url": part["image_url"]}}
        if part.get("type") == "image_url" and isinstance(part["image_url"], str)
        else part
        for part in content
    ]
    return {**message, "content": parts}
