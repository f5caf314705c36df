"""Many rows in one statement: few in a statement that the server keeps planned, many by COPY."""

import functools
import threading
from contextlib import contextmanager

import psycopg
from django.db import DataError, connection

PLANNED = 16  # rows up to which a statement that names each of them is kept planned
COPIED = 50  # rows from which on COPY is faster
PLAIN = {"bigint", "integer", "numeric", "smallint", "timestamptz", "uuid"}  # need no quotes in an array
_gathering = threading.local()


def insert(table, columns, *, cast=None, arrays=False):
    """Insert rows given by column: {name: (SQL type, values)}, all of one length.

    `cast` gives a column another type than the one its values travel as: arrays and JSON travel as text. `arrays` is
    for narrow rows whose number varies: one plan serves any number of them.
    """
    number = len(next(iter(columns.values()))[1])
    gathered = getattr(_gathering, "statements", None)
    if not number:
        return
    if number >= COPIED and gathered is None:
        _copy(table, columns)
        return
    statement = _by_arrays(table, columns, "") if arrays else _by_rows(table, columns, cast or {})
    if gathered is None:
        _execute(*statement, planned=arrays or number <= PLANNED)
    else:
        gathered.append((*statement, arrays or number <= PLANNED))


def insert_where(table, columns, rest):
    """The same by arrays, with a `rest` behind SELECT … FROM unnest(…) AS r, which may join, test, do nothing on a
    conflict. Returns what its RETURNING yields."""
    return _execute(*_by_arrays(table, columns, rest), planned=True) if next(iter(columns.values()))[1] else []


def insert_all_where(table, columns, rest, otherwise):
    """The same, but raises `otherwise` where a row is left out: what the caller stores is not to be kept then."""
    number = len(next(iter(columns.values()))[1])
    gathered = getattr(_gathering, "statements", None)
    statement, values = _by_arrays(table, columns, f"{rest} RETURNING 1")
    if not number:
        return
    if gathered is not None:
        gathered.append((statement, values, True))
        _gathering.whole.append((len(gathered) - 1, number, otherwise))
    elif len(_execute(statement, values, planned=True)) < number:
        raise otherwise


def array(values):
    """A list of what needs no quotes as PostgreSQL writes an array; the driver, which looks at each, is slower."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


@contextmanager
def together():
    """What is inserted inside goes as one statement, at the end: all or nothing even without a transaction."""
    _gathering.statements, _gathering.whole = gathered, whole = [], []
    try:
        yield
    finally:
        _gathering.statements = None
    if not gathered:
        return
    parts = ", ".join(f"w{place} AS ({sql})" for place, (sql, *_) in enumerate(gathered))
    # fails as a whole, by a division by zero, where one of them stored fewer than it was to
    checks = ", ".join(f"1 / ((SELECT count(*) FROM w{place}) / %s::bigint)" for place, *_ in whole)
    values = [value for _, own, _ in gathered for value in own] + [str(number) for _, number, _ in whole]
    try:
        _execute(f"WITH {parts} SELECT {checks}", values, planned=all(planned for *_, planned in gathered))
    except DataError as error:
        if whole and isinstance(error.__cause__, psycopg.errors.DivisionByZero):
            raise whole[0][-1] from None
        raise


def _by_rows(table, columns, cast):
    types = [cast.get(name, kind) for name, (kind, _) in columns.items()]
    rows = list(zip(*(values for _, values in columns.values()), strict=True))
    one = f"({', '.join(f'%s::{kind}' for kind in types)})"
    sql = f'INSERT INTO "{table}" ({_names(columns)}) VALUES {", ".join([one] * len(rows))}'
    return sql, [_alike(value) for row in rows for value in row]


def _alike(value):
    """As text, so that the driver sends small and large numbers, and none, as one type: else each is another plan."""
    return value if value is None or isinstance(value, (str, bytes)) else str(value)


def _by_arrays(table, columns, rest):
    picked = ", ".join(f'r."{name}"' for name in columns)
    arrays = ", ".join(f"%s::{kind}[]" for kind, _ in columns.values())
    names = _names(columns)
    sql = f'INSERT INTO "{table}" ({names}) SELECT {picked} FROM unnest({arrays}) AS r({names}) {rest}'
    return sql, [array(values) if kind in PLAIN else values for kind, values in columns.values()]


def _names(columns):
    return ", ".join(f'"{name}"' for name in columns)


def _copy(table, columns):
    with _cursor() as cursor, cursor.copy(f'COPY "{table}" ({_names(columns)}) FROM STDIN') as copy:
        for row in zip(*(values for _, values in columns.values()), strict=True):
            copy.write_row(row)


def _execute(sql, values, *, planned):
    with _cursor(psycopg.RawCursor) as cursor:
        cursor.execute(_numbered(sql), values, prepare=planned)
        return cursor.fetchall() if cursor.description else []


@functools.lru_cache(maxsize=64)
def _numbered(sql):
    """The statement with $1, $2 … in place of each %s: the driver would look for them anew at each execution."""
    first, *rest = sql.split("%s")
    return first + "".join(f"${number}{text}" for number, text in enumerate(rest, 1))


@contextmanager
def _cursor(kind=psycopg.Cursor):
    connection.ensure_connection()
    with connection.wrap_database_errors, kind(connection.connection) as cursor:
        yield cursor
