"""What changes people, teams and keys."""

import datetime
import hashlib
import secrets

from axes.utils import reset as forget_failures
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.audit import record, record_of_person
from accounts.models import HINT, ApiKey, AuditEntry, Invitation, Membership, Role, Team, User
from accounts.permissions import MANAGE_TEAM, ROLES

KEY_PREFIX = "mg_"
TWICE = datetime.timedelta(seconds=10)  # between two clicks on one button, however slow the page
LAST_ADMINISTRATOR = "A team needs at least one administrator: make somebody else one first."


class NotHers(Exception):
    """This person's account is not in this administrator's hands."""


class AlreadyMember(Exception):
    """Who is to be invited is in the team."""


class LastAdministrator(Exception):
    """The change would leave the team without anybody who may manage it."""


@transaction.atomic
def create_user(*, email, name, password=None, temporary=False):
    """A person; without a password she cannot log in, with a temporary one she must choose her own first."""
    user = User(email=User.objects.normalize_email(email), name=name, password_is_temporary=temporary)
    user.set_password(password)
    user.save()
    return user


@transaction.atomic
def change_account(*, user, name, timezone):
    """Her own name and time zone; what her teams see her as is in their logs."""
    former = user.name
    user.name, user.timezone = name, timezone
    user.save(update_fields=["name", "timezone"])
    if name != former:
        record_of_person("account.rename", by=user, person=user, before={"name": former}, after={"name": name})


@transaction.atomic
def create_team(*, key, name, owner):
    """A team with the usual roles, and its owner as administrator."""
    team = Team.objects.create(key=key, name=name)
    Role.objects.bulk_create(
        Role(team=team, key=role, name=name, permissions=sorted(permissions))
        for role, (name, permissions) in ROLES.items()
    )
    record("team.create", by=None, team=team, what=key)
    add_member(team=team, user=owner, role="administrator")
    return team


@transaction.atomic
def add_member(*, team, user, role, by=None):
    """Let this person into the team in this role, or change the role she has; LastAdministrator. `by` as in the audit
    log: None is who runs the server."""
    _lock(team, user)
    role = Role.objects.get(team=team, key=role)
    former = Membership.objects.filter(team=team, user=user).select_related("role").first()
    member, is_new = Membership.objects.update_or_create(team=team, user=user, defaults={"role": role})
    _keep_an_administrator(team)
    if is_new:
        _forget_invitation(team, user)
        record("member.add", by=by, team=team, what=user.email, after={"role": role.key})
    elif former.role_id != role.pk:
        change = {"before": {"role": former.role.key}, "after": {"role": role.key}}
        record("member.role", by=by, team=team, what=user.email, **change)
    return member


@transaction.atomic
def change_role(*, member, role, by=None):
    """Another role for who is in the team; LastAdministrator. Whether she was in it still."""
    _lock(member.team, member.user)
    if not Membership.objects.filter(pk=member.pk).exists():
        return False
    add_member(team=member.team, user=member.user, role=role, by=by)
    return True


@transaction.atomic
def invite_member(*, team, email, name, role, by=None):
    """(the person of this address, her one-time password or None). Whoever has no account is made one, and is in the
    team at once; whoever has one is asked, and decides herself: her other teams' administrators answer for it too.
    AlreadyMember where she is in the team."""
    user = User.objects.at(email).first()
    if user is None:
        password = _one_time_password()
        try:
            with transaction.atomic():
                user = create_user(email=email, name=name, password=password, temporary=True)
        except IntegrityError:  # somebody else has just made it
            return invite_member(team=team, email=email, name=name, role=role, by=by)
        add_member(team=team, user=user, role=role, by=by)
        return user, password
    _lock(team, user)
    if Membership.objects.filter(team=team, user=user).exists():
        raise AlreadyMember
    role = Role.objects.get(team=team, key=role)
    Invitation.objects.update_or_create(team=team, user=user, defaults={"role": role, "invited_by": by})
    record("member.invite", by=by, team=team, what=user.email, after={"role": role.key})
    return user, None


@transaction.atomic
def accept_invitation(*, invitation):
    """She is in the team from now on, in the role that she is offered; whether there was an invitation still. Who is in
    it already keeps her role."""
    team, user = invitation.team, invitation.user
    _lock(team, user)
    asked = Invitation.objects.filter(pk=invitation.pk).select_related("role", "invited_by").first()
    if asked is None:
        return False
    if Membership.objects.filter(team=team, user=user).exists():
        _forget_invitation(team, user)
        return True
    record("member.accept", by=user, team=team, what=user.email)
    add_member(team=team, user=user, role=asked.role.key, by=asked.invited_by)
    return True


@transaction.atomic
def end_invitation(*, invitation, by):
    """Declined by herself, or withdrawn by an administrator of the team; whether there was an invitation still."""
    _lock(invitation.team, invitation.user)
    if not _forget_invitation(invitation.team, invitation.user):
        return False
    verb = "member.decline" if by.pk == invitation.user_id else "member.withdraw"
    record(verb, by=by, team=invitation.team, what=invitation.user.email)
    return True


