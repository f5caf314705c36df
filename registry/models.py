"""The models we know, the providers that serve them, and the projects they are attached to."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.models import Team, User
from projects.models import Project


class State(models.TextChoices):
    UNKNOWN = "unknown", "Not checked"
    ONLINE = "online", "Online"
    FAILING = "failing", "Failing"


class Provider(models.Model):
    """An OpenAI-compatible endpoint of a team. A runtime on machines of its own is a compute pool.

    Address and key are encrypted (see sealing.py) and shown to nobody again. `reported` are the ids of the models that
    it told of when it was last checked.
    """

    class Kind(models.TextChoices):
        OPENAI = "openai", "OpenAI"
        AZURE = "azure", "Azure OpenAI"
        MISTRAL = "mistral", "Mistral"
        ANTHROPIC = "anthropic", "Anthropic"
        GOOGLE = "google", "Google"
        VLLM = "vllm", "vLLM"
        LLAMA_CPP = "llama_cpp", "llama.cpp"
        OLLAMA = "ollama", "Ollama"
        OTHER = "other", "Other, OpenAI-compatible"

    id = models.AutoField(primary_key=True)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="providers")
    key = models.CharField(max_length=100)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind)
    sealed_address = models.BinaryField()
    sealed_api_key = models.BinaryField(null=True)
    is_pool = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.UNKNOWN)
    fault = models.CharField(max_length=500, blank=True)
    checked_at = models.DateTimeField(null=True)
    reported = ArrayField(models.CharField(max_length=300), default=list)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "key"], name="provider_team_key_unique"),
            models.CheckConstraint(condition=models.Q(state__in=State.values), name="provider_state_known"),
        ]

    def __str__(self):
        return self.name


class Capability(models.TextChoices):
    TEXT = "text", "Text"
    EMBEDDING = "embedding", "Embedding"
    IMAGE = "image", "Image"


class Model(models.Model):
    """A language model as the team calls it. Without a provider it is only known from what was logged and cannot be
    called. `external_id` is what the provider calls it, `parameters` what is sent with each call unless the call says
    otherwise."""

    id = models.AutoField(primary_key=True)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="models")
    key = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, null=True, related_name="models")
    external_id = models.CharField(max_length=300, blank=True)
    capabilities = ArrayField(models.CharField(max_length=10, choices=Capability), default=list)
    parameters = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.UNKNOWN)
    fault = models.CharField(max_length=500, blank=True)
    checked_at = models.DateTimeField(null=True)
    projects = models.ManyToManyField(Project, through="Attachment", related_name="models")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "key"], name="model_team_key_unique"),
            models.CheckConstraint(
                condition=models.Q(provider=None) | ~models.Q(external_id=""), name="model_external_id_given"
            ),
        ]

    def __str__(self):
        return self.key


class Attachment(models.Model):
    """The project uses this model, from `created_at` until `detached_at`. A row that ended stays as history."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="attachments")
    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="attachments")
    is_default = models.BooleanField(default=False)
    desired_online = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())
    attached_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    detached_at = models.DateTimeField(null=True)
    detached_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "model"], condition=models.Q(detached_at=None), name="attachment_unique"
            ),
            models.UniqueConstraint(
                fields=["project"],
                condition=models.Q(is_default=True, detached_at=None),
                name="attachment_default_unique",
            ),
        ]
