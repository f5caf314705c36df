"""A file of records into a project, each line once, however often the import is killed and begun again."""

import hashlib
import math

from interactions.ingest import Outcome
from interactions.ingest.batches import Told, ingest_lines
from interactions.jsontext import JSONError, loads
from interactions.models import ImportProgress
from interactions.streams import lines, unpacked


class AlreadyRunning(Exception):
    """Another import of the same file into the same project got ahead of this one."""


def ingest_file(*, project, file, encoding, **given):
    """Tells of each line of the open file, as `ingest_lines` does; what an earlier run has stored is a duplicate.

    An external id says by itself whether a record is there. For records without one it is remembered, by the digest
    of the file, which lines are stored; lines that were refused are tried again.
    """
    progress = _Progress(project, file)
    fresh = progress.without_stored(lines(unpacked(file.read, encoding), max_total=math.inf))
    for told in ingest_lines(project=project, lines=fresh, also=progress.advance, **given):
        yield from progress.told_of_stored()
        yield told
    yield from progress.told_of_stored()


class _Progress:
    """Which lines earlier runs have stored, and how far this one is."""

    def __init__(self, project, file):
        digest = hashlib.file_digest(file, "sha256").digest()
        file.seek(0)
        row, _ = ImportProgress.objects.get_or_create(project=project, sha256=digest)
        self.pk, self.line, self.refused = row.pk, row.line, row.refused
        self.stored_before, self.refused_before = row.line, set(row.refused)
        self.passed_over = []

    def without_stored(self, lines):
        """The lines that are still to be stored."""
        for line in lines:
            if self._has(line):
                self.passed_over.append(line.number)
            else:
                yield line

    def told_of_stored(self):
        """A Told of each line that was passed over since this was asked last."""
        numbers, self.passed_over = self.passed_over, []
        return (Told(None, number, Outcome(duplicate=True)) for number in numbers)

    def _has(self, line):
        """Whether an earlier run has stored this line, and nothing but our remembering it could tell."""
        if line.number > self.stored_before or line.number in self.refused_before:
            return False
        try:
            record = loads(line.text or b"")
        except JSONError:
            return False
        return isinstance(record, dict) and record.get("external_id") is None

    def advance(self, told):
        """Note the lines of a piece, in its transaction; AlreadyRunning where somebody else has noted any."""
        tried = {one.line for one in told}
        line = max(self.line, *tried)
        refused = sorted((set(self.refused) - tried) | {one.line for one in told if one.outcome.error})
        mine = ImportProgress.objects.filter(pk=self.pk, line=self.line, refused=self.refused)
        if not mine.update(line=line, refused=refused):
            raise AlreadyRunning("Another import of this file into this project is running.")
        self.line, self.refused = line, refused
