"""The models that a project uses: attaching, detaching, which is the default, which are to be online."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import DEPLOY, MANAGE_MODELS
from experiments.uses import arms_by_model
from projects.access import EntityNotFound, project_or_404
from registry.forms import AttachForm
from registry.listing import attachable, attachments_of, history_of
from registry.models import Attachment, Model
from registry.services import attach, default_of, detach, guard_default, guard_model, model_or_404, set_default
from registry.views.models import listed

MOST_HISTORY = 20


@require_safe
def project_models(request, project):
    """The models the project uses, a page at a time, and those it used before."""
    return _page(request, project_or_404(request.user, project))


def _page(request, project, form=None):
    is_member = project.team.members.filter(pk=request.user.pk).exists()
    may_manage = MANAGE_MODELS in project.permissions
    context = listed(request, lambda **wanted: attachments_of(project, **wanted))
    uses = arms_by_model(project) if may_manage else {}
    for one in context["rows"]:
        one.detaching = _detaching(one, uses.get(one.model_id, ()))
    history = list(history_of(project).order_by("-detached_at", "-pk")[: MOST_HISTORY + 1])
    context |= {
        "project": project,
        "nav": "models",
        "default": default_of(project),
        "history": history[:MOST_HISTORY],
        "more_history": len(history) > MOST_HISTORY,
        "is_member": is_member,
        "may_manage": may_manage,
        "may_deploy": DEPLOY in project.permissions,
        "form": form or AttachForm(),
        "attachable": attachable(project) if may_manage and is_member else [],
        "address": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "registry/project_models.html", context, status=422 if form else 200)


def _detaching(attachment, arms):
    """What the question before a detachment says: whom it leaves without an answer."""
    named, told = ", ".join(f"{arm.letter} of {arm.test.name}" for arm in arms), []
    if arms:
        told.append(f"In the A/B tests that run it is {named}, and takes part no more.")
    if attachment.is_default:
        told.append("It is the default: calls that name the project alone are refused until another one is.")
    return f"{attachment.model.key}. {' '.join(told)}" if told else attachment.model.key


@require_POST
@transaction.atomic
def model_attach(request, project):
    project = project_or_404(request.user, project, MANAGE_MODELS)
    form = AttachForm(request.POST)
    if form.is_valid():
        try:
            model = model_or_404(Model.objects.filter(team=project.team_id), form.cleaned_data["model"])
            guard_model(user=request.user, project=project, model=model)
        except (EntityNotFound, PermissionDenied):
            # a guest is not told which models the team has
            form.add_error("model", "There is no such model that you could attach; an administrator can register it.")
        else:
            desired = form.cleaned_data["desired_online"]
            guard_default(project=project, model=model, desired_online=desired)
            attach(project=project, model=model, by=request.user, desired_online=desired)
            messages.success(request, f"{model.key} is attached.")
            return _back(project, model)
    return _page(request, project, form)


@require_POST
@transaction.atomic
def model_detach(request, project, pk):
    project = project_or_404(request.user, project, MANAGE_MODELS)
    attachment = _attachment(project, pk)
    changed = guard_default(project=project, model=attachment.model, is_default=False)
    detach(project=project, model=attachment.model, by=request.user)
    said = " The project has no default now." if "is_default" in changed else ""
    messages.success(request, f"{attachment.model.key} is detached; what was logged of it stays.{said}")
    return _back(project, attachment.model)


@require_POST
@transaction.atomic
def model_online(request, project, pk):
    """Whether it is to serve calls: `to` is on or off."""
    project = project_or_404(request.user, project, MANAGE_MODELS)
    attachment = _attachment(project, pk)
    wanted = request.POST.get("to") == "on"
    guard_default(project=project, model=attachment.model, desired_online=wanted)
    attach(project=project, model=attachment.model, by=request.user, desired_online=wanted)
    messages.success(request, f"{attachment.model.key} {'serves calls' if wanted else 'serves no calls'} from now on.")
    return _back(project, attachment.model)


@require_POST
def model_default(request, project, pk):
    project = project_or_404(request.user, project, DEPLOY)
    attachment = _attachment(project, pk)
    former = set_default(project=project, model=attachment.model, by=request.user)
    before = f" It was {former.key}." if former and former != attachment.model else ""
    messages.success(request, f"{attachment.model.key} is the default now.{before}")
    return _back(project, attachment.model)


def _attachment(project, pk):
    found = Attachment.objects.filter(project=project, pk=pk, detached_at=None).select_related("model").first()
    if found is None:
        raise Http404("This model is not attached to the project.")
    return found


def _back(project, model):
    where = redirect("project_models", project=project.ref)
    if model.provider_id is None:
        where["Location"] += "?of=logged"
    return where
