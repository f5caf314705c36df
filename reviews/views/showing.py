"""What a reviewer sees of an item: the chat or the pair, the questions, and what others said where that is shown."""

from dataclasses import dataclass

from django.urls import reverse

from accounts.models import User
from interactions.differences import mark
from interactions.messages import blobs_of, calls_of
from interactions.models import Interaction
from interactions.rendering import markdown
from interactions.transcript import BUDGET, Transcript
from reviews.checks import stamp_of
from reviews.models import Kind, Review, State
from reviews.questions import PAIR, SIDES, in_order, options_of, plain
from reviews.reading import others, shows
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


@dataclass
class Said:
    """What a person said of an item: `told` are (question, answer in words); `aside` is what else there is to know."""

    by: User
    told: list
    comment: str
    aside: str = ""
    review: Review | None = None  # of what a lead may answer


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
        "others": [_said(other, review) for other in others(review)],
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
    return {"interaction": interaction, "transcript": _transcripts(project, [interaction], raw)[0]}


def pair_context(project, review, found, raw):
    pair = found[::-1] if review.swapped else found
    both = [Side(*one) for one in zip("AB", pair, _transcripts(project, pair, raw), strict=True)]
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


def _transcripts(project, rows, raw):
    """As people read them, the pictures of all looked up in one go."""
    blobs = blobs_of(project, [message for row in rows for message in row.body.messages])

    def address(sha256):
        return reverse("blob", kwargs={"project_id": project.uid, "sha256": sha256})

    return [
        Transcript(
            row.body.messages,
            row.body.completion,
            address=address,
            blobs=blobs,
            calls=calls_of(row.body),
            raw=raw,
            budget=BUDGET // len(rows),
        )  # fmt: skip
        for row in rows
    ]


def said_of(item, user):
    """[Said] of all who began the item, for this person, who manages its queue; A and B of a pair as the queue has
    them. What the queue is still blind to is told to be there."""
    rows = Review.objects.filter(item=item).exclude(state=State.PENDING).select_related("by", "form", "replied_by")
    found, plain_one = [], Review(item=item)
    for review in rows.order_by("ended_at", "pk"):
        review.item = item
        said = _said(review, plain_one) if shows(review, user) else Said(review.by, [], "")
        aside = ["Decided" if review.decides else review.get_state_display()]
        aside += ["asks a lead"] if review.asks_lead else []
        aside += [] if shows(review, user) else ["shown once all answers are in"]
        said.aside, said.review = ", ".join(aside), review
        found.append(said)
    return found


def _said(other, review):
    """The Said of another's review; of a pair, A and B as this reader has them."""
    told = []
    for question in other.form.questions:
        if question["key"] in other.answers:
            answer = plain(question, other.answers[question["key"]], other.swapped)
            told.append((question["text"], in_words(question, plain(question, answer, review.swapped))))
    return Said(other.by, told, other.comment)


def in_words(question, answer):
    """An answer as people say it."""
    if question["kind"] == PAIR:
        return SIDES.get(answer, str(answer))
    names = {str(option["value"]): option["name"] for option in options_of(question)}
    given = in_order(question, answer) if isinstance(answer, list) else [answer]
    return ", ".join(names.get(str(one), str(one)) for one in given) or "none"
