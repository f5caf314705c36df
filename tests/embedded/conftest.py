"""A data folder that the server's account may enter; pytest's own lie in a closed one."""

import shutil
import tempfile
from pathlib import Path

import pytest

from embedded.server import Server


@pytest.fixture
def data_dir():
    folder = Path(tempfile.mkdtemp(prefix="a folder with spaces "))
    folder.chmod(0o755)
    yield folder / "var"
    server = Server(folder / "var")
    if server.is_running():
        server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def server(data_dir):
    server = Server(data_dir, tied=True)
    server.start()
    return server
