"""What could not be logged waits here, in files of bounded size beside the data, until the database answers again."""

import json
import os
import uuid
from contextlib import suppress

from interactions import durable
from interactions.jsontext import dumps

PIECE = 4 * 1024 * 1024  # bytes of a file, after which the next one is begun
SUFFIX = ".ndjson"
SET_ASIDE = "refused.log"  # lines that the store refused for good, for a person to look at


class Spool:
    """Lines of JSON in a folder, oldest first. What `add` acknowledges survives a crash. For one thread."""

    def __init__(self, folder, most):
        self.folder, self.most = folder, most  # bytes
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._number = max((int(path.stem) for path in self._files()), default=0) + 1  # what is there is only read
        self._size = 0  # of the file that is written to

    @property
    def size(self):
        """Bytes in all."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    @property
    def is_empty(self):
        return not self._files()

    def add(self, lines):
        """How many of the lines (JSON objects), from the first on, were kept; the rest had no place."""
        left = self.most - self.size
        texts = []
        for line in lines:
            text = _written(line)
            left -= len(text)
            if left < 0:
                break
            texts.append(text)
        if texts:
            try:
                self._write(b"".join(texts))
            except OSError:  # such as a disk that is full
                return 0
        return len(texts)

    def oldest(self):
        """(the path of the oldest file, its lines); a line that was cut off when it was written is left out."""
        path = self._files()[0]
        if int(path.stem) == self._number:
            self._begin_next()
        return path, _read(path)

    def done(self, path, refused=()):
        """The file's lines are logged, all but those that the store refused, which are set aside."""
        if refused:
            with open(os.open(self._aside, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
                file.write(b"".join(map(_written, refused)))
        path.unlink()

    def projects_set_aside(self):
        """The ids of the projects that lines set aside are of."""
        return {line["project"] for line in self._set_aside()}

    def forget(self, project_ids):
        """Take the lines set aside of these projects away, and what was cut off; the rest stays."""
        kept = [line for line in self._set_aside() if line["project"] not in project_ids]
        if not kept:
            self._aside.unlink(missing_ok=True)
            return
        beside = self._aside.with_suffix(".new")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(b"".join(map(_written, kept)))
            durable.sync(file)
        beside.replace(self._aside)
        durable.sync_folder(self.folder)

    @property
    def _aside(self):
        return self.folder / SET_ASIDE

    def _set_aside(self):
        return _read(self._aside) if self._aside.exists() else []

    def _files(self):
        return sorted((path for path in self.folder.glob(f"*{SUFFIX}")), key=lambda path: int(path.stem))

    def _write(self, content):
        path = self.folder / f"{self._number}{SUFFIX}"
        is_new = not path.exists()
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
            before = file.tell()
            try:
                file.write(content)
                durable.sync(file)
            except OSError:
                with suppress(OSError):
                    file.truncate(before)
                raise
        if is_new:
            durable.sync_folder(self.folder)
        self._size += len(content)
        if self._size >= PIECE:
            self._begin_next()

    def _begin_next(self):
        self._number, self._size = self._number + 1, 0


def _read(path):
    """The lines of a file, without one that was cut off when it was written."""
    lines = []
    for text in path.read_bytes().split(b"\n"):
        with suppress(ValueError):
            lines.append(json.loads(text))
    return lines


def _written(line):
    """The line's bytes; half a surrogate pair, which UTF-8 cannot carry, is written out as JSON reads it."""
    return dumps(line).encode(errors="backslashreplace") + b"\n"


def line_of(*, project_id, by, id, arm, record):
    """What is kept of a record that waits; `by` is who logs it, by which key or none."""
    key_id = by.by_key.pk if by.by_key else None
    return {"project": project_id, "by": by.pk, "key": key_id, "id": str(id), "arm": arm, "record": record}


def id_of(line):
    return uuid.UUID(line["id"])
