"""Count everything anew from the rows and compare it with the roll-ups; names every difference, and fails if any."""

from django.core.management.base import BaseCommand, CommandError

from interactions.management.arguments import project_named
from interactions.proof import Busy, prove, sentences


class Command(BaseCommand):
    help = __doc__ + " Logging goes on meanwhile."

    def add_arguments(self, parser):
        parser.add_argument("--project", metavar="KEY", help="key or id of one project; all of them unless said")
        parser.add_argument("--rebuild", action="store_true", help="put right what is wrong")

    def handle(self, *, project, rebuild, **options):
        try:
            proof = prove(project_named(project) if project else None, rebuild=rebuild)
        except Busy as error:
            raise CommandError(str(error)) from None
        for line in sentences(proof.differences):
            self.stdout.write(line)
        if more := proof.n - len(proof.differences):
            self.stdout.write(f"and {more:,} more")
        if proof.n and not rebuild:
            raise CommandError(f"The roll-ups differ from the rows in {proof.n:,} places; --rebuild puts them right.")
        told = f"{proof.n:,} places were wrong and are put right." if proof.n else "The roll-ups say what the rows say."
        self.stdout.write(told)
