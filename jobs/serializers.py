"""Jobs on the wire."""

from rest_framework import serializers

from jobs.models import Job, State


class JobSerializer(serializers.ModelSerializer):
    """A piece of background work; `total` is null where nobody knows it."""

    by = serializers.EmailField(source="by.email")
    state = serializers.ChoiceField(State.choices)

    class Meta:
        model = Job
        fields = [
            "id",
            "kind",
            "title",
            "state",
            "done",
            "total",
            "result",
            "error",
            "by",
            "created_at",
            "started_at",
            "ended_at",
        ]
        read_only_fields = fields


class JobListSerializer(serializers.Serializer):
    """The newest."""

    results = JobSerializer(many=True)
