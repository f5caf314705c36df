"""Count every running A/B test anew from its interactions and compare it with its figures; fails if any differ."""

from django.core.management.base import BaseCommand, CommandError

from experiments.proof import prove
from projects.models import Project


class Command(BaseCommand):
    help = __doc__ + " Logging goes on meanwhile; the figures of all tests wait."

    def add_arguments(self, parser):
        parser.add_argument("--project", metavar="KEY", help="key of a project; all of them unless said")
        parser.add_argument("--rebuild", action="store_true", help="count anew what is wrong")

    def handle(self, *, project, rebuild, **options):
        projects = Project.objects.filter(key=project, deleted_at=None) if project else None
        if project and not projects:
            raise CommandError(f"There is no project {project}.")
        proofs = prove(projects, rebuild=rebuild)
        for proof in proofs:
            where = f"{proof.test.project.key}/{proof.test.key}"
            if proof.gone:
                self.stdout.write(f"{where}: {proof.gone:,} are counted that are no longer stored.")
            if proof.n:
                told = f"{proof.units:,} units, {proof.cells:,} days and {proof.pairs:,} pairs are wrong"
                self.stdout.write(f"{where}: {told}.")
        wrong = sum(1 for proof in proofs if proof.n)
        if wrong and not rebuild:
            raise CommandError(f"{wrong} of {len(proofs)} A/B tests differ; --rebuild counts them anew.")
        told = f"{wrong} of {len(proofs)} A/B tests were counted anew." if wrong else "say what their interactions say."
        self.stdout.write(told if wrong else f"{len(proofs)} running A/B tests {told}")
