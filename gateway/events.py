"""Server-sent events as providers stream them, read from bytes as they arrive."""

import codecs

DONE = b"[DONE]"
ERROR = b"error"  # the name of an event that tells of one


class TooLong(ValueError):
    """An event is longer than what is taken."""


class Events:
    """`feed(bytes)` answers (name, data) of each event that is complete by then: its name is b"" where it has none.
    Events without data are passed over, and comments and other fields left out.

    https://html.spec.whatwg.org/multipage/server-sent-events.html; lines end in CR, LF or both.
    """

    def __init__(self, most):
        self._most = most  # bytes of one event
        self._rest = bytearray()
        self._begun = self._after_cr = False
        self._name, self._data, self._size = b"", [], 0

    def feed(self, chunk):
        if self._after_cr and chunk:  # an LF here is the other half of the same end
            self._after_cr, chunk = False, chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, *others = chunk.split(b"\n")
        self._rest += first
        found = []
        if others:
            *whole, rest = others
            lines = [bytes(self._rest), *whole]
            self._rest = bytearray(rest)
            found = [event for line in lines if (event := self._line(line)) is not None]
        if len(self._rest) + self._size > self._most:
            raise TooLong
        return found

    def end(self):
        """The event behind which the empty line is missing, or None."""
        if self._rest:
            self._line(bytes(self._rest))
            self._rest = bytearray()
        return self._line(b"")

    def _line(self, line):
        """The event that ends with this line, or None."""
        if not self._begun:
            self._begun, line = True, line.removeprefix(codecs.BOM_UTF8)
        if line.startswith(b"data:"):
            self._data.append(line[5:].strip())
            self._size += len(line)
        elif line.startswith(b"event:"):
            self._name = line[6:].strip()
        elif not line:
            name, data = self._name, b"\n".join(self._data).strip()
            self._name, self._data, self._size = b"", [], 0
            return (name, data) if data else None
        return None
