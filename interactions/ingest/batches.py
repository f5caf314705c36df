"""Many records in one go: read from lines, stored in pieces, told about as they go. For batch calls and imports."""

import threading
from dataclasses import dataclass
from functools import partial

from django.db import transaction

from interactions import words
from interactions.ingest import PIECE, Outcome, Placed, ingest
from interactions.ingest.arriving import Arriving
from interactions.jsontext import JSONError, loads
from interactions.rules import RecordError
from interactions.streams import MAX_LINE

PIECE_BYTES = 16 * 1024 * 1024
# one piece at a time in a process: reading and storing a piece keeps a core busy, and who waits for a page needs one
_turn = threading.Lock()
_arriving = Arriving(gives_way=True)


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the record at `position` (from 0, counting records) on line `line` (from 1)."""

    position: int
    line: int
    outcome: Outcome


def ingest_lines(*, project, lines, **given):
    """Store the records of these lines in the project; the rest as `ingest_many`."""
    return ingest_many(admit=lambda: project, numbered=read_lines(project, lines), **given)


def ingest_many(*, admit, numbered, by, also=None, no_arms=False):
    """Store records in pieces of up to 1,000 (or 16 MB), each committed when it is told about.

    `admit()` is asked for the project before each piece, and raises where no more of them may be stored.
    `also(list of Told)` is called inside the transaction of each piece. With `no_arms` they take part in no A/B test,
    whichever they name: what another project's export holds names tests of that project.
    """

    def take(records, told):
        found = ingest(
            project=admit(),
            records=records,
            by=by,
            also=also and (lambda found: also(told(found))),
            placed=[Placed()] * len(records) if no_arms else None,
        )
        if also and not records:
            with transaction.atomic():
                also(told([]))
        return found

    return in_pieces(numbered, take, PIECE)


def read_lines(project, lines):
    """(position, line, bytes, what gives the record when called) of each line; it gives a RecordError in the place of
    what is no record."""
    for position, line in enumerate(lines):
        yield position, line.number, len(line.text or b""), partial(_parsed, project, line)


def read_list(project, records):
    """The same for records that were parsed already."""
    for position, record in enumerate(records):
        yield position, position + 1, 0, partial(_of_project, project, record)


def in_pieces(numbered, take, most):
    """Yields a Told of each of what `read_lines` or `read_list` gives, in pieces of at most so many.

    `take(records, told)` stores those that could be read and returns their outcomes; `told(outcomes)` are the piece's.
    """
    piece, size = [], 0
    for position, line, length, record in numbered:
        piece.append((position, line, record))
        size += length
        if len(piece) >= most or size >= PIECE_BYTES:
            yield from _taken(piece, take)
            piece, size = [], 0
    if piece:
        yield from _taken(piece, take)


def _taken(piece, take):
    told = []
    with _turn:
        _arriving.store(object(), piece, lambda piece: told.extend(_told(piece, take)))
        words.keep_up(len(piece))  # by a process that does not give way: searches read until it is done
    return told


def _told(piece, take):
    piece = [(position, line, record()) for position, line, record in piece]

    def told(outcomes):
        rest = iter(outcomes)
        return [
            Told(position, line, Outcome(error=record) if isinstance(record, RecordError) else next(rest))
            for position, line, record in piece
        ]

    return told(take([record for *_, record in piece if not isinstance(record, RecordError)], told))


def _parsed(project, line):
    """The record of a line, or the RecordError that says why it is none."""
    if line.text is None:
        return RecordError({"": [f"A record has at most {MAX_LINE // 1024**2} MB."]})
    try:
        return _of_project(project, loads(line.text))
    except JSONError as error:
        return RecordError(error.fields or {"": [str(error)]})


def _of_project(project, record):
    """A record may name its project, but not another one than the batch goes to."""
    named = record.get("project") if isinstance(record, dict) else None
    if named is not None and named not in (project.key, str(project.uid), project.ref):
        return RecordError({"project": [f"This batch goes to {project.ref}; leave 'project' out or send the same."]})
    return record
