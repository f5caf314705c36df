"""One port for everything: the web server and the gateway's own process, as the supervisor runs them."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import openai
import pytest
from django.conf import settings as django_settings
from django.db import connection

from gateway.handing import MOST_HEAD, is_ours, is_whole
from gateway.line import is_there
from tests.gateway.conftest import said

CHAT = "/openai/v1/chat/completions"
LOGGING = "/api/v1/interactions"


@pytest.mark.parametrize(
    ("start", "ours"),
    [
        (b"POST /openai/v1/chat/completions HTTP/1.1\r\n", True),
        (b"DELETE /openai/v1/anything HTTP/1.1\r\n", True),
        (b"POST http://desk.example/openai/v1/chat/completions HTTP/1.1\r\n", True),
        (b"\r\nPOST /api/v1/chat/completions?x=1 HTTP/1.1\r\n", True),
        (b"POST /api/v1/embeddings HTTP/1.1\r\n", True),
        (b"POST /api/v1/embeddings2 HTTP/1.1\r\n", False),
        (b"POST /api/v1/interactions HTTP/1.1\r\n", False),
        (b"GET /p/desk?next=/openai/v1/models HTTP/1.1\r\n", False),
        (b"GET /openai/v10 HTTP/1.1\r\n", False),
        (b"GET /\n", False),
        (b"\x16\x03\x01\x02\x00\x01", False),
        (b"x" * 600, False),
        (b"G" * 600, False),
        (b"", None),
        (b"PO", None),
        (b"POST /openai/v1/chat/compl", None),
    ],
)
def test_the_first_bytes_tell_whose_a_connection_is(start, ours):
    assert is_ours(start) is ours


@pytest.mark.parametrize(
    ("start", "whole"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\nbody", True),
        (b"GET / HTTP/1.1\nHost: x\n", True),  # such newlines are refused at once
        (b"GET / HTTP/1.1\r\nHost: x\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r", False),
        (b"\r\nGET", False),
        (b"", False),
    ],
)
def test_a_head_is_whole_when_reading_it_keeps_nobody_waiting(start, whole):
    assert is_whole(start) is whole


def test_the_gateways_process_is_small():
    large = {"numpy", "scipy", "pyarrow", "gunicorn"}
    script = f"import config.gateway, sys; print(sorted({large} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", script], cwd=django_settings.BASE_DIR, capture_output=True, text=True)
    assert (told.stdout, told.returncode) == ("[]\n", 0), told.stderr


class Product:
    """The web server and the gateway over the test's database, in a data folder of their own."""

    def __init__(self, folder):
        info = connection.get_connection_params()
        names = ("dbname", "user", "password", "host", "port")
        url = "postgresql://?" + "&".join(f"{name}={info[name]}" for name in names if info.get(name))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        # the keys that seal a provider's address are those of the tests
        kept = {"SECRET_KEY": django_settings.SECRET_KEY, "ENCRYPTION_KEYS": ",".join(django_settings.ENCRYPTION_KEYS)}
        self.environment = os.environ | kept | {
            "DATABASE_URL": url, "DATA_DIR": str(folder), "ADDRESS": self.address, "ALLOWED_UPSTREAMS": "127.0.0.1"
        }  # fmt: skip
        self.processes = []

    def start(self, *command):
        process = subprocess.Popen([sys.executable, *command], cwd=django_settings.BASE_DIR, env=self.environment)
        self.processes.append(process)
        return process

    def start_web(self, processes=1):
        return self.start(
            "-m", "gunicorn", "-c", "config/gunicorn.py", "-w", str(processes), "-b", f"127.0.0.1:{self.port}"
        )  # fmt: skip

    def start_gateway(self):
        gateway = self.start("-m", "config.gateway")
        wait_for(lambda: is_there(self.folder))
        return gateway

    def is_ready(self):
        try:
            return httpx.get(f"{self.address}/ready").status_code == 200
        except httpx.TransportError:
            return False


def wait_for(true, seconds=20):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def product(transactional_db, tmp_path):
    product = Product(tmp_path)
    product.start_web()
    product.gateway = product.start_gateway()
    wait_for(product.is_ready)
    yield product
    for process in product.processes:
        process.send_signal(signal.SIGTERM)
    for process in product.processes:
        process.wait(20)


