"""A month of a million and a half is gone for all in under two seconds, and no reader waits for more than 200 ms.

    python -m tests.acceptance.retention [--rows 1500000] [--held 200] [--readers 4] [--port 8733] [--keep]

Starts an installation of its own in a temporary folder, fills an old month, and lets the rule of days take it while
readers ask the API and the database. Compared afterwards: what is held, to the last byte as the API tells it; the
roll-ups, by their proof. It fails where the month takes longer, or a reader waits longer, than is promised.
"""

import argparse
import os
import shutil
import subprocess
import sys

from tests.acceptance.kill import ROOT, Installation


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_500_000)
    parser.add_argument("--held", type=int, default=200)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--port", type=int, default=8733)
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    options = parser.parse_args()
    installation = Installation(options.port)
    environment = {**os.environ, "DATA_DIR": str(installation.data / "var")}
    command = [sys.executable, "-m", "tests.acceptance.month", f"--address={installation.address}"]
    command += [f"--{name}={getattr(options, name)}" for name in ("rows", "held", "readers")]
    try:
        return subprocess.run(command, cwd=ROOT, env=environment).returncode
    finally:
        installation.stop()
        if not options.keep:
            shutil.rmtree(installation.data)


if __name__ == "__main__":
    sys.exit(main())
