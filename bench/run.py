"""One whole run: an empty store, then the filled one; every figure beside the ceiling that was measured with it."""

import os
import shutil
import subprocess
import sys
import time

import psycopg

from bench import ceilings, machine, reading, state, writing
from bench.ingestion import SIZES, ingestion
from bench.product import ROOT, Product
from bench.progress import say
from bench.reading import Reader
from bench.supply import Supply
from bench.warm import warm
from bench.writing import Door

SETTLING = 15  # seconds after which a product that does nothing is idle


def run(product, *, n, seed, processes, seconds=writing.SECONDS, requests=reading.REQUESTS):
    """Fill where that is still to do, measure everything, and return it as one dictionary; `load` is the machine's
    just before: above 1, others were at work."""
    _fill(product, n, seed, processes)
    supply = Supply(int(time.time()))
    result = {
        "n": n,
        "seed": seed,
        "load": os.getloadavg()[0],
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": _commit(),
    }
    say("An empty store: writing, and the ceilings …")
    result["empty"] = _measure_empty(product, supply, seconds)
    say(f"The store of {n:,}: starting …")
    result["filled"] = _measure_filled(product, supply, seconds, requests)
    return result | result["filled"].pop("described")


def _fill(product, n, seed, processes):
    """In a process of its own, so that its niceness is not ours."""
    command = [sys.executable, "-m", "bench", "fill", "--n", n, "--seed", seed, "--processes", processes]
    if not state.read(product.data).get("settled"):
        subprocess.run([*map(str, command), "--data", product.data], cwd=ROOT, check=True)
    state.check(state.read(product.data), product.data, n=n, seed=seed)


def _measure_empty(product, supply, seconds):
    """{writing, ceilings} on a new data folder, which is gone at the end."""
    empty = Product(product.data.parent / f"{product.data.name}-empty", product.port)
    shutil.rmtree(empty.data, ignore_errors=True)
    with empty.database():
        empty.run("prepare")
        empty.run("bench_prepare", "--n", 0, "--seed", 0)
    empty.start()
    try:
        door = Door(empty.port, "writes", state.read(empty.data)["api_key"])
        return _write(empty, door, supply, seconds)
    finally:
        empty.stop()
        shutil.rmtree(empty.data)


def _write(product, door, supply, seconds):
    told = {"writing": writing.measure(door, supply, seconds)}
    return told | {"ceilings": ceilings.measure(product.address, product.port + 1, supply, seconds)}


def _measure_filled(product, supply, seconds, requests):
    known = state.read(product.data)
    told = {"start": product.start()}
    try:
        told["memory"] = {"idle": _idle(product)}
        told["described"] = machine.described(product.address)
        told["disk"] = machine.disk(product.data, product.address)
        told["records"] = _count(product)
        told["raw"] = machine.raw_bytes(state.corpus_of(known))
        door = Door(product.port, "corpus", known["api_key"])
        reader = Reader(door, _cookie(product), state.corpus_of(known), requests)
        told["warmed"] = warm(product.data, product.address)
        told["reading"] = {}
        for readers in (1, reading.MANY):
            say(f"Reading, {readers} at a time …")
            told["reading"][f"{readers}"] = reader.measure(readers)
        say("Writing, and the ceilings again …")
        told |= _write(product, Door(product.port, "writes", known["api_key"]), supply, seconds)
        told |= _read_while_writing(reader, door, supply, told)
        told["memory"]["loaded"] = machine.memory(product.data)
    finally:
        product.stop()
    return told


def _idle(product):
    time.sleep(SETTLING)
    return machine.memory(product.data)


def _read_while_writing(reader, door, supply, told):
    """The same questions by eight, while half as many records come in as could."""
    for name, size in SIZES.items():
        most = max(one["per_second"] for way, one in told["writing"].items() if way.startswith(name.rstrip("s")))
        say(f"Reading, {reading.MANY} at a time, while {most / 2:,.0f} records a second come in as {name} …")
        with ingestion(door, supply, per_second=most / 2, size=size) as written:
            found = reader.measure(reading.MANY)
        told["reading"][f"{reading.MANY} while {name}"] = found
        told.setdefault("while", {})[name] = written
    return told


def _count(product):
    """How many interactions the whole store holds."""
    with psycopg.connect(product.address) as connection:
        return connection.execute("SELECT count(*) FROM interactions_interaction").fetchone()[0]


def _cookie(product):
    """The session of somebody who is logged in."""
    lines = list(product.command("bench_session").stdout)
    return lines[-1].strip()


def _commit():
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return found.stdout.strip() or None