def test_both_answer_on_one_port_and_the_gateway_comes_back(product, desk, key, logged):
    headers = {"Authorization": f"Bearer {key}"}
    body = {"model": "desk", "messages": said()}
    with httpx.Client(base_url=product.address, headers=headers, timeout=20) as http:
        assert http.get("/api/v1/interactions", params={"project": "desk"}).json()["count"] == 0
        answer = http.post(CHAT, json=body)  # on the kept connection of the call before
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        assert http.get("/api/v1/interactions", params={"project": "desk"}).json()["count"] == 1
    assert slowly(product.port, key) == 1
    watched_over(product)
    product.gateway.kill()
    product.gateway.wait(10)
    gone = httpx.post(product.address + CHAT, json=body, headers=headers)
    assert (gone.status_code, gone.headers["retry-after"], gone.json()["error"]["code"]) == (503, "2", "no_gateway")
    assert httpx.post(f"{product.address}/api/v1/embeddings", json={}).status_code == 503
    product.gateway = product.start_gateway()
    client = openai.OpenAI(base_url=f"{product.address}/openai/v1", api_key=key)
    assert list(client.chat.completions.create(**body, stream=True))
    logged(2)
    stopped_in_the_middle(product, client, desk)
    assert logged(3)[-1].body.envelope["metadata"]["broke_off"] == "gateway"


@pytest.fixture
def two(transactional_db, tmp_path):
    """The web server with two processes."""
    product = Product(tmp_path)
    web = product.start_web(processes=2)
    wait_for(product.is_ready)
    yield product
    web.send_signal(signal.SIGTERM)
    web.wait(20)


@pytest.fixture(scope="module")
def started(django_db_setup, django_db_blocker, tmp_path_factory):
    """What `web` gives: starting it takes longer than what is asked of it."""
    with django_db_blocker.unblock():
        product = Product(tmp_path_factory.mktemp("web"))
    server = product.start_web()
    wait_for(product.is_ready)
    yield product
    server.send_signal(signal.SIGTERM)
    server.wait(20)


@pytest.fixture
def web(transactional_db, started):
    """The web server with one process, of eight threads, and no gateway."""
    return started


HEAD = "{} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
UNFINISHED = {
    "a request line": ("GET /log", 2),
    "a head": (HEAD.format("GET /login"), 2),
    "the head of the next request": (HEAD.format("GET /ready") + "\r\n" + HEAD.format("GET /ready"), 2),
    "a connection that is done with": (HEAD.format("GET /ready") + "Connection: close\r\n\r\n", 2),
    "a body that was refused": (HEAD.format("POST /api/v1/interactions") + "Content-Length: 1000\r\n\r\n{", 6),
    "a form": (HEAD.format("POST /login") + FORM + "Content-Length: 1000\r\n\r\nu", 18),
    "a form in chunks": (HEAD.format("POST /login") + FORM + "Transfer-Encoding: chunked\r\n\r\n1\r\nu", 18),
}


def test_who_leaves_requests_unfinished_stops_nobody_else(web):
    for what, (begun, seconds) in UNFINISHED.items():
        clients = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(20)]
        for client in clients:
            client.sendall(begun.encode())
        time.sleep(0.5)
        start = time.monotonic()
        assert httpx.get(f"{web.address}/ready", timeout=20).status_code == 200
        assert time.monotonic() - start < seconds, what
        for client in clients:
            client.close()


