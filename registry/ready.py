"""What `manage.py check` says of the settings that calls to providers stand on."""

import base64
import binascii
import ipaddress

from django.conf import settings
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured

from registry.hosts import is_allowed

KEYS = "ENCRYPTION_KEYS holds keys of 32 bytes in URL-safe base64, separated by commas; docs/settings.md tells how."


def settings_are_readable(app_configs, **options):
    """An Error for each of ENCRYPTION_KEYS and ALLOWED_UPSTREAMS that cannot be read."""
    faults = []
    if not settings.ENCRYPTION_KEYS or not all(_is_key(text) for text in settings.ENCRYPTION_KEYS):
        faults.append(Error(KEYS, id="registry.E001"))
    try:
        is_allowed("", 0, ipaddress.ip_address("::"))
    except ImproperlyConfigured as fault:
        faults.append(Error(str(fault), id="registry.E002"))
    return faults


def _is_key(text):
    try:
        return len(base64.urlsafe_b64decode(text)) == 32
    except (ValueError, binascii.Error):
        return False
