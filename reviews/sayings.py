"""What people said of an item, in words, for whoever may read it."""

from dataclasses import dataclass

from accounts.models import User
from reviews.models import Item, Review, State
from reviews.questions import PAIR, SIDES, in_order, options_of, plain
from reviews.reading import shows

NOT_YET = "shown once all answers are in"


@dataclass
class Said:
    """What a person said of an item: `told` are (question, answer in words); `aside` is what else there is to know."""

    by: User
    told: list
    comment: str
    aside: str = ""
    review: Review | None = None  # of what a lead may answer


@dataclass
class ItemSaid:
    """What is shown of an item where it is one of many, and what was `said` of it, [Said]."""

    item: Item
    said: list


def said_of(item, user):
    """[Said] of all who began the item, for this person, who manages or audits its queue; A and B of a pair as the
    queue has them. What the queue is still blind to is told to be there."""
    rows = Review.objects.filter(item=item).exclude(state=State.PENDING).select_related("by", "form", "replied_by")
    found = []
    for review in rows.order_by("ended_at", "pk"):
        review.item = item
        found.append(_told(review, shows(review, user)))
    return found


def said_by_item(reviews, user, *, aside):
    """[ItemSaid] of these Reviews (see reading.reviews_of), in their order; with what else there is to know `aside`, or
    of what is this person's alone."""
    found = {}
    for review in reviews:
        one = found.setdefault(review.item_id, ItemSaid(review.item, []))
        whole = aside or review.by_id == user.pk
        one.said.append(_told(review, review.shows) if whole else said_to(review, Review(item=review.item)))
    return list(found.values())


def _told(review, shown):
    said = said_to(review, Review(item=review.item)) if shown else Said(review.by, [], "")
    aside = ["Decided" if review.decides else review.get_state_display()]
    aside += ["asks a lead"] if review.asks_lead else []
    aside += [] if shown else [NOT_YET]
    said.aside, said.review = ", ".join(aside), review
    return said


def said_to(other, review):
    """The Said of another's review; of a pair, A and B as the reader, whose review this is, has them."""
    told = []
    for question in other.form.questions:
        if question["key"] in other.answers:
            answer = plain(question, other.answers[question["key"]], other.swapped)
            told.append((question["text"], in_words(question, plain(question, answer, review.swapped))))
    return Said(other.by, told, other.comment)


def plainly(review):
    """{question key: answer}, A of a pair being the item's first interaction whoever saw it where."""
    kinds = {question["key"]: question for question in review.form.questions}
    return {key: plain(kinds[key], one, review.swapped) for key, one in review.answers.items() if key in kinds}


def in_words(question, answer):
    """An answer as people say it."""
    if question["kind"] == PAIR:
        return SIDES.get(answer, str(answer))
    names = {str(option["value"]): option["name"] for option in options_of(question)}
    given = in_order(question, answer) if isinstance(answer, list) else [answer]
    return ", ".join(names.get(str(one), str(one)) for one in given) or "none"
