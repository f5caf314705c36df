"""Statements asked with every request: the server keeps them planned, and nothing is compiled here."""

import psycopg
from django.db import connection


def rows(sql, values):
    """All rows of a statement, whose values the server binds itself; it is planned once a connection."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(sql, values, prepare=True).fetchall()


def columns(model, alias):
    """The columns of a model's table, for a SELECT; `instance` takes what they yield."""
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


def instance(model, row):
    """(the model's instance, what is left of the row behind its columns)"""
    names = [field.attname for field in model._meta.concrete_fields]
    return model.from_db(connection.alias, names, row[: len(names)]), row[len(names) :]
