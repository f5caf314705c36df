"""How a program proves who it acts for."""

import datetime
import ipaddress

from django.conf import settings
from django.contrib.auth import get_user
from django.db.models import Q
from django.utils import timezone
from rest_framework import authentication, exceptions

from accounts import prepared
from accounts.models import ApiKey, User
from accounts.services import digest_of

LAST_USE_EVERY = datetime.timedelta(minutes=1)
_USABLE = f"""
    SELECT {prepared.columns(ApiKey, "k")}, {prepared.columns(User, "u")}
    FROM accounts_apikey k JOIN accounts_user u ON u.id = k.user_id
    WHERE k.digest = %s AND k.revoked_at IS NULL AND (k.ends_at IS NULL OR k.ends_at > now()) AND u.is_active
"""


def is_by_key(request):
    """Whether a key, and nothing else, tells who sends this."""
    return request.META.get("HTTP_AUTHORIZATION", "").partition(" ")[0].lower() == "bearer"


def usable_key(plain):
    """The ApiKey that still opens the door, with its user, or None."""
    for row in prepared.rows(_USABLE, [digest_of(plain)]):
        key, rest = prepared.instance(ApiKey, row)
        key.user, _ = prepared.instance(User, rest)
        key.user.by_key = key
        return key
    return None


def remember_use(key):
    """The page of keys tells when each was last used."""
    # at most one write a minute, so that a busy key does not become a contended row
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > LAST_USE_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USE_EVERY)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def sender_now(request):
    """The person who sends this, asked anew in the middle of a long request; NotAuthenticated or AuthenticationFailed
    where the key was revoked, the account ended or the password replaced since it began."""
    if is_by_key(request):
        return ApiKeyAuthentication().authenticate(request)[0]
    user = get_user(request)
    if not user.is_authenticated:
        raise exceptions.NotAuthenticated
    return user


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer KEY`."""

    def authenticate(self, request):
        if not is_by_key(request):
            return None
        key = usable_key(request.META["HTTP_AUTHORIZATION"].partition(" ")[2].strip())
        if key is None:
            raise exceptions.AuthenticationFailed("This API key is not known, was revoked, or its time is over.")
        remember_use(key)
        return key.user, key

    def authenticate_header(self, request):
        return "Bearer"


def client_address(request):
    """The address whose failed logins are counted; behind a proxy of ours it is the one that the proxy saw."""
    seen = request.META.get("REMOTE_ADDR")
    if not settings.SECURE_PROXY_SSL_HEADER:
        return seen
    try:
        return str(ipaddress.ip_address(request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()))
    except ValueError:
        return seen
