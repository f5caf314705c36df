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

from django.conf import settings
from django.utils import timezone

from exports.models import Export, Format, Pictures
from exports.pictures import FOLDER, files_in
from exports.places import NEW, ROWS, file_of, folder_of
from interactions.templatetags.interactions import size
from jobs.work import Cancelled

PIECE = 1024 * 1024
WAIT = 0.2  # seconds between two looks at the other program
ENDINGS = {Format.CSV: "csv", Format.PARQUET: "parquet"}
EMPTY = "Nothing matched: the file is valid, and holds nothing."
LEFT_OUT = {
    Format.OPENAI: "{n:,} without an answer {were} left out.",
    Format.DPO: "{n:,} that {were} preferred to no other answer to the same prompt {are} not in it.",
}


def finish(export, place, beat):
    """Make the file of the lines; what is told of it. Cancelled where the export is deleted meanwhile."""
    folder, file = folder_of(export.pk), file_of(export)
    if (folder / ROWS).exists():
        os.replace(_made(export, folder, beat), file)
        _tidy(folder, file)
    written, sha256 = _digest(file, beat)
    ended = {"finished_at": timezone.now(), "number": place.number, "size": written, "sha256": sha256}
    if not Export.objects.filter(pk=export.pk, project__deleted_at=None).update(**ended):
        raise Cancelled
    return _told(export, place, written, sha256)


def _told(export, place, written, sha256):
    texts = [f"{place.number:,} in {export.file_name}, {size(written)}, SHA-256 {sha256}." if place.number else EMPTY]
    if place.left_out and export.format in LEFT_OUT:
        one = place.left_out == 1
        were, are = ("was", "is") if one else ("were", "are")
        texts.append(LEFT_OUT[export.format].format(n=place.left_out, were=were, are=are))
    return " ".join(texts)


def _made(export, folder, beat):
    """The path of what takes the file's name."""
    made = folder / ROWS
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
