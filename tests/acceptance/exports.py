"""A hundred thousand interactions with pictures are exported, read back equal, and the worker stays below 300 MB.

    python -m tests.acceptance.exports [--rows 100000] [--port 8734] [--keep]

Starts an installation of its own in a temporary folder, logs a few more interactions, each with a picture of its
own, and exports those that a filter finds as JSON Lines and as Parquet. Compared are the rows with those of the
filter, what was read back into an empty project with what there was, the digest with the file, and the most memory that
the worker, with the programs that it starts, ever held.
"""

import argparse
import base64
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import httpx

from tests.acceptance.kill import ROOT, Installation

MOST = 300 * 1000 * 1000  # bytes
NDJSON = {"Content-Type": "application/x-ndjson"}
QUERY = "label=kept:yes"
MEMBERS = "messages,completion,labels,feedbacks,created_at,model,session_id,user,corrected_completion,latency_ms"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--port", type=int, default=8734)
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    options = parser.parse_args()
    installation = Installation(options.port)
    try:
        return check(installation, options.rows)
    finally:
        installation.stop()
        if not options.keep:
            shutil.rmtree(installation.data)


def check(installation, rows):
    headers = {"Authorization": f"Bearer {installation.demo['api_key']}"}
    faults = []
    with httpx.Client(base_url=f"{installation.address}/api/v1/", headers=headers, timeout=120) as client:
        fill(client, "source", rows + rows // 9 + 1)
        expected = Told(client, "source", QUERY)
        memory = Memory(installation.data / "var/worker.pid")
        for format in ("jsonl", "parquet"):
            path, told = fetch(client, installation, format)
            faults += compare(format, told, path, expected)
            lines = path if format == "jsonl" else as_lines(path)
            faults += read_back(client, format, lines, expected)
        memory.stop()
    print(
        f"the worker held {memory.most / 1e6:.0f} MB at the most, {memory.quiet / 1e6:.0f} MB before (at most 300 MB)"
    )
    faults += [f"the worker held {memory.most / 1e6:.0f} MB"] if memory.most > MOST else []
    print("\n".join(faults) or "All as it should be.")
    return 1 if faults else 0


def fill(client, key, rows):
    """A project of so many interactions with a picture each, nine of ten within the filter."""
    make(client, key)
    began, chance = time.monotonic(), random.Random(7)
    for low in range(0, rows, 500):
        batch = (record(number, chance) for number in range(low, min(low + 500, rows)))
        body = "".join(json.dumps(one) + "\n" for one in batch)
        answer = (
            client.post(f"interactions/batch?project={key}", content=body, headers=NDJSON).raise_for_status().json()
        )
        assert not answer["rejected"], answer["rejected"][:3]
    print(f"{rows:,} logged in {time.monotonic() - began:.0f} s", flush=True)


def make(client, key):
    client.post("projects", json={"key": key, "name": key}).raise_for_status()
    client.post("feedback-keys", json={"project": key, "key": "stars", "kind": "scalar"}).raise_for_status()


def record(number, chance):
    question = {"type": "text", "text": f"What is on picture {number}? " + "Say it in full. " * (number % 20)}
    shown = {"type": "image_url", "image_url": {"url": picture(chance)}}
    return {
        "messages": [{"role": "user", "content": [question, shown]}],
        "completion": f"A pattern, number {number}. " + "It is grey. " * (number % 30),
        "labels": {"kept": "yes" if number % 10 else "no", "topic": f"t{number % 50}"},
        "feedbacks": [{"feedback_key": "stars", "value": number % 5}] if number % 3 else [],
        "model": f"model-{number % 3}",
        "session_id": f"s{number // 4}",
        "user": f"u{number % 900}",
        "latency_ms": number % 3_000,
        "created_at": 1_767_225_600_000 + number * 1_000,
    }


def picture(chance):
    """A grey png of noise, of its own, about 1 to 6 kB."""
    side = chance.randrange(32, 80)

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    lines = b"".join(b"\0" + chance.randbytes(side) for _ in range(side))
    raw = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines, 1)) + chunk(b"IEND", b"")
    return f"data:image/png;base64,{base64.b64encode(raw).decode()}"


