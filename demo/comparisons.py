"""Which of two answers to one question is better: a grader's votes and two colleagues', and the better answers that
the reviewer wrote where one of the two was bad."""

import itertools
from collections import defaultdict
from random import Random

from demo.voices import VOICES
from feedback.corrections import correct_completion
from interactions.ingest.preferences import take_preferences
from interactions.models import Interaction

VOTES, MENDED = 420, 6
QUALITY = {voice.key: voice.quality for voice in VOICES}


def compare(project, kept, key, *, grader, reviewer, annotator):
    """Vote on pairs of answers to one question; kept: [(interaction id, its record)]."""
    rng = Random("two answers")
    pairs = rng.sample(list(_pairs(kept)), VOTES)
    votes = {by: [] for by in (grader, reviewer, annotator)}
    for left, right in pairs:
        by = rng.choices([grader, reviewer, annotator], [6, 3, 1])[0]
        origin = "grader" if by is grader else "reviewer"
        votes[by].append({"feedback_key": key, "origin": origin, **_vote(rng, left, right)})
    for by, cast in votes.items():
        outcomes = take_preferences(project=project, records=cast, by=by)
        if refused := [outcome.error for outcome in outcomes if outcome.error]:
            raise refused[0]
    _mend(pairs, reviewer)


def _pairs(kept):
    """Answers of two models to one question that was the first of its chat."""
    of_question = defaultdict(list)
    for id, record in kept:
        asked = [message["content"] for message in record["messages"] if message["role"] == "user"]
        if len(asked) == 1 and isinstance(asked[0], str):
            of_question[asked[0]].append((id, record))
    for answers in of_question.values():
        for pair in itertools.combinations(answers, 2):
            if all(pair[0][1][name] != pair[1][1][name] for name in ("model", "completion")):
                yield pair


def _vote(rng, *pair):
    """The better of the two is preferred more often than not; equal ones are tied, as good or as bad."""
    worth = [QUALITY[record["model"]] - (0.7 if _is_bad(record) else 0) + rng.gauss(0, 0.12) for _, record in pair]
    better = 0 if worth[0] >= worth[1] else 1
    vote = {"preferred_completion": str(pair[better][0]), "other_completion": str(pair[1 - better][0])}
    if abs(worth[0] - worth[1]) < 0.07:
        return vote | {"tied": "good" if max(worth) > 0.5 else "bad"}
    return vote


def _mend(pairs, reviewer):
    """The good answer to a question takes the place of a bad one to the same."""
    mends = {}
    for pair in pairs:
        bad, good = sorted(pair, key=lambda one: not _is_bad(one[1]))
        if _is_bad(bad[1]) and _was_helpful(good[1]):
            mends.setdefault(bad[0], good[1]["completion"])
    rows = Interaction.objects.select_related("project").in_bulk(list(mends)[:MENDED])
    for id, row in rows.items():
        correct_completion(interaction=row, completion=mends[id], by=reviewer)


def _was_helpful(record):
    return not _is_bad(record) and {"feedback_key": "helpful", "value": True} in record["feedbacks"]


def _is_bad(record):
    return "flaw" in record["labels"] or record["labels"].get("tone") == "curt"
