"""Pausing, resuming and cancelling a test, and giving it another split."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from experiments import services
from experiments.forms import SplitForm
from experiments.models import Arm
from experiments.views.gate import managed
from interactions.rules import Conflict, RecordError

FIELDS = {"traffic_split": "split", "weights": "weight_0"}  # of the service's faults


@require_POST
def ab_test_pause(request, project, test):
    return _done(request, project, test, services.pause, "{} is paused: no unit meets an arm until it goes on.")


@require_POST
def ab_test_resume(request, project, test):
    return _done(request, project, test, services.resume, "{} goes on.")


@require_POST
def ab_test_cancel(request, project, test):
    return _done(request, project, test, services.cancel, "{} is cancelled. Its figures stay as they are.")


def _done(request, project, test, change, text):
    """Back to the test's page, with what came of it."""
    project, test = managed(request, project, test)
    try:
        change(test=test, by=request.user)
    except Conflict as fault:
        messages.error(request, str(fault))
    else:
        messages.success(request, text.format(test.name))
    return redirect("ab_test_detail", project=project.ref, test=test.key)


@require_http_methods(["GET", "HEAD", "POST"])
def ab_test_split(request, project, test):
    """Another share of the units; or other weights, with which the figures begin anew. The page says so before."""
    project, test = managed(request, project, test)
    arms = list(Arm.objects.filter(test=test).select_related("model"))
    form = SplitForm(request.POST or None, test=test, arms=arms)
    if form.is_valid():
        asked = {"weights": form.chosen(), "traffic_split": form.cleaned_data["split"]}
        try:
            changed = services.change_split(test=test, by=request.user, **asked)
        except Conflict as fault:
            form.add_error(None, str(fault))
        except RecordError as fault:
            for path, texts in fault.fields.items():
                name = FIELDS.get(path)
                for text in texts:
                    form.add_error(name, text)
        else:
            if changed.sequence > test.sequence:
                text = "The split is changed: the figures begin anew."
            elif changed.traffic_split != test.traffic_split:
                text = "The share is changed: who met an arm keeps it, and the figures go on."
            else:
                text = "That is its split: it goes on."
            messages.success(request, text)
            return redirect("ab_test_detail", project=project.ref, test=test.key)
    context = {
        "project": project,
        "nav": "ab_tests",
        "test": test,
        "form": form,
        "rows": list(zip(arms, form.weights, strict=True)),
        "free": min(1.0, services.free_share(project) + test.traffic_split),
    }
    return render(request, "experiments/ab_test_split.html", context, status=422 if form.errors else 200)
