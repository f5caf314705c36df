"""Starts and stops the embedded server. Success means that our own server answered a query."""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from embedded import binaries, cluster
from embedded.place import DATABASE, ROLE, SUPERUSER, Place, Refused

RECOVERY = 600  # seconds a server may take to recover from a crash before we give up
SETTLING = 30  # seconds in which a start is tried again, while what a kill left behind goes away
DEAF = 5  # seconds after which a server without a socket will not get one any more
STOPPING = 60  # seconds a fast shutdown may take, its checkpoint included
LOG_KEPT = 10 * cluster.MB
SET_PDEATHSIG = 1
NICENESS = 10  # of a process that gives way
CLAIM = "marginalia.lock"  # in the cluster, so that it is one whatever way leads there
IN_USE = """A PostgreSQL works on {cluster} already, one that cannot be seen from here: in another container, mostly.
Stop what runs there, or run this where it runs (docker compose exec, not run)."""


class InUse(Refused):
    """Another server works on the files, one that cannot be seen from here."""


class Server:
    """One embedded server. `tied` ends it with the process that started it; `changes` are settings of PostgreSQL."""

    def __init__(self, data_dir, *, tied=False, changes=None):
        self.place = Place(data_dir)
        self.tied = tied
        self.changes = changes or {}
        self.process = None

    def start(self):
        """Bring the server up, or take over the one that runs; returns once it answers, with the database made."""
        self.place.make()
        with self.starting_or_stopping():
            programs = self.place.reachable(binaries.find())
            cluster.make(self.place, programs)
            self.bring_up(programs)
            self.make_database()

    def bring_up(self, programs):
        tries_end = time.monotonic() + SETTLING
        while not self.answers():
            try:
                if self.pid() is None:
                    with self.claim() as claim:
                        self.launch(programs, claim)
                if self.wait_until_up():
                    return
                refusal = Refused(f"PostgreSQL does not start; the end of {self.place.log}:\n{self.last_words()}")
            except InUse as error:  # by what is left of a killed server too, until that has ended
                refusal = error
            if time.monotonic() > tries_end:
                raise refusal
            time.sleep(0.2)

    @contextmanager
    def claim(self):
        """A lock on the files, for the server to inherit: PostgreSQL's own checks see no process of another container,
        whose numbers and shared memory are others. All its processes hold it, so it goes with the last of them."""
        with ExitStack() as stack:
            try:
                lock = locked(self.place.cluster / CLAIM, fcntl.LOCK_EX | fcntl.LOCK_NB)
                descriptor = stack.enter_context(lock)
            except BlockingIOError:
                raise InUse(IN_USE.format(cluster=self.place.cluster)) from None
            os.chown(descriptor, self.place.user.pw_uid, self.place.user.pw_gid)
            yield descriptor

    def launch(self, programs, claim):
        """Start the program, which keeps the claim."""
        cluster.write_settings(self.place, self.changes)
        options = {"listen_addresses": "", "unix_socket_directories": self.place.sockets}
        command = [programs / "postgres", "-D", self.place.cluster]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        self.place.clear_leftovers()
        self.place.make_sockets()
        around = {**cluster.surroundings(self.place, self.place.cluster), "start_new_session": True}
        if stranger := self.pid_on_file():  # another program by now: told so, PostgreSQL does not take it for itself
            around["env"]["PG_GRANDPARENT_PID"] = str(stranger)
        if self.tied and sys.platform == "linux":
            around["preexec_fn"] = end_with_parent
        with open_log(self.place.log) as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, pass_fds=[claim], **around)

    def wait_until_up(self):
        """Wait for an answer; False when the server has ended instead."""
        since = time.monotonic()
        while time.monotonic() < since + RECOVERY:
            if self.answers():
                return True
            if self.ended():
                return False
            if time.monotonic() > since + DEAF and not self.place.socket.exists():
                self.shut_down()  # its socket was deleted: nobody can ever reach it again
                return False
            time.sleep(0.05)
        raise Refused(f"PostgreSQL has not come up in {RECOVERY} seconds; it may still recover, see {self.place.log}.")

    def ended(self):
        if self.process:
            return self.process.poll() is not None
        return self.pid() is None

    def answers(self):
        """Whether our own cluster answers at our socket."""
        if not self.place.socket.exists():
            return False
        try:
            with self.connect() as connection:
                shown = connection.execute("SHOW data_directory").fetchone()[0]
                return os.path.realpath(shown) == str(self.place.cluster)
        except psycopg.OperationalError:
            return False

    def connect(self):
        """A connection as the owner of the cluster."""
        where = {"host": str(self.place.sockets), "port": 5432, "user": SUPERUSER, "dbname": "postgres"}
        return psycopg.connect(**where, connect_timeout=10, autocommit=True)

    def make_database(self):
        """Make the role and the database of the application; a kill may have come between."""
        role, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
        with self.connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(role))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))

    def is_running(self):
        return self.pid() is not None

    def pid(self):
        """The process of our server, or None. A pid file alone proves nothing: the number may be another's by now."""
        if self.process and self.process.poll() is not None:
            self.process = None
        pid = self.pid_on_file()
        return pid if pid and is_postgres(pid, self.place.cluster) else None

    def pid_on_file(self):
        try:
            return abs(int(self.place.pid_file.read_text().split("\n")[0]))
        except (FileNotFoundError, ValueError):
            return None

    def stop(self):
        """End the server cleanly: connections are closed, a checkpoint is written."""
        with self.starting_or_stopping():
            self.shut_down()

    def stop_unless_used(self, users):
        with self.starting_or_stopping():
            try:
                with locked(users, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    self.shut_down()
            except BlockingIOError:
                pass  # the last one will

    def shut_down(self):
        for means, patience in ((signal.SIGINT, STOPPING), (signal.SIGQUIT, 10)):
            pid = self.pid()
            if pid is None:
                break
            os.kill(pid, means)
            self.wait_until_gone(pid, patience)
        self.place.clear_leftovers()
        if self.process:
            self.process.wait(10)
            self.process = None

    def wait_until_gone(self, pid, patience):
        end = time.monotonic() + patience
        while self.pid() == pid and time.monotonic() < end:
            time.sleep(0.02)

    def last_words(self):
        return "\n".join(self.place.log.read_text(errors="replace").splitlines()[-8:])

    @contextmanager
    def starting_or_stopping(self):
        """Only one process at a time changes whether the server runs."""
        with locked(self.place.data_dir / "postgres.lock", fcntl.LOCK_EX):
            yield


@contextmanager
def running(data_dir, **options):
    """The server, for as long as this block: started when it does not run, stopped by the last one to leave."""
    server = Server(data_dir, **options)
    server.place.make()
    users = server.place.data_dir / "postgres.users"
    try:
        with locked(users, fcntl.LOCK_SH):
            server.start()
            yield server
    finally:
        server.stop_unless_used(users)


@contextmanager
def locked(path, how):
    """Hold a lock on the file by a descriptor; it goes with all the processes that have that, however they end."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, how)
        yield descriptor
    finally:
        os.close(descriptor)


def is_postgres(pid, folder):
    """Whether the process is a PostgreSQL at work in the folder (on macOS: a PostgreSQL)."""
    if sys.platform == "linux":
        try:
            at_work_in, program = os.readlink(f"/proc/{pid}/cwd"), os.readlink(f"/proc/{pid}/exe")
            return at_work_in == str(folder) and Path(program).name.startswith("postgres")
        except OSError:
            return False
    said = subprocess.run(["/bin/ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True)
    return said.stdout.strip().endswith("postgres")


def give_way(data_dir, pid):
    """Let this process of our server have what the others leave of the processor, as long as it lives; nothing where
    it is none of ours, or we may not."""
    if is_postgres(pid, Place(data_dir).cluster):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, NICENESS)


def open_log(path):
    """Append to the log; a long one starts anew."""
    too_long = path.exists() and path.stat().st_size > LOG_KEPT
    return open(path, "w" if too_long else "a")


def end_with_parent():
    """In the child: a fast shutdown when the process that started us dies, even by kill -9."""
    ctypes.CDLL(None).prctl(SET_PDEATHSIG, signal.SIGINT)
