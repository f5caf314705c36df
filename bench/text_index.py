"""The text index, taken away before a fill and built after it: one partition after the other, resumable."""

from django.db import connection

PARENT, TABLE = "interaction_words", "interactions_interactionbody"
MEMORY = "1GB"  # for a build


def definition():
    """[CREATE INDEX of the parent's index, the statistics target of its column or None]; None where it is not there."""
    found = _rows(
        """
        SELECT pg_get_indexdef(to_regclass(%(name)s)),
               (SELECT max(nullif(a.attstattarget, -1)) FROM pg_attribute a WHERE a.attnum = 1 AND a.attrelid IN (
                   SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass(%(name)s)))
        WHERE to_regclass(%(name)s) IS NOT NULL
        """,
        {"name": PARENT},
    )
    return list(found[0]) if found else None


def drop():
    """Take the index away, with those of the partitions, also those that an interrupted build has left."""
    _run(f"DROP INDEX IF EXISTS {PARENT}")
    for partition in _partitions():
        _run(f'DROP INDEX IF EXISTS "{_name(partition)}"')


def build(defined, report):
    """Build the index of every partition that has none, then attach them all: the parent's is valid as before.

    `defined` is what `definition` told before the drop; `report(text)` is told before each step.
    """
    statement, target = defined
    partitions = _partitions()
    _run(f"SET maintenance_work_mem = '{MEMORY}'")
    for partition in partitions:
        report(f"text index of {partition}")
        _run(_for_partition(statement, partition))
        if target is not None:
            _run(f'ALTER INDEX "{_name(partition)}" ALTER COLUMN 1 SET STATISTICS {int(target)}')
    if not definition():
        _run(statement)  # it says ON ONLY: not valid until all are attached
    attached = {
        name
        for (name,) in _rows(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [PARENT]
        )
    }
    for partition in partitions:
        if _name(partition) not in attached:
            _run(f'ALTER INDEX "{PARENT}" ATTACH PARTITION "{_name(partition)}"')


def is_valid():
    """Whether the index is there, with that of every partition."""
    return _rows("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [PARENT]) == [(True,)]


def _partitions():
    found = _rows("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [TABLE])
    return sorted(name for (name,) in found)


def _name(partition):
    return f"{partition}_words"


def _for_partition(statement, partition):
    """The parent's CREATE INDEX, for one partition."""
    _, _, definition = statement.partition(" USING ")
    return f'CREATE INDEX IF NOT EXISTS "{_name(partition)}" ON "{partition}" USING {definition}'


def _run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _rows(statement, values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()
