"""What people fill in about models and providers."""

import json

from django import forms

from accounts.forms import Look
from registry.kinds import PRESETS
from registry.models import Capability, Provider
from registry.rules import MAX_API_KEY, MAX_EXTERNAL_ID, MAX_KEY, MAX_NAME

SEALED = "Kept encrypted and shown to nobody, you included."


def show_faults(form, fault):
    """Beside each field what the rules say of it."""
    for name, text in fault.fields.items():
        form.add_error(name if name in form.fields else None, text)


class ProviderForm(Look, forms.Form):
    """A new provider, or (with `instance`) one that is there: what is sealed stays where its field is left empty."""

    name = forms.CharField(max_length=100)
    key = forms.CharField(max_length=100, help_text="Names the provider in calls, and cannot be changed later.")
    kind = forms.ChoiceField(choices=Provider.Kind.choices)
    address = forms.CharField(
        label="Base address",
        required=False,
        max_length=500,
        help_text="All that stands before /chat/completions. May be left empty for those with one address for all.",
    )
    api_key = forms.CharField(
        label="API key", required=False, max_length=MAX_API_KEY, help_text=SEALED, widget=forms.PasswordInput
    )
    drop_key = forms.BooleanField(label="Take the key away", required=False)
    is_pool = forms.BooleanField(
        label="Compute pool",
        required=False,
        help_text="A runtime on machines of your own: its page lists the models it reports and how they are started.",
    )

    def __init__(self, data=None, *, instance=None, **kwargs):
        initial = {"name": instance.name, "kind": instance.kind, "is_pool": instance.is_pool} if instance else None
        super().__init__(data, initial=initial, **kwargs)
        for name in ("drop_key", "is_pool"):
            self.fields[name].widget.attrs.pop("class")
        for name in ("key", "address", "api_key"):
            self.fields[name].widget.attrs |= {
                "class": "input mono",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autocomplete": "new-password" if name == "api_key" else "off",
            }
        if instance:
            del self.fields["key"]
            self.fields["address"].help_text = f"{SEALED} Empty: it stays."
            self.fields["api_key"].help_text = f"{SEALED} Empty: it stays, unless kind or host become others."
        else:
            del self.fields["drop_key"]
            self.fields["name"].widget.attrs |= {"data-suggests": "id_key", "autofocus": True}
        if not instance or instance.sealed_api_key is None:
            self.fields.pop("drop_key", None)

    @property
    def presets(self):
        """(kind, address or what to put there) as the page lists them."""
        return [(kind.label, preset.address or preset.hint) for kind, preset in PRESETS.items()]

    def changes(self):
        """What `change_provider` takes: nothing of what was left empty."""
        changes = {name: self.cleaned_data[name] for name in ("name", "kind", "is_pool")}
        for name in ("address", "api_key"):
            if self.cleaned_data[name]:
                changes[name] = self.cleaned_data[name]
        if self.cleaned_data.get("drop_key") and "api_key" not in changes:
            changes["api_key"] = ""
        return changes


class Parameters(forms.CharField):
    """A JSON object, as text."""

    widget = forms.Textarea(attrs={"rows": 3})

    def to_python(self, value):
        try:
            return json.loads(super().to_python(value) or "{}")
        except (ValueError, RecursionError):
            raise forms.ValidationError('Write JSON, such as {"temperature": 0.2}.') from None

    def prepare_value(self, value):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value else ""


class ModelForm(Look, forms.Form):
    """A new model, or (with `instance`) one that is there: its `key` stays."""

    name = forms.CharField(max_length=MAX_NAME)
    key = forms.CharField(
        max_length=MAX_KEY, help_text="Names the model in calls, filters and addresses, and cannot be changed later."
    )
    provider = forms.ModelChoiceField(
        Provider.objects.none(), to_field_name="key", required=False, empty_label="None: it is only logged"
    )
    external_id = forms.CharField(
        label="Provider's id",
        required=False,
        max_length=MAX_EXTERNAL_ID,
        help_text="What the provider calls it: gpt-4o-mini; a Hugging Face id such as Qwen/Qwen3-8B; "
        "with Azure the deployment.",
    )
    capabilities = forms.MultipleChoiceField(
        choices=Capability.choices,
        required=False,
        initial=["text"],
        widget=forms.CheckboxSelectMultiple,
        help_text="Text: it chats. Embedding: it turns text into vectors. Image: it takes pictures.",
    )
    parameters = Parameters(
        required=False, help_text='Sent with each call that does not say otherwise: {"temperature": 0.2}'
    )

    def __init__(self, data=None, *, providers, instance=None, initial=None, **kwargs):
        names = ("name", "external_id", "capabilities", "parameters")
        if instance:
            initial = {name: getattr(instance, name) for name in names}
            initial["provider"] = instance.provider and instance.provider.key
        super().__init__(data, initial=initial, **kwargs)
        self.fields["provider"].queryset = providers
        self.fields["capabilities"].widget.attrs.pop("class")
        for name in ("key", "external_id", "parameters"):
            self.fields[name].widget.attrs |= {"class": "input mono", "autocapitalize": "none", "spellcheck": "false"}
        if instance:
            del self.fields["key"]
        else:
            self.fields["name"].widget.attrs |= {"data-suggests": "id_key", "autofocus": True}
            self.fields["provider"].required = self.fields["external_id"].required = True
            self.fields["provider"].empty_label = None


class AttachForm(Look, forms.Form):
    """One of the team's models, by its key."""

    model = forms.CharField(label="Key of the model", max_length=MAX_KEY)
    desired_online = forms.BooleanField(label="Serves calls at once", required=False, initial=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["desired_online"].widget.attrs.pop("class")
        self.fields["model"].widget.attrs |= {"class": "input mono", "list": "attachable", "autocomplete": "off"}
