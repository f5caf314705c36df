"""Feedback keys: make, read, change, link and unlink."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.names import check_name
from accounts.permissions import MANAGE_PROJECT
from experiments.uses import unlink_key
from feedback.models import FeedbackKey
from feedback.services import (
    create_feedback_key,
    guard_key,
    key_fault,
    key_or_404,
    keys_of,
    range_faults,
    refuse_other_kind,
    update_feedback_key,
)
from interactions.calls import OneOf, Strict, project_asked
from interactions.rules import kind_of
from projects.access import project_or_404

PROJECT = OpenApiParameter("project", required=True, description="key or id of the project")
RANGE = ("minimum", "maximum", "step")


class NumberField(serializers.FloatField):
    """A finite number; what only reads as one, true or "4", is none."""

    def to_internal_value(self, data):
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            raise serializers.ValidationError(f"Send a number, not {kind_of(data)}.")
        return super().to_internal_value(data)


class FeedbackKeySerializer(Strict, serializers.ModelSerializer):
    """A feedback key as it is sent and shown."""

    serializer_choice_field = OneOf
    minimum = NumberField(required=False, allow_null=True)
    maximum = NumberField(required=False, allow_null=True)
    step = NumberField(required=False, allow_null=True)

    class Meta:
        model = FeedbackKey
        fields = ["key", "kind", "name", "description", "minimum", "maximum", "step", "lower_is_better"]
        validators = []  # the same key again is no fault: the service answers with what is there
        extra_kwargs = {"name": {"required": False, "validators": [check_name]}, "key": {"trim_whitespace": False}}

    def validate_key(self, key):
        if self.instance and key != self.instance.key:
            raise serializers.ValidationError(f"A key stays what it is, {self.instance.key}; make another one instead.")
        if not self.instance and (fault := key_fault(key)):
            raise serializers.ValidationError(fault)
        return key

    def validate(self, data):
        """The range as it will be, what is not sent staying as it is."""
        kind, *ends = (data.get(name, getattr(self.instance, name, None)) for name in ("kind", *RANGE))
        if self.instance:
            refuse_other_kind(self.instance, kind)  # before a range is asked to be given up for it in vain
        if faults := range_faults(kind, *ends):
            raise serializers.ValidationError(faults)
        return data


class NewFeedbackKeySerializer(FeedbackKeySerializer):
    """The same with the project that it is made for."""

    project = serializers.CharField()

    class Meta(FeedbackKeySerializer.Meta):
        fields = [*FeedbackKeySerializer.Meta.fields, "project"]

    def validate(self, data):
        """Whether the range fits the kind is asked once it is known that the key is new."""
        if faults := range_faults(FeedbackKey.Kind.SCALAR, *(data.get(name) for name in RANGE)):
            raise serializers.ValidationError(faults)
        return data


class FeedbackKeyList(APIView):
    """The feedback keys of a project."""

    @extend_schema(parameters=[PROJECT], responses=FeedbackKeySerializer(many=True))
    def get(self, request):
        """List the project's keys."""
        project = project_asked(request)
        return Response(FeedbackKeySerializer(keys_of(project).values(), many=True).data)

    @extend_schema(request=NewFeedbackKeySerializer, responses={201: FeedbackKeySerializer, 200: FeedbackKeySerializer})
    def post(self, request):
        """Make a key in the project's team and link it to the project. A key that the team has is linked as it is
        (200), under another kind it is a 409."""
        form = NewFeedbackKeySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        project = project_or_404(request.user, form.validated_data.pop("project"), MANAGE_PROJECT)
        guard_key(user=request.user, project=project, name=form.validated_data["key"])
        key, created = create_feedback_key(
            team=project.team, projects=[project], by=request.user, **form.validated_data
        )
        code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
        return Response(FeedbackKeySerializer(key).data, status=code)


class FeedbackKeyDetail(APIView):
    """One feedback key of a project."""

    @extend_schema(parameters=[PROJECT], responses=FeedbackKeySerializer)
    def get(self, request, key):
        """Read a key."""
        return Response(FeedbackKeySerializer(self._named(request, key)[1]).data)

    @extend_schema(parameters=[PROJECT], request=FeedbackKeySerializer(partial=True), responses=FeedbackKeySerializer)
    def patch(self, request, key):
        """Change what is sent, in all projects that use the key. Another kind is a 409 once anything was given. Values
        that a new range or step leaves outside stay: these shape forms, histograms and what is given from now on."""
        project, key = self._named(request, key, MANAGE_PROJECT)
        guard_key(user=request.user, project=project, name=key.key, changes=True)
        form = FeedbackKeySerializer(key, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        changes = {name: value for name, value in form.validated_data.items() if name != "key"}
        return Response(FeedbackKeySerializer(update_feedback_key(key=key, **changes)).data)

    @extend_schema(parameters=[PROJECT], responses={204: None})
    def delete(self, request, key):
        """Unlink the key from the project. Nothing is deleted: what was given is hidden, and shows again when the key
        is linked again. 409 while a running A/B test is judged by it."""
        project, key = self._named(request, key, MANAGE_PROJECT)
        unlink_key(project=project, key=key, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _named(self, request, key, *permission):
        project = project_asked(request, *permission)
        return project, key_or_404(keys_of(project), key)
