"""What is written once, in the first half minute, outlives a power cut, and what an earlier one left stops nothing."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from config import settings, welcome
from config.management.commands.prepare import write_address
from interactions import durable


@pytest.fixture
def synced(monkeypatch):
    """What is put on the disk: names of folders, sizes of files."""
    done = []

    def sync(descriptor):
        found = os.fstat(descriptor)
        done.append("folder" if stat.S_ISDIR(found.st_mode) else found.st_size)

    monkeypatch.setattr(os, "fsync", sync)
    return done


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    return tmp_path


def test_a_file_is_on_the_disk_before_its_name_is(tmp_path, synced, monkeypatch):
    path = tmp_path / "demo.json"
    monkeypatch.setattr(type(path), "replace", lambda beside, to: (synced.append("named"), os.replace(beside, to)))
    durable.write(path, "{...}")
    assert synced == [5, "named", "folder"]
    assert path.read_text() == "{...}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_is_on_the_disk_before_it_is_used(folder, synced):
    assert settings._kept("secret_key", lambda: "new") == "new"
    assert synced == [3, "folder"]
    assert settings._kept("secret_key", lambda: "newer") == "new"
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["secret_key", "encryption_keys"])
def test_a_key_that_a_power_cut_left_empty_is_made_anew_and_is_one_for_all(folder, name):
    (folder / name).touch()
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda number: settings._kept(name, lambda: f"key {number}"), range(8)))
    assert len(keys) == 1
    assert (folder / name).read_text() in keys


@pytest.mark.parametrize("left", ["", '{"login": "ma', "\0\0\0"])
def test_a_demo_that_a_power_cut_left_unreadable_counts_as_none(folder, left):
    path = folder / "demo.json"
    path.write_text(left)
    write_address(path)
    assert welcome.FIRST_USER in welcome.welcome(1.0)
    assert path.read_text() == left
