"""A new test, with the planning calculator beside its form."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import MANAGE_TESTS
from experiments.forms import MOST_ARMS, ABTestForm
from experiments.models import MOST_KEYS, JudgedBy
from experiments.services import create_test, free_share
from experiments.views.gate import may
from experiments.views.planning import measured, shown
from feedback.services import keys_of
from interactions.rules import Conflict, RecordError
from projects.access import project_or_404
from registry.models import Attachment

ASKED = {"plan", "use", "arm", "watch"}  # what the form may be sent for, other than to make the test
FIELDS = {"traffic_split": "split", "models": "arm_0", "weights": "weight_0"}  # of the service's faults


@require_http_methods(["GET", "HEAD", "POST"])
def ab_test_create(request, project):
    """The form; `do` says whether to make the test, to plan, to take over what was planned, to add an arm
    or a key that is watched."""
    project = project_or_404(request.user, project, MANAGE_TESTS)
    asked = request.POST.get("do", "")
    form, lately = _form(request, project, asked), measured(project)
    if request.method == "POST" and asked not in ASKED and form.is_valid():
        test = _make(request, project, form)
        if test:
            messages.success(request, f"{test.name} runs. Its first figures come with the first traffic.")
            return redirect("ab_test_detail", project=project.ref, test=test.key)
    plan = shown(form, lately)
    if asked == "use" and plan.plan:
        taken = {"planned_n": plan.plan.answered_per_arm, "planned_days": plan.days}
        form = _form(request, project, asked, taken)
    return _page(request, project, form, plan, is_draft=asked in ASKED)


@require_POST
def ab_test_plan(request, project):
    """What the calculator says to the form as it stands; a part of the page."""
    project = project_or_404(request.user, project, MANAGE_TESTS)
    plan = shown(_form(request, project), measured(project))
    return render(request, "experiments/_plan.html", {"project": project, "plan": plan})


def _form(request, project, asked="", taken=None):
    """The form with what was sent, and what was `taken` over into it."""
    data = request.POST.copy() if request.method == "POST" else None
    rows, watching = 3, 1
    if data is not None:
        rows = sum(1 for place in range(MOST_ARMS) if f"arm_{place}" in data) + (asked == "arm")
        watching = sum(1 for place in range(MOST_KEYS) if f"watch_{place}" in data) + (asked == "watch")
        for name, value in (taken or {}).items():
            if value is not None:
                data[name] = str(value)
        for place in range(rows):
            data.setdefault(f"weight_{place}", "1")
    keys = project.feedback_keys.order_by("name", "pk")
    return ABTestForm(data, keys=keys, models=_models(project), rows=rows, watching=watching)


def _models(project):
    """What the project's tests may compare, its default first."""
    attached = Attachment.objects.filter(project=project, detached_at=None).select_related("model")
    return [one.model for one in attached.order_by("-is_default", "model__key")]


def _make(request, project, form):
    """The test, or None where it was refused, which the form then says."""
    cleaned = form.cleaned_data
    arms, models = form.chosen(), {one.key: one for one in _models(project)}
    try:
        return create_test(
            project=project,
            by=request.user,
            key=cleaned["key"],
            name=cleaned["name"],
            feedback_key=cleaned["feedback_key"],
            judged_by=cleaned["judged_by"],
            models=[models[key] for key, _ in arms],
            weights=[weight for _, weight in arms],
            traffic_split=cleaned["split"],
            smallest_effect=(cleaned["smallest_effect"] or 0) / (100 if form.in_points else 1),
            planned_n=cleaned["planned_n"],
            planned_days=cleaned["planned_days"],
            auto_deploy=cleaned["auto_deploy"],
            watched=form.watched(),
        )
    except PermissionDenied as fault:
        form.add_error("auto_deploy", str(fault))
    except Conflict as fault:
        form.add_error(None if project.archived_at else "key", str(fault))
    except RecordError as fault:
        for path, texts in fault.fields.items():
            name = form.row_of(path) if path.startswith("watched") else FIELDS.get(path, path)
            if cleaned["judged_by"] == JudgedBy.PREFERENCE and path == "watched":
                name = "judged_by"  # which hides the rows
            for text in texts:
                form.add_error(name if name in form.fields else None, text)
    return None


def _page(request, project, form, plan, *, is_draft):
    if is_draft or request.method != "POST":
        form.errors.clear()

    context = {
        "project": project,
        "nav": "ab_tests",
        "form": form,
        "plan": plan,
        "free": free_share(project),
        "has_keys": bool(keys_of(project)),
        "enough_models": len(form.fields["arm_0"].choices) > 2,
        "more_arms": form.rows < MOST_ARMS,
        "more_keys": form.watching < MOST_KEYS,
        **may(project),
    }
    return render(request, "experiments/ab_test_form.html", context, status=422 if form.errors else 200)
