"""The product as the bench runs it: on a data folder and a port of its own, started and stopped like anybody's."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import embedded
from bench.clients import ClientError, drive, request
from bench.progress import say
from embedded.server import running

ROOT = Path(__file__).resolve().parent.parent
START = 300  # seconds; a first start migrates


class Product:
    """Marginalia on one data folder."""

    def __init__(self, data, port):
        self.data, self.port = Path(data).resolve(), port
        self.environment = {
            **os.environ,
            "DATA_DIR": str(self.data),
            "PORT": str(port),
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "PYTHONUNBUFFERED": "1",
        }
        self.environment.pop("DATABASE_URL", None)

    @contextmanager
    def database(self):
        """The database alone, for as long as this block."""
        self.data.mkdir(parents=True, exist_ok=True)
        with running(self.data):
            yield

    @property
    def address(self):
        """Of the database."""
        return embedded.address(self.data)

    def start(self):
        """Start all of it as `make run` does; {ready, page}: seconds until /ready and until a first page answered."""
        begun = time.perf_counter()
        (self.data / "log").mkdir(parents=True, exist_ok=True)
        with open(self.data / "log" / "supervisor.log", "a") as log:
            command = [sys.executable, "-m", "config.supervisor"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        self._wait_for("/ready")
        ready = time.perf_counter() - begun
        self._wait_for("/login")
        return {"ready": round(ready, 2), "page": round(time.perf_counter() - begun, 2)}

    def stop(self):
        """As Ctrl-C does it."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(120)

    def _wait_for(self, path):
        end = time.monotonic() + START
        while time.monotonic() < end:
            if self.process.poll() is not None:
                sys.exit(f"The product has ended; see {self.data / 'log'}.")
            try:
                if drive(self.port, [request("GET", path, {})], clients=1)[0].status == 200:
                    return
            except (OSError, ClientError):
                pass
            time.sleep(0.02)
        sys.exit(f"{path} does not answer in {START} seconds; see {self.data / 'log'}.")

    def command(self, *arguments):
        """A process of manage.py; the database must be up. What it writes can be read line by line."""
        environment = {**self.environment, "DATABASE_URL": self.address}
        command = [sys.executable, ROOT / "manage.py", *map(str, arguments)]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)

    def run(self, *arguments):
        """Run a command to its end, showing what it says; ends the program where it fails."""
        process = self.command(*arguments)
        for line in process.stdout:
            say(line.rstrip())
        if process.wait():
            sys.exit(f"manage.py {' '.join(map(str, arguments))} failed.")
