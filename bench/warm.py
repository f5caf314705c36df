"""What lists are made from is brought into the machine's memory once, where a store that is in use has it."""

from pathlib import Path

import psycopg

from embedded.place import Place

FAMILIES = ("interactions_interaction", "interactions_labelposting", "feedback_feedback")
PIECE = 1 << 20


def warm(data, address):
    """Read the rows, labels and feedback with their indexes, and this month's index of words, into which all goes that
    comes in, a file after the other; how many bytes. Bodies and the words of other months stay as they are."""
    with psycopg.connect(address) as connection:
        paths = connection.execute(
            """
            SELECT pg_relation_filepath(part) FROM (
                SELECT i.inhrelid AS part FROM pg_inherits i WHERE i.inhparent = ANY(%(families)s::regclass[])
                UNION ALL SELECT x.indexrelid FROM pg_inherits i JOIN pg_index x ON x.indrelid = i.inhrelid
                WHERE i.inhparent = ANY(%(families)s::regclass[])
                UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid
                JOIN pg_class c ON c.oid = x.indrelid
                WHERE i.inhparent = 'interaction_words'::regclass
                    AND c.relname = 'interactions_interactionbody_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')
                ) AS parts
            """,
            {"families": list(FAMILIES)},
        ).fetchall()
    cluster = Place(data).cluster
    return sum(_read(file) for (path,) in paths for file in _segments(cluster / path))


def _segments(path):
    """The files of a relation: one for each gigabyte."""
    return [path, *path.parent.glob(f"{path.name}.*")]


def _read(path):
    n = 0
    with Path(path).open("rb") as file:
        while piece := file.read(PIECE):
            n += len(piece)
    return n
