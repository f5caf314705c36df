"""What changes people, teams and keys."""

import hashlib
import secrets

from django.db import transaction
from django.utils import timezone

from accounts.models import ApiKey, Membership, Role, Team, User
from accounts.permissions import ROLES

KEY_PREFIX = "mg_"


@transaction.atomic
def create_user(*, email, name, password=None):
    """A person; without a password she cannot log in until one is set."""
    user = User(email=User.objects.normalize_email(email), name=name)
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


def add_member(*, team, user, role):
    """Let this person into the team in this role, or change the role she has."""
    role = Role.objects.get(team=team, key=role)
    member, _ = Membership.objects.update_or_create(team=team, user=user, defaults={"role": role})
    return member


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
