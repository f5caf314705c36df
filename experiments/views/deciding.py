"""How a test ends: somebody decides and says why; what was deployed can be rolled back."""

from django.contrib import messages
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from experiments.forms import DecideForm
from experiments.services import decide, roll_back
from experiments.views.gate import decided
from experiments.views.showing import page
from interactions.rules import Conflict, RecordError


@require_POST
def ab_test_decide(request, project, test):
    """The winner becomes the project's default; `do=none` ends the test without one."""
    project, test = decided(request, project, test)
    arms = list(test.arms.with_off())
    form = DecideForm(request.POST, arms=arms)
    form.fields["winner"].required = request.POST.get("do") != "none"
    if form.is_valid():
        letter = "" if request.POST.get("do") == "none" else form.cleaned_data["winner"]
        winner = next((arm for arm in arms if arm.letter == letter), None)
        try:
            decide(test=test, winner=winner, reason=form.cleaned_data["reason"], by=request.user)
        except Conflict as fault:
            form.add_error(None, str(fault))
        except RecordError as fault:
            for texts in fault.fields.values():
                for text in texts:
                    form.add_error(None, text)
        else:
            default = f"{winner.model.key} is the default now." if winner else "It ended without a winner."
            messages.success(request, f"{test.name} is decided. {default}")
            return redirect("ab_test_detail", project=project.ref, test=test.key)
    return page(request, project, test, form)


@require_POST
def ab_test_roll_back(request, project, test):
    """The former default again."""
    project, test = decided(request, project, test)
    try:
        decision = roll_back(test=test, by=request.user)
    except Conflict as fault:
        messages.error(request, str(fault))
    else:
        former = decision.former
        messages.success(request, f"{former.key} is the default again." if former else "Rolled back.")
    return redirect("ab_test_detail", project=project.ref, test=test.key)
