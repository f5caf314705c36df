"""Comparisons in tests: sending them, and counting them anew from the rows."""

import json
from collections import Counter, defaultdict

from feedback.models import Outcome, PairDelta, PairRollup, Preference
from feedback.rollups import pairs
from feedback.services import create_feedback_key
from interactions.models import Interaction, Source
from tests.interactions.batch import NDJSON, ndjson
from tests.interactions.stored import stored

MIRROR = {Outcome.WON: Outcome.LOST, Outcome.LOST: Outcome.WON}


def make_key(project, key="better", kind="bool"):
    return create_feedback_key(team=project.team, key=key, kind=kind, projects=[project])[0]


def text(model, said):
    return {"model": model, "text": said}


def by_texts(preferred, other, **more):
    """A preference of two completions of one prompt."""
    return {
        "feedback_key": "better",
        "prompt": "Q",
        "preferred_completion": preferred,
        "other_completion": other,
    } | more


def by_ids(preferred, other, **more):
    return {
        "feedback_key": "better", "preferred_completion": str(preferred), "other_completion": str(other),
    } | more  # fmt: skip


def send_comparisons(api, project, raw, *, content_type=NDJSON, **headers):
    """(status, the answer) of a batch; `raw` is bytes, or preferences to be sent as lines."""
    raw = raw if isinstance(raw, bytes) else ndjson(raw)
    answer = api.post(f"comparison/batch?project={project.key}", raw=raw, content_type=content_type, **headers)
    return answer.status_code, json.loads(answer.getvalue() if answer.streaming else answer.content)


def everything():
    """What lies in the store, by table."""
    return stored() | {"pairs": PairDelta.objects.count() + PairRollup.objects.count()}


def recounted(project, key):
    """What the roll-up must hold, from the rows of comparisons alone; fails where the two sides do not fit."""
    sides = defaultdict(list)
    for row in Preference.objects.filter(project=project, feedback_key=key):
        sides[row.id].append(row)
    sources = dict(Interaction.objects.values_list("pk", "source"))
    counts = Counter()
    for one, other in sides.values():
        assert (one.interaction_id, one.other_id) == (other.other_id, other.interaction_id)
        assert (one.model_id, one.other_model_id) == (other.other_model_id, other.model_id)
        assert one.outcome == MIRROR.get(Outcome(other.outcome), other.outcome)
        assert one.external_id == other.external_id
        if Source.SIMULATION in {sources[one.interaction_id], sources[other.interaction_id]}:
            continue
        if (one.model_id or 0) > (other.model_id or 0) or (one.model_id == other.model_id and one.outcome == "lost"):
            one = other
        counts[one.model_id or 0, one.other_model_id or 0, one.outcome] += 1
    return dict(counts)


def assert_counted(project, key):
    assert pairs(project, key) == recounted(project, key)
