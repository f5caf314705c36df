"""The roll-ups stay exact: mixed traffic for some minutes, two kills in it, then the proof.

    python -m tests.acceptance.rollups [--minutes 20] [--clients 6] [--port 8732]

Starts an installation of its own in a temporary folder. Clients log singly and in batches, label, give feedback and
correct it, compare, write better answers and delete, all at once and over the same interactions; the web server is
killed (SIGKILL) after a third of the time and PostgreSQL after two thirds. Then `manage.py prove_rollups` must find
every roll-up as the rows are.
"""

import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import httpx

from tests.acceptance.kill import ROOT, Installation

MODELS = ["harbor-8b", "harbor-70b", "lantern-mini", None]
PROJECTS = ["mixed-one", "mixed-two"]
KEYS = {"good": "bool", "stars": "scalar"}
NDJSON = {"Content-Type": "application/x-ndjson"}
REMEMBERED = 5_000  # interactions that a client goes on working on


class Traffic:
    """Threads that do at random what people and programs do."""

    def __init__(self, installation, number):
        self.address = f"{installation.address}/api/v1/"
        self.headers = {"Authorization": f"Bearer {installation.demo['api_key']}"}
        self.done, self.failed = collections.Counter(), collections.Counter()
        self.known = {project: collections.deque(maxlen=REMEMBERED) for project in PROJECTS}
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(place,)) for place in range(number)]

    def prepare(self):
        with self._client() as client:
            for project in PROJECTS:
                client.post("projects", json={"key": project, "name": project}).raise_for_status()
                for key, kind in KEYS.items():
                    body = {"project": project, "key": key, "kind": kind}
                    client.post("feedback-keys", json=body).raise_for_status()

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def _client(self):
        return httpx.Client(base_url=self.address, headers=self.headers, timeout=60)

    def _run(self, seed):
        rng = random.Random(seed)
        deeds = [self.log] * 6 + [self.batch, self.label, self.unlabel, self.give, self.correct, self.take_back]
        deeds += [self.compare, self.answer, self.delete]
        with self._client() as client:
            while not self.stopped.is_set():
                deed, project = rng.choice(deeds), rng.choice(PROJECTS)
                try:
                    deed(client, rng, project)
                except httpx.HTTPError as error:
                    self.failed[type(error).__name__] += 1
                    time.sleep(0.2)

    def _send(self, client, what, method, path, **options):
        answer = client.request(method, path, **options)
        if answer.is_success:
            self.done[what] += 1
            return answer
        self.failed[f"{what} {answer.status_code}"] += 1
        if answer.status_code >= 500:
            time.sleep(0.2)
        return None

    def _one(self, rng, project):
        """An interaction that others work on too; now and then one that is deleted by now."""
        return rng.choice(self.known[project]) if self.known[project] else "0" * 8 + "-0000-7000-8000-" + "0" * 12

    def _record(self, rng):
        record = {
            "messages": [{"role": "user", "content": f"Question {rng.random()}"}],
            "completion": f"Answer {rng.random()}",
            "labels": {"topic": f"t{int(rng.expovariate(0.3))}", "channel": rng.choice(["app", "web"])},
            "source": "simulation" if rng.random() < 0.05 else "logged",
            "feedbacks": [{"metric": "good", "value": rng.random() < 0.6}] if rng.random() < 0.5 else [],
        }
        if model := rng.choice(MODELS):
            record["model"] = model
        if rng.random() < 0.2:  # an import of the past
            record["created_at"] = int((time.time() - rng.uniform(0, 400) * 86_400) * 1000)
        return record

    # -- the deeds --------------------------------------------------------------------------------
    def log(self, client, rng, project):
        if answer := self._send(client, "log", "POST", "interactions", json={"project": project, **self._record(rng)}):
            self.known[project].append(answer.json()["completion_id"])

    def batch(self, client, rng, project):
        lines = "\n".join(json.dumps(self._record(rng)) for _ in range(rng.choice([5, 50, 500])))
        path = f"interactions/batch?project={project}"
        if answer := self._send(client, "batch", "POST", path, content=lines, headers=NDJSON):
            self.known[project].extend([one for one in answer.json()["ids"] if one][:20])

    def label(self, client, rng, project):
        path = f"interactions/{self._one(rng, project)}/labels/topic"
        self._send(client, "label", "PUT", path, json={"value": f"t{int(rng.expovariate(0.3))}"})

    def unlabel(self, client, rng, project):
        self._send(client, "unlabel", "DELETE", f"interactions/{self._one(rng, project)}/labels/channel")

    def give(self, client, rng, project):
        key = rng.choice(list(KEYS))
        value = rng.random() < 0.5 if key == "good" else rng.choice([0.1, 1 / 3, 1e-9, 4, 5])
        body = {"metric": key, "value": value, "origin": rng.choice(["user", "reviewer"])}
        self._send(client, "give", "POST", f"interactions/{self._one(rng, project)}/feedback", json=body)

    def _given(self, client, rng, project):
        pk = self._one(rng, project)
        answer = client.get(f"interactions/{pk}/feedback")
        current = answer.json() if answer.is_success else []
        return f"interactions/{pk}/feedback/{rng.choice(current)['id']}" if current else None

    def correct(self, client, rng, project):
        if path := self._given(client, rng, project):
            self._send(client, "correct", "PUT", path, json={"value": rng.choice([0, 1])})

    def take_back(self, client, rng, project):
        if path := self._given(client, rng, project):
            self._send(client, "take back", "DELETE", path)

    def compare(self, client, rng, project):
        one, other = self._one(rng, project), self._one(rng, project)
        body = {"metric": "good", "preferred_completion": one, "other_completion": other}
        self._send(
            client, "compare", "POST", "comparison", json=body | {"tied": rng.choice([None, None, "good", True])}
        )

    def answer(self, client, rng, project):
        path = f"interactions/{self._one(rng, project)}/correction"
        self._send(client, "answer", "PUT", path, json={"completion": f"Better {rng.random()}"})

    def delete(self, client, rng, project):
        self._send(client, "delete", "DELETE", f"interactions/{self._one(rng, project)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--port", type=int, default=8732)
    options = parser.parse_args()
    installation = Installation(options.port)
    traffic = Traffic(installation, options.clients)
    traffic.prepare()
    traffic.start()
    for victim in ("web", "postgres", None):
        time.sleep(options.minutes * 20)
        if victim:
            os.kill(installation.victims()[victim], signal.SIGKILL)
            print(f"killed {victim} after {sum(traffic.done.values()):,} changes", flush=True)
    traffic.stop()
    installation.wait()
    print(f"{sum(traffic.done.values()):,} changes: {dict(traffic.done)}\nnot done: {dict(traffic.failed)}", flush=True)
    code = prove(installation)
    installation.stop()
    return code


def prove(installation):
    """The exit code of the proof, twice: with deltas still to be folded, and after folding."""
    environment = {**os.environ, "DATA_DIR": str(installation.data / "var")}
    command = [sys.executable, "manage.py", "prove_rollups"]
    codes = []
    for pause in (0, 15):
        time.sleep(pause)
        codes.append(subprocess.run(command, cwd=ROOT, env=environment).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
