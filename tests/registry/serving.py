"""A provider of its own for each test that needs one, whose first path segment chooses how it behaves."""

import gzip
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

MODELS = {"object": "list", "data": [{"id": "small"}, {"id": "Qwen/Qwen3-8B"}, {"id": 7}, "odd", {"id": "a\nb"}]}
CHAT = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}}]}
EMBEDDING = {"data": [{"index": 0, "embedding": [0.1, 0.2]}]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer({"models": MODELS})

    def do_POST(self):
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer({"completions": CHAT, "embeddings": EMBEDDING})

    def answer(self, known):
        self.server.seen.append((self.command, self.path, dict(self.headers), getattr(self, "body", None)))
        behaviour = self.path.split("/")[1]
        found = known.get(self.path.partition("?")[0].rpartition("/")[2], {})
        getattr(self, behaviour, self.well)(found)

    def well(self, found, status=200, **headers):
        self.send(status, json.dumps(found).encode(), **headers)

    def send(self, status, body, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass  # it was hung up, as it should be

    def redirect(self, found):
        self.send(302, b"", Location=f"http://127.0.0.1:{self.server.server_port}/v1/models")

    def refuses(self, found):
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        here = f"http://{self.headers['Host']}/refuses"
        self.well({"error": {"message": f"Incorrect API key provided: {key}, {here}\n at all"}}, status=401)

    def busy(self, found):
        self.well({"error": "slow down"}, status=429)

    def fails(self, found):
        self.send(500, b"<h1>Traceback</h1>")

    def garbage(self, found):
        self.send(200, b"<html>hello</html>")

    def nested(self, found):
        self.send(200, b"[" * 200_000)

    def list(self, found):
        self.well({"models": ["no data"]})

    def empty(self, found):
        self.well({"data": []})

    def huge(self, found):
        self.send(200, b'{"data": [' + b" " * 6_000_000)

    def bomb(self, found):
        self.send(200, gzip.compress(b" " * 5_000_000), Content_Encoding="gzip")

    def half(self, found):
        self.send(200, b'{"data": [', Content_Length="1000")
        self.close_connection = True

    def drips(self, found):
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    def log_message(self, *given):
        pass


@pytest.fixture(scope="session")
def upstream():
    """The server: `.port`, `.seen` (method, path, headers, body) of each call, `.url(behaviour)`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.daemon_threads, server.port = [], True, server.server_port
    server.url = lambda behaviour="v1": f"http://127.0.0.1:{server.server_port}/{behaviour}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_upstream(upstream, settings):
    """The server, which may be called although it stands on this machine."""
    settings.ALLOWED_UPSTREAMS = [f"127.0.0.1:{upstream.port}"]
    upstream.seen.clear()
    return upstream
