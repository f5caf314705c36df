"""The people of a team: who is in it and in which role, who is asked into it, and what their programs come with."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import managed_team_or_404
from accounts.forms import MemberForm, RoleForm
from accounts.models import ApiKey, Membership
from accounts.permissions import AUDIT, MANAGE_TEAM, PERMISSIONS
from accounts.services import (
    LAST_ADMINISTRATOR,
    AlreadyMember,
    LastAdministrator,
    NotHers,
    accept_invitation,
    change_role,
    deactivate,
    end_invitation,
    invite_member,
    password_again,
    remove_member,
    reset_password,
    revoke_api_key,
)

NOT_IN_IT = "This person is no longer in the team."
NOT_ASKED = "This invitation is no longer there."


@require_GET
def team_list(request):
    """One's teams, the role one has in each, and those that one is asked into."""
    memberships = Membership.objects.filter(user=request.user).select_related("team", "role").order_by("team__name")
    asked = request.user.invitations.select_related("team", "role", "invited_by").order_by("pk")
    context = {"memberships": memberships, "invitations": asked, "manage": MANAGE_TEAM, "audit": AUDIT}
    return render(request, "accounts/team_list.html", context)


@require_POST
def team_answer(request, pk):
    """One's own answer to an invitation: `accept`, or it is declined."""
    asked = get_object_or_404(request.user.invitations.select_related("team", "role", "invited_by", "user"), pk=pk)
    accepts = "accept" in request.POST
    if not (accept_invitation(invitation=asked) if accepts else end_invitation(invitation=asked, by=request.user)):
        raise Http404(NOT_ASKED)
    if accepts:
        messages.success(request, f"You are in {asked.team} now.")
    else:
        messages.success(request, f"You are not in {asked.team}.")
    return redirect("team_list")


@require_POST
def team_leave(request, pk):
    """Out of a team oneself, at once."""
    member = get_object_or_404(request.user.memberships.select_related("user", "team", "role"), pk=pk)
    if _removed(request, member):
        messages.success(request, f"You have left {member.team}.")
    return redirect("team_list")


@never_cache
@require_http_methods(["GET", "POST"])
def team(request, team):
    """The people of a team; a posted form adds somebody new, whose one-time password is shown in the answer alone, or
    asks somebody who has an account."""
    team = managed_team_or_404(request.user, team)
    form, added, plain = MemberForm(request.POST or None, team=team), None, None
    if form.is_valid() and (answer := _invite(team, form, request.user)):
        added, plain = answer
    return _team_page(request, team, MemberForm(team=team) if added else form, added=added, plain=plain)


def _team_page(request, team, form, **more):
    context = {
        "team": team,
        "form": form,
        "members": team.memberships.with_people(),
        "invitations": team.invitations.select_related("user", "role").order_by("pk"),
        "renewable": set(team.members.in_hands_of(request.user).values_list("pk", flat=True)),
        "roles": team.roles.order_by("pk"),
        "permissions": PERMISSIONS,
        **more,
    }
    return render(request, "accounts/team.html", context, status=422 if form.errors else 200)


def _invite(team, form, by):
    email = form.cleaned_data["email"]
    name = form.cleaned_data["name"] or email.partition("@")[0]
    try:
        return invite_member(team=team, email=email, name=name, role=form.cleaned_data["role"].key, by=by)
    except AlreadyMember:
        if again := password_again(team=team, email=email, by=by):
            return again
        form.add_error("email", "This person is in the team already; change her role in the list.")
        return None


@require_POST
def member_role(request, team, pk):
    team = managed_team_or_404(request.user, team)
    member = get_object_or_404(team.memberships.select_related("user", "team"), pk=pk)
    form = RoleForm(request.POST, team=team)
    if not form.is_valid():
        messages.error(request, "There is no such role.")
        return redirect("team", team=team.key)
    try:
        if not change_role(member=member, role=form.cleaned_data["role"].key, by=request.user):
            raise Http404(NOT_IN_IT)
    except LastAdministrator:
        messages.error(request, LAST_ADMINISTRATOR)
    else:
        messages.success(request, f"{member.user} is now {form.cleaned_data['role'].name.lower()}.")
    return _back_to_team(request, team)


@require_POST
def member_remove(request, team, pk):
    team = managed_team_or_404(request.user, team)
    member = get_object_or_404(team.memberships.select_related("user", "team", "role"), pk=pk)
    if _removed(request, member):
        messages.success(request, f"{member.user} has left {team.name}.")
    return _back_to_team(request, team)


def _removed(request, member):
    """Whether the member was removed; the last administrator is not, and is told why."""
    try:
        if not remove_member(member=member, by=request.user):
            raise Http404(NOT_IN_IT)
    except LastAdministrator:
        messages.error(request, LAST_ADMINISTRATOR)
        return False
    return True


@require_POST
def invitation_withdraw(request, team, pk):
    team = managed_team_or_404(request.user, team)
    asked = get_object_or_404(team.invitations.select_related("user", "team"), pk=pk)
    if not end_invitation(invitation=asked, by=request.user):
        raise Http404(NOT_ASKED)
    messages.success(request, f"{asked.user} is no longer invited.")
    return redirect("team", team=team.key)


@require_POST
def member_key_revoke(request, team, pk):
    """A member's key acts in this team too: who manages it may end any."""
    team = managed_team_or_404(request.user, team)
    keys = ApiKey.objects.filter(revoked_at=None, user__memberships__team=team)
    key = get_object_or_404(keys.select_related("user"), pk=pk)
    revoke_api_key(key=key, by=request.user)
    messages.success(request, f"The key {key.name} of {key.user} is revoked.")
    return redirect("team", team=team.key)


@require_POST
def member_deactivate(request, team, pk):
    team = managed_team_or_404(request.user, team)
    member = get_object_or_404(team.memberships.select_related("user"), pk=pk)
    try:
        deactivate(user=member.user, by=request.user)
    except NotHers:
        raise PermissionDenied("Only who manages all teams of somebody else may end her account.") from None
    except LastAdministrator:
        messages.error(request, LAST_ADMINISTRATOR)
    else:
        messages.success(request, f"The account of {member.user} has ended.")
    return redirect("team", team=team.key)


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
    keys = "; her API keys are revoked" if revoked else "; her API keys go on working" if member.user.keys else ""
    return (
        f"has a new one-time password, and is logged out everywhere{keys}. Hand it over now: it is shown this once, "
        "and a password of one's own is asked for at the next login."
    )


def _back_to_team(request, team):
    # who has just given up the right to see the team's page goes to the list of her teams
    manages = team.memberships.filter(user=request.user, role__permissions__contains=[MANAGE_TEAM]).exists()
    return redirect("team", team=team.key) if manages else redirect("team_list")
