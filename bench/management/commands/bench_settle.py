"""Fold all deltas into the roll-ups and bring the statistics of the database up to date."""

from django.core.management.base import BaseCommand
from django.db import connection

from feedback import rollups as given_rollups
from interactions import rollups


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def handle(self, **options):
        for fold in (rollups.fold, given_rollups.fold):
            while fold():
                pass
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
