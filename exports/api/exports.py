"""REST: exports."""

from uuid import UUID

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import APIView

from exports import saved
from exports.api import read_body
from exports.formats import TRAINING
from exports.handing import KINDS, open_file
from exports.models import Format
from exports.serializers import ExportListShape, ExportShape, NewExportShape, present_export
from exports.services import begin_export, delete_export, export_or_404, exports_of
from interactions.filters import canonical_query
from interactions.rules import RecordError
from projects.access import project_or_404

SHOWN = 100
MEMBERS = {"format": str, "filter": str, "view": str, "ids": list, "columns": list, "pictures": str, "corrected": bool,
           "feedback_key": str}  # fmt: skip


class ExportList(APIView):
    """What was exported of a project."""

    @extend_schema(operation_id="exports_list", responses=ExportListShape)
    def get(self, request, project):
        """The newest hundred: your own, and all for who manages the project."""
        project = project_or_404(request.user, project)
        rows = exports_of(project, request.user)[:SHOWN]
        return Response({"results": [present_export(one, project.ref) for one in rows]})

    @extend_schema(request=NewExportShape, responses={202: ExportShape})
    def post(self, request, project):
        """Have what a filter or a saved view matches written to a file, in the background. Ask the export how far it
        is; 409 while five of yours are under way."""
        project = project_or_404(request.user, project)
        given = read_body(request.data, MEMBERS)
        given["corrected"] = given.get("corrected", given.get("format") in TRAINING)
        if len(named := {"filter", "view", "ids"} & given.keys()) > 1:
            raise RecordError({max(named): ["Send one of filter, view and ids."]})
        if "ids" in given:
            given["ids"] = _ids(given["ids"])
        if "view" in given:
            view = saved.view_or_404(project, request.user, given.pop("view"))
            of_view = view.columns if given.get("format") in (Format.CSV, Format.PARQUET) else []
            given = {"columns": of_view, **given, "view": view.name, "query": view.query}
        else:
            given["query"] = canonical_query(project, given.pop("filter", ""))
        export = begin_export(project=project, by=request.user, **{"format": "", **given})
        export.chosen = len(export.ids) if export.ids else None
        return Response(present_export(export, project.ref), status=status.HTTP_202_ACCEPTED)


def _ids(texts):
    try:
        return [UUID(text) for text in texts]
    except (ValueError, AttributeError, TypeError):
        raise RecordError({"ids": ["Send the ids of interactions, as logging them answered."]}) from None


class ExportDetail(APIView):
    """One export."""

    @extend_schema(responses=ExportShape)
    def get(self, request, project, export_id):
        """How far it is, and where its file is."""
        project = project_or_404(request.user, project)
        return Response(present_export(export_or_404(project, request.user, export_id), project.ref))

    @extend_schema(responses={204: None})
    def delete(self, request, project, export_id):
        """End it where it is under way, and remove its file."""
        project = project_or_404(request.user, project)
        delete_export(export=export_or_404(project, request.user, export_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ExportFile(APIView):
    """The file of an export."""

    @extend_schema(
        parameters=[
            OpenApiParameter("Range", location=OpenApiParameter.HEADER, description="one of bytes, as bytes=1000-"),
            OpenApiParameter(
                "If-Range", location=OpenApiParameter.HEADER, description="the ETag: the whole where it is another file"
            ),
        ],
        responses={
            **{(code, kind): OpenApiTypes.BINARY for code in (200, 206) for kind in KINDS},
            409: OpenApiResponse(description="It is not written yet; the text says how far it is."),
            416: OpenApiResponse(description="The file has none of this range; Content-Range says how long it is."),
        },
    )
    def get(self, request, project, export_id) -> FileResponse:
        """Fetch it, or with `Range` what is missing of it: 206. 409 while it is being written, 404 once it is gone."""
        project = project_or_404(request.user, project)
        return open_file(export_or_404(project, request.user, export_id), request)
