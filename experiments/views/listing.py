"""The A/B tests of a project: in which state each is, how far, and what it says so far."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import F, Prefetch
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from experiments.models import RUNNING, ABTest, Arm, Evaluation, State
from experiments.views import drawing
from experiments.views.gate import may, status
from projects.access import project_or_404

SHOWN = 50
STATES = [
    ("", "All"),
    ("running", "Running"),
    ("paused", "Paused"),
    ("decided", "Decided"),
    ("cancelled", "Cancelled"),
]


@dataclass
class Row:
    """A test as the list shows it, from its last evaluation."""

    test: ABTest
    arms: list
    last: Evaluation | None
    decision: object

    @property
    def status(self):
        return status(self.test)

    @property
    def days(self):
        """How many days its sequence ran."""
        return self.test.ran_for(self.test.ended_at or timezone.now()).days

    @property
    def least(self):
        """Units with a value in the arm that has the fewest."""
        counts = [_counted(one) for one in (self.last.figures.get("arms") or [])] if self.last else []
        return min(counts, default=0)

    @property
    def is_planned(self):
        """Whether its planned days are not over yet."""
        return self.days + 1 <= self.test.planned_days

    @property
    def reached(self):
        """The part of the planned units, at most all of them."""
        return min(self.least, self.test.planned_n)

    @property
    def held(self):
        """(gates that hold, all that apply) of the last evaluation."""
        gates = [gate for gate in self.last.gates if gate.get("applies", True)] if self.last else []
        return sum(1 for gate in gates if gate.get("holds")), len(gates)

    @property
    def verdict(self):
        """What it says, in a few words."""
        if self.decision:
            return f"{self.decision.winner.letter} won" if self.decision.winner else "No winner"
        if self.test.state == State.CANCELLED:
            return "Ended without a decision"
        gates = {gate["key"]: gate for gate in self.last.gates} if self.last else {}
        bound = gates.get("bound", {})
        if bound.get("arm") is None:
            return "Not enough yet"
        if gates["ratio"]["holds"] is False:
            return "The traffic does not match the split"
        letter = self.arms[bound["arm"]][0].letter
        return f"{letter} is better" if bound["holds"] else f"{letter} is ahead, not for certain"


def _counted(arm):
    """Units with a value, of an arm of stored figures."""
    return int(arm.get("n") or arm.get("answered") or 0)


@require_safe
def ab_test_list(request, project):
    """All tests, the newest first, 50 a page."""
    project = project_or_404(request.user, project)
    state, before = request.GET.get("state", ""), request.GET.get("before", "")
    state = state if state in dict(STATES) else ""
    tests = _wanted(project, state)
    if before.isdecimal() and len(before) < 10:
        tests = tests.filter(pk__lt=int(before))
    found = list(tests[: SHOWN + 1])
    shown = found[:SHOWN]
    here = reverse("ab_test_list", kwargs={"project": project.ref})
    context = {
        "project": project,
        "nav": "ab_tests",
        "rows": _rows(shown),
        "state": state,
        "states": [(name, _address(here, state=word), word == state) for word, name in STATES],
        "newest": _address(here, state=state) if before else "",
        "older": _address(here, state=state, before=shown[-1].pk) if len(found) > SHOWN else "",
        **may(project),
    }
    return render(request, "experiments/ab_test_list.html", context)


def _address(here, **words):
    asked = urlencode({name: value for name, value in words.items() if value})
    return f"{here}?{asked}" if asked else here


def _wanted(project, state):
    """The project's tests in this state, with what a row shows of them."""
    tests = ABTest.objects.filter(project=project)
    if state == "running":
        tests = tests.filter(state__in=RUNNING, paused_at=None)
    elif state == "paused":
        tests = tests.filter(state__in=RUNNING).exclude(paused_at=None)
    elif state:
        tests = tests.filter(state=State.DONE if state == "decided" else State.CANCELLED)
    arms = Prefetch("arms", Arm.objects.select_related("model"))
    return tests.select_related("feedback_key", "decision__winner").prefetch_related(arms).order_by("-pk")


def _rows(tests):
    """The Rows, each with the newest evaluation of its sequence."""
    newest = (
        Evaluation.objects.filter(test__in=tests, sequence=F("test__sequence"))
        .order_by("test", "-at", "-pk")
        .distinct("test")
    )
    last = {one.test_id: one for one in newest}
    return [
        Row(
            test,
            [(arm, drawing.colour(arm.position)) for arm in test.arms.all()],
            last.get(test.pk),
            getattr(test, "decision", None),
        )
        for test in tests
    ]
