"""Labels over a hundred thousand: the table stays usable, progress moves, the end comes in two seconds, undo is exact.

    python -m tests.acceptance.bulk_label [--rows 100000] [--readers 2] [--port 8734] [--address URL --key mg_…]

Starts an installation of its own in a temporary folder unless it is given an address. Everything that a filter finds is
labelled while readers open pages of the table: the slower twentieth of their answers may take twice as long as before,
not more. The work is undone, begun again and cancelled in the midst, and undone: each time every interaction must have
exactly the labels that it had. It fails where anything is not as promised; the roll-ups are proved at the end.
"""

import argparse
import datetime
import json
import random
import shutil
import sys
import threading
import time

import httpx

from tests.acceptance.kill import Installation
from tests.acceptance.rollups import prove

PROJECT = "bulk-label"
TONES = ("curt", "kind", "warm", None)
BATCH = 5_000
SLOWER, STOPPED = 2.0, 2.0  # times, seconds
QUERIES = ({}, {"label": "tone:kind"}, {"label": "topic:t7"}, {"not_label": "tone:curt"}, {"q": "hire"})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--readers", type=int, default=2)
    parser.add_argument("--port", type=int, default=8734)
    parser.add_argument("--address", help="of an installation that runs")
    parser.add_argument("--key", help="of who may make projects there")
    options = parser.parse_args()
    installation = None if options.address else Installation(options.port)
    address = options.address or installation.address
    key = options.key or installation.demo["api_key"]
    try:
        with httpx.Client(base_url=f"{address}/api/v1/", headers={"Authorization": f"Bearer {key}"}, timeout=60) as api:
            faults = Check(api, options).run()
        if installation and prove(installation):
            faults.append("the roll-ups do not say what the rows say")
    finally:
        if installation:
            installation.stop()
            shutil.rmtree(installation.data)
    print("\n".join(faults) or "All as promised.")
    return 1 if faults else 0


class Check:
    """The whole of it over one project; what is not as promised is told in `faults`."""

    def __init__(self, api, options):
        self.api, self.options, self.faults = api, options, []
        self.project = f"{PROJECT}-{int(time.time())}"

    def run(self):
        self.fill()
        before = self.labels()
        calm = self.read_for(15)
        print(f"before: {told(calm)}", flush=True)
        job = self.label()
        busy, seen = self.read_until_ended(job)
        print(f"during: {told(busy)}, progress seen {len(seen)} times: {spread(seen)}", flush=True)
        self.expect(p95(busy) <= SLOWER * p95(calm), f"pages took {p95(busy) / p95(calm):.1f} times as long")
        self.expect(len(set(seen)) > 5 and seen == sorted(seen), "progress did not move")
        ended = self.job(job)
        print(f"{ended['state']} in {took(ended):.1f} s: {ended['result']['text']}", flush=True)
        self.expect(self.count("tone:warm") == self.options.rows, "not all have the label")
        self.undo(job, before)
        self.cancel_in_the_midst(before)
        return self.faults

    def expect(self, holds, fault):
        if not holds:
            self.faults.append(fault)

    def fill(self):
        """Interactions with tones and topics, in batches."""
        self.api.post("projects", json={"key": self.project, "name": self.project}).raise_for_status()
        rng = random.Random(7)
        for start in range(0, self.options.rows, BATCH):
            number = min(BATCH, self.options.rows - start)
            lines = "\n".join(json.dumps(record(rng, start + n)) for n in range(number))
            path = f"interactions/batch?project={self.project}"
            answer = self.api.post(path, content=lines, headers={"Content-Type": "application/x-ndjson"})
            answer.raise_for_status()
        time.sleep(10)  # the worker folds
        print(f"{self.options.rows:,} interactions in {self.project}", flush=True)

    def labels(self):
        """{id: labels} of all."""
        found, cursor = {}, None
        while True:
            query = {"project": self.project, "limit": 1000, "fields": "id,labels"} | (
                {"cursor": cursor} if cursor else {}
            )
            page = self.api.get("interactions", params=query).json()
            found |= {one["id"]: one["labels"] for one in page["results"]}
            cursor = page["next"]
            if cursor is None:
                return found

    def count(self, label):
        query = {"project": self.project, "limit": 1, "fields": "id", "label": label}
        return self.api.get("interactions", params=query).json()["count"]

    def label(self):
        path = f"projects/{self.project}/label-jobs"
        answer = self.api.post(path, json={"key": "tone", "value": "warm"})
        answer.raise_for_status()
        return answer.json()["id"]

    def job(self, job):
        return self.api.get(f"projects/{self.project}/jobs/{job}").json()

    # -- reading meanwhile -------------------------------------------------------------------------
    def read_for(self, seconds):
        with Readers(self.api, self.project, self.options.readers) as readers:
            time.sleep(seconds)
        self.faults += readers.failed[:3]
        return readers.times

    def read_until_ended(self, job):
        """(the readers' times, what was done each time it was asked)."""
        seen = []
        with Readers(self.api, self.project, self.options.readers) as readers:
            while (now := self.job(job))["ended_at"] is None:
                seen.append(now["done"])
                time.sleep(0.5)
        self.faults += readers.failed[:3]
        return readers.times, seen

    def wait(self, job):
        while (now := self.job(job))["ended_at"] is None:
            time.sleep(0.3)
        return now

    # -- taking back -------------------------------------------------------------------------------
    def undo(self, job, before):
        answer = self.api.post(f"projects/{self.project}/label-jobs/{job}/undo")
        answer.raise_for_status()
        ended = self.wait(answer.json()["id"])
        print(f"undo {ended['state']} in {took(ended):.1f} s: {ended['result']['text']}", flush=True)
        after = self.labels()
        differ = sum(after.get(pk) != labels for pk, labels in before.items())
        self.expect(after == before, f"after undo {differ:,} interactions differ from what they were")

    def cancel_in_the_midst(self, before):
        """Cancelled once a third is done: it ends soon, and says how many have the label now."""
        job = self.label()
        while self.job(job)["done"] < self.options.rows / 3:
            time.sleep(0.1)
        began = time.monotonic()
        self.api.delete(f"projects/{self.project}/jobs/{job}").raise_for_status()
        ended = self.wait(job)
        seconds = time.monotonic() - began
        print(f"{ended['state']} {seconds:.2f} s after it was asked, {ended['done']:,} done", flush=True)
        self.expect(ended["state"] == "cancelled" and seconds <= STOPPED, f"cancelling took {seconds:.1f} s")
        differ = self.differing(before)
        told_changed = ended["result"]["changed"]
        self.expect(differ == told_changed, f"{differ:,} are changed, but {told_changed:,} were told")
        self.undo(job, before)

    def differing(self, before):
        after = self.labels()
        return sum(after[pk] != labels for pk, labels in before.items())


