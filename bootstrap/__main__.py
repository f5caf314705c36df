"""Sets up a clone: python -m bootstrap run|test|lint. The standard library alone; what is done already is skipped."""

import fcntl
import os
import sys
import time

from bootstrap import chromium, steps

NEEDS = {
    "lint": [steps.make_venv, steps.install_test_packages],
    "run": [
        steps.make_venv,
        steps.install_packages,
        steps.install_npm_packages,
        steps.make_icons,
        steps.collect_static,
    ],
    "test": [
        steps.make_venv,
        steps.install_test_packages,
        steps.install_npm_test_packages,
        steps.make_icons,
        steps.collect_static,
        chromium.find_or_install,
    ],
}


def main(what):
    """Do the steps in order; the first that fails says why and ends it."""
    started = time.monotonic()
    lock = os.open(steps.ROOT, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)  # two in one clone would install over each other
    done = [step() for step in NEEDS[what]]
    if any(done):
        print(f"  Set up in {time.monotonic() - started:.0f} s.\n", flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit(130)