def _forget_invitation(team, user):
    return Invitation.objects.filter(team=team, user=user).delete()[0]


@transaction.atomic
def remove_member(*, member, by=None):
    """The person leaves the team, and with it all of its projects; LastAdministrator. Whether she was in it still."""
    team, user = member.team, member.user
    _lock(team, user)
    member = Membership.objects.filter(pk=member.pk).select_related("role").first()
    if member is None:
        return False
    member.delete()
    _forget_invitation(team, user)  # by which she would let herself in again
    _keep_an_administrator(team)
    verb = "member.leave" if by and by.pk == user.pk else "member.remove"
    record(verb, by=by, team=team, what=user.email, before={"role": member.role.key})
    return True


def _lock(team, user):
    """Who is in the team, and who is asked into it, is changed by one at a time; her account by nobody meanwhile.
    Always the person first, as where her account is ended."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    Team.objects.select_for_update(no_key=True).get(pk=team.pk)


def _keep_an_administrator(team):
    # the lock makes two who demote each other at the same moment wait for one another
    Team.objects.select_for_update(no_key=True).get(pk=team.pk)
    administrators = team.memberships.filter(role__permissions__contains=[MANAGE_TEAM], user__is_active=True)
    if not administrators.exists():
        raise LastAdministrator


def change_password(*, user, password):
    """Her own password from now on; her other sessions end, as their sign of it no longer fits."""
    user.set_password(password)
    user.password_is_temporary = False
    user.save(update_fields=["password", "password_is_temporary"])


@transaction.atomic
def reset_password(*, user, by=None, revoke_keys=False):
    """A one-time password in place of the one that was lost; it is not kept. All her sessions end, as their sign of it
    no longer fits; her API keys, which programs use, only where they are to be revoked. `by` is an administrator of all
    her teams, NotHers else, or None for whoever runs the server."""
    user = _in_hands(user, by)
    password = _one_time_password()
    user.set_password(password)
    user.password_is_temporary = True
    user.save(update_fields=["password", "password_is_temporary"])
    forget_failures(username=user.email.lower())  # else whoever tried the lost one too often waits with the new one
    record_of_person("password.reset", by=by, person=user)
    if revoke_keys:
        _revoke_all(user, by)
    return password


@transaction.atomic
def deactivate(*, user, by=None):
    """End an account: she cannot log in, her sessions and API keys end. What she did stays, under her name. `by` as for
    `reset_password`; LastAdministrator where a team of hers would be left without one."""
    user = _in_hands(user, by)
    user.is_active = False
    user.save(update_fields=["is_active"])
    for team in user.teams.order_by("pk"):
        _keep_an_administrator(team)
    record_of_person("account.deactivate", by=by, person=user)
    _revoke_all(user, by)


@transaction.atomic
def activate(*, user):
    """She may log in again."""
    user.is_active = True
    user.save(update_fields=["is_active"])
    record_of_person("account.activate", by=None, person=user)


def _in_hands(user, by):
    # locked, so that nobody takes her into another team meanwhile
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if by is not None and not User.objects.in_hands_of(by).filter(pk=user.pk).exists():
        raise NotHers
    return user


def password_again(*, team, email, by):
    """(the person of this address, another one-time password), where she has never come in and it is this administrator
    who took her into the team a moment ago, else None: a form that was sent twice shows its second answer alone."""
    user = team.members.at(email).filter(password_is_temporary=True, last_login=None).first()
    lately = {"verb": "member.add", "actor": by, "at__gt": timezone.now() - TWICE}
    if user is None or not AuditEntry.objects.filter(team=team, object=user.email, **lately).exists():
        return None
    return user, reset_password(user=user, by=by)


def _revoke_all(user, by):
    for key in ApiKey.objects.of(user):
        revoke_api_key(key=key, by=by)


def _one_time_password():
    return secrets.token_urlsafe(12)


def digest_of(plain):
    """SHA-256 of a key: 32 bytes. Keys carry 256 random bits, so no salt or stretching is needed."""
    return hashlib.sha256(plain.encode()).digest()


@transaction.atomic
def create_api_key(*, user, name, ends_at=None):
    """A new key: the row, and the plain key, which is not kept and cannot be shown again. It opens nothing from
    `ends_at` on."""
    plain = KEY_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(user=user, name=name, hint=plain[:HINT], digest=digest_of(plain), ends_at=ends_at)
    record_of_person("key.create", by=user, person=user, what=str(key))
    return key, plain


@transaction.atomic
def revoke_api_key(*, key, by=None):
    """The key opens nothing from the next request on."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        whose = {"whose": key.user.email}
        record_of_person("key.revoke", by=by, person=key.user, what=str(key), before=whose)
