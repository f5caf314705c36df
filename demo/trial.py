"""The demo's A/B test, begun and counted the way the product does it."""

import datetime

from demo.arms import ARMS, KEY, SHARE
from experiments.evaluating import evaluate
from experiments.models import ABTest, Event
from experiments.services import create_test
from registry.models import Model
from registry.services import resolve_models

BEFORE = datetime.timedelta(hours=2)  # that it was begun before its first interaction


def begin(project, key, *, by, records, watched):
    """Begin the test as long ago as the records ask for it; the product's own clock knows no such time."""
    models = resolve_models(project=project, new=ARMS)
    known = Model.objects.in_bulk(models.values())
    test = create_test(
        project=project,
        by=by,
        key=KEY,
        name="dpo-2 against dpo",
        feedback_key=key,
        models=[known[models[name]] for name in ARMS],
        traffic_split=SHARE,
        planned_n=200,
        planned_days=14,
        watched=[(one, None) for one in watched],
    )
    first = next((record["created_at"] for record in records if "ab_campaign" in record), records[0]["created_at"])
    began = datetime.datetime.fromisoformat(first) - BEFORE
    ABTest.objects.filter(pk=test.pk).update(created_at=began, sequence_started_at=began)
    Event.objects.filter(test=test).update(at=began)
    return test


def look(test):
    """Count what came, and keep what it says, as the worker would within the next minute."""
    evaluate(test)
    Event.objects.filter(test=test, by=None).update(at=test.sequence_started_at + 2 * BEFORE)
