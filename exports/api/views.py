"""REST: saved views."""

from django.core.exceptions import PermissionDenied
from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import LABEL
from exports import saved
from exports.api import read_body
from exports.counting import counts_of
from exports.serializers import (
    CountedViewShape,
    NewViewShape,
    ViewChangeShape,
    ViewListShape,
    ViewShape,
    present_view,
)
from interactions.filters import canonical_query, read_wanted
from interactions.rules import RecordError
from projects.access import needs, project_or_404

CHANGES = {"name": str, "filter": str, "columns": list, "shared": bool}


class ViewList(APIView):
    """The saved views of a project."""

    @extend_schema(operation_id="views_list", responses=ViewListShape)
    def get(self, request, project):
        """List your own, and those that are shared."""
        project = project_or_404(request.user, project)
        views = saved.views_of(project, request.user)
        return Response({"results": [_told(view, project, request.user) for view in views]})

    @extend_schema(request=NewViewShape, responses={201: ViewShape})
    def post(self, request, project):
        """Save one. 409 where the key is taken, or the name by one of yours or one that is shared."""
        project = project_or_404(request.user, project)
        given = read_body(request.data, {**CHANGES, "key": str})
        changes = {"name": "", "query": "", **_changes(project, given)}
        view = saved.create_view(project=project, by=request.user, key=given.get("key"), **changes)
        return Response(_told(view, project, request.user), status=status.HTTP_201_CREATED)


class ViewDetail(APIView):
    """One saved view. A private one is there for its owner alone."""

    @extend_schema(responses=CountedViewShape)
    def get(self, request, project, view_key):
        """Read it, with how many match now."""
        project = project_or_404(request.user, project)
        view = saved.view_or_404(project, request.user, view_key)
        [counted] = counts_of(project, [_wanted(project, view)])
        told = {"count": counted.n if counted else None, "count_is_capped": bool(counted and counted.capped)}
        return Response({**_told(view, project, request.user), **told})

    @extend_schema(request=ViewChangeShape, responses=ViewShape)
    def patch(self, request, project, view_key):
        """Change it: its owner may, and of a shared one who manages the project. 409 where the name is taken."""
        project = project_or_404(request.user, project)
        view = saved.changeable_or_404(project, request.user, view_key)
        view = saved.change_view(view=view, **_changes(project, read_body(request.data, CHANGES)))
        return Response(_told(view, project, request.user))

    @extend_schema(responses={204: None})
    def delete(self, request, project, view_key):
        """Delete it. Exports that were made of it stay."""
        project = project_or_404(request.user, project)
        saved.delete_view(view=saved.changeable_or_404(project, request.user, view_key))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _changes(project, given):
    """What was sent, by the names of the model."""
    changes = {name: given[name] for name in ("name", "columns") if name in given}
    if given.get("shared") and not saved.may_share(project):
        raise PermissionDenied(needs(project, LABEL))
    if "shared" in given:
        changes["is_shared"] = given["shared"]
    if "filter" in given:
        changes["query"] = canonical_query(project, given["filter"])
    return changes


def _told(view, project, user):
    return present_view(view, saved.may_change(view, project, user))


def _wanted(project, view):
    """What it asks for; None where something of it is no longer there."""
    try:
        return read_wanted(QueryDict(view.query), project)
    except RecordError:
        return None
