"""A data folder that the server's account may enter; pytest's own lie in a closed one."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from embedded.server import Server, running


@pytest.fixture
def data_dir():
    folder = Path(tempfile.mkdtemp(prefix="a folder with spaces "))
    folder.chmod(0o755)
    yield folder / "var"
    server = Server(folder / "var")
    if server.is_running():
        server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def made():
    """A data folder as the first start of a server leaves it."""
    folder = Path(tempfile.mkdtemp(prefix="made "))
    folder.chmod(0o755)
    with running(folder / "var"):
        pass
    yield folder / "var"
    shutil.rmtree(folder)


@pytest.fixture
def server(data_dir, made):
    """One that was started before: making its files anew would take half a second of each test."""
    subprocess.run(["/bin/cp", "-a", made, data_dir], check=True)  # as whom they belong to
    server = Server(data_dir, tied=True)
    server.start()
    return server
