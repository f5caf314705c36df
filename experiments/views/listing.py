"""The A/B tests of a project: in which state each is, how far, and what it says so far."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import F, Prefetch, Sum
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from experiments.figures import as_at_its_end, gates_read
from experiments.gates import headline
from experiments.models import RUNNING, ABTest, Arm, Cell, Evaluation, State
from experiments.statistics import JudgedArm, taking_part
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
    """A test as the list shows it: how far it is by what is counted, what it says by its last evaluation."""

    test: ABTest
    arms: list  # each with its .colour, .off, .units and .answered
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
        """Units with a value in the arm that has the fewest of those that take part."""
        return min((self.arms[place].answered for place in taking_part(self.arms)), default=0)

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
            won = f"{self.decision.winner.letter} won" if self.decision.winner else "No winner"
            return f"{won}, rolled back" if self.decision.rolled_back_at else won
        if self.test.state == State.CANCELLED:
            return "Ended without a decision"
        if self.last is None:
            return "Not looked at yet"
        return headline([JudgedArm(**arm) for arm in self.last.figures["arms"]], gates_read(self.last.gates))


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
    arms = Prefetch("arms", Arm.objects.with_off())
    return tests.select_related("feedback_key", "decision__winner").prefetch_related(arms).order_by("-pk")


def _rows(tests):
    """The Rows, each with the newest evaluation and the counts of its sequence."""
    newest = (
        Evaluation.objects.filter(test__in=tests, sequence=F("test__sequence"))
        .order_by("test", "-at", "-pk")
        .distinct("test")
    )
    last = {one.test_id: one for one in newest}
    cells = Cell.objects.filter(test__in=tests, sequence=F("test__sequence")).values_list("arm")
    counts = {arm: known for arm, *known in cells.annotate(Sum("units"), Sum("answered"))}
    return [_row(test, last.get(test.pk), counts) for test in tests]


def _row(test, last, counts):
    arms, decision = list(test.arms.all()), getattr(test, "decision", None)
    if test.ended_at:
        arms = as_at_its_end(arms, decision or last)
    for arm in arms:
        arm.units, arm.answered = counts.get(arm.pk, (0, 0))
        arm.colour = drawing.colour(arm.position)
    return Row(test, arms, last, decision)
