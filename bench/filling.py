"""Brings the corpus into the store by the product's own code: block by block, oldest first, each in one transaction.

The corpus is cut into two halves by time, so that two processes can work; how far each half is, the store tells.
"""

from django.db import connection

from bench.corpus import BLOCK, HALVES
from bench.stored import stored
from interactions import ids
from interactions.ingest import store_records
from interactions.models import Interaction

LOCK = 0x6265_6E63_6800  # advisory: one process a half


def blocks_of(corpus, half):
    """The blocks of one half, oldest first."""
    edges = [corpus.blocks * place // HALVES for place in range(HALVES + 1)]
    return range(edges[half], edges[half + 1])


def count_stored(project, corpus, half):
    """How many records of one half are in the store."""
    blocks = blocks_of(corpus, half)
    if not blocks:
        return 0
    found = Interaction.objects.filter(project=project, id__gte=_edge(corpus, blocks.start))
    if blocks.stop < corpus.blocks:
        return found.filter(id__lt=_edge(corpus, blocks.stop)).count()
    return found.filter(id__lt=ids.first(corpus.end)).count()


def fill(project, corpus, half, by):
    """Store what is missing of one half; yields how many are stored, at first and after each block.

    Waits for another process that is at the same half: one whose parent was killed ends with its next word.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK + half])
    blocks, done = blocks_of(corpus, half), count_stored(project, corpus, half)
    shown = set()
    yield done
    for block in blocks[-(-done // BLOCK) :]:
        records = [_shown_once(stored(payload), shown) for payload in corpus.block(block)]
        store_records(project=project, records=records, by=by)
        done += len(records)
        yield done


def _shown_once(record, shown):
    """The record without the pictures that this process has stored already: they need not travel again."""
    record.pictures = [picture for picture in record.pictures if picture.sha256 not in shown]
    shown.update(picture.sha256 for picture in record.pictures)
    return record


def _edge(corpus, block):
    """The id before which all earlier blocks lie, and no later one."""
    return ids.first(corpus.moment(block * BLOCK))
