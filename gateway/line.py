"""From the web server to the gateway's process: a UNIX socket in the data folder. The standard library alone."""

import hashlib
import os
import socket
from contextlib import suppress
from pathlib import Path

PREFIX = "/openai/v1/"  # what the gateway answers: all below this, and these two
CALLS = ("/api/v1/chat/completions", "/api/v1/embeddings")
LONGEST_PATH = 100  # bytes; that of a socket ends at 103 on some systems
ONE = b"c"  # what a message says: the connection itself comes beside it


def socket_path(data_dir):
    """Where the gateway's process waits for connections."""
    path = Path(data_dir) / "gateway.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    folder = Path(f"/tmp/marginalia-gateway-{os.geteuid()}-{digest}")  # noqa: S108  every process must find the same
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to somebody else.")
    return folder / "socket"


class Line:
    """The web server's end."""

    def __init__(self, data_dir):
        self._data_dir, self._socket = data_dir, None

    def send(self, connection):
        """Whether the gateway's process took the connection; the caller closes its own end then."""
        for _ in range(2):  # the process may have been started anew since the last one
            try:
                if self._socket is None:
                    self._socket = _connected(self._data_dir)
                socket.send_fds(self._socket, [ONE], [connection.fileno()])
                return True
            except OSError:
                self.close()
        return False

    def close(self):
        if self._socket:
            self._socket.close()
            self._socket = None


def is_there(data_dir):
    """Whether the gateway's process takes connections."""
    try:
        _connected(data_dir).close()
        return True
    except OSError:
        return False


def _connected(data_dir):
    line = socket.socket(socket.AF_UNIX)
    line.setblocking(False)  # a gateway that is stuck must not hold the web server
    try:
        line.connect(str(socket_path(data_dir)))
    except OSError:
        line.close()
        raise
    return line
