"""What people fill in: figures, and what is agreed about label keys."""

import re

from django import forms

from accounts.forms import Look
from interactions.labels.keys import MAX_DESCRIPTION, MAX_VALUES
from interactions.models import HUES
from interactions.rules import MAX_LABEL_KEY, MAX_LABEL_VALUE

_PARTED = re.compile(r"<?[+-]?\d{1,3}((?:,\d{3})+|(?: \d{3})+)(\.\d+)?", re.ASCII)


def plain_figure(text):
    """A figure as it was typed, its thousands no longer parted: 1,500 is 1500. Any other comma stays, and makes it no
    figure: 0,5 may be meant for 0.5, and 1,50 for 150. `<` may stand before it, as the end of a range."""
    text = text.strip()
    return re.sub("[, ]", "", text) if _PARTED.fullmatch(text) else text


class LabelKeyForm(Look, forms.Form):
    """What is agreed about a label key; `key` is asked for where it is a new one."""

    key = forms.CharField(max_length=MAX_LABEL_KEY, help_text="What stands before the colon.")
    description = forms.CharField(
        required=False,
        max_length=MAX_DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What it says of an interaction, and when to set which value.",
    )
    values = forms.CharField(
        required=False,
        label="Allowed values",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="One a line; none allows any. People are held to them; what programs log is kept as it comes.",
    )
    hue = forms.TypedChoiceField(
        label="Colour",
        choices=[("", "Follows from the name"), *((str(hue), f"Colour {hue + 1}") for hue in range(HUES))],
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )

    def __init__(self, data=None, *, agreed=None, **kwargs):
        super().__init__(data, initial=_initial(agreed) if agreed else None, **kwargs)
        self.fields["hue"].widget.attrs.pop("class")
        if agreed:
            del self.fields["key"]

    def clean_values(self):
        """A list of texts, or None for any value."""
        values = [line.strip() for line in self.cleaned_data["values"].splitlines()]
        values = list(dict.fromkeys(value for value in values if value))
        if len(values) > MAX_VALUES:
            raise forms.ValidationError(f"Send at most {MAX_VALUES:,} values.")
        if long := next((value for value in values if len(value) > MAX_LABEL_VALUE), None):
            raise forms.ValidationError(f"A value has at most {MAX_LABEL_VALUE} characters; {long[:40]}… has more.")
        return values or None


def _initial(agreed):
    return {
        "description": agreed.description,
        "values": "\n".join(agreed.values or []),
        "hue": "" if agreed.hue is None else str(agreed.hue),
    }
