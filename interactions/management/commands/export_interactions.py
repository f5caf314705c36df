"""Write a project's interactions to a file (or standard output), a record a line, as the import takes them."""

import gzip
import os
import sys
from contextlib import contextmanager, nullcontext

import zstandard
from django.core.management.base import BaseCommand, CommandError
from django.http import QueryDict
from tqdm import tqdm

from accounts.permissions import READ
from interactions.filters import InteractionFilter
from interactions.jsontext import dumps
from interactions.management.arguments import encoding_of, project_and_person
from interactions.search import search
from interactions.serializers import as_records

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
        wanted = self._wanted(project, filter)
        with _written(file) if file else _standard_output() as out:
            records = (record for page in _pages(project, wanted) for record in as_records(project, page))
            for record in tqdm(records, unit=" interactions", disable=None if file else True):
                out.write(dumps(record).encode() + b"\n")

    def _wanted(self, project, query):
        filterset = InteractionFilter(QueryDict(query), project=project)
        if unknown := sorted(filterset.data.keys() - filterset.filters.keys()):
            raise CommandError(f"{', '.join(unknown)}: no such filter.")
        if not filterset.is_valid():
            raise CommandError("; ".join(f"{name}: {' '.join(texts)}" for name, texts in filterset.errors.items()))
        return filterset.wanted


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
    """A file to write to, packed by its name; it has its name only once it is whole."""
    part = f"{path}.part"
    try:
        with open(part, "wb") as file, _packed(file, encoding_of(path)) as out:
            yield out
        os.replace(part, path)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None


def _packed(file, encoding):
    if encoding == "gzip":
        return gzip.GzipFile(filename="", fileobj=file, mode="wb")
    if encoding == "zstd":
        return zstandard.ZstdCompressor().stream_writer(file)
    return nullcontext(file)
