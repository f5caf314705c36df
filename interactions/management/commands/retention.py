"""Delete what is older than its project keeps it, as the worker does every night; held interactions stay."""

from django.core.management.base import BaseCommand

from interactions import ids
from interactions.models import Departure
from interactions.retention.rule import next_run, plan
from interactions.retention.run import run


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only say what would go in the coming night")

    def handle(self, *, dry_run, **options):
        now = ids.now()
        if dry_run:
            now = next_run(now)
            self.stdout.write(f"On {now:%Y-%m-%d at %H:%M} UTC:")
        told = plan(now)
        for expiry in told:
            self.stdout.write(sentence(expiry))
        if not told:
            self.stdout.write("Every project keeps for ever.")
        if dry_run or not told:
            return
        last = Departure.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        run(now)
        gone = sum(Departure.objects.filter(pk__gt=last).values_list("n", flat=True))
        self.stdout.write(f"{gone:,} interactions have gone.")


def sentence(expiry):
    """What would go of a project, in words."""
    project, held = expiry.project, f", {expiry.held:,} held" if expiry.held else ""
    rule = f"{project.key} ({project.team.key}) keeps for {project.keep_days:,} days"
    if not expiry.n:
        return f"{rule}: nothing goes{held}."
    months = f", {expiry.months} of the months whole" if expiry.months else ""
    return f"{rule}: {expiry.n:,} from {expiry.start:%Y-%m-%d} to before {expiry.end:%Y-%m-%d} go{months}{held}."
