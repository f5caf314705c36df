"""Several machines may start at once: one migrates, the others wait in a way that nothing of it waits for."""

from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from config.management.commands import prepare

OURS = {app.label for app in apps.get_app_configs() if Path(app.path).parent == Path(settings.BASE_DIR)}
GO_ON = ["interactions.0013_failed_calls"]  # where they were killed: tests/interactions/test_failed.py kills it


def test_keys_that_are_none_stop_the_start_and_say_so(settings):
    settings.ENCRYPTION_KEYS = ["abc"]
    with pytest.raises(CommandError, match="ENCRYPTION_KEYS holds keys of 32 bytes") as found:
        call_command("prepare")
    assert "abc" not in str(found.value)


@pytest.mark.django_db
def test_who_waits_for_another_to_migrate_holds_no_snapshot(monkeypatch):
    snapshot = "SELECT state = 'active' OR backend_xmin IS NOT NULL FROM pg_stat_activity WHERE pid = %s"
    lock, unlock = "SELECT pg_try_advisory_lock(%s)", "SELECT pg_advisory_unlock(%s)"
    apart, seen = connection.copy(), []

    def ask(about, connection, *values):
        with connection.cursor() as cursor:
            cursor.execute(about, values)
            return cursor.fetchone()[0]

    def let_go(seconds):
        seen.append(ask(snapshot, apart, waiting))
        assert ask(unlock, apart, prepare.MIGRATING)

    waiting = ask("SELECT pg_backend_pid()", connection)
    ask("SELECT set_config('statement_timeout', '5s', true)", connection)
    monkeypatch.setattr(prepare.time, "sleep", let_go)
    try:
        assert ask(lock, apart, prepare.MIGRATING)
        with prepare.alone():
            assert seen == [False]
            assert not ask(lock, apart, prepare.MIGRATING)
        assert ask(lock, apart, prepare.MIGRATING)
    finally:
        apart.close()


@pytest.mark.django_db
def test_what_a_newer_version_has_changed_is_not_served():
    assert prepare.is_migrated()
    MigrationRecorder(connection).record_applied("interactions", "9999_newer")
    with pytest.raises(CommandError, match=r"interactions\.9999_newer"):
        prepare.is_migrated()


def test_no_migration_of_ours_is_done_by_half():
    """One that says `atomic = False` and is killed stays half done, and every later start fails in it; but for those
    that go on there."""
    migrations = MigrationLoader(None).disk_migrations.values()
    half = [f"{one.app_label}.{one.name}" for one in migrations if one.app_label in OURS and not one.atomic]
    assert half == GO_ON
