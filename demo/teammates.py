"""The work of two colleagues on the demo: labels and feedback that people set, with their history."""

from random import Random

from feedback.giving import give_feedback
from feedback.models import Origin
from interactions.labels import remove_labels, set_labels
from interactions.models import Interaction

REVIEWED, GOLD, WARM, CORRECTED = 36, 24, 18, 9
NOTES = {
    True: ["Read against the house rules: fine.", "Correct, and kindly said.", "Fee and deadline are right."],
    False: [
        "No source for this in the house rules.",
        "Must not go out like this.",
        "Wrong, the handbook says otherwise.",
    ],
}


def review(project, kept, *, reviewer, annotator, accurate):
    """Audit some of what asked for it, mark good ones, correct a few; kept: [(interaction id, its record)]."""
    rng = Random("teammates")
    _audit(rng, project, kept, reviewer, accurate)
    praised = [id for id, record in kept if _stars(record) == 5 and len(record["completion"]) > 250]
    _label(project, rng.sample(praised, GOLD), "gold", "yes", reviewer)
    _label(project, rng.sample(praised, WARM), "tone", "warm", annotator)
    billing = [
        id for id, record in kept if record["labels"]["intent"] == "billing" and "instalments" in record["completion"]
    ]
    _label(project, billing[-CORRECTED:], "intent", "payment", annotator)


def _audit(rng, project, kept, reviewer, accurate):
    """The reviewer works off the older half of the audits: a verdict, a note, and the request is gone."""
    asked = [(id, record) for id, record in kept if "needs-audit" in record["labels"]]
    audited = rng.sample(asked[: len(asked) // 2], REVIEWED)
    failed = {id for id, record in audited if "flaw" in record["labels"] or record["labels"].get("tone") == "curt"}
    _label(project, failed, "audit", "failed", reviewer)
    _label(project, {id for id, _ in audited} - failed, "audit", "passed", reviewer)
    remove_labels(project=project, ids=[id for id, _ in audited], key="needs-audit", by=reviewer)
    rows = Interaction.objects.in_bulk([id for id, _ in audited])
    for id, _ in audited:
        passed = id not in failed
        give_feedback(
            interaction=rows[id], key=accurate, value=passed, by=reviewer, details=rng.choice(NOTES[passed]),
            origin=Origin.REVIEWER,
        )  # fmt: skip


def _label(project, ids, key, value, by):
    set_labels(project=project, ids=list(ids), key=key, value=value, by=by)


def _stars(record):
    return next((given["value"] for given in record["feedbacks"] if given["feedback_key"] == "csat"), None)
