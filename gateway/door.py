"""The gateway's end of the one port: takes the connections that the web server hands over, and serves them."""

import asyncio

import uvicorn
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.line import Door, socket_path

FINISHING = 5  # seconds that streams have to end when the process is asked to
MOST = 2_000  # connections at a time
LATE = 30  # seconds in which the headers of a request must be there
MOST_HEAD = 64 * 1024  # bytes of them


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
