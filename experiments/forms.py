"""What people fill in about A/B tests."""

from django import forms

from accounts.forms import Look
from accounts.names import check_slug
from experiments.models import LEAST_UNITS, MOST_KEYS, JudgedBy
from experiments.rules import MAX_REASON
from feedback.models import FeedbackKey

TAKEN = {"new", "plan"}  # addresses of pages
FEWEST_ARMS, MOST_ARMS = 2, 12
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
POWERS = (("0.8", "80 %"), ("0.9", "90 %"))


class Number(forms.FloatField):
    """Any number; the browser's own field would turn 1e-7 away."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    default_error_messages = {"invalid": "Write a number, such as 5 or 0.25."}


class Dressed(Look, forms.Form):
    """Radios and boxes keep the browser's own look."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field.widget, (forms.RadioSelect, forms.CheckboxInput)):
                field.widget.attrs.pop("class", None)


class ArmsForm(Dressed):
    """Rows of a model and its weight: `arm_0` is the control's. Those without a model are left out."""

    def __init__(self, data=None, *, models, rows=3, **kwargs):
        self.rows = min(max(rows, FEWEST_ARMS), MOST_ARMS)
        choices = [("", "–"), *((model.key, model.key) for model in models)]
        self.base_fields = {**self.base_fields}
        for place in range(self.rows):
            letter = LETTERS[place]
            self.base_fields[f"arm_{place}"] = forms.ChoiceField(
                label=f"{letter}, the control" if place == 0 else letter,
                choices=choices,
                required=place < FEWEST_ARMS,
                error_messages={"required": "Choose a model: a test has two or more."},
            )
            self.base_fields[f"weight_{place}"] = Number(
                label=f"Weight of {letter}", required=False, initial="1", min_value=0, max_value=1_000_000
            )
        super().__init__(data, **kwargs)

    @property
    def arms(self):
        """[(model's field, weight's field)]"""
        return [(self[f"arm_{place}"], self[f"weight_{place}"]) for place in range(self.rows)]

    def said(self):
        """{name: value} of the fields that can be read."""
        self.is_valid()
        return self.cleaned_data if self.is_bound else {}

    def chosen(self):
        """[(model key, weight)] of the rows that have a model."""
        cleaned = self.said()
        rows = [(cleaned.get(f"arm_{place}"), cleaned.get(f"weight_{place}")) for place in range(self.rows)]
        return [(key, 1.0 if weight is None else weight) for key, weight in rows if key]


def key_field(keys, **more):
    """Which of these feedback keys, as forms of tests offer them."""
    field = forms.ModelChoiceField(keys, to_field_name="key", **more)
    field.label_from_instance = lambda key: f"{key.name} ({key.get_kind_display().lower()})"
    return field


class WatchForm(Dressed):
    """Rows of a feedback key that is to be watched and its margin: `watch_0`, `margin_0`. In one alone the key is
    asked for."""

    def __init__(self, data=None, *, keys, watching=1, alone=True, **kwargs):
        self.watching = min(max(watching, 1), MOST_KEYS)
        self.base_fields = {**self.base_fields}
        needed = {"required": "Choose a key."}
        for place in range(self.watching):
            self.base_fields[f"watch_{place}"] = key_field(
                keys, label="Feedback key", empty_label="–", required=alone, error_messages=needed
            )
            self.base_fields[f"margin_{place}"] = Number(label="No worse up to", required=False)
        super().__init__(data, **kwargs)

    @property
    def watch_rows(self):
        """[(key's field, margin's field)]"""
        return [(self[f"watch_{place}"], self[f"margin_{place}"]) for place in range(self.watching)]

    def watched(self):
        """[(FeedbackKey, margin or None)] of the rows that have a key; a share's margin is written in points."""
        cleaned, found = self.cleaned_data, []
        for place in range(self.watching):
            key, margin = cleaned.get(f"watch_{place}"), cleaned.get(f"margin_{place}")
            if key:
                found.append((key, margin / 100 if margin is not None and key.kind == "bool" else margin))
        return found

    def row_of(self, path):
        """The name of the field that the service's fault at watched[1].margin is about."""
        place = int(path.partition("[")[2].partition("]")[0] or 0)
        filled = [n for n in range(self.watching) if self.cleaned_data.get(f"watch_{n}")]
        return f"{'margin' if 'margin' in path else 'watch'}_{filled[place] if place < len(filled) else 0}"


class PlanForm(forms.Form):
    """What the planning calculator asks. An empty share or deviation is taken as measured; how many units come, and how
    many of them give feedback, nobody has counted."""

    effect = Number(required=False, label="Difference to find", min_value=0)
    base = Number(required=False, label="What it is now")
    spread = Number(required=False, label="Deviation, of numbers", min_value=0)
    daily = Number(required=False, label="Units a day", min_value=0)
    coverage = Number(required=False, label="Units with feedback, per cent", min_value=0.01, max_value=100)
    power = forms.ChoiceField(
        required=False, label="Chance to find it", choices=POWERS, initial="0.8", widget=forms.RadioSelect
    )


