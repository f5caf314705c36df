"""The product as the bench runs it: on a data folder and a port of its own, started and stopped like anybody's."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import embedded
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

    def command(self, *arguments):
        """A process of manage.py; the database must be up. What it writes can be read line by line."""
        environment = {**self.environment, "DATABASE_URL": embedded.address(self.data)}
        command = [sys.executable, ROOT / "manage.py", *map(str, arguments)]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)

    def run(self, *arguments):
        """Run a command to its end, showing what it says; ends the program where it fails."""
        process = self.command(*arguments)
        for line in process.stdout:
            say(line.rstrip())
        if process.wait():
            sys.exit(f"manage.py {' '.join(map(str, arguments))} failed.")


def say(text):
    print(f"  {time.strftime('%H:%M:%S')}  {text}", flush=True)
