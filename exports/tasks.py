"""What the worker does for exports: writes them, and by the clock removes those that are over."""

import errno

from django.core.exceptions import PermissionDenied
from django.http import Http404, QueryDict
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django import app

from exports import services
from exports.models import Export
from exports.places import remove
from exports.writing import write
from feedback.services import keys_of
from interactions.filters import read_wanted
from interactions.rules import RecordError
from interactions.serializers import blob_address
from jobs.work import Cancelled, Refused, work
from projects.access import project_or_404

FULL = {errno.ENOSPC, errno.EDQUOT}


@work(services.KIND)
def write_export(work):
    """Write the file of an export."""
    export = Export.objects.select_related("project").filter(pk=work.parameters["export"]).first()
    if export is None:
        raise Refused("This export was deleted.")
    try:
        project = project_or_404(work.by, export.project.uid)
        wanted = read_wanted(QueryDict(export.query), project)
    except (Http404, PermissionDenied):
        raise Refused("You may no longer read this project.") from None
    except RecordError as error:
        raise Refused(f"The filter can no longer be read: {error}") from None
    key = keys_of(project).get(export.feedback_key)
    if export.feedback_key and key is None:
        raise Refused(f"The project no longer has the feedback key {export.feedback_key}.")
    try:
        text = write(work, export, wanted, key, lambda sha256: blob_address(project, sha256))
    except OSError as error:
        if not Export.objects.filter(pk=export.pk).exists():
            raise Cancelled from None  # deleted, and its folder with it
        if error.errno in FULL:
            remove(export.pk)
            raise Refused("There is no room left where exports are kept. Delete some, then begin this again.") from None
        raise
    href = reverse("export_file", kwargs={"project": project.uid, "export_id": export.pk})
    return {"text": text, "actions": [{"name": "Download", "href": href, "method": "get"}]}


@app.periodic(cron="37 * * * *")
@app.task(name="exports.clear", pass_context=False)
def clear(timestamp):
    """Remove exports that are over, with their files."""
    services.clear(timezone.now())
