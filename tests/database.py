"""Gives a test run its PostgreSQL: a new one, unless DATABASE_URL names another. Loaded before the settings."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
if not IS_WORKER:
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="marginalia-tests-")  # never the data of the clone
    Path(os.environ["DATA_DIR"]).chmod(0o755)

EMBEDDED = not os.environ.get("DATABASE_URL")
if EMBEDDED:
    from embedded.server import Server
else:
    sys.modules["embedded"] = None  # nothing may import it now: whoever does is found out

FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "256MB"}
SERVER = Server(os.environ["DATA_DIR"], tied=True, changes=FAST) if EMBEDDED and not IS_WORKER else None


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session):
    if SERVER and not session.config.option.collectonly:
        SERVER.start()


def pytest_unconfigure():
    if SERVER:
        SERVER.stop()
    if not IS_WORKER:
        shutil.rmtree(os.environ["DATA_DIR"], ignore_errors=True)


def pytest_ignore_collect(collection_path):
    if not EMBEDDED and collection_path.name == "embedded":
        return True
    return None
