"""A gateway on a thread of the test's process, with its database, for as long as a test needs it."""

import socket
import threading
import time
from contextlib import contextmanager

from gateway.api import application
from gateway.door import Server


@contextmanager
def served():
    """The address of a gateway whose data lies where the settings say at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(application())
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            thread.join(10)
