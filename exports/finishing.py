"""From lines to the file that is handed out: Parquet by a program of its own, a tar where pictures lie beside it; its
size and SHA-256. May be done again from its beginning."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import time
import uuid
from dataclasses import asdict

from django.conf import settings
from django.utils import timezone

from exports.models import Export, Format, Pictures
from exports.pairs import settle
from exports.pictures import FOLDER, files_in
from exports.places import NEW, ROWS, file_of, folder_of
from interactions.measures import size
from jobs.work import Cancelled

PIECE = 1024 * 1024
WAIT = 0.2  # seconds between two looks at the other program
ENDINGS = {Format.CSV: "csv", Format.PARQUET: "parquet"}
EMPTY = "Nothing matched: the file is valid, and holds nothing."
NONE = "The file is valid, and holds nothing."
LEFT_OUT = {
    (Format.OPENAI, "left_out"): "{n:,} without an answer {were} left out.",
    (Format.COMPARISONS, "left_out"): "{n:,} that {were} preferred to nothing {are} not in it.",
    (Format.DPO, "left_out"): "{n:,} that {were} preferred to no other answer to the same prompt {are} not in it.",
    (Format.DPO, "even"): "{n:,} pair{s} that {were} preferred as often either way {are} not in it.",
    (Format.DPO, "empty"): "{n:,} pair{s} with an empty answer {are} not in it.",
}


def finish(export, beat):
    """Make the file of the lines; what is told of it. Cancelled where the export is deleted meanwhile. `beat` is called
    again and again, and holds the `place` behind the lines."""
    folder, file = folder_of(export.pk), file_of(export)
    if (folder / ROWS).exists():
        os.replace(_made(export, folder, beat), file)
        _tidy(folder, file)
    written, sha256 = _digest(file, beat)
    number = beat.place.settled["pairs"] if beat.place.settled else beat.place.number
    ended = {"finished_at": timezone.now(), "number": number, "size": written, "sha256": sha256}
    if not Export.objects.filter(pk=export.pk, project__deleted_at=None).update(**ended):
        raise Cancelled
    return _told(export, number, beat.place, f"{size(written)}, SHA-256 {sha256}.")


def _told(export, number, place, measures):
    told = {"left_out": place.left_out}
    if found := place.settled:
        told = {"left_out": place.left_out + found["without"], "even": found["even"], "empty": found["empty"]}
    none = NONE if any(told.values()) else EMPTY
    texts = [f"{number:,} in {export.file_name}, {measures}" if number else none]
    for name, n in told.items():
        if n and (export.format, name) in LEFT_OUT:
            were, are = ("was", "is") if n == 1 else ("were", "are")
            texts.append(LEFT_OUT[export.format, name].format(n=n, were=were, are=are, s="" if n == 1 else "s"))
    return " ".join(texts)


def _made(export, folder, beat):
    """The path of what takes the file's name."""
    made = folder / ROWS
    if export.format == Format.DPO:
        made, lines = _new(folder), made
        beat.keep(settled=asdict(settle(lines, made, beat)))
    if export.format == Format.PARQUET:
        made = _parquet(made, folder, export.columns, beat)
    if export.pictures == Pictures.FILES:
        made = _tar(made, folder, f"interactions.{ENDINGS.get(export.format, 'jsonl')}", beat)
    return made


def _new(folder):
    """A name of its own each time: another program may outlive a worker that was killed."""
    return folder / f"{NEW}.{uuid.uuid4().hex}"


def _parquet(rows, folder, columns, beat):
    new = _new(folder)
    command = [sys.executable, "-m", "exports.parquet", str(rows), str(new), *columns]
    with open(folder / f"{NEW}.log", "w+") as log:
        program = subprocess.Popen(
            command, cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log
        )
        try:
            while program.poll() is None:
                beat()
                time.sleep(WAIT)
        finally:
            if program.poll() is None:
                program.kill()
                program.wait()
        if program.returncode:
            log.seek(0)
            raise RuntimeError(f"exports.parquet ended with {program.returncode}: {log.read()[-2_000:]}")
    return new


def _tar(made, folder, name, beat):
    """The file under this name, and the pictures beside it."""
    new = _new(folder)
    with tarfile.open(new, "w", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, name, made, beat)
        for member, path in files_in(folder / FOLDER):
            _add(tar, member, path, beat)
            tar.members.clear()  # it would remember all of them
    return new


def _add(tar, name, path, beat):
    with open(path, "rb") as file:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = os.fstat(file.fileno()).st_size, int(time.time()), 0o644
        tar.addfile(info, _Read(file, beat))


class _Read:
    """A file that is read, with a beat each time."""

    def __init__(self, file, beat):
        self.file, self.beat = file, beat

    def read(self, n=-1):
        self.beat()
        return self.file.read(n)


def _tidy(folder, file):
    """Remove what the file was made of: the lines first, for while they are there it is made anew of all the rest."""
    (folder / ROWS).unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path != file:
            path.unlink(missing_ok=True)


def _digest(path, beat):
    """(size in bytes, SHA-256 in hex) of a file."""
    digest, length = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            length += len(piece)
            beat()
    return length, digest.hexdigest()
