"""The programs that the supervisor looks after, and their logs."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time

from config import settings

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # what asks the supervisor for its end
PATIENCE = 10  # seconds a program has to end when asked to
STEADY = 10  # seconds after which a program that ends again is not in a loop of failing
LONGEST_BREAK = 10
LOG_KEPT = 10 * 1024 * 1024
SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Child:
    """A program in a session of its own, so that Ctrl-C reaches it through us, in our order."""

    def __init__(self, name, command, keep=(), **environment):
        self.name = name
        self.command = command
        self.keep = keep
        self.environment = environment
        self.log = settings.DATA_DIR / "log" / f"{name}.log"
        self.pid_file = settings.DATA_DIR / f"{name}.pid"
        self.process = None
        self.pause = self.due = 0

    def start(self):
        environment = {**os.environ, "DATABASE_URL": settings.DATABASE_URL, "PYTHONUNBUFFERED": "1", **self.environment}
        tie = {"preexec_fn": end_with_parent} if sys.platform == "linux" else {}
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                self.command, cwd=settings.BASE_DIR, env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, pass_fds=self.keep, **tie,
            )  # fmt: skip
        self.started = time.monotonic()
        self.write_pid()

    def write_pid(self):
        """On a disk that is full it runs all the same; rather none than a number of before, until there is room."""
        number, written = str(self.process.pid) if self.process else "", self.pid_file.with_suffix(".part")
        if not number or (self.pid_file.exists() and self.pid_file.read_text() == number):
            return
        try:
            written.write_text(number)
            written.replace(self.pid_file)  # who reads it meanwhile finds a whole number
        except OSError:
            for file in (written, self.pid_file):
                file.unlink(missing_ok=True)

    def run(self):
        """Run to the end; when it fails, show what it said and end too."""
        self.log.unlink(missing_ok=True)
        self.start()
        try:
            if self.process.wait():
                sys.exit(f"\n{self.name} failed:\n{tail(self.log, 40)}\n")
        finally:
            self.end()
            self.wait()

    def ended(self):
        """How it ended, told once. It is due again after a break that grows while it keeps failing."""
        if not self.process or self._poll() is None:
            return None
        code, lived = self.process.returncode, time.monotonic() - self.started
        self.signal_all(signal.SIGTERM)  # what it leaves behind ends too
        self.process = None
        self.pause = 0 if lived > STEADY else min(max(self.pause * 2, 0.5), LONGEST_BREAK)
        self.due = time.monotonic() + self.pause
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with {code}: {tail(self.log, 1)}"

    def start_if_due(self):
        if not self.process and time.monotonic() >= self.due:
            self.start()

    def _poll(self):
        """Popen's own, which would keep its lock for ever if a signal's exception broke into it."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            return self.process.poll()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def end(self):
        if self.process:
            self.process.terminate()

    def kill(self):
        if self.process:
            self.signal_all(signal.SIGKILL)

    def wait(self):
        """Wait until it has ended; one that does not is killed."""
        if self.process:
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
                self.process.wait()
        self.pid_file.unlink(missing_ok=True)

    def signal_all(self, number):
        """To the program and all it has started."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass


def end_with_parent():
    """In the child: die with the supervisor, even by kill -9; the database goes at that moment too."""
    LIBC.prctl(SET_PDEATHSIG, signal.SIGKILL)


def tail(path, lines=8):
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def trim(folder):
    """Start the long logs anew, keeping one before; they are appended to, so cutting them is safe. On a full disk,
    which has no room for the copy, they go on, and nothing of it is kept that would fill it further."""
    for path in folder.glob("*.log"):
        if path.stat().st_size > LOG_KEPT:
            before = path.with_suffix(".log.1")
            try:
                shutil.copyfile(path, before)
                os.truncate(path, 0)
            except OSError:
                before.unlink(missing_ok=True)
