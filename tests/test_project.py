"""What must hold for the project as a whole."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.template import engines

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted(str(path.relative_to(ROOT / "templates")) for path in (ROOT / "templates").rglob("*.*"))
SERVING = {
    "DATABASE_URL": "postgresql://nobody@nowhere/marginalia",
    "SECRET_KEY": "a key for this test alone, long enough and of many different characters: 0123456789",
    "ADDRESS": "https://marginalia.example.org",
    "ALLOWED_HOSTS": "marginalia.example.org",
}


def run(*arguments, **changes):
    environment = {**os.environ, **changes}
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # the browser tests set it for their process
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_template_compiles(name):
    engines["django"].get_template(name)


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_a_real_installation_passes_djangos_deployment_check():
    done = run("manage.py", "check", "--deploy", "--fail-level=WARNING", **SERVING)
    assert done.returncode == 0, done.stderr


def test_with_a_database_address_nothing_embedded_is_imported():
    look = "import sys, manage; import django; django.setup(); sys.exit('embedded' in sys.modules)"
    done = run("-c", look, DJANGO_SETTINGS_MODULE="config.settings", **SERVING)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"HOST": "::1", "PORT": "8123"}, "http://[::1]:8123 True WARNING"),
        ({"HOST": "0.0.0.0", "PORT": "8123"}, "http://localhost:8123 False WARNING"),
        ({"HOST": "10.0.0.7", "LOG_LEVEL": "debug"}, "http://10.0.0.7:8000 False DEBUG"),
        ({"LOG_LEVEL": ""}, "http://127.0.0.1:8000 False WARNING"),
    ],
)
def test_settings_are_taken_as_they_are_written(changes, told):
    given = {**SERVING, "ADDRESS": "", "HOST": "", "PORT": "", "LOG_LEVEL": "", **changes}
    asked = "s.ADDRESS, '[::1]' in s.ALLOWED_HOSTS, s.LOGGING['root']['level']"
    done = run("-c", f"from config import settings as s; print({asked})", **given)
    assert done.stdout.strip() == told, done.stderr


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "True False False localhost"),
        ({"SSL_REDIRECT": "", "ALLOWED_HOSTS": "", "DEBUG": "", "BEHIND_PROXY": ""}, "True False False localhost"),
        ({"SSL_REDIRECT": "Off", "ALLOWED_HOSTS": " a.example.org,", "DEBUG": "yes"}, "False True False a.example.org"),
        ({"SSL_REDIRECT": "0", "BEHIND_PROXY": "TRUE"}, "False False True localhost"),
    ],
)
def test_what_is_empty_counts_as_unset(changes, told):
    given = {name: value for name, value in SERVING.items() if name != "ALLOWED_HOSTS"} | changes
    asked = "s.SECURE_SSL_REDIRECT, s.DEBUG, bool(s.SECURE_PROXY_SSL_HEADER), s.ALLOWED_HOSTS[0]"
    done = run("-c", f"from config import settings as s; print({asked})", **given)
    assert done.stdout.strip() == told, done.stderr


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"PORT": "70000"}, "PORT is a whole number from 1 to 65535, not '70000'."),
        ({"PORT": "abc"}, "PORT is a whole number from 1 to 65535, not 'abc'."),
        ({"GATEWAY_TIMEOUT": "nan"}, "GATEWAY_TIMEOUT is a number from 0.1 to 3600, not 'nan'."),
        ({"GATEWAY_SPOOL_MB": "1.5"}, "GATEWAY_SPOOL_MB is a whole number from 0 to 1000000, not '1.5'."),
        ({"SSL_REDIRECT": "ture"}, "SSL_REDIRECT is 1 or 0 (or true, yes, on, false, no, off), not 'ture'."),
        ({"ADDRESS": "http://m.example.org", "HSTS_SUBDOMAINS": "2"}, "HSTS_SUBDOMAINS is 1 or 0"),
        ({"ACCESS_LOG": "web.log"}, "ACCESS_LOG is 1 or 0"),
        ({"LOG_LEVEL": "foo"}, "LOG_LEVEL is one of DEBUG, INFO, WARNING, ERROR, not 'FOO'."),
        ({"ADDRESS": "https://m.example.org/marginalia"}, "ADDRESS has no path: give Marginalia a host name"),
        ({"ADDRESS": "ftp://m.example.org"}, "ADDRESS is where people come, such as https://marginalia.example.org"),
        ({"DATA_DIR": "/proc/none", "ENCRYPTION_KEYS": ""}, "DATA_DIR is /proc/none, where this user cannot keep"),
        ({"ALLOWED_HOSTS": "https://m.example.org"}, "ALLOWED_HOSTS holds names of hosts, such as"),
        ({"DATABASE_URL": "mysql://me:secret@there/x"}, "DATABASE_URL is the address of a PostgreSQL, such as"),
    ],
)
def test_a_setting_that_cannot_be_is_told_in_a_line(changes, told):
    done = run("manage.py", "check", **{**SERVING, **changes})
    assert done.returncode == 1 and done.stderr.startswith(told)
    assert done.stderr.count("\n") == 1 and "secret" not in done.stderr


def test_the_order_of_imports_is_checked_in_every_app():
    checked = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    ours = {Path(app.path).name for app in apps.get_app_configs() if Path(app.path).parent == ROOT}
    assert ours <= set(checked)


def test_the_lock_of_the_npm_packages_names_digests_and_no_registry():
    lock = (ROOT / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert lock.count('"integrity": "sha512-') == lock.count('"node_modules/')
