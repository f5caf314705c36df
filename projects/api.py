"""REST: projects."""

from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, status, viewsets
from rest_framework.response import Response

from accounts.models import Team
from accounts.permissions import CREATE_PROJECT, MANAGE_PROJECT
from interactions.rules import Conflict
from projects.access import project_or_404, projects_of
from projects.serializers import (
    NewProjectSerializer,
    ProjectChangeSerializer,
    ProjectListSerializer,
    ProjectSerializer,
)
from projects.services import (
    ProjectExists,
    ProjectHeld,
    archive_project,
    create_project,
    delete_project,
    keep_for,
    rename_project,
    unarchive_project,
)


@extend_schema(tags=["projects"])
class ProjectViewSet(viewsets.ViewSet):
    """Projects, named by key or id."""

    lookup_field = "project"
    lookup_value_regex = "[^/]+"
    serializer_class = ProjectSerializer

    @extend_schema(
        summary="All projects that are open to you", responses=forced_singular_serializer(ProjectListSerializer)
    )
    def list(self, request):
        return Response(ProjectListSerializer({"results": projects_of(request.user)}).data)

    @extend_schema(summary="Create a project", request=NewProjectSerializer, responses={201: ProjectSerializer})
    def create(self, request):
        """409 where the team has the key already, or had it: the keys of deleted projects stay reserved."""
        if not Team.objects.where(request.user, CREATE_PROJECT).exists():
            raise exceptions.PermissionDenied(f"You may not create projects: it needs the permission {CREATE_PROJECT}.")
        wanted = NewProjectSerializer(data=request.data, context={"request": request})
        wanted.is_valid(raise_exception=True)
        try:
            project = create_project(**wanted.validated_data, by=request.user)
        except ProjectExists as taken:
            raise Conflict(str(taken)) from None
        return Response(ProjectSerializer(project).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="One project", responses=ProjectSerializer)
    def retrieve(self, request, project):
        return Response(ProjectSerializer(project_or_404(request.user, project)).data)

    @extend_schema(summary="Change a project", request=ProjectChangeSerializer, responses=ProjectSerializer)
    def partial_update(self, request, project):
        """An archived project is read as before, and refuses new interactions. What is older than `keep_days` whole
        days is deleted at night; null keeps for ever."""
        project = _own_or_by_id(request.user, project)
        change = ProjectChangeSerializer(data=request.data)
        change.is_valid(raise_exception=True)
        if "name" in change.validated_data:
            rename_project(project=project, name=change.validated_data["name"], by=request.user)
        if "archived" in change.validated_data:
            turn = archive_project if change.validated_data["archived"] else unarchive_project
            turn(project=project, by=request.user)
        if "keep_days" in change.validated_data:
            keep_for(project=project, days=change.validated_data["keep_days"], by=request.user)
        return Response(ProjectSerializer(project).data)

    @extend_schema(summary="Delete a project and all it holds", request=None, responses={202: None})
    def destroy(self, request, project):
        """It is gone at once; its content is cleared away in the background, its key stays reserved. 409 while
        interactions are under a legal hold."""
        try:
            delete_project(project=_own_or_by_id(request.user, project), by=request.user)
        except ProjectHeld as held:
            raise Conflict(str(held)) from None
        return Response(status=status.HTTP_202_ACCEPTED)


def _own_or_by_id(user, word):
    """The project to change or delete. One that another team shares is changed by its id alone: its key may have been
    meant for a project of one's own."""
    project = project_or_404(user, word, MANAGE_PROJECT)
    if project.is_shared and word == project.key:
        text = f"{project.key} is a project of {project.team.name}, shared with you: name it by its id, {project.uid}."
        raise exceptions.PermissionDenied(text)
    return project
