"""The gateway's end of the one port: takes the connections that the web server hands over, and serves them."""

import asyncio
import os
import socket
from contextlib import suppress

import uvicorn
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.line import socket_path

AT_ONCE = 64  # connections taken before others get a turn
FINISHING = 5  # seconds that streams have to end when the process is asked to
MOST = 2_000  # connections at a time
LATE = 30  # seconds in which the headers of a request must be there
MOST_HEAD = 64 * 1024  # bytes of them


class Door:
    """A UNIX socket through which connections come in; `welcome(socket)` gets each of them."""

    def __init__(self, path, welcome):
        self.path, self.welcome = path, welcome
        self._listener, self._lines = None, set()

    def open(self, loop):
        """Listen, for ourselves alone; a socket left behind by a killed process goes."""
        self._loop = loop
        with suppress(FileNotFoundError):
            self.path.unlink()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.setblocking(False)
        before = os.umask(0o177)
        try:
            self._listener.bind(str(self.path))
        finally:
            os.umask(before)
        self._listener.listen(64)
        loop.add_reader(self._listener, self._accept)

    def close(self):
        for one in [self._listener, *self._lines]:
            self._loop.remove_reader(one)
            one.close()
        self._lines = set()
        with suppress(FileNotFoundError):
            self.path.unlink()

    def _accept(self):
        with suppress(BlockingIOError):
            line, _ = self._listener.accept()
            line.setblocking(False)
            self._lines.add(line)
            self._loop.add_reader(line, self._receive, line)

    def _receive(self, line):
        for _ in range(AT_ONCE):
            try:
                said, files, _, _ = socket.recv_fds(line, 1, 1)
            except BlockingIOError:
                return
            except OSError:
                said, files = b"", []
            for file in files:
                self.welcome(socket.socket(fileno=file))
            if not said:
                self._loop.remove_reader(line)
                self._lines.discard(line)
                line.close()
                return


class Protocol(HttpToolsProtocol):
    """uvicorn's, for clients whose headers come within a time and a size."""

    def connection_made(self, transport):
        super().connection_made(transport)
        self._head = 0
        self._late = self.loop.call_later(LATE, transport.close)

    def data_received(self, data):
        super().data_received(data)
        self._head += len(data)
        if self._late and self._head > MOST_HEAD:
            self.transport.close()

    def on_headers_complete(self):
        self._in_time()
        super().on_headers_complete()

    def connection_lost(self, exc):
        self._in_time()
        super().connection_lost(exc)

    def _in_time(self):
        if self._late:
            self._late.cancel()
            self._late = None


class Server(uvicorn.Server):
    """uvicorn without a port of its own: its connections come through the Door.

    Each answer ends its connection, so that the client's next request comes to the web server again.
    """

    def __init__(self, app):
        super().__init__(
            uvicorn.Config(
                app,
                http=Protocol,
                loop="uvloop",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,  # nothing here asks who or what is in front, and anybody may send them
                server_header=False,
                headers=[("Connection", "close")],
                limit_concurrency=MOST,
                timeout_graceful_shutdown=FINISHING,
            )
        )
        self._coming = set()

    async def startup(self, sockets=None):
        await super().startup(sockets=sockets or [])
        self._door = Door(socket_path(settings.DATA_DIR), self._welcome)
        self._door.open(asyncio.get_running_loop())

    async def shutdown(self, sockets=None):
        self._door.close()
        await super().shutdown(sockets)

    def _welcome(self, connection):
        connection.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._serve_one(connection))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _serve_one(self, connection):
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(self._protocol, connection)
        except OSError:  # it was broken off on its way
            connection.close()

    def _protocol(self):
        return self.config.http_protocol_class(
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            _loop=asyncio.get_running_loop(),
        )
