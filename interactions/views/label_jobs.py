"""Labelling all that a filter finds, and taking that back: background work, told in a toast that follows it."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.permissions import LABEL
from interactions.labels import many
from interactions.rules import Conflict
from interactions.views.answers import refuse
from interactions.views.reading import wanted_of
from jobs.services import job_or_404
from projects.access import project_or_404


def label_all(request, project, address, key, value, at_once=()):
    """Begin to label all that the address finds, with the interactions of these ids, which it may not find."""
    _, errors = wanted_of(project, address)
    if errors:
        return refuse(request, project, f"{errors[0].label} {errors[0].text}")
    given = {"query": address.filters, "key": key, "value": value, "at_once": at_once}
    try:
        job = many.begin_labelling(project=project, by=request.user, **given)
    except ValueError as error:
        return refuse(request, project, error)
    return _begun(request, project, job)


@require_POST
def label_job_undo(request, project, job_id):
    """Take back what such work has done, in such work."""
    project = project_or_404(request.user, project, LABEL)
    job = job_or_404(project, request.user, job_id)
    try:
        begun = many.begin_undo(project=project, by=request.user, job=job)
    except Conflict as error:
        if request.htmx:
            return refuse(request, project, error)
        messages.error(request, str(error))
        return redirect("job_detail", project=project.ref, job_id=job.pk)
    return _begun(request, project, begun)


def _begun(request, project, job):
    if not request.htmx:
        return redirect("job_detail", project=project.ref, job_id=job.pk)
    return render(request, "interactions/_label_job.html", {"project": project, "job": job})
