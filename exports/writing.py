"""Writing an export: slice by slice, each kept with how far it is, then what is made of the lines.

Nothing is held but a slice: lines go to a file as they are made. What was written after the last slice that was kept is
cut off when a killed job is taken up again.
"""

import os
import time
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from exports.finishing import finish
from exports.formats import lines_of
from exports.pictures import FOLDER
from exports.places import ROWS, make_folder, remove
from interactions import durable, ids
from interactions.labels import labels_of
from interactions.models import Interaction
from interactions.search import count, newest_of, through
from interactions.search.told import number
from interactions.wanted import Cursor
from jobs.models import Job
from jobs.work import Cancelled, Refused

SLICE = 200  # interactions
SECONDS = 0.3  # that a slice may look for them, and again that it may write them
MOST = 16 * 1024 * 1024  # bytes of a slice
BEAT = 0.5  # seconds between two looks whether the end was asked for


@dataclass(frozen=True)
class Place:
    """How far the lines are: where to look on, bytes written, lines, and interactions that made none. Oldest first they
    end `before` a moment (ISO), else what comes in meanwhile would be in it, and it might never end. What the lines of
    pairs amount to is `settled` (exports.pairs.Settled) at the end."""

    cursor: str | None = None
    size: int = 0
    number: int = 0
    left_out: int = 0
    whole: bool = False
    before: str | None = None
    settled: dict | None = None


class Spool:
    """The file of lines, from `size` bytes on; Refused where it lost some that were kept."""

    def __init__(self, path, size, header):
        self.file = open(path, "r+b" if size else "w+b")  # noqa: SIM115  closed by __exit__
        if self.file.seek(0, os.SEEK_END) < size:
            raise Refused("What was written of this export is gone. Begin it again.")
        self.file.truncate(size)
        self.file.seek(size)
        self.size = size
        if not size:
            self.write(header)

    def write(self, line):
        self.file.write(line)
        self.size += len(line)

    def settle(self):
        """What was written outlives this program."""
        durable.sync(self.file)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()


class Matched:
    """What a Wanted finds, in slices."""

    def __init__(self, project, wanted, before=None):
        self.project = project
        self.wanted = replace(wanted, before=datetime.fromisoformat(before)) if before else wanted

    def slice(self, cursor):
        """([id], where to look on, None at the end)"""
        return through(self.project, self.wanted, cursor, SLICE, SECONDS)

    def behind(self, pk):
        return str(Cursor(pk))

    def number(self):
        """How many there are, None where that cannot be told."""
        n = number(self.project, self.wanted)
        counted = None if n is not None else count(self.project, self.wanted)
        return n if counted is None else None if counted.capped else counted.n


class Chosen:
    """The interactions of these ids, in slices."""

    def __init__(self, ids):
        self.ids = list(dict.fromkeys(ids))

    def slice(self, cursor):
        start = int(cursor or 0)
        end = start + SLICE
        return self.ids[start:end], str(end) if end < len(self.ids) else None

    def behind(self, pk):
        return str(self.ids.index(pk) + 1)

    def number(self):
        return len(self.ids)


def write(work, export, wanted, key, address):
    """Write the export's file for a Work; what is told of it. `key` is the FeedbackKey of its comparisons, or None;
    `address(sha256)` links to a picture that is left out."""
    folder = make_folder(export.pk)
    lines = lines_of(
        export.project, format=export.format, pictures=export.pictures, columns=export.columns,
        corrected=export.corrected, key=key, folder=folder / FOLDER, address=address,
    )  # fmt: skip
    try:
        place = _write_lines(work, export, wanted, lines, folder / ROWS)
        return finish(export, Beat(work, place))
    except Cancelled:
        remove(export.pk)
        Job.objects.filter(pk=work.job.pk).update(result={"text": "Nothing of its file is kept."})
        raise
    except Refused:
        remove(export.pk)
        raise


def _write_lines(work, export, wanted, lines, path):
    """All lines of what is chosen or wanted; the Place at their end."""
    place = Place(**work.place) if work.place else Place()
    if place.whole:
        return place
    if not work.place:
        place = Place(before=None if export.ids else _before(work.project, wanted))
    source = Chosen(export.ids) if export.ids else Matched(work.project, wanted, place.before)
    if not work.place and (n := source.number()) is not None:
        work.expect(n)
    with Spool(path, place.size, lines.header) as spool:
        while not place.whole:
            with work.slice():
                passed, place = _slice(work.project, source, lines, spool, place)
                spool.settle()
                work.advance(passed, asdict(place))
    return place


def _before(project, wanted):
    """The moment behind the newest that there is, where the oldest come first."""
    newest = newest_of(project, wanted) if wanted.oldest_first else None
    return newest and (ids.time_of(newest) + timedelta(milliseconds=1)).isoformat()


def _slice(project, source, lines, spool, place):
    """(how many interactions were passed, the Place behind them)"""
    found, cursor = source.slice(place.cursor)
    rows = labels_of(Interaction.objects.for_table().filter(project=project).in_order(found))
    begun, until = spool.size, time.monotonic() + SECONDS
    n, made, passed = 0, 0, len(found)
    for row, written in lines(rows):
        for line in written:
            spool.write(line)
        n, made = n + len(written), made + bool(written)
        if spool.size - begun > MOST or time.monotonic() > until:
            passed, cursor = found.index(row.pk) + 1, source.behind(row.pk)
            break
    left_out = place.left_out + passed - made
    return passed, Place(cursor, spool.size, place.number + n, left_out, cursor is None, place.before)


class Beat:
    """Called again and again while a file is finished: Cancelled where the end was asked for. What is found out of its
    lines is kept in the `place`."""

    def __init__(self, work, place):
        self.work, self.place, self.next = work, place, 0

    def keep(self, **found):
        self.place = replace(self.place, **found)
        self.next = 0
        self()

    def __call__(self):
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + BEAT
        with self.work.slice():
            self.work.advance(0, asdict(self.place))
