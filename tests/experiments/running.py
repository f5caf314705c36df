"""A/B tests for the pages' tests, made and filled the way the product does it."""

import datetime
import itertools

from experiments import services
from experiments.folding import settle
from experiments.models import ABTest
from feedback.models import FeedbackKey
from feedback.services import create_feedback_key
from interactions.ingest import ingest
from interactions.ingest.preferences import take_preferences
from projects.access import project_or_404
from registry.models import Model
from registry.services import resolve_models
from tests.factories import make_project, owner_of

MODELS = ("lake-8b", "ridge-70b", "fen-3b", "moor-1b")
UTC = datetime.UTC


def make_place(key=None):
    """A project with a key of a yes or no, one of a number, and four models, as its owner sees it."""
    project = make_project(key)
    create_feedback_key(team=project.team, key="helpful", name="Helpful", kind="bool", projects=[project])
    create_feedback_key(team=project.team, key="seconds", kind="scalar", lower_is_better=True, projects=[project])
    resolve_models(project=project, new=MODELS)
    return project_or_404(owner_of(project), project.key)


def make_test(project, key="dpo-against-sft", *, models=2, feedback="helpful", days_ago=0, by=None, **more):
    """A test of the first models, begun some days ago."""
    by = by or owner_of(project)
    asked = {"name": "dpo against sft", "planned_n": 60, "planned_days": 1, **more}
    test = services.create_test(
        project=project_or_404(by, project.key),
        by=by,
        key=key,
        feedback_key=FeedbackKey.objects.get(team=project.team_id, key=feedback),
        models=[Model.objects.get(team=project.team_id, key=name) for name in MODELS[:models]],
        **asked,
    )
    since = datetime.datetime.now(UTC) - datetime.timedelta(days=days_ago)
    ABTest.objects.filter(pk=test.pk).update(created_at=since, sequence_started_at=since)
    test.refresh_from_db()
    return test


def fill(test, *arms, days=3, who="person"):
    """Log traffic: of each arm (units, how many of them answered, how many of these well), spread over the last days.
    Returns the ids by arm."""
    now, records, keys = datetime.datetime.now(UTC), [], [arm.model.key for arm in test.arms.select_related("model")]
    value = bool if test.feedback_key.kind == "bool" else float
    for place, (units, answered, well) in enumerate(arms):
        for n in range(units):
            given = [{"feedback_key": test.feedback_key.key, "value": value(n < well)}] if n < answered else []
            at = now - datetime.timedelta(hours=1 + 24 * (n % days))
            records.append(
                {
                    "prompt": f"Question {n}",
                    "completion": f"Answer of {keys[place]}.",
                    "model": keys[place],
                    "ab_campaign": test.key,
                    "user": f"{who}-{place}-{n}",
                    "labels": {"intent": ("refund", "claim")[n % 2], "lang": ("en", "de", "fr")[n % 3]},
                    "feedbacks": given,
                    "latency_ms": 400 + 100 * place,
                    "created_at": at.isoformat(),
                }
            )
    outcomes = ingest(project=test.project, records=records, by=test.created_by)
    assert not [outcome.error for outcome in outcomes if outcome.error]
    settle()
    found = [outcome.id for outcome in outcomes]
    ends = list(itertools.accumulate([units for units, *_ in arms], initial=0))
    return [found[start:end] for start, end in itertools.pairwise(ends)]


def vote(test, ids, chances):
    """Each interaction of an arm against that of the next arm; the one with the larger chance wins, unless they are
    equal: then they tie."""
    votes = []
    for one, other in itertools.combinations(range(len(ids)), 2):
        for n, (a, b) in enumerate(zip(ids[one], ids[other], strict=False)):
            better, worse = (a, b) if (chances[one] > chances[other]) == (n % 4 > 0) else (b, a)
            tied = {"tied": "good"} if chances[one] == chances[other] else {}
            votes.append(
                {
                    "feedback_key": test.feedback_key.key,
                    "preferred_completion": str(better),
                    "other_completion": str(worse),
                    "user": f"judge-{n}",
                    **tied,
                }
            )
    outcomes = take_preferences(project=test.project, records=votes, by=test.created_by)
    assert not [outcome.error for outcome in outcomes if outcome.error]
    settle()
