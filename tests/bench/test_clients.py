"""The clients hear what a server says, on connections that they keep."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.clients import ClientError, drive, request
from bench.figures import latencies, percentile, rate


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections = set()

    def do_GET(self):
        self.connections.add(self.client_address)
        {"/empty": self.empty, "/pieces": self.pieces, "/end": self.end}.get(self.path, self.whole)()

    do_POST = do_GET

    def whole(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or self.path.encode()
        self.send_response(404 if self.path == "/missing" else 201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def empty(self):
        self.send_response(204)
        self.end_headers()

    def pieces(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in (b"5\r\nfirst\r\n", b"7\r\n second\r\n", b"0\r\n\r\n"):
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(0.01)

    def end(self):
        self.close_connection = True

    def log_message(self, *arguments):
        pass


@pytest.fixture
def port():
    Handler.connections = set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def get(path):
    return request("GET", path, {})


def test_every_request_is_answered_once_on_connections_that_are_kept(port):
    answers = drive(port, [get(f"/{number}") for number in range(200)], clients=4)
    assert sorted(answer.body for answer in answers) == sorted(f"/{number}".encode() for number in range(200))
    assert len(Handler.connections) == 4


def test_a_large_body_arrives_whole(port):
    body = b"x" * 5_000_000
    (answer,) = drive(port, [request("POST", "/", {}, body)], clients=1)
    assert answer.body == body


def test_pieces_are_joined_and_empty_answers_end(port):
    answers = drive(port, [get("/pieces"), get("/empty"), get("/last")], clients=1)
    assert [answer.body for answer in answers] == [b"first second", b"", b"/last"]
    assert [answer.status for answer in answers] == [200, 204, 201]


def test_the_time_ends_it(port):
    begun = time.monotonic()
    answers = drive(port, (get("/") for _ in iter(int, 1)), clients=2, seconds=0.3)
    assert answers and time.monotonic() - begun < 2


def test_a_rate_is_kept(port):
    answers = drive(port, [get("/") for _ in range(30)], clients=8, rate=100)
    sent = [answer.sent for answer in answers]
    assert max(sent) - min(sent) == pytest.approx(0.29, abs=0.1)


def test_a_server_that_hangs_up_is_an_error(port):
    with pytest.raises(ClientError):
        drive(port, [get("/end")], clients=1)


def test_failures_are_counted_and_their_times_left_out(port):
    told = latencies(drive(port, [get("/"), get("/missing")], clients=1))
    assert (told["n"], told["failed"]) == (2, 1)
    assert rate(drive(port, [get("/missing")], clients=1)) == 0


def test_percentiles_are_values_that_occurred():
    assert [percentile(range(1, 101), share) for share in (0.5, 0.95, 0.99, 1)] == [50, 95, 99, 100]
    assert percentile([7], 0.5) == 7
