"""Many rows in one statement: few as VALUES that the server keeps planned, many by COPY."""

from contextlib import contextmanager

import psycopg
from django.db import connection
from psycopg.pq import PipelineStatus

PLANNED = 8  # rows up to which a statement is kept planned
COPIED = 50  # rows from which on COPY is faster


def insert(table, columns, *, cast=None):
    """Insert rows given by column: {name: (SQL type, values)}, all of one length.

    `cast` gives a column another type than the one its values travel as: arrays and JSON travel as text.
    """
    rows = list(zip(*(values for _, values in columns.values()), strict=True))
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    with _cursor() as cursor:
        if len(rows) >= COPIED and connection.connection.pgconn.pipeline_status == PipelineStatus.OFF:
            with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
            return
        types = [(cast or {}).get(name, kind) for name, (kind, _) in columns.items()]
        one = f"({', '.join(f'%s::{kind}' for kind in types)})"
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) VALUES {", ".join([one] * len(rows))}',
            [value for row in rows for value in row],
            prepare=len(rows) <= PLANNED,
        )


def insert_where(table, columns, rest):
    """The same with a `rest` behind SELECT … FROM unnest(…) AS r, which may join, test, do nothing on a conflict.
    Returns what its RETURNING yields."""
    if not next(iter(columns.values()))[1]:
        return []
    names = ", ".join(f'"{name}"' for name in columns)
    picked = ", ".join(f'r."{name}"' for name in columns)
    arrays = ", ".join(f"%s::{kind}[]" for kind, _ in columns.values())
    with _cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {picked} FROM unnest({arrays}) AS r({names}) {rest}',
            [values for _, values in columns.values()],
            prepare=True,
        )
        return cursor.fetchall() if "RETURNING" in rest else []


def array(numbers):
    """A list of whole numbers as PostgreSQL writes an array."""
    return "{" + ",".join(map(str, numbers)) + "}"


@contextmanager
def together(rows):
    """The statements inside travel together, with one answer at the end, unless so many rows are better copied."""
    if rows >= COPIED:
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


@contextmanager
def _cursor():
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor
