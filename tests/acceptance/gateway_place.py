"""Where the gateway's proofs take place: an installation of its own beside a provider of its own."""

import collections
import os
import shutil
import socket
import subprocess
import sys
import time

import httpx

from tests.acceptance.kill import ROOT, Installation, stored


class Place:
    """An installation and the upstream beside it; `api` speaks for the demo's user. Leaves nothing behind."""

    def __init__(self, port, **upstream):
        self.upstream_port = port + 1
        options = [f"--{name}={value}" for name, value in upstream.items()]
        command = [sys.executable, "-m", "tests.upstream", f"--port={self.upstream_port}", *options]
        self.upstream = subprocess.Popen(command, cwd=ROOT)
        os.environ["ALLOWED_UPSTREAMS"] = f"127.0.0.1:{self.upstream_port}"
        self.upstream_address = f"http://127.0.0.1:{self.upstream_port}/v1"
        self.installation = Installation(port)
        self.address, self.key = self.installation.address, self.installation.demo["api_key"]
        headers = {"Authorization": f"Bearer {self.key}"}
        self.api = httpx.Client(base_url=f"{self.address}/api/v1/", headers=headers, timeout=60)

    def __enter__(self):
        _until(lambda: _listens(self.upstream_port), "the upstream")
        return self

    def __exit__(self, *error):
        self.api.close()
        self.installation.stop()
        self.upstream.terminate()
        self.upstream.wait()
        if error[0] is None:
            shutil.rmtree(self.installation.data)
        else:
            print(f"Logs are in {self.installation.data}", file=sys.stderr)

    def ask(self, method, path, body=None):
        """The answer's JSON; SystemExit with what was wrong."""
        answer = self.api.request(method, path, json=body)
        if answer.is_error:
            sys.exit(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    def make_project(self, key, models, feedback=None):
        """A project with these models of the upstream, the first its default; and a yes or no to be asked."""
        team = self.ask("POST", "projects", {"key": key, "name": key})["team"]
        provider = {"key": f"{key}-upstream", "name": "Upstream", "kind": "other", "address": self.upstream_address}
        self.ask("POST", f"teams/{team}/providers", provider)
        for place, name in enumerate(models):
            model = {"key": name, "provider": provider["key"], "external_id": name, "capabilities": ["text"]}
            self.ask("POST", f"teams/{team}/models", model)
            self.ask("POST", f"projects/{key}/models", {"model": name})
            if place == 0:
                self.ask("PATCH", f"projects/{key}/models/{name}", {"is_default": True})
        if feedback:
            self.ask("POST", "feedback-keys", {"project": key, "key": feedback, "kind": "bool"})

    def logged(self, project):
        """All interactions of the project, as the API tells them."""
        return list(stored(self.installation, project))

    def pid(self, name):
        return int((self.installation.data / f"var/{name}.pid").read_text())


class Checks:
    """Figures as they come, and how many promises were not kept."""

    def __init__(self):
        self.wrong = 0

    def check(self, what, fine, figures=""):
        print(f"{'ok   ' if fine else 'WRONG'} {what}: {figures}".rstrip(": "), flush=True)
        self.wrong += not fine

    def compare(self, results, rows):
        """What was acknowledged against what is logged: none lost, none changed, none twice."""
        times = collections.Counter(row["id"] for row in rows)
        texts = {row["id"]: row["completion"] for row in rows}
        told = [one for one in results if "fault" not in one]
        lost = [one for one in told if one["id"] not in texts]
        other = [one for one in told if texts.get(one["id"], one["text"]) != one["text"]]
        twice = [pk for pk, n in times.items() if n > 1]
        prompts = collections.Counter(row["messages"][-1]["content"] for row in rows)
        doubled = [text for text, n in prompts.items() if n > 1]
        self.check("acknowledged and lost", not lost, f"{len(lost)} of {len(told)} {lost[:2] or ''}")
        self.check("logged otherwise than told", not other, f"{len(other)} {other[:2] or ''}")
        self.check("logged twice", not twice and not doubled, f"{len(twice) + len(doubled)} {doubled[:2] or ''}")
        self.check("acknowledged under one id twice", len({one["id"] for one in told}) == len(told))

    def end(self):
        print(f"{self.wrong} WRONG" if self.wrong else "All as promised.")
        return 1 if self.wrong else 0


def _listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def _until(happens, what, patience=30):
    end = time.monotonic() + patience
    while not happens():
        if time.monotonic() > end:
            sys.exit(f"{what} never came.")
        time.sleep(0.1)
