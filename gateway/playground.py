"""What the playground asks of the core: the models to choose from, a stored prompt to be written anew, and votes."""

from dataclasses import dataclass
from itertools import combinations

from django.core.exceptions import PermissionDenied
from django.db import transaction

from feedback.models import Origin, Outcome, Preference
from feedback.preferences import NewPreference, insert_preferences, withdraw_preference
from interactions import ids
from interactions.models import Hold, Interaction, Source
from interactions.rules import Conflict
from projects.access import EntityNotFound
from registry.kinds import PRESETS
from registry.models import Capability
from registry.services import attached

MOST_SIDES = 4
MOST_WRITTEN = 100_000  # characters in a field of the page; a longer text is sent again as it was
BEST, TIE, BAD = "best", "tie", "bad"
HELD = "One of these answers is under a legal hold: your vote on it stays until that is released."
TIES = {TIE: Outcome.TIED, BAD: Outcome.TIED_BAD}


def callable_models(project):
    """The project's Attachments whose models a provider serves, answer in text and are wanted online; the default
    first, then by name. `.length` is the name under which the provider takes the most tokens."""
    found = [
        one
        for one in attached(project)
        if one.desired_online and one.model.provider_id and Capability.TEXT in one.model.capabilities
    ]
    for one in found:
        one.length = PRESETS[one.model.provider.kind].length
    return found


# -- a stored prompt ------------------------------------------------------------------------------
@dataclass(frozen=True)
class Prompt:
    """Messages taken apart: `system` and `user` are texts to be written anew, `before` lies between them and is sent
    as it was, like all of the user's message `last` (None: there is none) but its text."""

    system: str = ""
    before: tuple = ()
    last: dict | None = None
    user: str = ""


def prompt_of(messages):
    """The Prompt of stored messages. What does not fit into a field stays in `before`."""
    rest, system, last = list(messages), "", None
    if rest and rest[0]["role"] == "system" and isinstance(rest[0].get("content"), str) and _is_plain(rest[0]):
        system = rest.pop(0)["content"]
    if rest and rest[-1]["role"] == "user" and len(_texts(rest[-1])) <= 1 and _fits(rest[-1]):
        last = rest.pop()
    return Prompt(system, tuple(rest), last, "".join(_texts(last)) if last else "")


def _is_plain(message):
    return message.keys() <= {"role", "content"} and _fits(message)


def _fits(message):
    return sum(map(len, _texts(message))) <= MOST_WRITTEN


def _texts(message):
    """The texts of a message, one for each part that is one."""
    content = message.get("content")
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in content or () if part["type"] == "text"]


def in_openai_form(message):
    """The message with each picture's address inside an object, where some programs send it alone."""
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = [
        {**part, "image_url": {"url": part["image_url"]}}
        if part["type"] == "image_url" and isinstance(part["image_url"], str)
        else part
        for part in content
    ]
    return {**message, "content": parts}


# -- votes ----------------------------------------------------------------------------------------
@transaction.atomic
def vote(*, project, key, verdict, answers, best, by):
    """Write down what `by` says of two to four answers (interaction ids) to one prompt, under the feedback key.

    BEST: the answer `best` over each of the others. TIE and BAD: each pair tied, with BAD because all are bad. Answers
    the (interaction id, preference id) of what was written. ValueError for what is no vote; EntityNotFound for what is
    no answer of this project's playground; Conflict where she has voted on a pair of them under the key already.
    """
    answers = list(dict.fromkeys(answers))
    if not 2 <= len(answers) <= MOST_SIDES:
        raise ValueError(f"A vote is between 2 and {MOST_SIDES} answers; send that many different ones.")
    if verdict == BEST and best not in answers:
        raise ValueError("The best one must be one of the answers.")
    if verdict != BEST and verdict not in TIES:
        raise ValueError(f"Send {BEST}, {TIE} or {BAD} as the verdict.")
    _check_prompt(answers, _locked(project, answers))
    if Preference.objects.filter(interaction_id__in=answers, other_id__in=answers, feedback_key=key, by=by).exists():
        raise Conflict(f"You have voted on these answers under {key.name} already.")
    rows = [
        NewPreference(ids.make(ids.now()), key, first, second, TIES.get(verdict, Outcome.WON))
        for first, second in _pairs(answers, best if verdict == BEST else None)
    ]
    insert_preferences(project=project, rows=rows, by=by)
    return [(row.preferred_id, row.id) for row in rows]


def _pairs(answers, best):
    if best is None:
        return list(combinations(answers, 2))
    return [(best, other) for other in answers if other != best]


def _locked(project, answers):
    """{id: hash of the prompt} of those that are answers of the playground. Who votes on the same ones, takes a vote
    back or holds them waits here."""
    rows = Interaction.objects.select_for_update(of=("self",)).filter(
        project=project, source=Source.PLAYGROUND, pk__in=answers
    )
    return dict(rows.order_by("pk").values_list("pk", "prompt_hash"))


def _check_prompt(answers, prompts):
    if missing := [one for one in answers if one not in prompts]:
        raise EntityNotFound("Interaction", missing[0])
    if len(set(prompts.values())) > 1:
        raise ValueError("These answer different prompts; vote on answers to one.")


@transaction.atomic
def take_back(*, project, votes, by):
    """Withdraw what `vote` wrote, (interaction id, preference id) of each. Only what `by` said here; how many it were.
    PermissionDenied, and all stay, where an answer is under a legal hold, which keeps what belongs to it."""
    hers = Preference.objects.filter(project=project, by=by, external_id=None, origin=Origin.USER)
    said = [row for one, pk in sorted(set(votes)) if (row := hers.filter(interaction_id=one, id=pk).first())]
    answers = _locked(project, {one for row in said for one in (row.interaction_id, row.other_id)})
    if Hold.objects.filter(interaction_id__in=answers, released_at=None).exists():
        raise PermissionDenied(HELD)
    said = [row for row in said if {row.interaction_id, row.other_id} <= answers.keys()]
    for row in said:
        withdraw_preference(project=project, interaction_id=row.interaction_id, preference_id=row.id)
    return len(said)
