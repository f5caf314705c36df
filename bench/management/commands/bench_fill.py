"""Store what is missing of one half of the corpus; says after each block how many are there."""

from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.models import User
from bench import state
from bench.filling import fill
from projects.models import Project


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--half", type=int, required=True)

    def handle(self, *, half, **options):
        known = state.read(settings.DATA_DIR)
        project, user = Project.objects.get(key="corpus"), User.objects.get(email=known["user"])
        for done in fill(project, state.corpus_of(known), half, user):
            self.stdout.write(f"{half} {done}")
            self.stdout.flush()
