"""Take the text index away, or build it again."""

from django.conf import settings
from django.core.management.base import BaseCommand

from bench import state, text_index


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("what", choices=["drop", "build"])

    def handle(self, *, what, **options):
        if what == "drop":
            if defined := text_index.definition():
                state.write(settings.DATA_DIR, text_index=defined)
            text_index.drop()
        elif not text_index.is_valid():
            text_index.build(state.read(settings.DATA_DIR)["text_index"], self._report)

    def _report(self, text):
        self.stdout.write(text)
        self.stdout.flush()
