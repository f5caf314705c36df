"""How a client has to send: neither too slowly nor with long pauses; and it has to take its answer."""

import socket
import time
from threading import Thread

import pytest

from gateway import patience
from gateway.patience import Late, Pace, Patient


@pytest.fixture
def ends(monkeypatch):
    """(the server's end, the client's) of a connection with short times."""
    monkeypatch.setattr(patience, "WAIT", 1)
    monkeypatch.setattr(patience, "TAKES", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        served = Patient.of(listener.accept()[0])
    with served, client:
        yield served, client


def test_a_pause_ends_a_body_for_whoever_would_read_on_too(ends):
    served, client = ends
    served.begin(Pace(2, 1))
    client.sendall(b"a" * 100)
    assert served.recv(1000) == b"a" * 100
    start = time.monotonic()
    for _ in range(2):
        with pytest.raises(Late):
            served.recv(1000)
    assert 1.5 < time.monotonic() - start < 4
    served.begin(Pace(2, 1))
    client.sendall(b"b")
    assert served.recv(1000) == b"b"


@pytest.mark.parametrize(("size", "in_time"), [(1, False), (50, True)])
def test_what_comes_too_slowly_on_average_ends_it(ends, size, in_time):
    served, client = ends
    served.begin(Pace(0.5, 100))

    def send():
        for _ in range(15):
            time.sleep(0.1)
            client.sendall(b"a" * size)

    sender = Thread(target=send)
    sender.start()
    came = 0
    try:
        while came < 15 * size:
            came += len(served.recv(1000))
    except Late:
        pass
    sender.join()
    assert (came == 15 * size) == in_time


def test_the_time_that_we_take_ourselves_is_not_the_clients(ends):
    served, client = ends
    served.begin(Pace(0.5, 1_000_000))
    for _ in range(3):
        time.sleep(0.4)
        client.sendall(b"a")
        assert served.recv(1000) == b"a"


@pytest.mark.parametrize("from_file", [False, True])
def test_a_client_that_takes_nothing_of_its_answer_is_left(ends, from_file, tmp_path):
    served, _ = ends
    large = tmp_path / "large"
    large.write_bytes(bytes(32 * 1024 * 1024))
    start = time.monotonic()
    with pytest.raises(Late), large.open("rb") as file:
        if from_file:
            served.sendfile(file)
        else:
            served.sendall(file.read())
    assert time.monotonic() - start < 10
