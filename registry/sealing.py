"""What is kept encrypted: providers' addresses and keys. Fernet of the cryptography package: AES-128-CBC with HMAC."""

import functools

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from registry.ready import KEYS


class Unreadable(ValueError):
    """None of the keys in ENCRYPTION_KEYS opens it, or it was changed."""


def seal(text):
    """The text encrypted with the first of ENCRYPTION_KEYS, as bytes."""
    return _box().encrypt(text.encode())


def unseal(sealed):
    """The text again; Unreadable."""
    try:
        return _box().decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise Unreadable("It was encrypted with a key that is not in ENCRYPTION_KEYS.") from None


def seal_anew(sealed):
    """The same encrypted with the first of ENCRYPTION_KEYS; Unreadable."""
    return seal(unseal(sealed))


def is_by_first(sealed):
    """Whether the first of ENCRYPTION_KEYS opens it."""
    try:
        _fernets(tuple(settings.ENCRYPTION_KEYS))[0].decrypt(bytes(sealed))
    except InvalidToken:
        return False
    return True


def _box():
    return MultiFernet(_fernets(tuple(settings.ENCRYPTION_KEYS)))


@functools.lru_cache(maxsize=4)
def _fernets(keys):
    try:
        fernets = [Fernet(key) for key in keys]
    except ValueError:
        raise ImproperlyConfigured(KEYS) from None  # the fault itself would tell of the key
    if not fernets:
        raise ImproperlyConfigured(KEYS)
    return fernets
