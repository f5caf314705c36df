"""What `manage.py check` says of the settings that calls to providers stand on."""

import base64
import binascii
import ipaddress
import ssl

from django.conf import settings
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured

from registry.hosts import is_allowed

KEYS = "ENCRYPTION_KEYS holds keys of 32 bytes in URL-safe base64, separated by commas; docs/settings.md tells how."


def settings_are_readable(app_configs, **options):
    """An Error for each of ENCRYPTION_KEYS, ALLOWED_UPSTREAMS and SSL_CERT_FILE that cannot be read."""
    faults = []
    if not settings.ENCRYPTION_KEYS or not all(_is_key(text) for text in settings.ENCRYPTION_KEYS):
        faults.append(Error(KEYS, id="registry.E001"))
    try:
        is_allowed("", 0, ipaddress.ip_address("::"))
    except ImproperlyConfigured as fault:
        faults.append(Error(str(fault), id="registry.E002"))
    if settings.SSL_CERT_FILE and not _are_authorities(settings.SSL_CERT_FILE):
        told = f"SSL_CERT_FILE names {settings.SSL_CERT_FILE}, which is no file of certificates that can be read."
        faults.append(Error(told, id="registry.E003"))
    return faults


def _are_authorities(path):
    try:
        ssl.create_default_context(cafile=path)
    except OSError:  # what OpenSSL says is one too
        return False
    return True


def _is_key(text):
    try:
        return len(base64.urlsafe_b64decode(text)) == 32
    except (ValueError, binascii.Error):
        return False
