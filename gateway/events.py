"""Server-sent events as providers stream them, read from bytes as they arrive."""

DONE = b"[DONE]"


class TooLong(ValueError):
    """An event is longer than what is taken."""


class Events:
    """`feed(bytes)` answers the data of each event that is complete by then; comments and other fields are left out.

    https://html.spec.whatwg.org/multipage/server-sent-events.html, of which providers use `data:` alone.
    """

    def __init__(self, most):
        self._most = most  # bytes of one event
        self._rest = b""
        self._data = []
        self._size = 0

    def feed(self, chunk):
        *lines, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest
        found = [event for line in lines if (event := self._line(line.rstrip(b"\r"))) is not None]
        if len(rest) + self._size > self._most:
            raise TooLong
        return found

    def end(self):
        """The data of an event behind which the empty line is missing, or None."""
        if self._rest:
            self._line(self._rest.rstrip(b"\r"))
            self._rest = b""
        return self._line(b"")

    def _line(self, line):
        """The event that ends with this line, or None."""
        if line.startswith(b"data:"):
            self._data.append(line[5:].lstrip(b" "))
            self._size += len(line)
        elif not line and self._data:
            event = b"\n".join(self._data)
            self._data, self._size = [], 0
            return event
        return None
