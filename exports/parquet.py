"""Lines of JSON to Parquet, in row groups of a few MB, and back to records: a program of its own, so that what it needs
of memory is given back when it ends. Knows no Django.

    python -m exports.parquet rows.jsonl file.parquet column …
"""

import datetime
import json
import os
import sys

import pyarrow as pa
import pyarrow.parquet as pq

GROUP_ROWS = 10_000
GROUP_BYTES = 4 * 1024 * 1024  # of lines; one line may be longer
TEXT = pa.string()
TYPES = {
    "created_at": pa.timestamp("ms", tz="UTC"),
    "labels": pa.map_(TEXT, TEXT),
    "feedbacks": pa.list_(
        pa.struct(
            [("feedback_key", TEXT), ("value", pa.float64()), ("details", TEXT), ("user", TEXT), ("origin", TEXT)]
        )
    ),
    "latency_ms": pa.int32(),
    "failed": pa.bool_(),
}
AS_JSON = {"messages", "metadata", "usage"}  # of any shape, so they are text
NOT_SENT = {"id", "prompt", "failed"}  # what no record has, or has already in its messages, or in its metadata
OF_ONE_KEY = {"label": TEXT, "feedback": pa.float64(), "metadata": TEXT, "usage": pa.float64()}


def schema_of(columns):
    """The columns' types: those of TYPES, and of OF_ONE_KEY; of the rest text."""
    return pa.schema([(name, OF_ONE_KEY.get(_kind_of(name)) or TYPES.get(name, TEXT)) for name in columns])


def _kind_of(name):
    """What it has one key of; None where it is no such column."""
    kind, colon, _ = name.partition(":")
    return kind if colon else None


def write(rows, path, columns):
    """A Parquet file of these lines (an iterable of bytes), each a JSON object with the columns."""
    schema = schema_of(columns)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        values, n, held = {name: [] for name in columns}, 0, 0
        for line in rows:
            row = json.loads(line)
            for name, column in values.items():
                column.append(_stored(name, row[name]))
            n, held = n + 1, held + len(line)
            if n >= GROUP_ROWS or held >= GROUP_BYTES:
                _write(writer, schema, values)
                n = held = 0
        if n:
            _write(writer, schema, values)


def _write(writer, schema, values):
    """One row group; what it took is given back."""
    arrays = []
    for field in schema:
        arrays.append(pa.array(values[field.name], field.type))
        values[field.name].clear()
    writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _stored(name, value):
    if value is None:
        return None
    kind = _kind_of(name)
    if kind == "usage":
        return float(value) if type(value) in {int, float} else None
    if name in AS_JSON or kind == "metadata" and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if name == "created_at":
        return datetime.datetime.fromisoformat(value)
    return list(value.items()) if name == "labels" else value


def records(file):
    """The records of a Parquet file (a path, or a file that can seek), as the door takes them."""
    source = pq.ParquetFile(file)
    for place in range(source.num_row_groups):
        for row in source.read_row_group(place).to_pylist():
            yield _record(row)


def _record(row):
    record = {}
    for name, value in row.items():
        if value is None or name in NOT_SENT or _kind_of(name):
            continue
        if name in AS_JSON:
            value = json.loads(value)
        elif name == "created_at":
            value = value.isoformat(timespec="milliseconds")
        elif name == "labels":
            value = dict(value)
        elif name == "feedbacks":
            value = [{key: one for key, one in given.items() if one is not None} for given in value]
        record[name] = value
    return record


def main(rows, path, *columns):
    os.nice(10)  # whoever waits for an answer comes first
    pa.set_memory_pool(pa.system_memory_pool())  # which gives back at once what it no longer needs
    with open(rows, "rb") as file:
        write(file, path, columns)


if __name__ == "__main__":
    main(*sys.argv[1:])
