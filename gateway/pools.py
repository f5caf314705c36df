"""Connections to providers, kept for the next call, in many small pools.

httpcore compares every two connections of a pool whenever a request begins or ends: with two hundred streams in one
pool that alone took longer than all the rest of a call.
"""

import contextlib

from registry import addresses

EACH = 6  # calls in a pool at a time
KEPT = 8  # pools that stay when nothing uses them


class Pools:
    """For one event loop; `options` are httpx's."""

    def __init__(self, **options):
        self._options = options
        self._pools = []  # [client, how many calls use it]

    @contextlib.asynccontextmanager
    async def client(self):
        """An httpx.AsyncClient for one call."""
        pool = self._free()
        pool[1] += 1
        try:
            yield pool[0]
        finally:
            pool[1] -= 1
            if not pool[1] and pool in self._pools[KEPT:]:
                self._pools.remove(pool)
                await pool[0].aclose()

    async def close(self):
        for client, _ in self._pools:
            await client.aclose()

    def _free(self):
        """The first that has room: it is the likeliest to have a kept connection."""
        for pool in self._pools:
            if pool[1] < EACH:
                return pool
        self._pools.append([addresses.async_client(**self._options), 0])
        return self._pools[-1]
