"""What it takes of the machine: memory of each process, room on the disk, and on what all of it was measured."""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

import psycopg

from embedded.place import Place

SETTINGS = (
    "server_version", "shared_buffers", "effective_cache_size", "work_mem", "maintenance_work_mem", "max_wal_size",
    "wal_compression", "synchronous_commit", "commit_delay", "fsync", "full_page_writes", "checkpoint_timeout",
    "autovacuum", "random_page_cost", "jit", "max_connections",
)  # fmt: skip
PACKAGES = ("django", "djangorestframework", "gunicorn", "psycopg", "numpy")
FAMILIES = (
    "interactions_interaction",
    "interactions_interactionbody",
    "interactions_labelposting",
    "feedback_feedback",
)


def described(address):
    """{machine, versions, settings}: what a figure means nothing without."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with psycopg.connect(address) as connection:
        found = connection.execute(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", [list(SETTINGS)]
        )
        settings = dict(found.fetchall())
    return {
        "machine": {
            "cpu": _cpu(), "cores": os.cpu_count(), "memory_gb": round(pages / 1024**3, 1),
            "system": f"{platform.system()} {platform.release()}",
        },
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "settings": {name: settings[name] for name in SETTINGS if name in settings},
    }  # fmt: skip


def memory(data):
    """{group: MB} of PSS: supervisor, web server, gateway, worker, PostgreSQL; shared memory stands apart."""
    pids = {name: _pid(Path(data) / f"{name}.pid") for name in ("supervisor", "web", "gateway", "worker")}
    pids["postgres"] = _postmaster(Path(data))
    parents = _parents()
    told, shared = {}, 0
    for name, pid in pids.items():
        family = [pid] if name == "supervisor" else _descendants(pid, parents)
        found = [_pss(one) for one in family if one]
        told[name] = round(sum(pss - shmem for pss, shmem in found) / 1024, 1)
        shared += sum(shmem for _, shmem in found) / 1024
        told[f"{name} processes"] = len(found)
    total = round(sum(told[name] for name in pids), 1)
    return told | {"shared buffers touched": round(shared, 1), "all beside shared buffers": total}


def disk(data, address):
    """{"tables": {family: bytes with its indexes}, "indexes": …, "database", "folder"} in bytes."""
    with psycopg.connect(address) as connection:
        sizes = connection.execute(
            """
            SELECT coalesce(i.inhparent::regclass::text, c.oid::regclass::text),
                   sum(pg_table_size(c.oid))::bigint, sum(pg_indexes_size(c.oid))::bigint
            FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
            WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1
            """
        ).fetchall()
        indexes = connection.execute(
            """
            SELECT p.inhparent::regclass::text, sum(pg_relation_size(p.inhrelid))::bigint
            FROM pg_inherits p JOIN pg_class c ON c.oid = p.inhrelid WHERE c.relkind = 'i' GROUP BY 1 ORDER BY 2 DESC
            """
        ).fetchall()
        (database,) = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    heavy = {table: {"table": heap, "indexes": own} for table, heap, own in sizes if table in FAMILIES}
    rest = sum(heap + own for table, heap, own in sizes if table not in FAMILIES)
    return {
        "tables": heavy,
        "other tables": rest,
        "indexes": dict(indexes),
        "database": database,
        "folder": _size(data),
    }


def raw_bytes(corpus, blocks=5):
    """{with_pictures, without}: bytes a record as compact JSON, from some blocks spread over the corpus."""
    step = max(corpus.blocks // blocks, 1)
    records = [record for number in range(0, corpus.blocks, step) for record in corpus.block(number)]
    whole = sum(len(_dumps(record)) for record in records)
    shown = sum(_pictures(record) for record in records)
    return {"with_pictures": whole / len(records), "without": (whole - shown) / len(records)}


def _dumps(record):
    return json.dumps(record, separators=(",", ":"))


def _pictures(record):
    """Characters of the pictures' data in one record."""
    content = record["messages"][-1]["content"]
    return sum(len(part["image_url"]["url"]) for part in content[1:]) if isinstance(content, list) else 0


def _cpu():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _pid(path):
    return int(path.read_text()) if path.exists() else None


def _postmaster(data):
    return int((Place(data).pid_file).read_text().split("\n")[0])


def _parents():
    """{pid: parent} of all processes."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # the name in brackets may hold anything
            found[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _descendants(pid, parents):
    """The process and all below it."""
    family, fresh = [], [pid]
    while fresh:
        family += fresh
        fresh = [child for child, parent in parents.items() if parent in fresh]
    return family


def _pss(pid):
    """(PSS, its part in shared memory) in KB; nothing for a process that has just ended."""
    try:
        lines = (Path("/proc") / str(pid) / "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    read = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return read["Pss"], read.get("Pss_Shmem", 0)


def _size(folder):
    """Bytes on the disk of all files below the folder; what vanishes meanwhile is not counted."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return total
