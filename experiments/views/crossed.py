"""The units that were seen in two arms of a test, with the way to what they said."""

from urllib.parse import urlencode

from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from experiments.crossed import SHOWN, crossed_units
from experiments.views.gate import test_for


@require_safe
def ab_test_crossed(request, project, test):
    """Who they are, in which arms and since when; each leads to its interactions."""
    project, test = test_for(request, project, test)
    found = crossed_units(test)
    context = {
        "project": project,
        "nav": "ab_tests",
        "test": test,
        "rows": [(unit, _behind(project, unit)) for unit in found or ()],
        "timed_out": found is None,
        "shown": SHOWN,
    }
    return render(request, "experiments/ab_test_crossed.html", context)


def _behind(project, unit):
    """Where its interactions are read, or nothing where nobody knows who it is."""
    asked = {"user": unit.user} if unit.user else {"session": unit.session} if unit.session else {}
    table = reverse("interaction_list", kwargs={"project": project.ref})
    return f"{table}?{urlencode(asked)}" if asked else ""
