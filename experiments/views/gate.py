"""The way to a test: its project first, then what this person may do with it."""

from django.db.models import Exists, OuterRef

from accounts.permissions import DEPLOY, MANAGE_TESTS, READ
from experiments.models import ABTest, State
from feedback.models import ProjectFeedbackKey
from interactions.rules import text_fault
from projects.access import EntityNotFound, project_or_404


def test_for(request, project, test, permission=READ):
    """(project, test) of an address; 404 to strangers, 403 to those who may not do this. `test.has_key`: whether its
    feedback key is linked to the project still."""
    project = project_or_404(request.user, project, permission)
    found = None
    if not text_fault(test):
        linked = ProjectFeedbackKey.objects.filter(project=project, feedback_key=OuterRef("feedback_key"))
        tests = ABTest.objects.filter(project=project, key=test).annotate(has_key=Exists(linked))
        found = tests.select_related("feedback_key", "created_by").first()
    if found is None:
        raise EntityNotFound("A/B test", test)
    found.project = project
    return project, found


test_for.__test__ = False  # its name is no test of pytest's


def managed(request, project, test):
    return test_for(request, project, test, MANAGE_TESTS)


def decided(request, project, test):
    return test_for(request, project, test, DEPLOY)


def may(project):
    """What the person may do with tests, as the templates ask it."""
    may_manage = MANAGE_TESTS in project.permissions
    return {
        "may_manage": may_manage,
        "may_begin": may_manage and not project.archived_at,  # what takes no interactions tests nothing
        "may_deploy": DEPLOY in project.permissions,
    }


def status(test):
    """(the word for its state, the colour of its mark)"""
    if test.state in {State.WARMUP, State.IN_PROGRESS}:
        if test.paused_at:
            return "Paused", "wait"
        return ("Collecting", "wait") if test.state == State.WARMUP else ("Running", "on")
    return ("Decided", "") if test.state == State.DONE else ("Cancelled", "")
