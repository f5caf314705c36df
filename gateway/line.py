"""From one process to another, connections as they are: through a UNIX socket in the data folder. The standard library
alone."""

import hashlib
import os
import socket
from contextlib import suppress
from pathlib import Path

PREFIX = "/openai/v1/"  # what the gateway answers: all below this, and these two
CALLS = ("/api/v1/chat/completions", "/api/v1/embeddings")
AT_ONCE = 64  # connections taken before others get a turn
LONGEST_PATH = 100  # bytes; that of a socket ends at 103 on some systems
ONE = b"c"  # what a message says: the connection itself comes beside it


def socket_path(data_dir, name="gateway"):
    """Where a process waits for connections: the gateway's, or the one in which those meet that log (`logging`)."""
    path = Path(data_dir) / f"{name}.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    folder = Path(f"/tmp/marginalia-gateway-{os.geteuid()}-{digest}")  # noqa: S108  every process must find the same
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to somebody else.")
    return folder / name


class Line:
    """The end of who hands over."""

    def __init__(self, path):
        self._path, self._socket = path, None

    def send(self, connection):
        """Whether the other process took the connection; the caller closes its own end then."""
        for _ in range(2):  # the process may have been started anew since the last one
            try:
                if self._socket is None:
                    self._socket = _connected(self._path)
                socket.send_fds(self._socket, [ONE], [connection.fileno()])
                return True
            except OSError:
                self.close()
        return False

    def close(self):
        if self._socket:
            self._socket.close()
            self._socket = None


class Door:
    """The other end: a UNIX socket through which connections come in; `welcome(socket)` gets each of them."""

    def __init__(self, path, welcome):
        self.path, self.welcome = path, welcome
        self._listener, self._lines = None, set()

    def open(self, loop):
        """Listen, for ourselves alone; a socket left behind by a killed process goes. `loop` watches files, by
        `add_reader` and `remove_reader` as asyncio's do."""
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


def is_there(data_dir):
    """Whether the gateway's process takes connections."""
    try:
        _connected(socket_path(data_dir)).close()
        return True
    except OSError:
        return False


def _connected(path):
    line = socket.socket(socket.AF_UNIX)
    line.setblocking(False)  # who is stuck must not hold others
    try:
        line.connect(str(path))
    except OSError:
        line.close()
        raise
    return line
