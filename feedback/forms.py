"""What people fill in about feedback keys."""

from django import forms

from accounts.forms import Look
from accounts.names import check_name
from feedback.models import FeedbackKey
from feedback.services import MAX_KEY, key_fault, range_faults

STORED = "Values are stored under this key, so it stays what it is. Make another key for another kind."
DESCRIBED = ("name", "description", "kind", "minimum", "maximum", "step", "lower_is_better")


class Number(forms.FloatField):
    """Any number; the browser's own field would turn 1e-7 away."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    default_error_messages = {"invalid": "Write a number, such as 5 or 0.25."}


class FeedbackKeyForm(Look, forms.Form):
    """A new key, or (with `instance`) one that is there: its `key` stays, its kind too once it `is_used`."""

    name = forms.CharField(max_length=100, validators=[check_name])
    key = forms.CharField(
        max_length=MAX_KEY,
        strip=True,
        help_text="Names the question in calls, filters and addresses, and cannot be changed later.",
    )
    kind = forms.ChoiceField(choices=FeedbackKey.Kind.choices, widget=forms.RadioSelect, initial="bool")
    description = forms.CharField(
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What is asked, and who answers: a thumb below the answer, stars when a chat ends.",
    )
    lower_is_better = forms.TypedChoiceField(
        label="Scoring",
        choices=[("", "Higher is better"), ("lower", "Lower is better")],
        coerce=bool,
        empty_value=False,
        required=False,
        widget=forms.RadioSelect,
        help_text="Of a yes or no: whether yes is the good answer.",
    )
    minimum = Number(required=False, label="From")
    maximum = Number(required=False, label="To")
    step = Number(required=False, label="In steps of")

    def __init__(self, data=None, *, instance=None, is_used=False, **kwargs):
        super().__init__(data, initial=_initial(instance) if instance else None, **kwargs)
        self.instance = instance
        for name in ("kind", "lower_is_better"):
            self.fields[name].widget.attrs.pop("class")
        if instance:
            del self.fields["key"]
            self.fields["kind"].disabled = is_used
            self.fields["kind"].help_text = STORED if is_used else ""
            return
        self.fields["name"].widget.attrs |= {"data-suggests": "id_key", "autofocus": True}
        self.fields["key"].widget.attrs |= {"class": "input mono", "autocapitalize": "none", "spellcheck": "false"}

    @property
    def about(self):
        """The fields of the question itself, then those of its range."""
        names = [name for name in self.fields if name not in {"minimum", "maximum", "step"}]
        return [self[name] for name in names]

    @property
    def range(self):
        return [self[name] for name in ("minimum", "maximum", "step")]

    def clean_key(self):
        if fault := key_fault(self.cleaned_data["key"]):
            raise forms.ValidationError(fault)
        return self.cleaned_data["key"]

    def clean(self):
        cleaned = super().clean()
        ends = (cleaned.get(name) for name in ("minimum", "maximum", "step"))
        for name, fault in range_faults(cleaned.get("kind"), *ends).items():
            self.add_error(name, fault)
        return cleaned


class LinkForm(Look, forms.Form):
    """One of the team's keys that the project does not use."""

    key = forms.ModelChoiceField(
        FeedbackKey.objects.none(), label="A key of the team", to_field_name="key", empty_label=None
    )

    def __init__(self, *args, keys, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["key"].queryset = keys
        self.fields["key"].label_from_instance = lambda key: f"{key.name} ({key.key})"


def _initial(key):
    shown = {name: getattr(key, name) for name in DESCRIBED}
    shown["lower_is_better"] = "lower" if key.lower_is_better else ""
    for name in ("minimum", "maximum", "step"):
        if shown[name] is not None:
            shown[name] = f"{shown[name]!r}".removesuffix(".0")
    return shown
