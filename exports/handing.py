"""Handing a finished file out, as a stream."""

from django.http import FileResponse

from accounts.audit import record
from exports.places import file_of
from interactions.rules import Conflict
from projects.access import EntityNotFound

TYPES = {"tar": "application/x-tar", "csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
LINES = "application/x-ndjson"


def open_file(export, by):
    """A response that streams the export's file; Conflict while there is none yet, EntityNotFound where it is gone.
    `by` takes it, as the audit log tells."""
    if export.is_under_way:
        raise Conflict(f"This export is {export.state}. Ask again when it is done.")
    try:
        file = open(file_of(export), "rb") if export.finished_at else None  # noqa: SIM115  the response closes it
    except FileNotFoundError:
        file = None
    if file is None:
        raise EntityNotFound("File of the export", export.pk)
    record("export.download", by=by, project=export.project, what=export.file_name, after={"id": str(export.pk)})
    kind = TYPES.get(export.file_name.rpartition(".")[2], LINES)
    response = FileResponse(file, as_attachment=True, filename=export.file_name, content_type=kind)
    response["Cache-Control"] = "private, no-store"
    return response