class Readers:
    """Threads that open pages of the table, each time measured."""

    def __init__(self, api, project, number):
        self.api, self.project = api, project
        self.times, self.failed, self.stopped = [], [], threading.Event()
        self.threads = [threading.Thread(target=self._read, args=(place,)) for place in range(number)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def _read(self, place):
        number = place
        while not self.stopped.is_set():
            query = {"project": self.project, "limit": 50, "fields": "id,labels", **QUERIES[number % len(QUERIES)]}
            began = time.monotonic()
            answer = self.api.get("interactions", params=query)
            self.times.append(time.monotonic() - began)
            if not answer.is_success:
                self.failed.append(f"a page answered {answer.status_code}")
            number += 1
            time.sleep(0.05)  # people read


def record(rng, number):
    tone = rng.choice(TONES)
    return {
        "messages": [{"role": "user", "content": f"Am I covered to drive a hire car {number}? {rng.random()}"}],
        "completion": "Yes, third party only.",
        "model": rng.choice(["harbor-8b", "harbor-70b"]),
        "labels": {"topic": f"t{rng.randrange(40)}", **({"tone": tone} if tone else {})},
    }


def p95(times):
    return sorted(times)[int(len(times) * 0.95)]


def told(times):
    times = sorted(times)
    return (
        f"{len(times)} pages, p50 {1000 * times[len(times) // 2]:.0f} ms, p95 {1000 * p95(times):.0f} ms,"
        f" the longest {1000 * times[-1]:.0f} ms"
    )


def spread(seen):
    """Some of the numbers that were seen, the first and the last among them."""
    return ", ".join(f"{n:,}" for n in [*seen[:: max(len(seen) // 6, 1)], *seen[-1:]])


def took(job):
    ended, started = (datetime.datetime.fromisoformat(job[name]) for name in ("ended_at", "started_at"))
    return (ended - started).total_seconds()


if __name__ == "__main__":
    sys.exit(main())
