"""Queues for the pages' tests, made and filled the way the product does it."""

from jobs.work import run_job
from reviews import tasks
from reviews.filling import fill
from reviews.models import Item
from reviews.services import create_queue
from tests.factories import owner_of

THREE = [
    {
        "key": "accurate",
        "kind": "single",
        "text": "Accurate against the policy?",
        "options": [
            {"value": "yes", "name": "Accurate"},
            {"value": "slip", "name": "Minor slip", "hint": "no effect on the claim"},
            {"value": "wrong", "name": "Wrong", "hint": "would mislead"},
        ],
        "defect": ["wrong"],
    },
    {"key": "tone", "kind": "scale", "text": "Tone", "hint": "1 curt, 5 kind and plain"},
    {
        "key": "flags",
        "kind": "several",
        "text": "Flags",
        "required": False,
        "options": ["promises payment", "ignores an image or document"],
    },
]
PAIR = [
    {"key": "better", "kind": "pair", "text": "Which answer is better?"},
    {
        "key": "why",
        "kind": "several",
        "text": "Why?",
        "required": False,
        "options": ["more accurate", "names the limits", "clearer", "shorter"],
    },
]
GUIDELINE = """- **Accurate** means each amount and limit agrees with the policy result of the tool call.
- Mark **promises payment** if a reader could take the answer as a decision.
- Images: judge only what a careful person could see."""


def make_queue(project, key="audit", *, query="", by=None, questions=THREE, **more):
    """A queue with all that the query finds, oldest asked first; of pairs with `kind`."""
    by = by or owner_of(project)
    queue = create_queue(
        project=project,
        key=key,
        name=more.pop("name", "Water damage audit"),
        by=by,
        questions=questions,
        guideline=GUIDELINE,
        **more,
    )
    if query is not None:
        _, job = fill(queue=queue, query=query, by=by)
        run_job(tasks.fill.func.__wrapped__, job.pk)
        job.refresh_from_db()
        assert job.state == "done", job.error
    return queue


def make_pairs(project, key="pairs", **more):
    """A queue of the one pair that the two make."""
    return make_queue(project, key, kind="pair", questions=PAIR, name="Blind comparison", **more)


def items_of(queue):
    return list(Item.objects.filter(queue=queue).order_by("place", "pk"))
