"""What people fill in about queues."""

from django import forms

from accounts.forms import Look
from accounts.models import User
from accounts.names import check_slug
from interactions.filters import OF_PAGE
from reviews.models import MOST_REVIEWERS, Kind, Sample
from reviews.versions import MAX_GUIDELINE


class Choices(Look, forms.Form):
    """Radios and boxes keep the browser's own look."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field.widget, (forms.RadioSelect, forms.CheckboxSelectMultiple, forms.CheckboxInput)):
                field.widget.attrs.pop("class", None)


class QueueForm(Choices):
    """A queue; with `instance` one that is there, whose key and kind stay."""

    name = forms.CharField(max_length=100)
    key = forms.CharField(
        max_length=64, validators=[check_slug], help_text="Names the queue in addresses and calls; it stays."
    )
    kind = forms.ChoiceField(choices=Kind, widget=forms.RadioSelect, initial=Kind.SINGLE)
    reviewers = forms.IntegerField(
        label="Reviewers an item",
        min_value=1,
        max_value=MOST_REVIEWERS,
        initial=1,
        help_text="So many people answer each item: two or more, and it shows how far they agree.",
    )
    blind = forms.TypedChoiceField(
        label="What others said",
        choices=[("yes", "Hidden until one's own answer is in; of pairs the models too"), ("no", "Shown")],
        coerce=lambda text: text == "yes",
        widget=forms.RadioSelect,
        initial="yes",
    )
    open_to_all = forms.TypedChoiceField(
        label="Who reviews",
        choices=[("yes", "Everybody who may review in the project"), ("no", "Those ticked below")],
        coerce=lambda text: text == "yes",
        widget=forms.RadioSelect,
        initial="yes",
    )
    members = forms.ModelMultipleChoiceField(
        User.objects.none(), label="Reviewers", required=False, widget=forms.CheckboxSelectMultiple
    )
    guideline = forms.CharField(
        required=False,
        max_length=MAX_GUIDELINE,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text="Markdown. Each change is a version; reviewers see the one of their item.",
    )

    def __init__(self, data=None, *, people, instance=None, **kwargs):
        super().__init__(data, **kwargs)
        self.instance = instance
        self.fields["members"].queryset = people
        if instance:
            del self.fields["key"], self.fields["kind"]
            return
        self.fields["name"].widget.attrs |= {"data-suggests": "id_key", "autofocus": True}
        self.fields["key"].widget.attrs |= {"class": "input mono", "autocapitalize": "none", "spellcheck": "false"}

    def clean_key(self):
        return self.cleaned_data["key"].lower()

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("open_to_all") is False and not cleaned.get("members"):
            self.add_error("members", "Tick at least one person, or let everybody review.")
        return cleaned


class FillForm(Choices):
    query = forms.CharField(
        label="Filter",
        required=False,
        max_length=4_000,
        help_text="The words of the table's address, or the address itself: label=intent:refund&q=leak. Empty: all.",
    )
    method = forms.ChoiceField(
        label="Take", choices=Sample.Method, widget=forms.RadioSelect, initial=Sample.Method.RANDOM
    )
    size = forms.IntegerField(
        label="How many",
        required=False,
        min_value=1,
        max_value=1_000_000,
        help_text="Of a sample; of one by values so many of each value.",
    )
    strata = forms.CharField(
        label="By the values of the label", required=False, max_length=100, help_text="Its key, such as intent."
    )
    seed = forms.IntegerField(
        label="Seed",
        required=False,
        min_value=0,
        max_value=2**62,
        help_text="The same seed draws the same again. Empty: one is drawn, and kept.",
    )

    fold = forms.BooleanField(
        label="Fold what is alike into one item",
        required=False,
        help_text="Of interactions of the same words one comes in; its labels are for all of them. Not for pairs.",
    )

    def clean_query(self):
        return query_of(self.cleaned_data["query"])

    def clean(self):
        """`fold` is a word of the filter."""
        cleaned = super().clean()
        if cleaned.pop("fold", False) and "fold=" not in cleaned.get("query", ""):
            cleaned["query"] = "&".join(filter(None, [cleaned.get("query", ""), "fold=near"]))
        return cleaned


class RuleForm(Choices):
    query = forms.CharField(label="Filter", required=False, max_length=4_000, help_text="As above. Empty: all.")
    share = forms.FloatField(
        label="Share, in per cent", min_value=0.001, max_value=100, initial=100, help_text="Drawn by a kept seed."
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, auto_id="rule_%s", **kwargs)  # it stands on one page with a FillForm

    def clean_query(self):
        return query_of(self.cleaned_data["query"])


def query_of(text):
    """The query string of what was pasted: an address, what stands behind its question mark, or nothing."""
    text = text.strip()
    query = text.split("?", 1)[1] if "?" in text else "" if text.startswith(("http://", "https://", "/")) else text
    return "&".join(pair for pair in query.split("&") if pair.partition("=")[0] not in OF_PAGE)
