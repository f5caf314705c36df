"""Writing that goes on at a steady rate in a process of its own, while something else is measured."""

import itertools
import multiprocessing
from contextlib import contextmanager

from bench.clients import drive
from bench.figures import latencies, rate
from bench.supply import BATCH
from bench.writing import MANY

FORK = multiprocessing.get_context("fork")
BEFOREHAND = 240  # seconds' worth of requests made before it begins, so that making them takes no core meanwhile
SIZES = {"singles": 1, "batches": BATCH}  # records a request
LULL = 3  # seconds until it has settled


@contextmanager
def ingestion(door, supply, *, per_second, size):
    """Records go into the door's project, `size` a request and so many a second, for as long as this block.

    Gives a dictionary that is filled at its end: {per_second, n, failed, p50, …}.
    """
    stop, begun, told = FORK.Event(), FORK.Event(), FORK.Queue()
    process = FORK.Process(target=_write, args=(door, supply, per_second, size, stop, begun, told), daemon=True)
    process.start()
    begun.wait()
    stop.wait(LULL)
    found = {}
    try:
        yield found
    finally:
        stop.set()
        found |= told.get(timeout=120)
        process.join(30)


def _write(door, supply, per_second, size, stop, begun, told):
    pieces = _requests(door, supply, size)
    made = list(itertools.islice(pieces, int(per_second * BEFOREHAND / size) + 1))
    begun.set()
    waiting = itertools.takewhile(lambda _: not stop.is_set(), itertools.chain(made, pieces))
    answers = drive(door.port, waiting, clients=MANY, rate=per_second / size, keep=64)
    told.put({"asked": round(per_second, 1), "per_second": round(rate(answers, each=size), 1), **latencies(answers)})


def _requests(door, supply, size):
    """Without end, made some at a time."""
    while True:
        if size == 1:
            yield from supply.singles(100, door.project, door.headers)
        else:
            yield from supply.batches(1, door.project, door.headers, size)
