"""What people fill in about themselves and their teams."""

import datetime

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.utils import timezone

from accounts.audit import VERBS
from accounts.middleware import ZONES
from accounts.models import Role
from accounts.names import check_name


class Look:
    """Fields dressed for the page; after a refusal the first field with an error takes the focus."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"
            field.widget.attrs.pop("autofocus", None)

    def full_clean(self):
        super().full_clean()
        for name in self.errors:
            if name in self.fields:
                self.fields[name].widget.attrs["autofocus"] = True
                return


class LoginForm(Look, AuthenticationForm):
    error_messages = {
        "invalid_login": "This address and password do not go together.",
        "inactive": "This address and password do not go together.",
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail address"
        self.fields["username"].widget.attrs |= {"autofocus": True, "autocomplete": "username", "inputmode": "email"}

    def clean_username(self):
        # one spelling of an address, so that failures are counted together
        return self.cleaned_data["username"].lower()


class PasswordForm(Look, PasswordChangeForm):
    """A person's own password; the old one is asked for as at the login, whose failures are counted with these."""

    def __init__(self, request, *args, **kwargs):
        super().__init__(request.user, *args, **kwargs)
        self.request = request

    def clean_old_password(self):
        old = self.cleaned_data["old_password"]
        if authenticate(self.request, username=self.user.email.lower(), password=old) is None:
            raise forms.ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old


class AccountForm(Look, forms.Form):
    name = forms.CharField(max_length=100, validators=[check_name])
    timezone = forms.ChoiceField(
        label="Time zone",
        required=False,
        choices=[("", "As my browser says"), *((zone, zone) for zone in sorted(ZONES))],
    )


class KeyForm(Look, forms.Form):
    name = forms.CharField(
        max_length=100,
        validators=[check_name],
        help_text="What will use it, so that you know later which one to revoke.",
    )
    ends_at = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: until it is revoked.",
    )

    def clean_ends_at(self):
        """The end of that day, in the person's own zone."""
        day = self.cleaned_data["ends_at"]
        if day is None:
            return None
        try:
            end = timezone.make_aware(datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time()))
        except OverflowError:
            raise forms.ValidationError("Choose an earlier day.") from None
        if end <= timezone.now():
            raise forms.ValidationError("This day is over.")
        return end


class MemberForm(Look, forms.Form):
    email = forms.EmailField(
        label="E-mail address", max_length=254, help_text="Who has an account already is invited, and decides herself."
    )
    name = forms.CharField(
        max_length=100, required=False, validators=[check_name], help_text="For somebody new; else the name stays."
    )
    role = forms.ModelChoiceField(Role.objects.none(), to_field_name="key", empty_label=None, initial="reviewer")

    def __init__(self, *args, team, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].queryset = team.roles.order_by("pk")


class RoleForm(Look, forms.Form):
    role = forms.ModelChoiceField(Role.objects.none(), to_field_name="key", empty_label=None)

    def __init__(self, *args, team, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].queryset = team.roles.order_by("pk")


class AuditForm(Look, forms.Form):
    """Which lines of the audit log are shown."""

    person = forms.EmailField(
        label="Who", required=False, widget=forms.EmailInput(attrs={"placeholder": "E-mail address"})
    )
    verb = forms.ChoiceField(
        label="What", required=False, choices=[("", "Everything"), *((verb, verb) for verb in VERBS)]
    )
    after = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    before = forms.DateField(label="Until", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    @property
    def wanted(self):
        """What `entries_of` takes; days begin and end in the person's own zone."""
        wanted = {name: value for name, value in self.cleaned_data.items() if value}
        if "before" in wanted:
            wanted["before"] += datetime.timedelta(days=1)
        for name in {"after", "before"} & wanted.keys():
            wanted[name] = timezone.make_aware(datetime.datetime.combine(wanted[name], datetime.time()))
        return wanted