class Told:
    """What the API tells of a filter's interactions: the ids in their order, and a digest of each one's content."""

    def __init__(self, client, project, query):
        self.ids, self.digests, cursor = [], [], ""
        while cursor is not None:
            paging = f"limit=500&images=inline&fields=id,{MEMBERS}" + (f"&cursor={cursor}" if cursor else "")
            page = client.get(f"interactions?project={project}&{query}&{paging}").raise_for_status().json()
            for row in page["results"]:
                self.ids.append(row.pop("id"))
                for given in row["feedbacks"]:
                    given.pop("id"), given.pop("created_at")
                self.digests.append(hashlib.sha256(json.dumps(row, sort_keys=True).encode()).digest())
            cursor = page["next"]


def fetch(client, installation, format):
    """(the fetched file's path, what is told of the export)"""
    began = time.monotonic()
    base = "projects/source/exports"
    told = client.post(base, json={"format": format, "filter": QUERY}).raise_for_status().json()
    shown = -1
    while told["state"] in ("waiting", "running"):
        time.sleep(0.5)
        told = client.get(f"{base}/{told['id']}").raise_for_status().json()
        if told["done"] // 10_000 != shown:
            shown = told["done"] // 10_000
            print(f"  {told['done']:,} of {told['total']}", flush=True)
    assert told["state"] == "done", told
    path = installation.data / told["file_name"]
    with client.stream("GET", told["file"]) as answer, open(path, "wb") as file:
        for piece in answer.raise_for_status().iter_bytes():
            file.write(piece)
    print(
        f"{format}: {told['number']:,} in {told['size'] / 1e6:.0f} MB after {time.monotonic() - began:.0f} s",
        flush=True,
    )
    return path, told


def compare(format, told, path, expected):
    """Faults of the file itself."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    faults = [] if digest.hexdigest() == told["sha256"] else [f"{format}: the SHA-256 is another"]
    if told["number"] != len(expected.ids):
        faults.append(f"{format}: {told['number']:,} rows, the filter has {len(expected.ids):,}")
    return faults


def as_lines(path):
    lines = path.with_suffix(".lines.jsonl")
    with open(lines, "wb") as file:
        subprocess.run([sys.executable, "-m", "exports.reading", str(path)], cwd=ROOT, stdout=file, check=True)
    return lines


def read_back(client, format, path, expected):
    """Faults of what an empty project has after the file was posted to it."""
    project = f"from-{format}"
    make(client, project)
    with open(path, "rb") as file:
        answer = client.post(
            f"interactions/batch?project={project}", content=iter(lambda: file.read(1 << 20), b""), headers=NDJSON
        )
    answer = answer.raise_for_status().json()
    print(f"{format}: {answer['accepted']:,} read back, {len(answer['rejected'])} refused", flush=True)
    found = Told(client, project, "")
    n = sum(a != b for a, b in zip(found.digests, expected.digests, strict=False))
    n += abs(len(found.digests) - len(expected.digests))
    return [f"{format}: {n:,} read back are not equal"] if n else []


class Memory:
    """The most that the worker and the programs it started held, looked at all the time."""

    def __init__(self, pid_file):
        self.pid_file, self.most, self.stopped = Path(pid_file), 0, threading.Event()
        self.quiet = self._held()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while not self.stopped.wait(0.05):
            self.most = max(self.most, self._held())

    def _held(self):
        try:
            pid = int(self.pid_file.read_text())
            return sum(map(_resident, [pid, *_children_of_threads(pid)]))
        except (OSError, ValueError):
            return 0

    def stop(self):
        self.stopped.set()
        self.thread.join()


def _children_of_threads(pid):
    """A program belongs to the thread that started it."""
    return [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]


def _resident(pid):
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


if __name__ == "__main__":
    sys.exit(main())
