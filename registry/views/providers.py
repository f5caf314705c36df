"""A team's providers: which there are, a new one, what one reports, checking, changing and deleting one."""

import shlex

from django.contrib import messages
from django.db.models import Count
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import MANAGE_MODELS
from registry.access import managed_team_or_404, team_or_404
from registry.answers import bare
from registry.checking import Busy, check_provider
from registry.forms import ProviderForm, show_faults
from registry.models import Provider
from registry.providers import change_provider, create_provider, delete_provider, provider_or_404, providers_of
from registry.rules import Fault, Taken

MOST_SHOWN = 200  # of the models that a provider reports, or that are registered with it
BUSY = "Other checks are under way: try again in a few seconds."


@require_safe
def provider_list(request, team):
    """All providers of the team; pools are providers too."""
    team = team_or_404(request.user, team)
    rows = providers_of(team).annotate(n_models=Count("models"))
    context = {"team": team, "here": "providers", "rows": rows, "may_manage": MANAGE_MODELS in team.permissions}
    return render(request, "registry/provider_list.html", context)


@require_safe
def provider_detail(request, team, provider):
    """State, the models it reports and those that are registered with it, with the lines that start a runtime."""
    team = team_or_404(request.user, team)
    provider = provider_or_404(team, provider)
    models = list(provider.models.order_by("name", "pk")[: MOST_SHOWN + 1])
    registered = {bare(model.external_id) for model in models}
    context = {
        "team": team,
        "here": "providers",
        "provider": provider,
        "models": models[:MOST_SHOWN],
        "more_models": len(models) > MOST_SHOWN,
        "reported": [(one, bare(one) in registered) for one in provider.reported[:MOST_SHOWN]],
        "missing": _missing(provider, models),
        "lines": _start_lines(provider, models[:MOST_SHOWN]),
        "may_manage": MANAGE_MODELS in team.permissions,
    }
    return render(request, "registry/provider_detail.html", context)


def _missing(provider, models):
    """The models that it did not report, where it reports any; Azure reports what its deployments are of."""
    if provider.kind == Provider.Kind.AZURE or not provider.reported:
        return []
    reported = {bare(one) for one in provider.reported}
    return [one for one in models if bare(one.external_id) not in reported]


def _start_lines(provider, models):
    """(model, the line that starts it) where vLLM serves it, by its Hugging Face id."""
    if provider.kind != Provider.Kind.VLLM:
        return []
    key = ' --api-key "$VLLM_API_KEY"' if provider.sealed_api_key is not None else ""
    return [(one, f"vllm serve {shlex.quote(one.external_id)} --host 0.0.0.0 --port 8000{key}") for one in models]


@sensitive_post_parameters("api_key", "address")
@sensitive_variables("form")
@never_cache
@require_http_methods(["GET", "POST"])
def provider_create(request, team):
    team = managed_team_or_404(request.user, team)
    form = ProviderForm(request.POST or None)
    if form.is_valid():
        try:
            provider = create_provider(team=team, by=request.user, **form.cleaned_data)
        except Fault as fault:
            show_faults(form, fault)
        except Taken as taken:
            form.add_error("key", str(taken))
        else:
            messages.success(request, f"{provider.name} is there. Check whether it answers.")
            return redirect("provider_detail", team=team.key, provider=provider.key)
    return _form(request, team, form)


@sensitive_post_parameters("api_key", "address")
@sensitive_variables("form")
@never_cache
@require_http_methods(["GET", "POST"])
def provider_edit(request, team, provider):
    team = managed_team_or_404(request.user, team)
    provider = provider_or_404(team, provider)
    form = ProviderForm(request.POST or None, instance=provider)
    if form.is_valid():
        try:
            change_provider(provider=provider, by=request.user, **form.changes())
        except Fault as fault:
            show_faults(form, fault)
        else:
            messages.success(request, "Saved.")
            return redirect("provider_detail", team=team.key, provider=provider.key)
    return _form(request, team, form, provider)


def _form(request, team, form, provider=None):
    context = {"team": team, "here": "providers", "form": form, "provider": provider}
    return render(request, "registry/provider_form.html", context, status=422 if form.errors else 200)


@require_POST
def provider_check(request, team, provider):
    """Really ask it; the answer is on its page."""
    team = managed_team_or_404(request.user, team)
    provider = provider_or_404(team, provider)
    try:
        outcome = check_provider(provider)
    except Busy:
        messages.error(request, BUSY)
    else:
        if outcome.fault:
            messages.error(request, f"{provider.name}: {outcome.fault}")
        else:
            n = len(outcome.reported)
            messages.success(request, f"{provider.name} answers and reports {n:,} model{'' if n == 1 else 's'}.")
    return redirect("provider_detail", team=team.key, provider=provider.key)


@require_POST
def provider_delete(request, team, provider):
    team = managed_team_or_404(request.user, team)
    provider = provider_or_404(team, provider)
    try:
        delete_provider(provider=provider, by=request.user)
    except Taken as taken:
        messages.error(request, str(taken))
        return redirect("provider_detail", team=team.key, provider=provider.key)
    messages.success(request, f"{provider.name} is deleted, with its key.")
    return redirect("provider_list", team=team.key)
