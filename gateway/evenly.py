"""How many connections each process of the web server holds, in memory that all of them share.

Whoever holds more than another leaves it the next one for a moment: else one process would answer most clients, and the
other core would wait for it.
"""

import mmap
import struct
import time

PROCESSES = 64
PRESENT = 2.5  # seconds for which what a process told counts: each tells anew at least once a second
_TOLD = struct.Struct("=Id")  # how many connections, and when


class Counts:
    """Made before the processes are forked off."""

    def __init__(self):
        self._memory = mmap.mmap(-1, PROCESSES * _TOLD.size)

    def tell(self, age, number):
        """The process of this age (gunicorn counts them) holds so many."""
        _TOLD.pack_into(self._memory, age % PROCESSES * _TOLD.size, number, time.monotonic())

    def fewest(self, but):
        """How many the one holds that holds the fewest beside the process of this age; None where it is alone."""
        since = time.monotonic() - PRESENT
        told = enumerate(_TOLD.iter_unpack(self._memory))
        others = (number for place, (number, when) in told if when > since and place != but % PROCESSES)
        return min(others, default=None)


COUNTS = Counts()
