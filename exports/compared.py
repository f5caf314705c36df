"""What the interactions of a slice were compared with."""

from dataclasses import dataclass
from uuid import UUID

from exports.training import answer_of
from feedback.models import Outcome, Preference
from feedback.services import keys_of
from interactions.models import Interaction, InteractionBody


def preferences_of(project, rows, key=None):
    """The Preferences of these interactions, as their own sides tell them, oldest first: under one FeedbackKey, or all
    that the project uses."""
    keys = [key.pk] if key else [one.pk for one in keys_of(project).values()]
    rows = Preference.objects.filter(interaction_id__in=[row.pk for row in rows], feedback_key__in=keys)
    return rows.order_by("id")


@dataclass
class Met:
    """Another answer to the same prompt: by how much more often it lost than it won; its content's hash; the answer as
    a message, None where it is empty or nobody needs it."""

    net: int
    content_hash: UUID
    answer: dict | None = None


TIES = {Outcome.TIED: True, Outcome.TIED_GOOD: "good", Outcome.TIED_BAD: "bad"}


@dataclass
class Comparison:
    """One comparison: its Preference as the preferred side has it, with the hash of that side's prompt, and the other
    Interaction with its completion."""

    preference: Preference
    other: Interaction
    completion: str
    prompt_hash: UUID

    def record(self, completion, messages):
        """As POST /comparison/batch takes it: by texts, which are found or made wherever they are read; by the ids
        of this installation where texts cannot tell them: without a model, of two prompts, or the same text."""
        one, models = self.preference, (self.preference.model, self.other.model)
        told = {"feedback_key": one.feedback_key.key}
        own, other = str(one.interaction_id), str(one.other_id)
        if all(models) and self.other.prompt_hash == self.prompt_hash:
            both = zip(models, (completion, self.completion), strict=True)
            texts = [{"model": model.key, "text": text} for model, text in both]
            if texts[0] != texts[1]:
                told |= {"messages": messages}
                own, other = texts
        told |= {"preferred_completion": own, "other_completion": other}
        more = {"tied": TIES.get(one.outcome), "user": one.user, "external_id": one.external_id}
        return told | {name: value for name, value in more.items() if value} | {"origin": one.origin}


def comparisons_of(project, rows, key=None):
    """{interaction id: [Comparison]} of those that were preferred, or tied as the older one, oldest first."""
    hashes = {row.pk: row.prompt_hash for row in rows}
    sides = preferences_of(project, rows, key).exclude(outcome=Outcome.LOST)
    sides = [
        one for one in sides.select_related("feedback_key", "model")
        if one.outcome == Outcome.WON or one.interaction_id < one.other_id
    ]  # fmt: skip
    others = {one.other_id for one in sides}
    there = Interaction.objects.filter(project=project).select_related("model").in_bulk(others)
    said = dict(InteractionBody.objects.filter(pk__in=there).values_list("pk", "completion"))
    found = {}
    for one in sides:
        if one.other_id in said:
            told = Comparison(one, there[one.other_id], said[one.other_id], hashes[one.interaction_id])
            found.setdefault(one.interaction_id, []).append(told)
    return found


def met_by(project, rows, key=None):
    """{interaction id: [Met]} of those that won or lost against another answer to their prompt. Completions of
    different prompts are no pair."""
    nets, hashes = {}, {row.pk: row.prompt_hash for row in rows}
    decided = preferences_of(project, rows, key).filter(outcome__in=[Outcome.WON, Outcome.LOST])
    for own, other, outcome in decided.values_list("interaction_id", "other_id", "outcome"):
        of_own = nets.setdefault(own, {})
        of_own[other] = of_own.get(other, 0) + (1 if outcome == Outcome.WON else -1)
    others = Interaction.objects.filter(project=project, pk__in={other for of_own in nets.values() for other in of_own})
    others = {pk: rest for pk, *rest in others.values_list("pk", "prompt_hash", "content_hash")}
    beaten = {other for of_own in nets.values() for other, net in of_own.items() if net > 0 and other in others}
    bodies = InteractionBody.objects.filter(pk__in=beaten).only("completion", "envelope")
    answers = {body.pk: answer_of(body) for body in bodies}
    met = {}
    for own, of_own in nets.items():
        for other, net in of_own.items():
            if other in others and others[other][0] == hashes[own]:
                met.setdefault(own, []).append(Met(net, others[other][1], answers.get(other)))
    return met
