"""What the gateway's calls share: looking up, calling, logging."""

import asyncio
import logging
import time

from gateway.failures import Failed
from gateway.figures import Figures
from gateway.keeping import Keeper, Kept, Passed
from gateway.providers import Providers
from gateway.routing import look_up
from gateway.together import Together

CLOSING = 2  # seconds
PATIENCE = 20  # seconds that an answer waits for its logging at most
logger = logging.getLogger(__name__)


class Service:
    """One for the process, made on its event loop."""

    def __init__(self):
        self.figures = Figures()
        self.providers = Providers(self.figures)
        self._looks = Together("looks", look_up)
        self._keeper = Keeper(self.figures)

    async def close(self):
        """Returns when all that was to be logged is. Those who are cancelled just now have a moment to hand it in."""
        end = time.monotonic() + CLOSING
        while self.figures.open and time.monotonic() < end:
            await asyncio.sleep(0.01)
        await self.providers.close()
        await asyncio.to_thread(self._keeper.close)
        await asyncio.to_thread(self._looks.close)

    @property
    def loses(self):
        """Whether what passes now is lost: the database is away and the spool is full."""
        return self._keeper.is_full

    async def look(self, asked):
        """What look_up answers; raises what it says."""
        return await asyncio.wrap_future(self._looks.put(asked))

    async def keep(self, exchange):
        """Log the exchange, once; a Kept, None where it is not to be logged or was already. Who waits for it may be
        cancelled, the logging is not."""
        if exchange.is_kept or not exchange.asked.store:
            return None
        exchange.is_kept = True
        logging_it = asyncio.wrap_future(self._put(exchange))
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(logging_it)
        except TimeoutError:
            logger.error("The logging of %s takes too long to wait for it", exchange.id)
        except Exception:
            logger.exception("%s could not be logged", exchange.id)
        return Kept.NO

    def keep_later(self, exchange):
        """Log the exchange without waiting for it, as the process ends."""
        if not exchange.is_kept and exchange.asked.store:
            exchange.is_kept = True
            self._put(exchange)

    def _put(self, exchange):
        route = exchange.route
        return self._keeper.keep(
            [Passed(route.project, route.by, id, route.arm, record) for id, record in exchange.records()]
        )

    def count(self, call, status, error=None):
        self.figures.answers[call, status] += 1
        if isinstance(error, Failed):
            self.figures.failures[error.kind] += 1


def told(kept):
    """The header that says so where an exchange is not logged now."""
    return [] if kept in (None, Kept.NOW) else [(b"x-marginalia-logged", kept.value.encode())]
