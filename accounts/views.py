"""Coming in and going out, one's own account and keys, and the people of a team."""

from axes.helpers import get_cool_off
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import managed_team_or_404
from accounts.forms import AccountForm, KeyForm, LoginForm, MemberForm, PasswordForm, RoleForm
from accounts.models import ApiKey, Membership
from accounts.permissions import MANAGE_TEAM, PERMISSIONS
from accounts.services import (
    LastAdministrator,
    NotHers,
    add_member,
    change_password,
    create_api_key,
    invite_member,
    remove_member,
    reset_password,
    revoke_api_key,
)

LAST_ADMINISTRATOR = "A team needs at least one administrator: make somebody else one first."


def status_of(form):
    """What a page with this form answers with: 422 where it refuses what was sent."""
    return 422 if form.is_bound and not form.is_valid() else 200


class Login(auth_views.LoginView):
    """E-mail address and password to a session; who is in already goes on."""

    form_class = LoginForm
    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def get(self, request, *args, **kwargs):
        if request.htmx:  # a session ended under an open page: the whole page logs in, not a part of it
            return HttpResponseClientRedirect(self._address_of_page(request))
        return super().get(request, *args, **kwargs)

    def form_invalid(self, form):
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def _address_of_page(self, request):
        page = request.htmx.current_url_abs_path or ""
        return f"{request.path}?{urlencode({'next': page})}" if page else request.path


login = method_decorator(login_not_required, name="dispatch")(Login).as_view()


def locked_out(request, *details):
    """Too many failures for this address from this place: 429, and when to come again."""
    wait = int(get_cool_off(request).total_seconds())
    text = f"Too many failed attempts. Try again in {wait // 60} minutes."
    if request.path.startswith("/api/"):
        response = JsonResponse({"error": text, "fields": {}}, status=429)
    else:
        response = render(request, "accounts/locked_out.html", {"text": text}, status=429)
    response["Retry-After"] = str(wait)
    return response


def csrf_failure(request, reason=""):
    """The form came without its token, mostly because cookies are off or the page lay open over a login."""
    return render(request, "403.html", {"stale": True}, status=403)


@require_http_methods(["GET", "POST"])
def account(request):
    """One's name and time zone."""
    user = request.user
    form = AccountForm(request.POST or None, initial={"name": user.name, "timezone": user.timezone})
    if form.is_valid():
        user.name, user.timezone = form.cleaned_data["name"], form.cleaned_data["timezone"]
        user.save(update_fields=["name", "timezone"])
        messages.success(request, "Saved.")
        return redirect("account")
    return render(request, "accounts/account.html", {"form": form}, status=status_of(form))


@never_cache
@require_http_methods(["GET", "POST"])
def password(request):
    """A new password; this session stays, all others end."""
    form = PasswordForm(request, request.POST or None)
    if form.is_valid():
        change_password(user=request.user, password=form.cleaned_data["new_password1"])
        update_session_auth_hash(request, request.user)
        messages.success(request, "Your password is changed. Sessions elsewhere have ended.")
        return redirect("home")
    return render(request, "accounts/password.html", {"form": form}, status=status_of(form))


@never_cache
@require_http_methods(["GET", "POST"])
def api_keys(request):
    """One's keys; a new one is shown in the answer to its making and never again."""
    form, plain = KeyForm(request.POST or None), None
    if form.is_valid():
        _, plain = create_api_key(user=request.user, name=form.cleaned_data["name"])
    status = status_of(form)
    context = {"form": KeyForm() if plain else form, "plain": plain, "keys": ApiKey.objects.of(request.user)}
    return render(request, "accounts/api_keys.html", context, status=status)


@require_POST
def api_key_revoke(request, pk):
    key = get_object_or_404(ApiKey.objects.of(request.user), pk=pk)
    revoke_api_key(key=key)
    messages.success(request, f"The key {key.name} is revoked.")
    return redirect("api_keys")


@require_GET
def team_list(request):
    """One's teams, and the role one has in each."""
    memberships = Membership.objects.filter(user=request.user).select_related("team", "role").order_by("team__name")
    return render(request, "accounts/team_list.html", {"memberships": memberships, "manage": MANAGE_TEAM})


@never_cache
@require_http_methods(["GET", "POST"])
def team(request, team):
    """The people of a team; a posted form adds one, whose one-time password is shown in the answer alone."""
    team = managed_team_or_404(request.user, team)
    form, added, plain = MemberForm(request.POST or None, team=team), None, None
    if form.is_valid() and (answer := _invite(team, form)):
        added, plain = answer
    return _team_page(request, team, MemberForm(team=team) if added else form, added=added, plain=plain)


def _team_page(request, team, form, **more):
    context = {
        "team": team,
        "form": form,
        "members": team.memberships.with_people(),
        "renewable": set(team.members.in_hands_of(request.user).values_list("pk", flat=True)),
        "roles": team.roles.order_by("pk"),
        "permissions": PERMISSIONS,
        **more,
    }
    return render(request, "accounts/team.html", context, status=422 if form.errors else 200)


def _invite(team, form):
    email = form.cleaned_data["email"]
    if team.members.at(email).exists():
        form.add_error("email", "This person is in the team already; change her role in the list.")
        return None
    name = form.cleaned_data["name"] or email.partition("@")[0]
    return invite_member(team=team, email=email, name=name, role=form.cleaned_data["role"].key)


@require_POST
def member_role(request, team, pk):
    team = managed_team_or_404(request.user, team)
    member = get_object_or_404(team.memberships.select_related("user"), pk=pk)
    form = RoleForm(request.POST, team=team)
    if not form.is_valid():
        messages.error(request, "There is no such role.")
        return redirect("team", team=team.key)
    try:
        add_member(team=team, user=member.user, role=form.cleaned_data["role"].key)
    except LastAdministrator:
        messages.error(request, LAST_ADMINISTRATOR)
    else:
        messages.success(request, f"{member.user} is now {form.cleaned_data['role'].name.lower()}.")
    return _back_to_team(request, team)


@require_POST
def member_remove(request, team, pk):
    team = managed_team_or_404(request.user, team)
    member = get_object_or_404(team.memberships.select_related("user", "team"), pk=pk)
    try:
        remove_member(member=member)
    except LastAdministrator:
        messages.error(request, LAST_ADMINISTRATOR)
    else:
        messages.success(request, f"{member.user} has left {team.name}.")
    return _back_to_team(request, team)


@never_cache
@require_POST
def member_password(request, team):
    """A new one-time password for `member`, who lost hers; it is shown in the answer alone."""
    team = managed_team_or_404(request.user, team)
    sent = request.GET.get("member", "")
    is_id = sent.isdecimal() and len(sent) < 19
    member = get_object_or_404(team.memberships.with_people(), pk=sent if is_id else None)
    revoke = "revoke_keys" in request.POST
    try:
        plain = reset_password(user=member.user, by=request.user, revoke_keys=revoke)
    except NotHers:
        raise PermissionDenied("Only who manages all teams of somebody else may give her a new password.") from None
    return _team_page(request, team, MemberForm(team=team), renewed=member, plain=plain, told=_renewed(member, revoke))


def _renewed(member, revoked):
    keys = "; her API keys are revoked" if revoked else "; her API keys go on working" if member.keys else ""
    return (
        f"has a new one-time password, and is logged out everywhere{keys}. Hand it over now: it is shown this once, "
        "and a password of one's own is asked for at the next login."
    )


def _back_to_team(request, team):
    # who has just given up the right to see the team's page goes to the list of her teams
    manages = team.memberships.filter(user=request.user, role__permissions__contains=[MANAGE_TEAM]).exists()
    return redirect("team", team=team.key) if manages else redirect("team_list")
