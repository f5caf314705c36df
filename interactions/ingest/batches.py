"""Many records in one go: read from lines, stored in pieces, told about as they go. For the batch call and imports."""

from dataclasses import dataclass

from django.db import transaction

from interactions.ingest import PIECE, Outcome, ingest
from interactions.jsontext import JSONError, loads
from interactions.rules import RecordError
from interactions.streams import MAX_LINE

PIECE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the record at `position` (from 0, counting records) on line `line` (from 1)."""

    position: int
    line: int
    outcome: Outcome


def ingest_lines(*, project, lines, by, also=None):
    """Store the records of these lines in pieces of up to 1,000 (or 16 MB), each committed when it is told about.

    `also(list of Told)` is called inside the transaction of each piece.
    """
    piece, size = [], 0
    for position, line in enumerate(lines):
        piece.append((position, line.number, _parsed(project, line)))
        size += len(line.text or b"")
        if len(piece) >= PIECE or size >= PIECE_BYTES:
            yield from _store(project, piece, by, also)
            piece, size = [], 0
    yield from _store(project, piece, by, also)


def ingest_list(*, project, records, by):
    """The same for records that were parsed already."""
    for start in range(0, len(records), PIECE):
        piece = [
            (position, position + 1, _of_project(project, record))
            for position, record in enumerate(records[start : start + PIECE], start)
        ]
        yield from _store(project, piece, by)


def _store(project, piece, by, also=None):
    def told(outcomes):
        rest = iter(outcomes)
        return [
            Told(position, line, Outcome(error=record) if isinstance(record, RecordError) else next(rest))
            for position, line, record in piece
        ]

    sound = [record for *_, record in piece if not isinstance(record, RecordError)]
    yield from told(ingest(project=project, records=sound, by=by, also=also and (lambda found: also(told(found)))))
    if also and piece and not sound:
        with transaction.atomic():
            also(told([]))


def _parsed(project, line):
    """The record of a line, or the RecordError that says why it is none."""
    if line.text is None:
        return RecordError({"": [f"A record has at most {MAX_LINE // 1024**2} MB."]})
    try:
        return _of_project(project, loads(line.text))
    except JSONError as error:
        return RecordError({"": [str(error)]})


def _of_project(project, record):
    """A record may name its project, but not another one than the batch goes to."""
    named = record.get("project") if isinstance(record, dict) else None
    if named is not None and named not in (project.key, str(project.uid), project.ref):
        return RecordError({"project": [f"This batch goes to {project.ref}; leave 'project' out or send the same."]})
    return record
