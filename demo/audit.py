"""The demo's review queue: answers that wait for an audit by two people, which both colleagues have begun."""

from random import Random

from reviews.desk import next_review, submit
from reviews.placing import next_place, put_in
from reviews.services import create_queue

ITEMS = 40
ANSWERED = 18, 14  # by the one and by the other colleague
AGREE = 0.85  # how often a colleague sees what there is to see
GUIDELINE = """Read the answer as the member would, beside the house rules.

- **Wrong** is what would cost somebody money, a deadline or a trip for nothing.
- A **slip** is what you would mend before it goes out, and nobody would notice.
- Pictures: judge what a careful person could see in them."""
QUESTIONS = [
    {
        "key": "accurate",
        "kind": "single",
        "text": "Accurate against the house rules?",
        "options": [
            {"value": "yes", "name": "Accurate"},
            {"value": "slip", "name": "Slip", "hint": "nobody would notice"},
            {"value": "wrong", "name": "Wrong", "hint": "would mislead"},
        ],
        "defect": ["wrong"],
        "writes": {"label": "verdict"},
    },
    {"key": "tone", "kind": "scale", "text": "Tone", "hint": "1 curt, 5 warm and plain"},
    {
        "key": "flags",
        "kind": "several",
        "text": "What is the matter?",
        "required": False,
        "options": ["promises a date", "leaves out the fee", "ignores a picture"],
    },
]


def begin(project, kept, *, by, colleagues):
    """The queue with the newest that ask for an audit; kept: [(interaction id, its record)]."""
    rng, records = Random("audit"), dict(kept)
    asked = [one for one, record in kept if "needs-audit" in record["labels"]][-ITEMS:]
    queue = create_queue(
        project=project, by=by, name="House rules audit", reviewers=2, guideline=GUIDELINE, questions=QUESTIONS
    )
    put_in(queue, [(one,) for one in asked], next_place(queue))
    for colleague, many in zip(colleagues, ANSWERED, strict=True):
        for _ in range(many):
            review = next_review(queue, colleague)
            answers = _answers(rng, records[review.item.interaction_id])
            submit(review=review, answers=answers, seconds=round(rng.uniform(18, 95), 1))


def _answers(rng, record):
    is_flawed = "flaw" in record["labels"] or record["labels"].get("tone") == "curt"
    seen = "wrong" if is_flawed else "yes"
    accurate = seen if rng.random() < AGREE else "slip"
    answers = {"accurate": accurate, "tone": rng.choice([2, 3, 3] if is_flawed else [4, 4, 5])}
    return answers | ({"flags": ["leaves out the fee"]} if accurate == "slip" else {})
