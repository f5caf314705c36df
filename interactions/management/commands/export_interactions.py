"""Write a project's interactions to a file (or standard output), a record a line, as the import takes them."""

import gzip
import os
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

import zstandard
from django.core.management.base import BaseCommand, CommandError
from django.http import QueryDict
from tqdm import tqdm

from accounts.permissions import READ
from exports.formats import lines_of
from exports.models import Format
from interactions.filters import read_wanted
from interactions.management.arguments import encoding_of, project_and_person
from interactions.rules import RecordError
from interactions.search import search

PAGE = 100


class Command(BaseCommand):
    help = __doc__ + " Each has its labels and feedback as they are now, and its pictures as data URIs."

    def add_arguments(self, parser):
        parser.add_argument("file", nargs="?", help="the file; .gz and .zst are packed; standard output unless given")
        parser.add_argument("--project", required=True, metavar="KEY", help="key or id of the project")
        parser.add_argument(
            "--filter", default="", metavar="QUERY", help="which, as a query string: 'label=intent:refund&q=late'"
        )

    def handle(self, *, file, project, filter, **options):
        project, _ = project_and_person(project, None, READ)
        try:
            wanted = read_wanted(QueryDict(filter), project)
        except RecordError as error:
            raise CommandError(str(error)) from None
        lines = lines_of(project, format=Format.JSONL)
        with _written(file) if file else _standard_output() as out:
            records = (record for page in _pages(project, wanted) for _, written in lines(page) for record in written)
            for record in tqdm(records, unit=" interactions", disable=None if file else True):
                out.write(record)


def _pages(project, wanted):
    """Pages of rows until there is none; one that is cut short by its time goes on with the next."""
    page = search(project, wanted, limit=PAGE)
    yield page.rows
    while page.next:
        page = search(project, wanted, cursor=page.next, limit=PAGE)
        yield page.rows


@contextmanager
def _standard_output():
    """Standard output, whose reader may leave (`| head`)."""
    try:
        yield sys.stdout.buffer
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to be flushed at the end
        raise CommandError("The reader of the output is gone.") from None


@contextmanager
def _written(path):
    """A file to write to, packed by its name; it has its name only once it is whole, and of one that is not nothing
    stays. What is there and is no file, such as a pipe, is written to as it is."""
    is_special = os.path.exists(path) and not os.path.isfile(path)
    part = path if is_special else f"{path}.part"
    try:
        with open(part, "wb") as file, _packed(file, encoding_of(path)) as out:
            yield out
        if not is_special:
            os.replace(part, path)
    except BaseException as error:  # a full disk would stay full, after Ctrl-C too
        if not is_special:
            Path(part).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise CommandError(f"{path}: {error.strerror}") from None
        raise


def _packed(file, encoding):
    if encoding == "gzip":
        return gzip.GzipFile(filename="", fileobj=file, mode="wb")
    if encoding == "zstd":
        return zstandard.ZstdCompressor().stream_writer(file)
    return nullcontext(file)