class ABTestForm(PlanForm, WatchForm, ArmsForm):
    """A new test, with what its plan was computed from."""

    field_order = ["name", "key", "feedback_key", "judged_by"]  # as on the page: the first that is wrong has the focus
    name = forms.CharField(max_length=100, help_text="What is asked, such as: dpo-3 against sft.")
    key = forms.CharField(
        max_length=64,
        validators=[check_slug],
        help_text="Names the test in addresses and as <code>ab_campaign</code> in calls; it stays.",
    )
    feedback_key = key_field(FeedbackKey.objects.none(), label="Feedback key", empty_label=None)
    judged_by = forms.ChoiceField(
        label="Judged by",
        choices=[(JudgedBy.METRIC, "The values given"), (JudgedBy.PREFERENCE, "Preferences between two answers")],
        widget=forms.RadioSelect,
        initial=JudgedBy.METRIC,
    )
    split = Number(
        label="Share of all units, in per cent",
        initial="100",
        error_messages={"required": "Write a share above 0, at most 100."},
    )
    smallest_effect = Number(
        required=False,
        label="Smallest effect worth having",
        initial="0",
        min_value=0,
        help_text="Points of a share, or the key’s own unit; log-odds for three or more arms by preferences. A winner "
        "is ahead by more than this for certain.",
    )
    planned_n = forms.IntegerField(
        label="Units with feedback in each arm, at least", min_value=LEAST_UNITS, max_value=100_000_000, initial=200
    )
    planned_days = Number(label="Days, at least", min_value=0, max_value=3_650, initial="3")
    auto_deploy = forms.BooleanField(
        required=False,
        label="Make the winner the default by itself",
        help_text="Once all checks hold in two evaluations in a row. It is logged, and can be rolled back.",
    )

    def __init__(self, data=None, *, keys, **kwargs):
        super().__init__(data, keys=keys, alone=False, **kwargs)
        self.fields["feedback_key"].queryset = keys
        self.fields["name"].widget.attrs |= {"data-suggests": "id_key"}
        self.fields["key"].widget.attrs |= {"class": "input mono", "autocapitalize": "none", "spellcheck": "false"}

    def clean_key(self):
        key = self.cleaned_data["key"].lower()
        if key in TAKEN:
            raise forms.ValidationError(f"There is a page at {key}; choose another key.")
        return key

    def clean_split(self):
        share = self.cleaned_data["split"]
        if not 0 < share <= 100:
            raise forms.ValidationError("Send a share above 0 and at most 100 per cent.")
        return share / 100

    def said(self):
        """An empty form is about the first key."""
        return super().said() or {"feedback_key": self.fields["feedback_key"].queryset.first()}

    @property
    def in_points(self):
        """Whether effects are written in points: of shares, and of two arms' win rates."""
        key = self.cleaned_data.get("feedback_key")
        if self.cleaned_data.get("judged_by") == JudgedBy.PREFERENCE:
            return len(self.chosen()) == 2
        return key is not None and key.kind == "bool"


class SplitForm(Dressed):
    """Another split of a test that runs: the share of all units, and each arm's weight. What is sent as it was shown
    means what it stands for, which may have more digits."""

    split = Number(label="Share of all units, in per cent")

    def __init__(self, data=None, *, test, arms, **kwargs):
        self.test, self.arms = test, arms
        self.base_fields = {**self.base_fields}
        for arm in arms:
            self.base_fields[f"weight_{arm.position}"] = Number(
                label=f"Weight of {arm.letter}", initial=f"{arm.weight:g}", min_value=0, max_value=1_000_000
            )
        super().__init__(data, **kwargs)
        self.fields["split"].initial = f"{100 * test.traffic_split:.4g}"
        self.weights = [self[f"weight_{arm.position}"] for arm in arms]

    def clean_split(self):
        share = self.cleaned_data["split"]
        if not 0 < share <= 100:
            raise forms.ValidationError("Send a share above 0 and at most 100 per cent.")
        return self.test.traffic_split if share == float(self.fields["split"].initial) else share / 100

    def chosen(self):
        """The arms' weights, in their order."""
        sent = [(arm.weight, self.cleaned_data[f"weight_{arm.position}"]) for arm in self.arms]
        return [own if weight == float(f"{own:g}") else weight for own, weight in sent]


class DecideForm(Dressed):
    """How a test ends, and why. `arms` (`with_off`) that are off cannot win."""

    winner = forms.ChoiceField(
        label="Winner",
        error_messages={
            "required": "Choose the winner.",
            "invalid_choice": "%(value)s takes no traffic: its model is detached or switched off.",
        },
    )
    reason = forms.CharField(
        label="Reason, kept with the result",
        max_length=MAX_REASON,
        widget=forms.Textarea(
            attrs={"rows": 3, "placeholder": "What do the numbers and the transcripts you read say?"}
        ),
        error_messages={"required": "Say why: it is kept with the result."},
    )

    def __init__(self, data=None, *, arms, **kwargs):
        super().__init__(data, **kwargs)
        keep = " (keep the control)"
        self.fields["winner"].widget.attrs["data-names"] = "decide-winner"  # the button that names it
        self.fields["winner"].choices = [
            ("", "–"),
            *(
                (arm.letter, f"{arm.letter} {arm.model.key}{'' if arm.position else keep}")
                for arm in arms
                if not arm.off
            ),
        ]
