"""What people fill in about saved views and exports."""

from django import forms

from accounts.forms import Look
from exports.columns import COLUMNS, OF_KEYS, PREFIXES, USUAL, read_columns
from exports.formats import OF_COLUMNS, OF_COMPARISONS, TRAINING
from exports.models import Format, Pictures
from exports.saved import may_share
from feedback.services import keys_of
from interactions.rules import RecordError

MORE = "label:channel"


class ColumnsForm(Look, forms.Form):
    """A form whose `columns` are ticked, and written where they are of one key."""

    columns = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    more = forms.CharField(
        label="Columns of single keys",
        required=False,
        max_length=5_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "placeholder": MORE}),
        help_text=f"One a line: {OF_KEYS}.",
    )

    def __init__(self, *args, project, chosen=(), **kwargs):
        super().__init__(*args, **kwargs)
        keys = [f"feedback:{key}" for key in keys_of(project)]
        choices = {**COLUMNS, **{key: key for key in keys}}
        self.fields["columns"].choices = choices.items()
        self.fields["columns"].initial = [name for name in chosen if name in choices]
        self.fields["more"].initial = "\n".join(name for name in chosen if name not in choices)
        for name in self.plain:
            self.fields[name].widget.attrs.pop("class")

    plain = ("columns",)  # fields whose inputs are ticked, not typed into

    def clean(self):
        given = super().clean()
        more = [line.strip() for line in given.get("more", "").splitlines() if line.strip()]
        if wrong := next((name for name in more if not name.startswith(PREFIXES)), None):
            self.add_error("more", f"{wrong[:60]!r} is not written {OF_KEYS}.")
        try:
            given["columns"] = read_columns([*given.get("columns", ()), *more])
        except RecordError as error:
            self.add_error("more", " ".join(error.fields["columns"]))
        return given


class ViewForm(ColumnsForm):
    """A saved view; `others` are those whose filter may be exchanged for the one that is being saved."""

    name = forms.CharField(max_length=100)
    replace = forms.ChoiceField(label="Save it", required=False)
    is_shared = forms.BooleanField(
        label="Shared with everybody in the project", required=False, help_text="Else it is there for you alone."
    )
    plain = ("columns", "is_shared")

    def __init__(self, *args, project, others=(), **kwargs):
        super().__init__(*args, project=project, **kwargs)
        if not may_share(project):
            self.fields["is_shared"].disabled = True
            self.fields["is_shared"].help_text = "Your role here does not include it: it is there for you alone."
        self.fields["name"].widget.attrs |= {"autofocus": True, "autocomplete": "off"}
        self.fields["name"].required = False
        if others:
            ways = [("", "as a new view"), *((view.key, f"in the place of {view.name}") for view in others)]
            self.fields["replace"].choices = ways
        else:
            del self.fields["replace"]

    def clean(self):
        given = super().clean()
        if "name" in given and not given.get("replace") and not given["name"].strip():
            self.add_error("name", "Give it a name.")
        return given


class ExportForm(ColumnsForm):
    """What of the filter goes into which kind of file."""

    format = forms.ChoiceField(choices=Format.choices, initial=Format.JSONL, widget=forms.RadioSelect)
    pictures = forms.ChoiceField(
        choices=Pictures.choices,
        initial=Pictures.INSIDE,
        widget=forms.RadioSelect,
        help_text="What is left out is a link to the picture here; in training data it is gone.",
    )
    corrected = forms.BooleanField(label="Use the better answers that people wrote", required=False, initial=True)
    feedback_key = forms.ChoiceField(
        label="Which comparisons", required=False,
        help_text="In preference pairs, the one of the same two answers that was preferred more often is chosen; if "
        "neither was, they are no pair.",
    )  # fmt: skip
    plain = ("columns", "format", "pictures", "corrected")

    def __init__(self, *args, project, chosen=(), **kwargs):
        super().__init__(*args, project=project, chosen=chosen or USUAL["csv"], **kwargs)
        keys = [(key.key, key.name) for key in keys_of(project).values()]
        self.fields["feedback_key"].choices = [("", "of all feedback keys together"), *keys]

    @property
    def asked(self):
        """What `begin_export` is asked for: columns, the better answer and the feedback key go to
        the formats that have them."""
        given = self.cleaned_data
        return {
            "format": given["format"],
            "pictures": given["pictures"],
            "columns": given["columns"] if given["format"] in OF_COLUMNS else [],
            "corrected": given["corrected"] and given["format"] in TRAINING,
            "feedback_key": given["feedback_key"] if given["format"] in OF_COMPARISONS else "",
        }
