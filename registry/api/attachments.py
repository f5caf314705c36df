"""REST: the models that a project uses."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.response import Response

from accounts.permissions import MANAGE_MODELS
from interactions.rules import RecordError
from projects.access import EntityNotFound, project_or_404
from registry.api.doors import PAGING, Door
from registry.listing import attachments_of, history_of
from registry.models import Model
from registry.serializers import (
    AttachmentChangeSerializer,
    AttachmentPageSerializer,
    AttachmentSerializer,
    NewAttachmentSerializer,
)
from registry.services import attach, detach, guard_default, guard_model, model_or_404, set_default

DETACHED = OpenApiParameter("detached", bool, description="true: those that were detached")


@extend_schema(tags=["models"])
class AttachmentList(Door):
    """The models of a project."""

    @extend_schema(
        operation_id="api_v1_projects_models_list",
        summary="The models a project uses",
        parameters=[*PAGING, DETACHED],
        responses=forced_singular_serializer(AttachmentPageSerializer),
    )
    def get(self, request, project):
        project = project_or_404(request.user, project)
        detached = request.query_params.get("detached", "false")
        if detached not in {"true", "false"}:
            raise RecordError({"detached": ["Send true or false."]})
        if detached == "true":
            return self.page(lambda **wanted: history_of(project), AttachmentSerializer, {"detached"})
        return self.page(lambda **wanted: attachments_of(project, **wanted), AttachmentSerializer, {"detached"})

    @extend_schema(summary="Attach a model", request=NewAttachmentSerializer, responses={201: AttachmentSerializer})
    def post(self, request, project):
        """A model of the project's team; one that is attached already is changed as PATCH does. After a detachment
        it is a new attachment."""
        project = project_or_404(request.user, project, MANAGE_MODELS)
        record = self.body(NewAttachmentSerializer)
        key = record.pop("model")
        model = model_or_404(Model.objects.filter(team=project.team_id), key)
        try:
            guard_model(user=request.user, project=project, model=model)
        except PermissionDenied:  # a guest is not told which models the team has
            raise EntityNotFound("Model", key) from None
        attachment = change(project, model, request.user, {"desired_online": True} | record)
        return Response(AttachmentSerializer(attachment).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["models"])
class AttachmentDetail(Door):
    """One model of a project."""

    @extend_schema(summary="One model of a project", responses=AttachmentSerializer)
    def get(self, request, project, model):
        return Response(AttachmentSerializer(_current(project_or_404(request.user, project), model)).data)

    @extend_schema(
        summary="Change whether a model is default or to be online",
        request=AttachmentChangeSerializer,
        responses=AttachmentSerializer,
    )
    def patch(self, request, project, model):
        """`is_default` needs the permission model.deploy, and so does taking the default offline or online."""
        project = project_or_404(request.user, project, MANAGE_MODELS)
        model = _current(project, model).model
        changed = change(project, model, request.user, self.body(AttachmentChangeSerializer))
        return Response(AttachmentSerializer(changed).data)

    @extend_schema(summary="Detach a model", responses={204: None})
    def delete(self, request, project, model):
        """What was logged of it stays. Where it was the default, the project has none then; that needs the permission
        model.deploy."""
        project = project_or_404(request.user, project, MANAGE_MODELS)
        model = _current(project, model).model
        with transaction.atomic():
            guard_default(project=project, model=model, is_default=False)
            detach(project=project, model=model, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


@transaction.atomic
def change(project, model, by, wanted):
    """The Attachment as it is wanted, attached where it is not; all of it or nothing."""
    changed = guard_default(project=project, model=model, **wanted)
    if "desired_online" in wanted:
        attach(project=project, model=model, by=by, desired_online=wanted["desired_online"])
    if "is_default" in changed:
        set_default(project=project, model=model if wanted["is_default"] else None, by=by)
    return attachments_of(project, shown="all").get(model=model)


def _current(project, key):
    model = model_or_404(Model.objects.filter(team=project.team_id), key)
    attachment = attachments_of(project, shown="all").filter(model=model).first()
    if attachment is None:
        raise EntityNotFound("Model", key)
    return attachment
