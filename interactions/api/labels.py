"""REST: label keys, their other names, and labels over everything that a filter finds."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import AUDIT, LABEL, MANAGE_PROJECT
from interactions.calls import object_of
from interactions.filters import REPEATED, InteractionFilter, read_wanted
from interactions.labels import many
from interactions.labels.keys import describe_key, key_or_404, keys_in_use, old_names
from interactions.labels.renames import begin_rename
from interactions.rules import RecordError, kind_of
from interactions.serializers import wire_time
from jobs.serializers import JobSerializer
from jobs.services import job_or_404
from projects.access import project_or_404

AGREED = ("description", "values", "hue")
FILTERS = [
    OpenApiParameter(name, many=name in REPEATED, description=filter_.extra["help_text"])
    for name, filter_ in InteractionFilter.base_filters.items()
]


class AgreementShape(serializers.Serializer):
    description = serializers.CharField(max_length=2_000, required=False)
    values = serializers.ListField(
        child=serializers.CharField(), allow_null=True, required=False, help_text="null: any"
    )
    hue = serializers.IntegerField(allow_null=True, required=False, help_text="0 to 9; null: the name's own colour")


class LabelKeyShape(AgreementShape):
    key = serializers.CharField()
    uses = serializers.IntegerField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class LabelKeyListShape(serializers.Serializer):
    results = LabelKeyShape(many=True)


class LabelValueShape(serializers.Serializer):
    value = serializers.CharField()
    uses = serializers.IntegerField()
    is_allowed = serializers.BooleanField()


class WholeLabelKeyShape(LabelKeyShape):
    used_values = LabelValueShape(many=True, help_text="the most used first, up to 500")
    old_names = serializers.ListField(child=serializers.CharField())
    old_values = serializers.DictField(child=serializers.CharField(), help_text="old value: value")


class RenameShape(serializers.Serializer):
    key = serializers.CharField()
    value = serializers.CharField(required=False, help_text="of this key; left out, the key itself is renamed")
    to = serializers.CharField()


class LabelAllShape(serializers.Serializer):
    key = serializers.CharField()
    value = serializers.CharField(allow_null=True, help_text="null takes the key away")


def _text(body, name, missing=""):
    value = body.get(name, missing)
    if not isinstance(value, str):
        raise RecordError({name: [f"Send text, not {kind_of(value)}."]})
    return value


def _use(use):
    return {
        "key": use.key,
        "description": use.agreed.description,
        "values": use.agreed.values,
        "hue": use.agreed.hue,
        "uses": use.n,
        "last_used_at": wire_time(use.last_used_at) if use.last_used_at else None,
    }


def _whole(project, key):
    use, values = key_or_404(project, key)
    keys, aliases = old_names(project, use.key)
    used = [{"value": one.value, "uses": one.n, "is_allowed": one.is_allowed} for one in values]
    names = [one.key for one in keys]
    return {**_use(use), "used_values": used, "old_names": names, "old_values": {one.value: one.to for one in aliases}}


class LabelKeyList(APIView):
    """The label keys of a project."""

    @extend_schema(operation_id="label_keys_list", responses=LabelKeyListShape)
    def get(self, request, project):
        """List them, the most used first, up to 500."""
        project = project_or_404(request.user, project, LABEL, AUDIT)
        return Response({"results": [_use(use) for use in keys_in_use(project)]})


class LabelKeyDetail(APIView):
    """One label key."""

    @extend_schema(responses=WholeLabelKeyShape)
    def get(self, request, project, key):
        """Read what is agreed about it, its values with their uses, and its old names; by an old name too."""
        return Response(_whole(project_or_404(request.user, project, LABEL, AUDIT), key))

    @extend_schema(request=AgreementShape, responses=WholeLabelKeyShape)
    def patch(self, request, project, key):
        """Change what is sent. The key need not be in use. What is stored stays, whatever is allowed from now on."""
        project = project_or_404(request.user, project, MANAGE_PROJECT)
        row = describe_key(project=project, key=key, **object_of(request, *AGREED))
        return Response(_whole(project, row.key))


class LabelRenames(APIView):
    """Other names for label keys and values."""

    @extend_schema(request=RenameShape, responses={202: JobSerializer})
    def post(self, request, project):
        """Rename a key, or a value of it; where the new name is there already the two are merged. The old name stays an
        alias: filters and records with it find and become the new one. The answer is the background work."""
        project = project_or_404(request.user, project, MANAGE_PROJECT)
        body = object_of(request, "key", "value", "to")
        given = {name: _text(body, name) for name in ("key", "value", "to")}
        try:
            job = begin_rename(project=project, by=request.user, **given)
        except ValueError as error:
            raise RecordError({"to": [str(error)]}) from None
        return Response(JobSerializer(job).data, status=202)


class LabelJobs(APIView):
    """Labels over everything that a filter finds."""

    @extend_schema(parameters=FILTERS, request=LabelAllShape, responses={202: JobSerializer})
    def post(self, request, project):
        """Label all that the filter of the query string finds, or with a null value take the key away. The answer is
        the background work: read it for its progress, delete it to cancel."""
        project = project_or_404(request.user, project, LABEL)
        read_wanted(request.query_params, project)
        body = object_of(request, "key", "value")
        value = None if body.get("value", "") is None else _text(body, "value")
        given = {"query": request.query_params.urlencode(), "key": _text(body, "key"), "value": value}
        try:
            job = many.begin_labelling(project=project, by=request.user, **given)
        except ValueError as error:
            raise RecordError({"value": [str(error)]}) from None
        return Response(JobSerializer(job).data, status=202)


class LabelJobUndo(APIView):
    """What labels over a filter have done, taken back."""

    @extend_schema(request=None, responses={202: JobSerializer})
    def post(self, request, project, job_id):
        """Bring back what was, but for what somebody changed since. 409 while the labelling is under way."""
        project = project_or_404(request.user, project, LABEL)
        job = many.begin_undo(project=project, by=request.user, job=job_or_404(project, request.user, job_id))
        return Response(JobSerializer(job).data, status=202)
