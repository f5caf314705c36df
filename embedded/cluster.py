"""Makes the cluster, once and never by half, and writes its settings afresh at each start."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from embedded import binaries
from embedded.place import SUPERUSER, Refused

SETTINGS = "marginalia.conf"
MB = 1024 * 1024
ROOMY = 16 * 1024 * MB
# what a statement needed for once goes back to the machine at its end: by itself glibc keeps some MB of it in each of
# the processes, of which there is one a connection
GIVEN_BACK = {"MALLOC_MMAP_THRESHOLD_": str(MB // 4), "MALLOC_TRIM_THRESHOLD_": str(MB // 4)}


def make(place, programs):
    """Make the cluster unless it is there. Made beside and renamed, so that a kill leaves no half of one."""
    if place.cluster.exists():
        return check_version(place, programs)
    beside = place.cluster.with_name("postgres.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    os.chown(beside, place.user.pw_uid, place.user.pw_gid)
    command = [programs / "initdb", "-D", beside, "-U", SUPERUSER, *locale(programs), "--data-checksums"]
    trust = ["--auth-local=trust", "--auth-host=reject"]  # the socket's folder is the lock on the door
    done = subprocess.run([*command, *trust], **surroundings(place, beside), capture_output=True, text=True)
    if done.returncode:
        raise Refused(f"initdb failed in {beside}:\n{done.stderr.strip()}")
    with open(beside / "postgresql.conf", "a") as file:
        file.write(f"\ninclude = '{SETTINGS}'  # written at each start; what stands below it wins\n")
    beside.rename(place.cluster)


def check_version(place, programs):
    made, here = int((place.cluster / "PG_VERSION").read_text()), binaries.major(programs)
    if made != here:
        raise Refused(
            f"{place.cluster} was made by PostgreSQL {made}, and {programs} holds {here}.\n"
            "Set PG_BIN to the older programs, or move the data over by dump and restore (docs/operations.md)."
        )


def locale(programs):
    """C.UTF-8, so that order and words do not change with the machine; by PostgreSQL itself where it can (17+)."""
    here = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"  # macOS has no C.UTF-8 of its own
    arguments = ["--encoding=UTF8", "--lc-collate=C", f"--lc-ctype={here}", "--lc-messages=C"]
    formats = ["--lc-monetary=C", "--lc-numeric=C", "--lc-time=C"]
    if binaries.major(programs) >= 17:
        return [*arguments, *formats, "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return [*arguments, *formats]


def surroundings(place, folder):
    """How PostgreSQL's programs are run: as their user, in a folder that user may be in, without our PG* variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | GIVEN_BACK
    return {**place.as_user(), "cwd": folder, "env": environment, "umask": 0o077, "stdin": subprocess.DEVNULL}


def write_settings(place, changes):
    """Write the settings of this machine; `changes` come last. Beside and renamed: a full disk keeps the old ones."""
    lines = [f"{name} = '{value}'" for name, value in {**settings_for(memory()), **changes}.items()]
    beside = place.cluster / f"{SETTINGS}.new"
    head = "# Written at each start: put your own settings below the include in postgresql.conf."
    beside.write_text("\n".join([head, *lines]) + "\n")
    os.chown(beside, place.user.pw_uid, place.user.pw_gid)
    beside.replace(place.cluster / SETTINGS)


def settings_for(ram):
    """Settings for a machine with so many bytes of memory, shared with the web server. Durability stays as it is."""
    buffers = ram // 8 if ram < ROOMY else ram // 4  # where there is room, for all that a busy month's writing touches
    return {
        "shared_buffers": f"{min(max(buffers, 64 * MB), 8192 * MB) // MB}MB",
        "effective_cache_size": f"{max(ram // 2, 128 * MB) // MB}MB",
        "work_mem": f"{min(max(ram // 512, 4 * MB), 64 * MB) // MB}MB",
        "maintenance_work_mem": f"{min(max(ram // 32, 32 * MB), 512 * MB) // MB}MB",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",  # after each one, a page's first change writes all of it into the log
        "wal_compression": "off",  # pages of indexes, the most of it, do not get smaller, and trying takes 65 µs each
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "dynamic_shared_memory_type": "posix" if roomy("/dev/shm") else "sysv",  # noqa: S108
    }


def memory():
    """Bytes of memory we may count on: the machine's, or the container's where that is less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    said = limit.read_text().strip() if limit.exists() else "max"
    return min(machine, int(said)) if said.isdigit() else machine


def roomy(folder):
    """Whether shared memory there suffices; containers have 64 MB of it, and a parallel query then fails."""
    if sys.platform != "linux" or not os.path.isdir(folder):
        return sys.platform != "linux"
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize > 256 * MB
