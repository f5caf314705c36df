"""What people fill in about projects."""

from django import forms

from accounts.forms import Look
from accounts.models import Role, Team
from accounts.names import check_name, check_slug
from projects.models import MOST_DAYS
from projects.services import check_key


class ProjectForm(Look, forms.Form):
    name = forms.CharField(max_length=100, validators=[check_name])
    key = forms.CharField(
        max_length=64,
        validators=[check_slug, check_key],
        help_text="Names the project in calls and addresses, and cannot be changed later.",
    )
    team = forms.ModelChoiceField(Team.objects.none(), to_field_name="key", empty_label=None)

    def __init__(self, *args, teams, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = teams
        self.fields["name"].widget.attrs |= {"data-suggests": "id_key", "autofocus": True}
        self.fields["key"].widget.attrs |= {"class": "input mono", "autocapitalize": "none", "spellcheck": "false"}


class NameForm(Look, forms.Form):
    name = forms.CharField(max_length=100, validators=[check_name])


class KeepForm(Look, forms.Form):
    days = forms.IntegerField(
        label="Days",
        min_value=1,
        max_value=MOST_DAYS,
        required=False,
        help_text="Empty: for ever. What was created before so many whole days is deleted every night.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["days"].widget.attrs |= {"class": "input", "inputmode": "numeric"}


class ShareForm(Look, forms.Form):
    team = forms.CharField(label="Key of the team", max_length=64)
    role = forms.ModelChoiceField(
        Role.objects.none(), label="In the role", to_field_name="key", empty_label=None, initial="auditor"
    )

    def __init__(self, *args, project, **kwargs):
        super().__init__(*args, **kwargs)
        self.project = project
        self.fields["role"].queryset = project.team.roles.order_by("pk")

    def clean_team(self):
        team = Team.objects.filter(key=self.cleaned_data["team"]).first()
        if team is None:
            raise forms.ValidationError("There is no team with this key.")
        if team == self.project.team:
            raise forms.ValidationError("The project is this team's own.")
        return team


class DeleteForm(Look, forms.Form):
    key = forms.CharField(label="Key of the project", max_length=64)

    def __init__(self, *args, project, **kwargs):
        super().__init__(*args, **kwargs)
        self.project = project
        self.fields["key"].widget.attrs |= {"class": "input mono", "autocomplete": "off", "autocapitalize": "none"}

    def clean_key(self):
        if self.cleaned_data["key"] != self.project.key:
            raise forms.ValidationError(f"Type {self.project.key} to delete it.")
        return self.cleaned_data["key"]
