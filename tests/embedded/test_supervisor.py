"""All of it, as `make run` starts it: it comes up, what dies comes back, and it leaves nothing behind."""

import http.client
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROCESSES = ["web", "gateway", "worker", "database"]


@pytest.fixture(scope="module")
def folder():
    """One data folder for all tests of this file: the demo is made once."""
    folder = Path(tempfile.mkdtemp(prefix="marginalia run "))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(folder, port):
    ours = {"DATABASE_URL", "SECRET_KEY", "ADDRESS"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {"DATA_DIR": str(folder), "PORT": str(port), "HOST": "127.0.0.1"}
    return subprocess.Popen([sys.executable, "-m", "config.supervisor"], cwd=ROOT, env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip


@contextmanager
def up(folder, port):
    """The supervisor, up; with what it has printed until then."""
    process = start(folder, port)
    said = []
    try:
        while not said or "Ctrl-C" not in said[-1]:
            said.append(process.stdout.readline())
            assert said[-1], "".join(said)
        yield process, "".join(said)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def is_ready(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def pid_of(name, folder):
    path = folder / ("postgres/postmaster.pid" if name == "database" else f"{name}.pid")
    return int(path.read_text().split("\n")[0]) if path.exists() else None


def is_alive(pid):
    """Whether the process runs; one that only waits for its parent to notice does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(true, seconds):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def post_as_printed(line):
    """Do what the printed curl line does."""
    words = shlex.split(line)
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    request = urllib.request.Request(words[2], words[words.index("-d") + 1].encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, json.load(answer)


def test_it_comes_up_says_how_to_begin_and_stops_cleanly(folder, port):
    with up(folder, port) as (process, said):
        assert is_ready(port)
        demo = json.loads((folder / "demo.json").read_text())
        assert (folder / "demo.json").stat().st_mode & 0o777 == 0o600
        assert demo["address"] == f"http://127.0.0.1:{port}"
        assert all(demo[name] in said for name in ("address", "login", "password", "api_key"))
        status, made = post_as_printed(next(line for line in said.split("\n") if line.startswith("curl")))
        assert status == 201
        assert made["completion_id"]
        pids = [pid_of(name, folder) for name in PROCESSES]
        assert all(map(is_alive, pids))
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert not any(map(is_alive, pids))
    assert not list(folder.glob("*.pid"))


@pytest.mark.slow
def test_a_second_start_goes_on_with_what_the_first_one_made(folder, port):
    def what_is_known():
        with up(folder, port):
            return (folder / "demo.json").read_text(), (folder / "secret_key").read_text()

    assert what_is_known() == what_is_known()


@pytest.mark.slow
@pytest.mark.parametrize("name", PROCESSES)
def test_what_dies_is_started_again(name, folder, port):
    with up(folder, port):
        before = pid_of(name, folder)
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: pid_of(name, folder) not in (None, before) and is_alive(pid_of(name, folder)), 20)
        wait_until(lambda: is_ready(port), 20)


@pytest.mark.slow
def test_nothing_outlives_a_killed_supervisor_and_the_next_one_comes_up(folder, port):
    with up(folder, port) as (process, _):
        pids = [pid_of(name, folder) for name in PROCESSES]
        process.kill()
        wait_until(lambda: not any(map(is_alive, pids)), 15)
    with up(folder, port):
        assert is_ready(port)


@pytest.mark.slow
def test_a_port_that_is_taken_is_told(folder, port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        process = start(folder, port)
        said = process.communicate(timeout=30)[0]
    assert process.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port} (Address already in use). Another port: PORT={port + 1}" in said


@pytest.mark.slow
def test_a_second_supervisor_on_the_same_data_is_told(folder, port):
    with up(folder, port) as (process, _):
        second = start(folder, port)
        said = second.communicate(timeout=30)[0]
        assert f"already runs on {folder} (process {process.pid})" in said
        assert is_ready(port)
