"""Models and providers on the wire. Addresses and keys come in and never go out."""

from rest_framework import serializers

from interactions.calls import OneOf, Strict
from interactions.rules import kind_of
from registry.models import Attachment, Capability, Model, Provider
from registry.rules import MAX_API_KEY, MAX_EXTERNAL_ID, MAX_KEY, MAX_NAME


class Flag(serializers.BooleanField):
    """True or false, and nothing that only reads as one."""

    def to_internal_value(self, data):
        if not isinstance(data, bool):
            raise serializers.ValidationError(f"Send true or false, not {kind_of(data)}.")
        return data


class ProviderSerializer(serializers.ModelSerializer):
    """A provider as it is shown."""

    has_api_key = serializers.SerializerMethodField()

    class Meta:
        model = Provider
        fields = [
            "key",
            "name",
            "kind",
            "is_pool",
            "has_api_key",
            "state",
            "fault",
            "checked_at",
            "reported",
            "created_at",
        ]

    def get_has_api_key(self, provider) -> bool:
        return provider.sealed_api_key is not None


class ProviderChangeSerializer(Strict):
    """What of a provider may be changed. Another kind or host takes the key away unless one is sent with it."""

    name = serializers.CharField(max_length=MAX_NAME, required=False)
    kind = OneOf(Provider.Kind.choices, required=False)
    address = serializers.CharField(
        required=False, write_only=True, max_length=500, help_text="base address, before /chat/completions"
    )
    api_key = serializers.CharField(
        required=False, write_only=True, allow_blank=True, max_length=MAX_API_KEY, help_text='"" takes it away'
    )
    is_pool = Flag(required=False)


class NewProviderSerializer(ProviderChangeSerializer):
    key = serializers.SlugField(max_length=100)
    kind = OneOf(Provider.Kind.choices)


class ModelSerializer(serializers.ModelSerializer):
    """A model as it is shown; with provider null it is only known from what was logged."""

    provider = serializers.SlugRelatedField(slug_field="key", read_only=True, allow_null=True)

    class Meta:
        model = Model
        fields = [
            "key",
            "name",
            "provider",
            "external_id",
            "capabilities",
            "parameters",
            "state",
            "fault",
            "checked_at",
            "created_at",
        ]


class ModelChangeSerializer(Strict):
    """What of a model may be changed."""

    name = serializers.CharField(max_length=MAX_NAME, required=False, trim_whitespace=False)
    provider = serializers.CharField(max_length=100, required=False, allow_null=True, help_text="its key; null: none")
    external_id = serializers.CharField(max_length=MAX_EXTERNAL_ID, required=False, trim_whitespace=False)
    capabilities = serializers.ListField(child=OneOf(Capability.choices), required=False)
    parameters = serializers.JSONField(required=False, help_text="an object, sent with each call")


class NewModelSerializer(ModelChangeSerializer):
    key = serializers.CharField(max_length=MAX_KEY, trim_whitespace=False)
    provider = serializers.CharField(max_length=100, help_text="key of the provider")
    external_id = serializers.CharField(max_length=MAX_EXTERNAL_ID, trim_whitespace=False)


class AttachmentSerializer(serializers.ModelSerializer):
    """A model that a project uses, or (with detached_at) used."""

    key = serializers.CharField(source="model.key", read_only=True)
    name = serializers.CharField(source="model.name", read_only=True)
    capabilities = serializers.ListField(source="model.capabilities", child=serializers.CharField(), read_only=True)
    state = serializers.CharField(source="model.state", read_only=True)
    can_be_called = serializers.SerializerMethodField()
    attached_at = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = Attachment
        fields = [
            "key",
            "name",
            "capabilities",
            "state",
            "can_be_called",
            "is_default",
            "desired_online",
            "attached_at",
            "detached_at",
        ]

    def get_can_be_called(self, attachment) -> bool:
        return attachment.model.provider_id is not None


class AttachmentChangeSerializer(Strict):
    """What of an attachment may be changed; `is_default` needs the permission model.deploy."""

    desired_online = Flag(required=False)
    is_default = Flag(required=False)


class NewAttachmentSerializer(AttachmentChangeSerializer):
    model = serializers.CharField(max_length=MAX_KEY, trim_whitespace=False, help_text="key of the team's model")


class ProviderPageSerializer(serializers.Serializer):
    results = ProviderSerializer(many=True)


class ModelPageSerializer(serializers.Serializer):
    results = ModelSerializer(many=True)
    next = serializers.CharField(help_text='cursor of the next page; "": this is the last')


class AttachmentPageSerializer(serializers.Serializer):
    results = AttachmentSerializer(many=True)
    next = serializers.CharField(help_text='cursor of the next page; "": this is the last')
