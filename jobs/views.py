"""The pages of background work: what there is, how far it is, and its end."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from jobs.services import Ended, cancel, job_or_404, jobs_of
from projects.access import project_or_404

SHOWN = 50


@require_GET
def job_list(request, project):
    """The newest: one's own, and all for who manages the project."""
    project = project_or_404(request.user, project)
    context = {"project": project, "nav": "interactions", "jobs": jobs_of(project, request.user)[:SHOWN]}
    return render(request, "jobs/job_list.html", context)


@require_GET
@vary_on_headers("HX-Request", "HX-History-Restore-Request")
def job_detail(request, project, job_id):
    """One job as a page; its card alone for htmx, which asks every second until it has ended."""
    project = project_or_404(request.user, project)
    return _answer(request, project, job_or_404(project, request.user, job_id))


@require_POST
def job_cancel(request, project, job_id):
    project = project_or_404(request.user, project)
    job = job_or_404(project, request.user, job_id)
    try:
        cancel(job=job)
    except Ended as error:
        if not request.htmx:
            messages.info(request, str(error))
    if not request.htmx:
        return redirect("job_detail", project=project.ref, job_id=job.pk)
    job.refresh_from_db()
    return _answer(request, project, job)


def _answer(request, project, job):
    alone = request.htmx and not request.htmx.history_restore_request
    template = "jobs/_job.html" if alone else "jobs/job_detail.html"
    return render(request, template, {"project": project, "nav": "interactions", "job": job})
