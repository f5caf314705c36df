"""What a reviewer sees of an item: the chat or the pair, the questions, and what others said where that is shown."""

from dataclasses import dataclass

from django.urls import reverse

from interactions.differences import mark
from interactions.models import Interaction
from interactions.rendering import markdown
from interactions.transcript import Transcript
from interactions.transcripts import transcripts_of
from reviews.checks import stamp_of
from reviews.models import Kind, State
from reviews.questions import PAIR
from reviews.reading import others
from reviews.sayings import said_to
from reviews.views.asking import asked, submits_itself

DIFF_STEPS = 1_500_000  # about a fifth of a second
EARLIER = 1  # messages of a pair's prompt that are not folded away


@dataclass
class Side:
    """One of two answers; `pieces` are (whether only this side says it, the text, the white space behind)."""

    letter: str
    interaction: Interaction
    transcript: Transcript
    pieces: list | None = None

    @property
    def words(self):
        return len(self.interaction.body.completion.split())


def item_context(project, queue, review, *, raw=False, answers=None, faults=None):
    """What templates/reviews/_item.html takes: of None the card that tells that nothing is left."""
    context = {"project": project, "queue": queue, "review": review, "is_pair": queue.kind == Kind.PAIR}
    if review is None:
        return context
    found = _interactions(project, review.item)
    is_whole = all(found)
    questions = review.form.questions
    original = found[0].body.completion if is_whole else ""
    given = review.answers if answers is None else answers
    context |= {
        "is_whole": is_whole,
        "again": review.state in {State.SUBMITTED, State.SKIPPED},
        "second": review.item.submitted > 0 and not review.decides and queue.reviewers > 1,
        "asked": asked(questions, given, faults=faults, original=original),
        "auto": submits_itself(questions),
        "faults": faults,
        "raw": raw,
        "stamp": review.stamp if hasattr(review, "stamp") else stamp_of(review),
        "guideline": review.guideline,
        "guideline_html": markdown(review.guideline.text).html if review.guideline else "",
        "others": [said_to(other, review) for other in others(review)],
        **_addresses(project, queue, review, raw),
    }
    if is_whole:
        shows_pair = context["is_pair"]
        context |= pair_context(project, review, found, raw) if shows_pair else chat_context(project, found[0], raw)
    if context["is_pair"]:
        context["verdict"] = next((one for one in context["asked"] if one.kind == PAIR), None)
        context["asked"] = [one for one in context["asked"] if one is not context["verdict"]]
        context["hides_models"] = queue.blind and review.state != State.SUBMITTED
    return context


def _interactions(project, item):
    """The item's interactions with model and body; None in the place of one that was deleted."""
    ids = [one for one in (item.interaction_id, item.other_id) if one]
    rows = Interaction.objects.filter(project=project).select_related("model", "body").in_bulk(ids)
    return [rows.get(one) for one in ids]


def completion_of(project, item):
    """The completion that a correction is written beside; "" where it was deleted."""
    row = Interaction.objects.filter(project=project, pk=item.interaction_id).select_related("body").first()
    return row.body.completion if row else ""


def _addresses(project, queue, review, raw):
    where = {"project": project.ref, "queue": queue.key, "review_id": review.pk}
    here = reverse("desk_review", kwargs=where)
    return {
        "answer_address": here,
        "draft_address": reverse("desk_draft", kwargs=where),
        "hold_address": reverse("desk_hold", kwargs=where),
        "before_address": reverse("desk_before", kwargs=where),
        "raw_address": here if raw else f"{here}?raw=1",
    }


def chat_context(project, interaction, raw):
    return {"interaction": interaction, "transcript": transcripts_of(project, [interaction], raw=raw)[0]}


def pair_context(project, review, found, raw):
    pair = found[::-1] if review.swapped else found
    both = [Side(*one) for one in zip("AB", pair, transcripts_of(project, pair, raw=raw), strict=True)]
    compared = mark(both, most=DIFF_STEPS)
    turns = both[0].transcript.turns
    return {
        "sides": both,
        "compared": compared,
        "alike": compared and not any(only for side in both for only, *_ in side.pieces),
        "earlier": turns[:-EARLIER],
        "turns": turns[-EARLIER:],
        "other_prompt": [] if pair[0].body.messages == pair[1].body.messages else both[1].transcript.turns,
    }
