"""Nothing acknowledged is lost: clients post while web server, worker and PostgreSQL are killed at random moments.

    python -m tests.acceptance.kill [--kills 20] [--clients 30] [--port 8731]

Starts an installation of its own in a temporary folder, kills (SIGKILL) one process after the other, lets the
supervisor bring it back, and compares afterwards what was acknowledged with what is there: whole, and once.
"""

import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
MODELS = ["harbor-8b", "harbor-70b", "lantern-mini"]


class Installation:
    """`python -m config.supervisor` on a temporary data folder."""

    def __init__(self, port):
        self.data = Path(tempfile.mkdtemp(prefix="marginalia-kill-"))
        self.data.chmod(0o755)
        self.log = open(self.data / "supervisor.log", "w")  # noqa: SIM115  open as long as it runs
        environment = {**os.environ, "DATA_DIR": str(self.data / "var"), "PORT": str(port)}
        environment.pop("DATABASE_URL", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.supervisor"], cwd=ROOT, env=environment, stdout=self.log, stderr=self.log
        )
        self.address = f"http://127.0.0.1:{port}"
        self.wait()
        self.demo = json.loads((self.data / "var/demo.json").read_text())

    def wait(self, patience=180):
        """Until it is ready; SystemExit where it never is."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            try:
                if httpx.get(f"{self.address}/ready", timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        sys.exit(f"Not ready after {patience} s; see {self.log.name}")

    def victims(self):
        """{what: process id} of all that may be killed now."""
        found = {}
        for name in ("web", "worker"):
            try:
                found[name] = int((self.data / f"var/{name}.pid").read_text())
            except (OSError, ValueError):
                continue
        for place, child in enumerate(_children(found.get("web"))):
            found[f"web child {place}"] = child
        try:
            found["postgres"] = int((self.data / "var/postgres/postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return found
        backends = _children(found["postgres"])
        if backends:
            found["postgres backend"] = random.choice(backends)
        return found

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        self.log.close()


def _children(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (OSError, ValueError):
        return []


class Clients:
    """Threads that post one interaction after the other, each under an external id of its own."""

    def __init__(self, installation, project, number):
        self.url = f"{installation.address}/api/v1/interactions"
        self.headers = {"Authorization": f"Bearer {installation.demo['api_key']}"}
        self.project = project
        self.acknowledged, self.failed = {}, collections.Counter()
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(place,)) for place in range(number)]
        for thread in self.threads:
            thread.start()

    def run(self, place):
        rng = random.Random(place)
        with httpx.Client(headers=self.headers, timeout=20) as client:
            number = 0
            while not self.stopped.is_set():
                number += 1
                self.post(client, rng, f"{place}-{number}")

    def post(self, client, rng, external_id):
        record = {
            "external_id": external_id,
            "messages": [{"role": "user", "content": f"Question {external_id} " + "word " * rng.randint(1, 200)}],
            "completion": f"Answer {external_id} {rng.random()}",
            "model": rng.choice(MODELS),
            "labels": {"client": external_id.split("-")[0], "parity": rng.choice(["odd", "even"])},
        }
        for attempt in range(rng.randint(1, 3)):  # some clients give up, some send the same again
            try:
                answer = client.post(self.url, json={"project": self.project, **record})
            except httpx.HTTPError as error:
                self.failed[type(error).__name__] += 1
                time.sleep(0.05 * (attempt + 1))
                continue
            if answer.status_code in (200, 201):
                self.acknowledged[external_id] = (answer.json()["completion_id"], record)
                return
            self.failed[answer.status_code] += 1
            time.sleep(0.05)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


def stored(installation, project):
    """Every interaction of the project, by walking the pages of the API."""
    headers = {"Authorization": f"Bearer {installation.demo['api_key']}"}
    query = {"project": project, "limit": 1000}
    with httpx.Client(headers=headers, timeout=60, base_url=installation.address) as client:
        while True:
            page = client.get("/api/v1/interactions", params=query).json()
            yield from page["results"]
            if page["next"] is None:
                return
            query["cursor"] = page["next"]


def compare(acknowledged, rows):
    """Sentences about what is lost, doubled, or not what was sent."""
    faults = []
    times = collections.Counter(row["external_id"] for row in rows)
    faults += [f"{name} is there {n} times" for name, n in times.items() if n > 1]
    by_id = {row["id"]: row for row in rows}
    for name, (interaction_id, record) in acknowledged.items():
        row = by_id.get(interaction_id)
        if row is None:
            faults.append(f"{name} was acknowledged as {interaction_id} and is lost")
        elif any(row[member] != record[member] for member in record):
            faults.append(f"{name} is not what was sent")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clients", type=int, default=30)
    parser.add_argument("--port", type=int, default=8731)
    options = parser.parse_args()
    installation = Installation(options.port)
    project = "kill-proof"
    headers = {"Authorization": f"Bearer {installation.demo['api_key']}"}
    httpx.post(
        f"{installation.address}/api/v1/projects", json={"key": project, "name": project}, headers=headers
    ).raise_for_status()
    clients = Clients(installation, project, options.clients)
    kinds = ["web", "web child 0", "worker", "postgres", "postgres backend"]
    for number in range(options.kills):
        time.sleep(random.uniform(0.5, 3))
        victims = installation.victims()
        what = kinds[number % len(kinds)] if number < len(kinds) else random.choice(sorted(victims))
        if what in victims:
            os.kill(victims[what], signal.SIGKILL)
            print(f"{number + 1:3} killed {what}, {len(clients.acknowledged)} acknowledged so far", flush=True)
    installation.wait()
    time.sleep(3)
    clients.stop()
    installation.wait()
    rows = list(stored(installation, project))
    faults = compare(clients.acknowledged, rows)
    told = httpx.get(
        f"{installation.address}/api/v1/interactions", params={"project": project, "limit": 1}, headers=headers
    ).json()["count"]
    if told != len(rows):
        faults.append(f"the roll-up counts {told}, there are {len(rows)}")
    installation.stop()
    print(
        f"{len(clients.acknowledged)} acknowledged, {len(rows)} stored, {sum(clients.failed.values())} requests failed"
    )
    print("\n".join(faults[:20]) or "Every acknowledged interaction is there, whole and once; the counts agree.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
