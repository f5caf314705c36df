"""What changes people, teams and keys."""

import hashlib
import logging
import secrets

from django.db import transaction
from django.utils import timezone

from accounts.models import ApiKey, Membership, Role, Team, User
from accounts.permissions import MANAGE_TEAM, ROLES

KEY_PREFIX = "mg_"
logger = logging.getLogger(__name__)


class NotHers(Exception):
    """This person's password is not for this administrator to replace."""


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
def create_team(*, key, name, owner):
    """A team with the usual roles, and its owner as administrator."""
    team = Team.objects.create(key=key, name=name)
    Role.objects.bulk_create(
        Role(team=team, key=role, name=name, permissions=sorted(permissions))
        for role, (name, permissions) in ROLES.items()
    )
    add_member(team=team, user=owner, role="administrator")
    return team


@transaction.atomic
def add_member(*, team, user, role):
    """Let this person into the team in this role, or change the role she has; LastAdministrator."""
    role = Role.objects.get(team=team, key=role)
    member, _ = Membership.objects.update_or_create(team=team, user=user, defaults={"role": role})
    _keep_an_administrator(team)
    return member


@transaction.atomic
def invite_member(*, team, email, name, role):
    """Add the person of this address, made if nobody has it: the member, and her one-time password or None."""
    password = None
    user = User.objects.at(email).first()
    if user is None:
        password = _one_time_password()
        user = create_user(email=email, name=name, password=password, temporary=True)
    return add_member(team=team, user=user, role=role), password


@transaction.atomic
def remove_member(*, member):
    """The person leaves the team, and with it all of its projects; LastAdministrator."""
    member.delete()
    _keep_an_administrator(member.team)


def _keep_an_administrator(team):
    # the lock makes two who demote each other at the same moment wait for one another
    Team.objects.select_for_update().get(pk=team.pk)
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
    # locked, so that nobody takes her into another team meanwhile
    user = User.objects.select_for_update().get(pk=user.pk)
    if by is not None and not User.objects.in_hands_of(by).filter(pk=user.pk).exists():
        raise NotHers
    password = _one_time_password()
    user.set_password(password)
    user.password_is_temporary = True
    user.save(update_fields=["password", "password_is_temporary"])
    if revoke_keys:
        ApiKey.objects.of(user).update(revoked_at=timezone.now())
    logger.warning("The password of %s was replaced by %s", user.email, by.email if by else "the command line")
    return password


def _one_time_password():
    return secrets.token_urlsafe(12)


def digest_of(plain):
    """SHA-256 of a key: 32 bytes. Keys carry 256 random bits, so no salt or stretching is needed."""
    return hashlib.sha256(plain.encode()).digest()


def create_api_key(*, user, name):
    """A new key: the row, and the plain key, which is not kept and cannot be shown again."""
    plain = KEY_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(user=user, name=name, hint=plain[:8], digest=digest_of(plain))
    return key, plain


def revoke_api_key(*, key):
    """The key opens nothing from the next request on."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
