"""A team's models: which there are, a new one, changing one, checking whether one answers."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import MANAGE_MODELS
from registry.access import managed_team_or_404, team_or_404
from registry.answers import bare
from registry.checking import Busy, check_model
from registry.forms import ModelForm, show_faults
from registry.listing import SHOWN, models_of
from registry.models import Attachment
from registry.paging import page_of
from registry.providers import providers_of
from registry.rules import Fault, Taken, suggested_key
from registry.services import change_model, register_model
from registry.views.providers import BUSY


@require_safe
def model_list(request, team):
    """What can be called, or what is only known from what was logged: a page at a time, newest first."""
    team = team_or_404(request.user, team)
    context = listed(request, lambda **wanted: models_of(team, **wanted))
    context |= {
        "team": team,
        "here": "models",
        "may_manage": MANAGE_MODELS in team.permissions,
        "has_providers": team.providers.exists(),
    }
    return render(request, "registry/model_list.html", context)


def listed(request, rows_of):
    """The page of a list that the query string asks for, with what its template needs to lead on."""
    shown = request.GET.get("of") if request.GET.get("of") in SHOWN else "called"
    words = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    rows, cursor = page_of(rows_of(shown=shown, words=words), request.GET.get("cursor", ""))
    return {"rows": rows, "next": cursor, "shown": shown, "words": words, "all_shown": SHOWN}


@require_http_methods(["GET", "POST"])
def model_create(request, team):
    """A model; the address may name provider and external_id, as a provider's page does."""
    team = managed_team_or_404(request.user, team)
    providers = providers_of(team)
    asked = {name: request.GET[name] for name in ("provider", "external_id") if name in request.GET}
    if "external_id" in asked:
        asked |= {"name": asked["external_id"], "key": suggested_key(bare(asked["external_id"]))}
    form = ModelForm(request.POST or None, providers=providers, initial=asked)
    if form.is_valid():
        try:
            model = register_model(team=team, by=request.user, **form.cleaned_data)
        except Fault as fault:
            show_faults(form, fault)
        except Taken as taken:
            form.add_error("key", str(taken))
        else:
            messages.success(request, f"{model.key} is registered. Attach it to a project, and it can be called there.")
            return redirect("model_list", team=team.key)
    context = {"team": team, "here": "models", "form": form, "has_providers": providers.exists()}
    return render(request, "registry/model_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def model_edit(request, team, pk):
    team = managed_team_or_404(request.user, team)
    model = _model(team, pk)
    form = ModelForm(request.POST or None, providers=providers_of(team), instance=model)
    if form.is_valid():
        try:
            change_model(model=model, by=request.user, **form.cleaned_data)
        except Fault as fault:
            show_faults(form, fault)
        else:
            messages.success(request, "Saved.")
            return redirect("model_list", team=team.key)
    projects = Attachment.objects.filter(model=model, detached_at=None).count()
    context = {"team": team, "here": "models", "form": form, "model": model, "projects": projects}
    return render(request, "registry/model_form.html", context, status=422 if form.errors else 200)


@require_POST
def model_check(request, team, pk):
    """One tiny call."""
    team = managed_team_or_404(request.user, team)
    model = _model(team, pk)
    try:
        outcome = check_model(model)
    except Busy:
        messages.error(request, BUSY)
    else:
        if outcome.fault:
            messages.error(request, f"{model.key}: {outcome.fault}")
        else:
            messages.success(request, f"{model.key} answered within {outcome.seconds:.1f} s.")
    return redirect("model_list", team=team.key)


def _model(team, pk):
    if pk >= 2**31:
        raise Http404
    return get_object_or_404(team.models.select_related("provider"), pk=pk)
