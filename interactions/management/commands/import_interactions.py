"""Log the interactions of a file: .jsonl, .jsonl.gz or .jsonl.zst, a record a line, as POST takes them."""

import os
from collections import Counter

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from accounts.permissions import LOG
from interactions.ingest.files import AlreadyRunning, ingest_file
from interactions.management.arguments import encoding_of, project_and_person
from interactions.rules import Conflict
from interactions.streams import StreamError
from projects.access import EntityNotFound

MENDED = "What was refused can be mended and imported again; records that name A/B tests of another project: --no-arms."


class Command(BaseCommand):
    help = __doc__ + " What an earlier run of the same file has logged is not logged again."

    def add_arguments(self, parser):
        parser.add_argument("file", help="the file; .gz and .zst are unpacked")
        parser.add_argument("--project", required=True, metavar="KEY", help="key or id of the project")
        parser.add_argument("--user", metavar="EMAIL", help="who logs them; the team's first administrator unless said")
        parser.add_argument(
            "--no-arms", action="store_true", help="into no arm of an A/B test, whichever the records name"
        )

    def handle(self, *, file, project, user, no_arms, **options):
        project, person = project_and_person(project, user, LOG)
        counts, broken = Counter(), None
        try:
            with open(file, "rb") as raw, self._bar(raw) as counted:
                given = {"encoding": encoding_of(file), "by": person, "no_arms": no_arms}
                for told in ingest_file(project=project, file=counted, **given):
                    counts[self._outcome(told)] += 1
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from None
        except (StreamError, Conflict, EntityNotFound, AlreadyRunning) as error:
            broken = str(error)
        self.stdout.write(
            f"{counts['logged']:,} logged, {counts['known']:,} there already, {counts['refused']:,} refused"
        )
        if broken or counts["refused"]:
            raise CommandError(broken or MENDED)

    def _bar(self, file):
        # nothing is drawn where nobody watches
        size = os.fstat(file.fileno()).st_size
        return tqdm.wrapattr(file, "read", total=size, unit="B", unit_scale=True, disable=None)

    def _outcome(self, told):
        if told.outcome.error:
            with tqdm.external_write_mode():
                self.stderr.write(f"line {told.line}: {told.outcome.error}")
            return "refused"
        return "known" if told.outcome.duplicate else "logged"
