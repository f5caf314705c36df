"""Runs everything: python -m config.supervisor. What dies is started again; Ctrl-C stops all of it."""

import errno
import fcntl
import os
import signal
import socket
import sys
import time
from contextlib import ExitStack, nullcontext, suppress

from psycopg import OperationalError

from config import settings
from config.children import ENDING, Child, tail, trim
from config.welcome import is_ready, welcome
from gateway.line import is_there

if settings.EMBEDDED:
    from embedded.place import Refused
    from embedded.server import running

LOOK = 0.25  # seconds between two looks at what runs
FAILING = 2  # seconds of break between two starts: it has then ended three times in a row
START = 120  # seconds the web server has for its first answer
PYTHON = sys.executable
GATEWAY = [PYTHON, "-m", "config.gateway"]
MANAGE = [PYTHON, settings.BASE_DIR / "manage.py"]
WORKER = [
    *MANAGE,
    "procrastinate",
    "--skip-checks",  # they import all pages, which the worker shows nobody
    "worker",
    "--concurrency=5",
    "--shutdown-graceful-timeout=5",
    "--delete-jobs=successful",
]


class Supervisor:
    """The database, the web server, the gateway and the worker, in this order up and in the opposite one down."""

    def __init__(self, database, listener):
        self.database = database
        bind = f"fd://{listener.fileno()}"  # the port is ours, so that it never closes while the web server restarts
        web = [PYTHON, "-m", "gunicorn", "--config", settings.BASE_DIR / "config/gunicorn.py", "--bind", bind]
        waiting, self.prepared = os.pipe()
        # two arenas: one for each thread would keep what each one's largest batch needed
        self.web = Child("web", web, [listener.fileno(), waiting], PREPARED=str(waiting), MALLOC_ARENA_MAX="2")
        self.worker = Child("worker", WORKER)
        self.gateway = Child("gateway", GATEWAY, [waiting], PREPARED=str(waiting), MALLOC_ARENA_MAX="2")
        self.children = [self.web, self.gateway, self.worker]

    def start(self):
        """Prepare the database while the web server and the gateway import what they need; they serve when that is
        done."""
        self.web.start()
        self.gateway.start()
        if settings.EMBEDDED and not (settings.DATA_DIR / "demo.json").exists():
            print("  Filling the new database with a demo project …", flush=True)
        Child("prepare", [*MANAGE, "prepare", *(["--demo"] if settings.EMBEDDED else [])]).run()
        self.let_serve()
        self.worker.start()
        self.wait_until_ready()

    def let_serve(self):
        if self.prepared:
            os.close(self.prepared)
            self.prepared = None

    def wait_until_ready(self):
        end = time.monotonic() + START
        while not (is_ready() and is_there(settings.DATA_DIR)):
            self.look()
            for child in (self.web, self.gateway):
                if time.monotonic() > end or child.pause > FAILING:
                    sys.exit(f"\nThe {child.name} does not answer; the end of its log:\n{tail(child.log)}\n")
            time.sleep(0.05)

    def watch(self):
        """Look after all of them, until a signal ends it."""
        trimmed = time.monotonic()
        while True:
            self.look()
            time.sleep(LOOK)
            if time.monotonic() > trimmed + 60:
                trim(settings.DATA_DIR / "log")
                for child in self.children:
                    child.write_pid()
                trimmed = time.monotonic()

    def look(self):
        if self.database and not self.database.is_running():
            say("The database has ended and is started again.")
            self.start_database()
            self.worker.kill()  # its connections are gone, its jobs with them; the web server makes itself new ones
        for child in self.children:
            if how := child.ended():
                say(f"The {child.name} has ended {how}. It is started again.")
            child.start_if_due()

    def start_database(self):
        try:
            self.database.start()
        except (Refused, OSError, OperationalError) as error:  # such as a disk that is full: there will be room again
            say(f"The database is not up, and is tried again: {error}")
            time.sleep(5)

    def stop(self):
        self.let_serve()
        for child in self.children:
            child.end()
        for child in self.children:
            child.wait()
        if self.database:
            self.database.stop()


def main():
    """Bring everything up, say where it is, and look after it."""
    for number in ENDING:
        signal.signal(number, interrupt)  # SIGINT too: a shell's background jobs begin with it ignored
    started = time.monotonic()
    with ExitStack() as stack:
        unclean = stack.enter_context(alone())
        listener = stack.enter_context(listen(patience=10 if unclean else 0))
        database = stack.enter_context(running(settings.DATA_DIR, tied=True) if settings.EMBEDDED else nullcontext())
        supervisor = Supervisor(database, listener)
        try:
            supervisor.start()
            print(welcome(time.monotonic() - started), flush=True)
            supervisor.watch()
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            say("Stopping.")
        finally:
            listener.close()
            supervisor.stop()


class alone:
    """Holds the data folder for one supervisor; entering tells whether an earlier one was killed."""

    path = settings.DATA_DIR / "supervisor.pid"

    def __enter__(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        (self.path.parent / "log").mkdir(mode=0o700, exist_ok=True)
        self.file = open(self.path, "a+")  # noqa: SIM115  held until the end
        self.file.seek(0)
        earlier = self.file.read()
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(
                f"\nMarginalia already runs on {self.path.parent} (process {earlier}): stop it, or set DATA_DIR.\n"
            )
        with suppress(OSError):  # on a disk that is full; whoever comes second is told less
            self.file.truncate(0)
            os.write(self.file.fileno(), str(os.getpid()).encode())
        return bool(earlier)

    def __exit__(self, *error):
        self.path.unlink(missing_ok=True)
        self.file.close()


def listen(*, patience):
    """The listening socket; where an earlier run was killed, its web server has some seconds to let go of the port."""
    end = time.monotonic() + patience
    while True:
        try:
            found = socket.getaddrinfo(settings.HOST, settings.PORT, type=socket.SOCK_STREAM)
        except OSError as error:
            sys.exit(f"\nHOST is an address of this machine or its name, not {settings.HOST!r} ({error.strerror}).\n")
        family, kind, _, _, address = found[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(2048)
            return listener
        except OSError as error:
            listener.close()
            if time.monotonic() > end:
                taken = error.errno == errno.EADDRINUSE
                more = f" Another port: PORT={settings.PORT + 1} make run" if taken else ""
                sys.exit(f"\nCannot listen on {settings.HOST}:{settings.PORT} ({error.strerror}).{more}\n")
        time.sleep(0.1)


def interrupt(number, frame):
    raise KeyboardInterrupt


def say(text):
    """On the terminal, and for later into the log."""
    with suppress(OSError):  # what we say may go into a file on the disk that is full
        print(f"  {time.strftime('%H:%M:%S')}  {text}", flush=True)
    with suppress(OSError), open(settings.DATA_DIR / "log/supervisor.log", "a") as log:
        log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")


if __name__ == "__main__":
    main()
