"""Make this month's partitions and the next two's; run after migrating, and every day by the worker."""

from django.core.management.base import BaseCommand

from interactions.partitions import ensure_ahead


class Command(BaseCommand):
    help = __doc__

    def handle(self, **options):
        ensure_ahead()
