"""Addresses and keys are encrypted in the database, and turned to another key by a command."""

from io import StringIO

import certifi
import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from registry.endpoints import NotCallable, endpoint_of_provider
from registry.models import Provider
from registry.providers import create_provider
from registry.sealing import Unreadable, seal, unseal
from tests.registry.conftest import KEY

ADDRESS = "http://10.20.30.40:8000/v1"


def new_key():
    return Fernet.generate_key().decode()


@pytest.fixture
def sealed(project, owner):
    return create_provider(team=project.team, key="pool", kind="vllm", address=ADDRESS, api_key=KEY, by=owner)


def rotate():
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


def test_the_database_holds_neither_address_nor_key(sealed):
    with connection.cursor() as cursor:
        cursor.execute("SELECT registry_provider::text, sealed_address, sealed_api_key FROM registry_provider")
        text, *both = cursor.fetchone()
    for secret in (ADDRESS, "10.20.30.40", KEY):
        assert secret not in text
        assert all(secret.encode() not in bytes(one) for one in both)
    assert [unseal(one) for one in both] == [ADDRESS, KEY]
    assert seal(KEY) != seal(KEY)


def test_no_repr_tells_a_secret(sealed):
    endpoint = endpoint_of_provider(sealed)
    assert (endpoint.address, endpoint.api_key) == (ADDRESS, KEY)
    for text in (repr(endpoint), str(endpoint), repr(sealed), str(sealed), f"{[endpoint]}"):
        assert KEY not in text and "10.20" not in text


def test_keys_are_rotated_and_the_old_one_is_not_needed_afterwards(sealed, settings):
    old, new = settings.ENCRYPTION_KEYS[0], new_key()
    settings.ENCRYPTION_KEYS = [new, old]
    assert endpoint_of_provider(sealed).api_key == KEY
    assert rotate().startswith("1 encrypted anew")
    assert rotate().startswith("0 encrypted anew")
    settings.ENCRYPTION_KEYS = [new]
    sealed.refresh_from_db()
    assert (endpoint_of_provider(sealed).address, endpoint_of_provider(sealed).api_key) == (ADDRESS, KEY)


def test_a_provider_whose_key_was_lost_is_named_and_no_secret_is(sealed, settings):
    settings.ENCRYPTION_KEYS = [new_key()]
    with pytest.raises(CommandError, match=f"{sealed.team.key}/pool"):
        rotate()
    with pytest.raises(NotCallable, match="ENCRYPTION_KEYS"):
        endpoint_of_provider(sealed)
    assert Provider.objects.get().sealed_address == sealed.sealed_address


def test_what_was_tampered_with_is_not_read(settings):
    changed = bytearray(seal(KEY))
    changed[20] ^= 1
    with pytest.raises(Unreadable):
        unseal(bytes(changed))


def test_authorities_that_cannot_be_read_are_found(settings, tmp_path):
    nothing = tmp_path / "none.pem"
    for path in (nothing, tmp_path):
        settings.SSL_CERT_FILE = str(path)
        with pytest.raises(SystemCheckError, match="SSL_CERT_FILE names"):
            call_command("check")
    settings.SSL_CERT_FILE = certifi.where()
    call_command("check")


@pytest.mark.parametrize("keys", [["too-short"], [], ["x" * 44]])
def test_a_setting_that_holds_no_keys_is_found_and_not_repeated(settings, keys):
    settings.ENCRYPTION_KEYS = keys
    with pytest.raises(SystemCheckError, match="ENCRYPTION_KEYS") as found:
        call_command("check")
    assert not any(key in str(found.value) for key in keys)
