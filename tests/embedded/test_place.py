"""As whom the server runs, and what it refuses. Only root can try to be somebody else."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from embedded import binaries
from embedded.cluster import MB, settings_for
from embedded.place import Refused
from embedded.server import Server, running

NOBODY = pwd.getpwnam("nobody")


def as_nobody(work):
    """Do the work in a child that is an ordinary user; it tells by its exit code whether it got to the end."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY.pw_gid)
            os.setuid(NOBODY.pw_uid)
            work()
            os._exit(0)
        except BaseException as error:
            print(repr(error))
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def answer(data_dir):
    with running(data_dir) as server, psycopg.connect(server.place.address) as connection:
        connection.execute("SELECT 1")


@pytest.fixture
def closed_programs(data_dir, monkeypatch):
    """A folder with PostgreSQL's programs that only its owner may enter."""
    install = binaries.find().parent
    closed = data_dir.parent / "closed"
    shutil.copytree(install, closed / install.parent.name / install.name, symlinks=True)
    libraries = f"{install.parent.name}.libs"
    if install.parent.with_name(libraries).exists():
        shutil.copytree(install.parent.with_name(libraries), closed / libraries)
    closed.chmod(0o700)
    monkeypatch.setenv("PG_BIN", str(closed / install.parent.name / install.name / "bin"))
    return closed


def test_memory_settings_fit_small_and_large_machines():
    small, large = settings_for(512 * MB), settings_for(256 * 1024 * MB)
    assert (small["shared_buffers"], small["work_mem"], small["effective_cache_size"]) == ("64MB", "4MB", "256MB")
    assert (large["shared_buffers"], large["work_mem"], large["maintenance_work_mem"]) == ("8192MB", "64MB", "512MB")


def test_a_sockets_folder_that_others_may_enter_is_refused(data_dir):
    server = Server(data_dir)
    server.place.sockets.mkdir()
    os.chmod(server.place.sockets, 0o777)
    (server.place.sockets / "something").touch()
    try:
        with pytest.raises(Refused, match="is not a private folder"):
            server.start()
    finally:
        shutil.rmtree(server.place.sockets)


def test_a_link_is_followed_to_its_end_from_where_it_lies(server):
    disk = server.place.data_dir.parent / "disk"
    disk.mkdir()
    disk.chmod(0o755)
    (server.place.data_dir / "mount").symlink_to(disk)
    server.stop()
    server.place.door.rename(disk / "postgres")
    server.place.door.symlink_to("mount/postgres")
    server.start()
    assert server.is_running()
    assert server.answers()
    assert [path.name for path in disk.iterdir()] == ["postgres"]


@pytest.mark.parametrize("known", ["log/postgres.log", "demo.json"])
def test_a_link_to_a_cluster_that_is_gone_is_refused_and_none_is_made(data_dir, known):
    mount = data_dir.parent / "mount"
    for folder in (mount, data_dir, data_dir / "log"):
        folder.mkdir()
    (data_dir / known).touch()
    (data_dir / "postgres").symlink_to("../mount/postgres")
    with pytest.raises(Refused, match="nothing is there: if that disk is not mounted"):
        Server(data_dir).start()
    assert not list(mount.iterdir())


def test_a_first_cluster_is_made_where_a_link_leads(data_dir):
    mount = data_dir.parent / "mount"
    for folder in (mount, data_dir):
        folder.mkdir()
        folder.chmod(0o755)
    (data_dir / "postgres").symlink_to("../mount/postgres")
    answer(data_dir)
    assert (mount / "postgres" / "PG_VERSION").exists()


if os.geteuid() == 0:

    def test_as_root_the_server_runs_as_an_unprivileged_user(server):
        assert os.stat(f"/proc/{server.pid()}").st_uid == server.place.user.pw_uid != 0
        assert server.place.data_dir.stat().st_uid == 0

    def test_as_root_in_a_closed_folder_the_cluster_lies_elsewhere_and_the_folder_stays_closed(data_dir):
        data_dir.parent.chmod(0o700)
        with running(data_dir) as server, psycopg.connect(server.place.address) as connection:
            connection.execute("CREATE TABLE kept (n int)")
        with running(data_dir) as server, psycopg.connect(server.place.address) as connection:
            connection.execute("SELECT n FROM kept")
        assert data_dir.parent.stat().st_mode & 0o777 == 0o700
        assert (data_dir / "postgres").is_symlink()
        shutil.rmtree(server.place.cluster.parent)

    def test_as_root_a_cluster_that_was_closed_to_its_account_is_refused(data_dir):
        answer(data_dir)
        data_dir.parent.chmod(0o700)
        with pytest.raises(Refused, match=f"may not enter {data_dir.parent}"):
            Server(data_dir).start()

    def test_as_root_it_comes_up_whatever_the_umask(data_dir, monkeypatch, closed_programs):
        elsewhere = Path(tempfile.mkdtemp())
        elsewhere.chmod(0o755)
        monkeypatch.setattr("embedded.place.AWAY", elsewhere / "lib" / "marginalia")
        before = os.umask(0o077)
        try:
            subprocess.run(["/bin/chmod", "-R", "go=", closed_programs], check=True)
            data_dir.parent.chmod(0o700)
            answer(data_dir)
            (copy,) = (elsewhere / "lib" / "marginalia").glob("programs-*")
            subprocess.run(["/bin/chmod", "-R", "go=", copy], check=True)
            answer(data_dir)  # as an older version left it
            (elsewhere / "lib").chmod(0o700)
            with pytest.raises(Refused, match=f"may not enter {elsewhere / 'lib'}"):
                Server(data_dir).place.reachable(binaries.find())
        finally:
            os.umask(before)
            shutil.rmtree(elsewhere)

    def test_programs_in_a_closed_folder_are_copied_to_where_the_account_can_run_them(data_dir, closed_programs):
        copy = Server(data_dir).place.reachable(binaries.find())
        assert closed_programs not in copy.parents
        answer(data_dir)
        shutil.rmtree(copy.parents[2])

    def test_an_ordinary_user_runs_it_too_and_root_goes_on_as_that_user(data_dir, monkeypatch):
        # where the clone itself is closed to that user, the programs are taken from where she can run them
        monkeypatch.setenv("PG_BIN", str(Server(data_dir).place.reachable(binaries.find())))
        os.chown(data_dir.parent, NOBODY.pw_uid, NOBODY.pw_gid)
        assert as_nobody(lambda: answer(data_dir)) == 0
        with running(data_dir) as server:
            assert os.stat(f"/proc/{server.pid()}").st_uid == NOBODY.pw_uid

    def test_an_ordinary_user_is_refused_the_data_of_another(server):
        server.stop()
        server.place.log.parent.chmod(0o777)

        def refused():
            with pytest.raises(Refused, match="belongs to"):
                Server(server.place.data_dir).start()

        assert as_nobody(refused) == 0 or server.place.user.pw_uid == NOBODY.pw_uid
