"""Feedback keys: make, read, change, link and unlink."""

import math

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import MANAGE_PROJECT
from feedback.models import FeedbackKey
from feedback.services import create_feedback_key, key_or_404, keys_of
from projects.access import project_or_404

PROJECT = OpenApiParameter("project", required=True, description="key or id of the project")


class FeedbackKeySerializer(serializers.ModelSerializer):
    """A feedback key as it is sent and shown."""

    class Meta:
        model = FeedbackKey
        fields = ["key", "kind", "name", "description", "minimum", "maximum", "lower_is_better"]
        validators = []  # the same key again is no fault: the service answers with what is there
        extra_kwargs = {"name": {"required": False}}

    def validate(self, data):
        for name in ("minimum", "maximum"):
            if data.get(name) is not None and not math.isfinite(data[name]):
                raise serializers.ValidationError({name: "Send a finite number."})
        if None not in (data.get("minimum"), data.get("maximum")) and data["minimum"] >= data["maximum"]:
            raise serializers.ValidationError({"maximum": "Send more than the minimum."})
        return data


class NewFeedbackKeySerializer(FeedbackKeySerializer):
    """The same with the project that it is made for."""

    project = serializers.CharField()

    class Meta(FeedbackKeySerializer.Meta):
        fields = [*FeedbackKeySerializer.Meta.fields, "project"]


class FeedbackKeyList(APIView):
    """The feedback keys of a project."""

    @extend_schema(parameters=[PROJECT], responses=FeedbackKeySerializer(many=True))
    def get(self, request):
        """List the project's keys."""
        project = project_or_404(request.user, request.query_params.get("project", ""))
        return Response(FeedbackKeySerializer(keys_of(project).values(), many=True).data)

    @extend_schema(request=NewFeedbackKeySerializer, responses={201: FeedbackKeySerializer, 200: FeedbackKeySerializer})
    def post(self, request):
        """Make a key in the project's team and attach it. The same key and kind again is 200, another kind 409."""
        form = NewFeedbackKeySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        project = project_or_404(request.user, form.validated_data.pop("project"), MANAGE_PROJECT)
        key, created = create_feedback_key(team=project.team, projects=[project], **form.validated_data)
        code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
        return Response(FeedbackKeySerializer(key).data, status=code)


class FeedbackKeyDetail(APIView):
    """One feedback key of a project."""

    @extend_schema(parameters=[PROJECT], responses=FeedbackKeySerializer)
    def get(self, request, key):
        """Read a key."""
        project = project_or_404(request.user, request.query_params.get("project", ""))
        return Response(FeedbackKeySerializer(key_or_404(keys_of(project), key)).data)
