"""Looking at a test's figures: what they say is kept as an Evaluation, and may end the test."""

import logging

from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.permissions import DEPLOY
from experiments import folding
from experiments.due import due
from experiments.figures import gates_told, judged
from experiments.gates import all_hold
from experiments.models import RUNNING, ABTest, Evaluation, Event
from experiments.services import decide
from interactions.rules import Conflict
from projects.access import project_or_404

logger = logging.getLogger(__name__)


def evaluate(test):
    """A new Evaluation of a running test, from what is counted at this moment; Conflict where the test is over."""
    folding.settle()
    test.refresh_from_db()
    if test.state not in RUNNING:
        raise Conflict(f"{test.key} is over: its figures stay what they are.")
    return _keep(judged(test, is_evaluation=True))


def _keep(found):
    return Evaluation.objects.create(
        test=found.test,
        sequence=found.test.sequence,
        figures=found.figures,
        gates=gates_told(found.gates),
        leader=None if found.leader is None else found.arms[found.leader],
    )


def evaluate_due():
    """Evaluate every test that has something new to say, and decide those that may decide themselves; how many were
    looked at."""
    found = due()
    for test in ABTest.objects.filter(pk__in=found).select_related("project__team", "feedback_key", "created_by"):
        try:
            _look_at(test)
        except (ArithmeticError, ValueError):  # one whose figures no arithmetic takes leaves the others their turn
            logger.exception("The A/B test %s could not be evaluated", test.key)
    return len(found)


def _look_at(test):
    found = judged(test, is_evaluation=True)
    _keep(found)
    if test.auto_deploy and not test.paused_at and all_hold(found.gates):
        _deploy(found)


def _deploy(found):
    """All gates held twice: the worker decides, as who made the test had wanted, if she may still."""
    test, winner = found.test, found.arms[found.leader]
    try:
        project_or_404(test.created_by, str(test.project.uid), DEPLOY)
        decide(test=test, winner=winner, reason=f"{found.verdict.headline}. {found.verdict.text}", by=None)
    except (PermissionDenied, Http404):
        _tell_once(test, f"Not deployed: {test.created_by.name} may no longer make a model the default.")
    except Conflict as error:
        _tell_once(test, f"Not deployed: {error}")


def _tell_once(test, text):
    if not Event.objects.filter(test=test, text=text[:500]).exists():
        Event.objects.create(test=test, text=text[:500])
