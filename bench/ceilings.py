"""What the machine can do at best, measured in the same run: COPY into a bare table, and a bare view."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import psycopg

from bench.clients import ClientError, drive, request
from bench.figures import latencies, rate
from bench.product import ROOT
from bench.supply import BATCH
from bench.writing import MANY, MOST, SECONDS, WARM

COPIED = 60_000  # records
TABLES = {"raw": "bench_raw", "bare": "bench_bare"}
START = 30  # seconds


def measure(address, port, supply, seconds=SECONDS, copied=COPIED):
    """{name: {per_second, …}} of COPY as one stream and in batches of 500, and of the bare view with 1 and 8 clients.

    `address` is the database's; the tables are gone at the end.
    """
    with psycopg.connect(address, autocommit=True) as connection, _tables(connection):
        records = [text.replace(b"\\", b"\\\\") for text in supply.records(copied)]
        told = {
            "COPY, one stream": _copied(connection, [records]),
            "COPY, batches of 500": _copied(connection, [records[at : at + BATCH] for at in range(0, copied, BATCH)]),
        }
        with _bare_view(address, port):
            told["bare view, 1 client"] = _posted(port, supply, 1, seconds)
            told["bare view, 8 clients"] = _posted(port, supply, MANY, seconds)
    return told


def _copied(connection, batches):
    """Each batch by one COPY, committed."""
    texts = [b"\n".join(batch) + b"\n" for batch in batches]
    connection.execute(f"TRUNCATE {TABLES['raw']}")
    begun = time.perf_counter()
    for text in texts:
        with connection.cursor() as cursor, cursor.copy(f"COPY {TABLES['raw']} (record) FROM STDIN") as copy:
            copy.write(text)
    took, records = time.perf_counter() - begun, sum(map(len, batches))
    return {"per_second": round(records / took, 1), "records": records}


def _posted(port, supply, clients, seconds):
    bodies = supply.records(MOST * (seconds + WARM) // (1 if clients > 1 else 3))
    requests = [request("POST", "/store", {}, body) for body in bodies]
    answers = drive(port, requests, clients=clients, seconds=seconds + WARM, keep=64)
    return {"clients": clients, "per_second": round(rate(answers, warm=WARM), 1)} | latencies(answers)


@contextmanager
def _tables(connection):
    for table in TABLES.values():
        connection.execute(f"DROP TABLE IF EXISTS {table}")
        connection.execute(f"CREATE TABLE {table} (id bigint GENERATED ALWAYS AS IDENTITY, record jsonb NOT NULL)")
    try:
        yield
    finally:
        for table in TABLES.values():
            connection.execute(f"DROP TABLE {table}")


@contextmanager
def _bare_view(address, port):
    """The bare view, served on the port for as long as this block."""
    command = [sys.executable, "-m", "gunicorn", "--config", "bench/bare_gunicorn.py", "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": address})
    try:
        _wait_for(port)
        yield
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(port):
    end = time.monotonic() + START
    while True:
        try:
            return drive(port, [request("GET", "/", {})], clients=1)
        except (OSError, ClientError):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
