"""Where the embedded server lives, and as whom. The standard library alone, so that set-up may ask too."""

import hashlib
import os
import pwd
import stat
import subprocess
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

DATABASE = ROLE = "marginalia"  # what the application connects to, and as
SUPERUSER = "postgres"  # owns the cluster; only this package connects as it
UNPRIVILEGED = ("postgres", "nobody")  # as whom the server runs when root starts it: the first that exists
SOCKETS = Path("/tmp")  # not TMPDIR: every shell must find the same place, and a socket's path ends at 103 bytes


class Refused(SystemExit):
    """The server cannot run here; not caught, it ends the program with a text that tells a person what to do."""

    def __init__(self, text):
        super().__init__(f"\n{text}\n")


class Place:
    """The folders of one embedded server. Knows its address whether or not it was ever started."""

    def __init__(self, data_dir):
        self.data_dir = Path(os.path.realpath(data_dir))
        self.cluster = self.data_dir / "postgres"
        self.pid_file = self.cluster / "postmaster.pid"
        self.log = self.data_dir / "log" / "postgres.log"

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
        digest = hashlib.sha256(os.fsencode(self.cluster)).hexdigest()[:12]
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
        """Make the data folder; refuse what cannot be reached or is not ours."""
        if not self.data_dir.exists():
            self.data_dir.mkdir(parents=True)
            self.data_dir.chmod(0o755)  # ours: whatever the umask, the server's account must get through
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        self.check_reachable(self.data_dir)
        self.check_owner()

    def check_reachable(self, folder):
        """Refuse when the server's account may not enter the folder. Parents are never opened up by us."""
        if self.may_enter(folder):
            return
        closed = next(step for step in reversed([folder, *folder.parents]) if not self.may_enter(step))
        raise Refused(
            f"PostgreSQL never runs as root, and the user {self.user.pw_name} may not enter {closed}.\n"
            "Either put Marginalia where everybody may enter (for example below /opt or /srv),\n"
            f"or let others pass through that folder (chmod o+x '{closed}'),\n"
            "or run as an ordinary user, or give the address of your own PostgreSQL in DATABASE_URL."
        )

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
