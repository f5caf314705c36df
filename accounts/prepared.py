"""Statements asked with every request: the server keeps them planned, and nothing is compiled here."""

import functools

import psycopg
from django.db import connection
from django.db.models.base import ModelState
from django.db.utils import InterfaceError, OperationalError

SHAPES = 256  # ways to leave columns out that are remembered


def rows(sql, values):
    """All rows of a statement that only reads, whose values the server binds itself; it is planned once a connection.
    They travel in binary: times and ids are read in a fraction of the time that their text takes."""
    try:
        found = _fetched(sql, values)
    except (InterfaceError, OperationalError):
        # a connection of before the server was started anew: each thread would fail once over it
        if connection.in_atomic_block or connection.connection is None or not connection.connection.closed:
            raise
        connection.close()
        found = _fetched(sql, values)
    if connection.queries_logged:  # as Django's own are, so that whoever counts a page's queries counts these
        said = psycopg.ClientCursor(connection.connection).mogrify(sql, values)
        connection.queries_log.append({"sql": said, "time": "0"})
    return found


def _fetched(sql, values):
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(sql, values, prepare=True, binary=True).fetchall()


def columns(model, alias, without=()):
    """The columns of a model's table, for a SELECT; `instance` takes what they yield."""
    return ", ".join(f'{alias}."{field.column}"' for field in _fields(model, without))


def instance(model, row, without=()):
    """(the model's instance, what is left of the row behind its columns). As Model.from_db makes it, but for
    the signals, which nobody hears: a request has a hundred rows, and would spend a twentieth of its time there."""
    names = _names(model, without)
    made = model.__new__(model)
    made.__dict__.update(zip(names, row, strict=False))
    made._state = ModelState()
    made._state.adding, made._state.db = False, "default"
    return made, row[len(names) :]


def _fields(model, without):
    return [field for field in model._meta.concrete_fields if field.name not in without]


@functools.lru_cache(maxsize=SHAPES)
def _names(model, without):
    return [field.attname for field in _fields(model, without)]
