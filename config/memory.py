"""Memory that was freed goes back to the machine: a batch's thousand records would be kept for the next one else."""

import ctypes
import threading

EVERY = 5  # seconds
_libc = ctypes.CDLL(None)


def give_back():
    """Give back what is free, now and then, for as long as the process lives; nothing where the C library cannot."""
    if hasattr(_libc, "malloc_trim"):
        threading.Thread(target=_keep_trimming, name="memory", daemon=True).start()


def _keep_trimming():
    while not threading.Event().wait(EVERY):
        _libc.malloc_trim(0)
