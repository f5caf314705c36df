"""Where the embedded server lives, and as whom. The standard library alone, so that set-up may ask too."""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import uuid
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

DATABASE = ROLE = "marginalia"  # what the application connects to, and as
SUPERUSER = "postgres"  # owns the cluster; only this package connects as it
UNPRIVILEGED = ("postgres", "nobody")  # as whom the server runs when root starts it: the first that exists
AWAY = Path(os.path.realpath("/var/lib/marginalia"))  # what root's server needs and its account could not reach
SOCKETS = Path("/tmp")  # not TMPDIR: every shell must find the same place, and a socket's path ends at 103 bytes


class Refused(SystemExit):
    """The server cannot run here; not caught, it ends the program with a text that tells a person what to do."""

    def __init__(self, text):
        super().__init__(f"\n{text}\n")


class Place:
    """The folders of one embedded server. Knows its address whether or not it was ever started."""

    def __init__(self, data_dir):
        self.data_dir = Path(os.path.realpath(data_dir))
        self.door = self.data_dir / "postgres"
        self.log = self.data_dir / "log" / "postgres.log"

    @property
    def cluster(self):
        """The folder of the cluster: in the data folder, or where a link in it leads in the end."""
        return Path(os.path.realpath(self.door))

    @property
    def pid_file(self):
        return self.cluster / "postmaster.pid"

    @cached_property
    def user(self):
        """The account the server runs as: our own; for root the cluster's owner or an unprivileged one."""
        if os.geteuid() != 0:
            return pwd.getpwuid(os.geteuid())
        if self.cluster.exists() and self.cluster.stat().st_uid != 0:
            return pwd.getpwuid(self.cluster.stat().st_uid)
        return unprivileged_user()

    @cached_property
    def sockets(self):
        """The private folder of the socket: short, and the same for this data folder and user every time."""
        digest = hashlib.sha256(os.fsencode(self.door)).hexdigest()[:12]
        return SOCKETS / f"marginalia-{self.user.pw_uid}-{digest}"

    @property
    def socket(self):
        return self.sockets / ".s.PGSQL.5432"

    @property
    def address(self):
        return f"postgresql://{ROLE}@{quote(str(self.sockets), safe='')}/{DATABASE}"

    def as_user(self):
        """Arguments for subprocess that run a program as the server's account."""
        if os.geteuid() != 0:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def make(self):
        """Make the data folder, and a place for the cluster where its account can be; refuse what is not ours."""
        make_open(self.data_dir)
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        if not os.path.lexists(self.door) and not self.may_enter(self.data_dir):
            self.lead_away()
        self.check_not_lost()
        self.check_entry(self.cluster.parent)
        self.check_owner()

    def lead_away(self):
        """PostgreSQL never runs as root, and its account may not enter the data folder (root's own, mostly). No
        parent is opened up: the cluster gets a folder of its own elsewhere, and a link leads to it."""
        home = AWAY / uuid.uuid4().hex
        make_open(home)
        self.door.symlink_to(home / "postgres")

    def check_not_lost(self):
        """Refuse a link that leads nowhere, where a new cluster would hide that the one that was there is gone. A log
        or a demo tell of it; postgres.users does not, since it is there before the first cluster is made."""
        was_there = self.log.exists() or (self.data_dir / "demo.json").exists()
        if self.door.is_symlink() and not self.cluster.exists() and (was_there or not self.cluster.parent.exists()):
            raise Refused(
                f"{self.door} leads to {self.cluster}, and nothing is there: if that disk is not mounted, mount it.\n"
                f"To begin anew, with none of the data, remove the link."
            )

    def check_entry(self, inside):
        """Refuse a folder that its account may not enter, and name the one that is closed."""
        if self.may_enter(inside):
            return
        closed = next(step for step in reversed([inside, *inside.parents]) if not self.may_enter(step))
        raise Refused(
            f"PostgreSQL never runs as root, and the user {self.user.pw_name} may not enter {closed}:\n"
            f"let others pass through that folder again (chmod o+x '{closed}')."
        )

    def reachable(self, programs):
        """The folder of these programs, or of a copy of them where the server's account may not enter it."""
        if self.may_enter(programs):
            return programs
        digest = hashlib.sha256(f"{programs} {programs.stat().st_mtime_ns}".encode()).hexdigest()[:12]
        install, copy = programs.parent, AWAY / f"programs-{digest}"
        found = copy / install.parent.name / install.name / programs.name
        if not copy.exists():
            beside = AWAY / f"{copy.name}.{uuid.uuid4().hex}"
            make_open(beside)
            shutil.copytree(install, beside / install.parent.name / install.name, symlinks=True)
            libraries = install.parent.with_name(f"{install.parent.name}.libs")  # a wheel's, found by this path
            if libraries.exists():
                shutil.copytree(libraries, beside / libraries.name)
            open_up(beside)
            with suppress(OSError):  # somebody else was as quick
                beside.rename(copy)
        if not self.may_enter(found):
            open_up(copy)  # an older version copied the closed folders as they were
        self.check_entry(found)
        return found

    def may_enter(self, folder):
        if os.geteuid() != 0:
            return True
        enter = subprocess.run(
            ["/bin/sh", "-c", 'cd "$0"', folder], cwd="/", stderr=subprocess.DEVNULL, **self.as_user()
        )
        return enter.returncode == 0

    def check_owner(self):
        """Refuse a cluster that belongs to another user, rather than fail over it later."""
        if not self.cluster.exists() or self.cluster.stat().st_uid == self.user.pw_uid:
            return
        if os.geteuid() == 0:
            raise Refused(f"{self.cluster} belongs to root: chown -R {self.user.pw_name} '{self.cluster}'")
        owner = name_of(self.cluster.stat().st_uid)
        raise Refused(f"{self.cluster} belongs to {owner}: run as {owner} or as root, or set another DATA_DIR.")

    def make_sockets(self):
        """Make the socket's folder, for the server's account alone; in a shared folder, so trust nothing found."""
        try:
            self.sockets.mkdir(mode=0o700)
            os.chown(self.sockets, self.user.pw_uid, self.user.pw_gid)
        except FileExistsError:
            found = self.sockets.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.user.pw_uid or found.st_mode & 0o077:
                raise Refused(f"{self.sockets} is not a private folder of {self.user.pw_name}: remove it.") from None

    def clear_leftovers(self):
        """Remove what a server left: its socket and the folder, and a pid file that a power cut left empty."""
        for name in (self.socket, self.socket.with_name(".s.PGSQL.5432.lock")):
            name.unlink(missing_ok=True)
        with suppress(OSError):
            self.sockets.rmdir()
        if self.pid_file.exists() and not self.pid_file.stat().st_size:
            self.pid_file.unlink()


def address(data_dir):
    """The address of the embedded server's database as a URL; nothing is started for it."""
    return Place(data_dir).address


def make_open(folder):
    """Make the folder and those above it that are missing. They are ours: whatever the umask, everybody gets in."""
    missing = [step for step in (folder, *folder.parents) if not step.exists()]
    for step in reversed(missing):
        step.mkdir(exist_ok=True)
        step.chmod(0o755)


def open_up(folder):
    """Let everybody read what is in it, and run the programs."""
    subprocess.run(["/bin/chmod", "-R", "go+rX", folder], check=True)


def unprivileged_user():
    for name in UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Refused(f"PostgreSQL never runs as root, and none of the users {', '.join(UNPRIVILEGED)} exists: add one.")


def name_of(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
