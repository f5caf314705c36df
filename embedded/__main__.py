"""Runs a program of PostgreSQL on the embedded server: python -m embedded pg_dump --format=custom --file=copy.dump"""

import os
import subprocess
import sys
from pathlib import Path

from embedded import binaries
from embedded.place import DATABASE, ROLE
from embedded.server import running


def main(arguments):
    if not arguments:
        return __doc__
    with running(os.environ.get("DATA_DIR") or Path(__file__).parent.parent / "var") as server:
        where = {"PGHOST": str(server.place.sockets), "PGPORT": "5432", "PGUSER": ROLE, "PGDATABASE": DATABASE}
        program = binaries.find() / arguments[0]
        # a dump holds all that everybody said: nobody else of the machine reads what the program writes
        return subprocess.run([program, *arguments[1:]], env={**os.environ, **where}, umask=0o077).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
