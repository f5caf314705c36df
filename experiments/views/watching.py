"""Watching another feedback key of a test that runs."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from experiments.forms import WatchForm
from experiments.views.gate import managed
from experiments.watched import watch_key
from interactions.rules import Conflict, RecordError

FIELDS = {"feedback_key": "watch_0", "margin": "margin_0"}  # of the service's faults


@require_http_methods(["GET", "HEAD", "POST"])
def ab_test_watch(request, project, test):
    """The key and its margin; what came before is counted in the background."""
    project, test = managed(request, project, test)
    named = test.watched_keys.values("feedback_key")
    keys = project.feedback_keys.exclude(pk=test.feedback_key_id).exclude(pk__in=named).order_by("name", "pk")
    form = WatchForm(request.POST or None, keys=keys)
    if form.is_valid():
        [(key, margin)] = form.watched()
        try:
            watch_key(test=test, by=request.user, feedback_key=key, margin=margin)
        except Conflict as fault:
            form.add_error(None, str(fault))
        except RecordError as fault:
            for path, texts in fault.fields.items():
                for text in texts:
                    form.add_error(FIELDS.get(path), text)
        else:
            messages.success(request, f"{key.name} is watched too. What came before is being counted.")
            return redirect("ab_test_detail", project=project.ref, test=test.key)
    context = {"project": project, "nav": "ab_tests", "test": test, "form": form}
    return render(request, "experiments/ab_test_watch.html", context, status=422 if form.errors else 200)
