"""A test's page: what its figures say at this moment, why, and what may be done about it."""

from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.permissions import DEPLOY
from experiments.forms import DecideForm
from experiments.models import JudgedBy, State
from experiments.report import report
from experiments.views.drawn import drawn, pairs_address
from experiments.views.gate import may, status, test_for
from experiments.views.watched import watched_rows
from feedback.rollups import comparisons
from registry.services import default_serves


@require_safe
@vary_on_headers("HX-Request", "HX-History-Restore-Request")
def ab_test_detail(request, project, test):
    """The page; its figures alone for htmx, which asks for them every few seconds while the test runs."""
    project, test = test_for(request, project, test)
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "experiments/_live.html", {**_context(project, test), "live": True})
    return page(request, project, test)


def page(request, project, test, form=None):
    """The whole page, with a decision that was refused in its `form`."""
    context = _context(project, test)
    if DEPLOY in project.permissions and not context["is_over"]:
        arms, best = context["arms"], context["drawn"].leader
        context["form"] = form or DecideForm(arms=arms, initial={"winner": best.reported.letter if best else ""})
    context["refused"] = form if context["is_over"] else None
    return render(request, "experiments/ab_test_detail.html", context, status=422 if form else 200)


def _context(project, test):
    found = report(test)
    test = found.test
    one, other = (arm.model.key for arm in found.arms[:2])
    has_pairs = bool(comparisons(project).get(test.feedback_key_id))
    return {
        "project": project,
        "nav": "ab_tests",
        "test": test,
        "report": found,
        "arms": [arm.arm for arm in found.arms],
        "drawn": drawn(project, found),
        "watched": watched_rows(project, found),
        "decision": found.decision,
        "is_over": test.state in {State.DONE, State.CANCELLED},
        "status": status(test),
        "pairs": pairs_address(project, test, other, one) if has_pairs else "",
        "n_gates": sum(gate.applies for gate in found.gates),
        "default_serves": _default_serves(project, test, found),
        "by_preference": test.judged_by == JudgedBy.PREFERENCE,
        **may(project),
    }


def _default_serves(project, test, found):
    """Whether who meets no arm is answered; asked where the page says what becomes of them."""
    return default_serves(project) if test.paused_at or any(arm.off for arm in found.arms) else True
