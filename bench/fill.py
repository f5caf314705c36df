"""Fills a data folder with a corpus, in the background of whatever else runs; killed at any moment it goes on later."""

import os
import queue
import sys
import threading
import time

from bench import state
from bench.corpus import HALVES
from bench.progress import say

NICENESS = 5


def fill(product, *, n, seed, processes=1):
    """Bring `n` records into the store, then build the text index, fold the deltas and analyse."""
    os.nice(NICENESS)
    state.check(state.read(product.data), product.data, n=n, seed=seed)
    with product.database():
        if not state.read(product.data):
            product.run("prepare")
            product.run("bench_prepare", "--n", n, "--seed", seed)
        if not state.read(product.data).get("stored"):
            product.run("bench_text_index", "drop")
            _store(product, n, processes)
            state.write(product.data, stored=True)
        if not state.read(product.data).get("settled"):
            say("Building the text index …")
            product.run("bench_text_index", "build")
            say("Folding the roll-ups, analysing …")
            product.run("bench_settle")
            state.write(product.data, settled=True)


def _store(product, n, processes):
    """Both halves, one after the other or beside each other; progress on one line."""
    waiting, told, running = list(range(HALVES)), queue.Queue(), []
    done, progress = dict.fromkeys(waiting, 0), Progress(n)
    while waiting or running:
        while waiting and len(running) < processes:
            running.append(_start(product, waiting.pop(0), told))
        half, number = told.get()
        if number is not None:
            done[half] = number
            progress.show(sum(done.values()))
            continue
        ended = next(one for one in running if one[0] == half)
        running.remove(ended)
        if ended[1].wait():
            _end([process for _, process in running])
            sys.exit(f"\nThe fill of half {half} failed.")
    progress.end()


def _start(product, half, told):
    """(the half, its process); what the process says goes to the queue, None at its end."""
    process = product.command("bench_fill", "--half", half)

    def listen():
        for line in process.stdout:
            told.put((half, int(line.split()[1])))
        told.put((half, None))

    threading.Thread(target=listen, daemon=True).start()
    return half, process


def _end(processes):
    for process in processes:
        process.terminate()
        process.wait()


class Progress:
    """One line: how many are stored, and how fast; where nobody looks, a line a minute."""

    def __init__(self, n):
        self.n = n
        self.first = None
        self.pause, self.ending = (0.5, "") if sys.stdout.isatty() else (60, "\n")
        self.due = 0

    def show(self, done):
        now = time.monotonic()
        if self.first is None:
            self.first = now, done
        if now < self.due and done < self.n:
            return
        self.due = now + self.pause
        rate = (done - self.first[1]) / max(now - self.first[0], 0.001)
        left = f", {(self.n - done) / rate / 60:.0f} min left" if rate else ""
        print(f"\r  {done:,} of {self.n:,} stored, {rate:,.0f}/s{left}    ", end=self.ending, flush=True)

    def end(self):
        print(flush=True)
