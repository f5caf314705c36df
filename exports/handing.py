"""Handing a finished file out, as a stream."""

import re

from django.http import FileResponse, HttpResponse

from accounts.audit import record
from exports.places import file_of
from interactions.rules import Conflict
from projects.access import EntityNotFound

TYPES = {"tar": "application/x-tar", "csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
LINES = "application/x-ndjson"
KINDS = [LINES, *TYPES.values()]


def open_file(export, request):
    """A response that streams the export's file, or the one range of it that the request asks for; Conflict while there
    is none yet, EntityNotFound where it is gone. The request's user takes it, as the audit log tells."""
    if export.is_under_way:
        raise Conflict(f"This export is {export.state}. Ask again when it is done.")
    try:
        file = open(file_of(export), "rb") if export.finished_at else None  # noqa: SIM115  the response closes it
    except FileNotFoundError:
        file = None
    if file is None:
        raise EntityNotFound("File of the export", export.pk)
    span = _span(request, export)
    if span and span[0] > span[1]:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{export.size}"})
    what = {"what": export.file_name, "after": {"id": str(export.pk)}}
    record("export.download", by=request.user, project=export.project, **what)
    kind = TYPES.get(export.file_name.rpartition(".")[2], LINES)
    piece = _Piece(file, *span) if span else file
    response = FileResponse(piece, as_attachment=True, filename=export.file_name, content_type=kind)
    response["Cache-Control"] = "private, no-store"
    response["Accept-Ranges"], response["ETag"] = "bytes", _tag(export)
    if span:
        response.status_code = 206
        response["Content-Range"] = f"bytes {span[0]}-{span[1]}/{export.size}"
        response["Content-Length"] = span[1] - span[0] + 1
    return response


def _tag(export):
    return f'"{export.sha256}"'


def _span(request, export):
    """(first byte, last byte) of the one range that is asked for, first > last where the file has none of it; None for
    the whole: where several are asked for, or a file that this one is not (RFC 9110)."""
    asked = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", request.headers.get("Range", ""))
    if not asked or not any(asked.groups()) or request.headers.get("If-Range", _tag(export)) != _tag(export):
        return None
    first, last = asked.groups()
    if not first:  # so many at the end
        return max(0, export.size - int(last)), export.size - 1 if int(last) else -1
    if last and int(last) < int(first):
        return None
    first, last = int(first), min(int(last or export.size), export.size - 1)
    return first, last


class _Piece:
    """A file from its first to its last byte."""

    def __init__(self, file, first, last):
        self.file, self.left = file, last - first + 1
        file.seek(first)

    def read(self, n):
        found = self.file.read(min(n, self.left))
        self.left -= len(found)
        return found

    def close(self):
        self.file.close()
