"""Saved views and exports on the wire."""

from django.conf import settings
from rest_framework import serializers

from exports.columns import COLUMNS, OF_KEYS
from exports.models import Format, Pictures
from interactions.ids import wire_time
from jobs.models import State

ANY_COLUMN = f"any of {', '.join(COLUMNS)}, {OF_KEYS}"


class NewViewShape(serializers.Serializer):
    name = serializers.CharField(max_length=100)
    key = serializers.SlugField(max_length=64, required=False, help_text="made of the name unless said")
    filter = serializers.CharField(required=False, allow_blank=True, help_text="a query string of the filter language")
    columns = serializers.ListField(
        child=serializers.CharField(), required=False, help_text=f"of its exports: {ANY_COLUMN}; empty: the usual ones"
    )
    shared = serializers.BooleanField(required=False, help_text="with the project; private unless said")


class ViewChangeShape(NewViewShape):
    key = None
    name = serializers.CharField(max_length=100, required=False)


class ViewShape(NewViewShape):
    owner = serializers.EmailField()
    may_change = serializers.BooleanField(help_text="by you")
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class CountedViewShape(ViewShape):
    count = serializers.IntegerField(allow_null=True, help_text="null where there was no time, or it cannot be read")
    count_is_capped = serializers.BooleanField()


class ViewListShape(serializers.Serializer):
    results = ViewShape(many=True)


class NewExportShape(serializers.Serializer):
    format = serializers.ChoiceField(Format.choices)
    filter = serializers.CharField(required=False, allow_blank=True, help_text="a query string of the filter language")
    view = serializers.CharField(required=False, help_text="key of a saved view, in the place of a filter")
    ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, help_text="up to 1,000 interactions, in the place of a filter"
    )
    columns = serializers.ListField(
        child=serializers.CharField(), required=False, help_text=f"of csv and parquet: {ANY_COLUMN}"
    )
    pictures = serializers.ChoiceField(Pictures.choices, required=False, help_text="inside unless said")
    corrected = serializers.BooleanField(
        required=False,
        help_text="of openai: the better answer where there is one; of dpo: a pair of it too; true unless said",
    )
    feedback_key = serializers.CharField(
        required=False, help_text="of dpo and comparisons: whose are told; those of all keys unless said"
    )


class ExportShape(NewExportShape):
    ids = None
    chosen = serializers.IntegerField(
        allow_null=True, help_text="how many interactions were named by their ids; null: those of the filter"
    )
    feedback_key = serializers.CharField(allow_null=True)
    view = serializers.CharField(allow_null=True, help_text="name of the saved view that it was made of")
    id = serializers.UUIDField()
    by = serializers.EmailField()
    state = serializers.ChoiceField(State.choices)
    done = serializers.IntegerField(help_text="interactions so far")
    total = serializers.IntegerField(allow_null=True)
    number = serializers.IntegerField(allow_null=True, help_text="lines or rows of the file")
    size = serializers.IntegerField(allow_null=True, help_text="bytes")
    sha256 = serializers.CharField(allow_null=True)
    text = serializers.CharField(help_text="what came of it, for people")
    file = serializers.URLField(allow_null=True, help_text="where it is fetched, until expires_at")
    file_name = serializers.CharField()
    job = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class ExportListShape(serializers.Serializer):
    results = ExportShape(many=True)


def present_view(view, may_change):
    """A SavedView as the API shows it."""
    return {
        "key": view.key,
        "name": view.name,
        "filter": view.query,
        "columns": view.columns,
        "shared": view.is_shared,
        "owner": view.owner.email,
        "may_change": may_change,
        "created_at": wire_time(view.created_at),
        "changed_at": wire_time(view.changed_at),
    }


def present_export(export, ref):
    """An Export as the API shows it; `ref` is the word that its project was asked for by."""
    job, at = export.job, export.finished_at
    file = f"{settings.ADDRESS}/api/v1/projects/{ref}/exports/{export.pk}/file"
    return {
        "id": str(export.pk),
        "format": export.format,
        "filter": export.query,
        "view": export.view or None,
        "chosen": export.chosen,
        "columns": export.columns,
        "pictures": export.pictures,
        "corrected": export.corrected,
        "feedback_key": export.feedback_key or None,
        "by": export.by.email,
        "state": export.state,
        "done": job.done if job else 0,
        "total": job.total if job else None,
        "number": export.number,
        "size": export.size,
        "sha256": export.sha256 or None,
        "text": (job.error or job.result.get("text", "")) if job else "",
        "file": file if at else None,
        "file_name": export.file_name,
        "job": str(job.pk) if job else None,
        "created_at": wire_time(export.created_at),
        "finished_at": wire_time(at) if at else None,
        "expires_at": wire_time(export.expires_at) if at else None,
    }
