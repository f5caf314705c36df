"""Bring the database up to this version; the supervisor runs it before the web server starts."""

import json
import time
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import OperationalError

from config.welcome import known_demo
from interactions import durable
from registry.ready import settings_are_readable

MIGRATING = 0x6D617267  # the advisory lock around it: two processes that migrate at once would fail
AGAIN = 0.2  # seconds


class Command(BaseCommand):
    help = "Migrate, make the partitions ahead and, with --demo, fill an empty database with the demo project."
    requires_system_checks = []  # they import all pages, for which every start would wait

    def add_arguments(self, parser):
        parser.add_argument("--demo", action="store_true", help="fill a database that has no user yet")

    def handle(self, *, demo, **options):
        if faults := settings_are_readable(None):  # else each provider that is added would find it out
            raise CommandError(" ".join(fault.msg for fault in faults))
        try:
            connection.ensure_connection()
        except OperationalError as error:
            raise CommandError(f"The database does not answer: {' '.join(str(error).split())}") from None
        with alone():
            if not is_migrated():
                call_command("migrate", interactive=False, verbosity=0)
            call_command("make_partitions")
            if demo and not get_user_model().objects.exists():
                call_command("make_demo")
        write_address(settings.DATA_DIR / "demo.json")


@contextmanager
def alone():
    """Only one process at a time. It asks again and again: who waits in a statement holds a snapshot all the while, for
    whose end a migration of the other one's may wait in turn."""
    while not ask("SELECT pg_try_advisory_lock(%s)"):
        time.sleep(AGAIN)
    try:
        yield
    finally:
        ask("SELECT pg_advisory_unlock(%s)")


def ask(about):
    with connection.cursor() as cursor:
        cursor.execute(about, [MIGRATING])
        return cursor.fetchone()[0]


def is_migrated():
    """Whether all migrations of this version are there; `migrate` itself takes a second to find nothing to do.
    CommandError where there are others: this version would write into tables that it does not know."""
    executor = MigrationExecutor(connection)
    ours = {app.label for app in apps.get_app_configs() if Path(app.path).parent == settings.BASE_DIR}
    applied = {key for key in executor.loader.applied_migrations if key[0] in ours}
    if newer := sorted(applied - executor.loader.disk_migrations.keys()):
        name = ".".join(newer[0])
        raise CommandError(
            f"A newer version of Marginalia has changed this database ({name}): use that version, or restore the "
            "backup from before the upgrade."
        )
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def write_address(path):
    """The port may be another one than last time."""
    known = known_demo(path)
    if known and known.get("address") != settings.ADDRESS:
        durable.write(path, json.dumps({**known, "address": settings.ADDRESS}, indent=2))
