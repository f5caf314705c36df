"""What running tests use of their project, for those who would take it away."""

from django.db import transaction

from experiments.models import RUNNING, ABTest, Arm
from feedback.services import unlink_feedback_key
from interactions.rules import Conflict
from projects.models import Project


def arms_by_model(project):
    """{model id: the Arms of running tests whose units this model answers, each with its `.test`}. One query."""
    found = {}
    arms = Arm.objects.filter(test__project=project, test__state__in=RUNNING).select_related("test")
    for arm in arms.order_by("test_id", "position"):
        found.setdefault(arm.model_id, []).append(arm)
    return found


@transaction.atomic
def unlink_key(*, project, key, by=None):
    """The project no longer uses the FeedbackKey (feedback.services). Conflict while a running test is judged by it, or
    watches it: nothing could be given any more, and the test would wait for ever, or see nothing."""
    Project.objects.lock(project)  # as the beginning of a test does
    running = ABTest.objects.filter(project=project, state__in=RUNNING).order_by("pk")
    if test := running.filter(feedback_key=key).first():
        raise Conflict(f"The A/B test {test.key} is judged by {key.key}: end it first, or keep the key.")
    if test := running.filter(watched_keys__feedback_key=key).first():
        raise Conflict(f"The A/B test {test.key} watches {key.key}: end it first, or keep the key.")
    unlink_feedback_key(project=project, key=key, by=by)
