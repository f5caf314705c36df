"""The pages of projects: which there are, a new one, and what its managers may change."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Team
from accounts.permissions import CREATE_PROJECT, LOG, MANAGE_PROJECT, REVIEW
from accounts.services import create_api_key
from interactions import ids, rollups
from interactions.models import Interaction
from interactions.retention.holds import number, standing
from interactions.retention.rule import next_run, plan
from interactions.retention.run import departures
from projects.access import project_or_404, projects_of, ref_of
from projects.forms import DeleteForm, KeepForm, NameForm, ProjectForm, ShareForm
from projects.services import (
    ProjectExists,
    ProjectHeld,
    archive_project,
    create_project,
    delete_project,
    keep_for,
    rename_project,
    share_project,
    unarchive_project,
    unshare_project,
)
from reviews.waiting import waiting_by_project

HOLDS, DEPARTURES = 10, 20  # shown in the settings; all are told by REST


@require_GET
def home(request):
    """Straight to the interactions where there is one project, else to the choice of them."""
    projects = projects_of(request.user)
    if len(projects) == 1:
        return redirect("interaction_list", project=projects[0].ref)
    return redirect("project_list")


@require_GET
def project_home(request, project):
    """The address of a project alone leads to its interactions."""
    return redirect("interaction_list", project=project_or_404(request.user, project).ref)


@require_GET
def project_list(request):
    """All projects this person may see."""
    projects = projects_of(request.user)
    active = rollups.activity(projects)
    for project in projects:
        project.count, project.newest = active.get(project.pk, (0, None))
    reviewed = [project for project in projects if REVIEW in project.permissions]
    waiting = waiting_by_project(reviewed, request.user)
    for project in projects:
        project.waiting = waiting[project.pk]
    context = {
        "projects": projects,
        "may_review": bool(reviewed),
        "may_create": Team.objects.where(request.user, CREATE_PROJECT).exists(),
    }
    return render(request, "projects/project_list.html", context)


@require_http_methods(["GET", "POST"])
def project_create(request):
    teams = Team.objects.where(request.user, CREATE_PROJECT).order_by("name")
    if not teams:
        raise PermissionDenied("Creating projects needs the permission project.create in a team.")
    form = ProjectForm(request.POST or None, teams=teams)
    if form.is_valid():
        try:
            project = create_project(**form.cleaned_data, by=request.user)
        except ProjectExists as taken:
            form.add_error("key", str(taken))
        else:
            return redirect("interaction_list", project=ref_of(request.user, project))
    context = {"form": form, "one_team": len(teams) == 1}
    return render(request, "projects/project_create.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def project_settings(request, project):
    """Name, shares, archive and end of a project; the form posted here is the name's."""
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    form = NameForm(request.POST or None, initial={"name": project.name})
    if form.is_valid():
        rename_project(project=project, name=form.cleaned_data["name"], by=request.user)
        messages.success(request, "Renamed.")
        return redirect("project_settings", project=project.ref)
    return _settings(request, project, form=form)


@require_POST
def project_share(request, project):
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    form = ShareForm(request.POST, project=project)
    if form.is_valid():
        share = share_project(project=project, **form.cleaned_data, by=request.user)
        messages.success(request, f"Shared with {share.team}.")
        return redirect("project_settings", project=project.ref)
    return _settings(request, project, share_form=form)


@require_POST
def project_unshare(request, project, pk):
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    share = get_object_or_404(project.shares.select_related("team", "role", "project"), pk=pk)
    if not unshare_project(share=share, by=request.user):
        raise Http404("This share has ended already.")
    messages.success(request, f"No longer shared with {share.team}.")
    return redirect("project_settings", project=project.ref)


@require_POST
def project_keep(request, project):
    """For how many days it keeps; nothing goes before the next night."""
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    form = KeepForm(request.POST)
    if not form.is_valid():
        return _settings(request, project, keep_form=form)
    keep_for(project=project, days=form.cleaned_data["days"], by=request.user)
    messages.success(request, f"Kept for {project.keep_days:,} days." if project.keep_days else "Kept for ever.")
    return redirect("project_settings", project=project.ref)


@require_POST
def project_archive(request, project):
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    archive_project(project=project, by=request.user)
    messages.success(request, "Archived. It can be read, and takes no new interactions.")
    return redirect("project_settings", project=project.ref)


@require_POST
def project_unarchive(request, project):
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    unarchive_project(project=project, by=request.user)
    messages.success(request, "No longer archived.")
    return redirect("project_settings", project=project.ref)


@require_POST
def project_delete(request, project):
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    form = DeleteForm(request.POST, project=project)
    if not form.is_valid():
        return _settings(request, project, delete_form=form)
    try:
        delete_project(project=project, by=request.user)
    except ProjectHeld as held:
        form.add_error(None, str(held))
        return _settings(request, project, delete_form=form)
    messages.success(request, f"{project.name} is deleted; its content is being cleared away.")
    return redirect("project_list")


def _settings(request, project, *, form=None, share_form=None, delete_form=None, keep_form=None):
    forms = (form, share_form, delete_form, keep_form)
    context = {
        "project": project,
        "nav": "settings",
        "form": form or NameForm(initial={"name": project.name}),
        "share_form": share_form or ShareForm(project=project),
        "delete_form": delete_form or DeleteForm(project=project),
        "keep_form": keep_form or KeepForm(initial={"days": project.keep_days}),
        "shares": project.shares.select_related("team", "role").order_by("team__name"),
        **_retention(project),
    }
    status = 422 if any(one is not None and one.errors for one in forms) else 200
    return render(request, "projects/project_settings.html", context, status=status)


def _retention(project):
    """What would go in the coming night, what is held, what went."""
    night = next_run(ids.now())
    return {
        "night": night,
        "expiry": next(iter(plan(night, project)), None),
        "holds": standing(project, HOLDS),
        "n_holds": number(project),
        "departures": departures(project, DEPARTURES),
    }


@require_GET
def project_first(request, project):
    """What the empty page asks every few seconds: nothing yet (204), or off to the first interaction."""
    project = project_or_404(request.user, project)
    first = Interaction.objects.filter(project=project).order_by("id").values_list("id", flat=True).first()
    if first is None:
        return HttpResponse(status=204)
    address = reverse("interaction_detail", kwargs={"project": project.ref, "pk": first})
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


@never_cache
@require_POST
def project_first_key(request, project):
    """A key for the empty page's calls, shown in them this once; the part alone for htmx, else the page."""
    project = project_or_404(request.user, project, LOG)
    _, plain = create_api_key(user=request.user, name=f"First steps in {project.key}"[:100])
    template = "interactions/empty.html" if request.htmx else "interactions/empty_page.html"
    return render(request, template, {"project": project, "api_key": plain, "nav": "interactions"})
