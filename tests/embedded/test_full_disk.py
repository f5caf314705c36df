"""A disk that is full ends nothing: what we write ourselves can wait, and the database is tried again."""

import errno
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from config import children, settings, supervisor
from embedded import cluster
from embedded.place import Place

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "log").mkdir()
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    return tmp_path


class Database:
    """Ends, and cannot be started before there is room again."""

    def __init__(self, *, tries):
        self.tries = tries

    def is_running(self):
        return not self.tries

    def start(self):
        self.tries -= 1
        raise FULL


def is_full(*args, **options):
    raise FULL


def test_the_supervisor_tries_the_database_again(folder, monkeypatch):
    monkeypatch.setattr(supervisor.time, "sleep", lambda seconds: None)
    monkeypatch.setattr("builtins.print", is_full)  # into a log on the same disk
    database = Database(tries=2)
    with socket.socket() as listener:
        alone = supervisor.Supervisor(database, listener)
        alone.children = []
        for _ in range(3):
            alone.look()
        alone.let_serve()
    assert database.is_running()


def test_the_supervisor_starts_though_its_own_number_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor.alone, "path", tmp_path / "supervisor.pid")
    with monkeypatch.context() as full:
        full.setattr(supervisor.os, "write", is_full)
        with supervisor.alone() as unclean, pytest.raises(SystemExit, match="already runs"):
            supervisor.alone().__enter__()
    assert not unclean and not (tmp_path / "supervisor.pid").exists()


def test_a_program_runs_though_its_number_cannot_be_written(folder, monkeypatch):
    child = children.Child("sleeper", ["/bin/sleep", "60"])
    monkeypatch.setattr(Path, "write_text", is_full)
    child.start()
    try:
        assert child.process.poll() is None
    finally:
        child.kill()
        child.wait()


def test_a_long_log_goes_on_where_its_copy_has_no_room(folder, monkeypatch):
    log = folder / "log" / "web.log"
    log.write_bytes(bytes(children.LOG_KEPT + 1))
    whole = log.stat().st_size

    def half(source, to):
        Path(to).write_bytes(b"half")
        raise FULL

    monkeypatch.setattr(shutil, "copyfile", half)
    children.trim(log.parent)
    assert log.stat().st_size == whole
    assert [path.name for path in log.parent.iterdir()] == ["web.log"]


def test_settings_that_cannot_be_written_leave_the_former_ones(folder, monkeypatch):
    place = Place(folder)
    place.cluster.mkdir()
    cluster.write_settings(place, {})
    before = (place.cluster / cluster.SETTINGS).read_text()

    def half(path, text):
        path.open("w").close()
        raise FULL

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(OSError, match="No space left"):
        cluster.write_settings(place, {"jit": "on"})
    assert (place.cluster / cluster.SETTINGS).read_text() == before


def test_no_number_of_a_process_that_is_gone_stays_and_the_new_one_follows_once_there_is_room(folder, monkeypatch):
    child = children.Child("web", ["true"])
    child.process = SimpleNamespace(pid=7)
    child.pid_file.write_text("6")
    with monkeypatch.context() as full:
        full.setattr(Path, "write_text", is_full)
        child.write_pid()
    assert not child.pid_file.exists()
    child.write_pid()
    assert child.pid_file.read_text() == "7"


def test_a_host_that_is_none_is_told_in_a_line(monkeypatch):
    monkeypatch.setattr(settings, "HOST", "nonsense.invalid")
    with pytest.raises(SystemExit, match="HOST is an address of this machine or its name, not 'nonsense.invalid'"):
        supervisor.listen(patience=0)