def test_a_head_that_is_too_long_is_refused_and_one_within_the_limit_is_not(web):
    for fields, told in ((5, b"200 OK"), (MOST_HEAD // 4_000 + 1, b"431 Request")):
        head = HEAD.format("GET /ready") + "".join(f"X-{n}: {'x' * 4_000}\r\n" for n in range(fields))
        with socket.create_connection(("127.0.0.1", web.port), timeout=10) as client:
            client.sendall(head.encode())
            time.sleep(0.2)
            client.sendall(b"X-Last: x\r\n\r\n")
            assert told in client.recv(1_000)


@pytest.mark.parametrize("path", [CHAT, LOGGING])
def test_a_request_sent_behind_another_is_to_be_sent_again(web, path):
    """Whose it is could be seen no more: the gateway would not hear of it."""
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as client:
        client.sendall((HEAD.format("GET /ready") + "\r\n" + HEAD.format(f"POST {path}") + "\r\n").encode())
        told = b""
        while piece := client.recv(65_536):
            told += piece
    assert (told.count(b"HTTP/1.1 "), b"Connection: close" in told) == (1, True)


def test_clients_are_shared_out_evenly_and_a_process_that_is_killed_or_stuck_holds_nobody_up(two, key, logged):
    headers = {"Authorization": f"Bearer {key}"}

    def connected(number):
        clients = [httpx.Client(base_url=two.address, headers=headers, timeout=20) for _ in range(number)]
        record = {"project": "desk", "messages": said(), "completion": "Yes."}
        with ThreadPoolExecutor(number) as pool:
            # three each: the second and third are answered by the thread that answered the first
            posted = pool.map(lambda one: [one.post(LOGGING, json=record).status_code for _ in range(3)], clients)
            assert list(posted) == [[201] * 3] * number
        return clients

    wait_for(lambda: len(web_processes(two)) == 2)
    time.sleep(1.5)  # both have told how many they hold
    first = connected(8)
    held = [len(connections_of(pid, two.port)) for pid in web_processes(two)]
    assert (sum(held), max(held) - min(held) <= 2) == (8, True), held
    stuck, killed = web_processes(two)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: killed not in web_processes(two) and len(web_processes(two)) == 2)
    more = connected(4)
    os.kill(stuck, signal.SIGSTOP)
    try:
        last = connected(3)
    finally:
        os.kill(stuck, signal.SIGCONT)
    assert len(first + more + last) == 15
    logged(45)


def web_processes(product):
    """Process ids of the web server's own processes."""
    [web] = product.processes
    return [int(pid) for pid in Path(f"/proc/{web.pid}/task/{web.pid}/children").read_text().split()]


def connections_of(pid, port):
    """The clients' ports of a process's connections."""
    ours = {os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir() if file.is_symlink()}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    open_ = [told for told in rows if told[1].endswith(f":{port:04X}") and told[3] == "01"]
    return [told[2] for told in open_ if f"socket:[{told[9]}]" in ours]


def slowly(port, key):
    """How many models a client is told of that sends its request in small pieces."""
    request = f"{HEAD.format('GET /openai/v1/models/desk/echo')}Authorization: Bearer {key}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, 40, 8):
            connection.sendall(request[start : start + 8])
            time.sleep(0.03)
        connection.sendall(request[40:])
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer.count(b'"object":"model"')


def watched_over(product):
    """Whoever asks whether all is well may know the machine by any name; a gateway that hangs is told."""
    elsewhere = {"Host": "10.1.2.3:8760"}
    assert httpx.get(f"{product.address}/ready", headers=elsewhere).status_code == 200
    assert "'10.1.2.3:8760'" in httpx.get(f"{product.address}/login", headers=elsewhere).text
    assert httpx.get(f"{product.address}/login", headers={"SCRIPT_NAME": "/x", "X-Forwarded-Proto": "https"}).is_success
    well = httpx.get(f"{product.address}/health", headers=elsewhere)
    assert well.json()["gateway"] == {"ok": True} and well.json()["database"] == {"ok": True}
    assert well.status_code == 503 and well.json()["worker"]["ok"] is False  # none runs here
    product.gateway.send_signal(signal.SIGSTOP)
    assert httpx.get(f"{product.address}/health").json()["gateway"] == {"ok": False}
    product.gateway.send_signal(signal.SIGCONT)


def stopped_in_the_middle(product, client, desk):
    """The gateway is asked to end while it streams, and does within its time."""
    desk.add("slow:60")
    stream = client.chat.completions.create(model="desk/slow-60", messages=said(), stream=True)
    assert next(iter(stream)).choices
    start = time.monotonic()
    product.gateway.send_signal(signal.SIGTERM)
    product.gateway.wait(10)
    assert time.monotonic() - start < 9
