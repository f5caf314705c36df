"""How many each of several filters matches, within one budget of time."""

import time

from interactions.search import Counted, count
from interactions.search.told import number

SECONDS = 1.0  # for all of them
EACH = 0.1  # for one that must be counted row by row


def counts_of(project, wanteds):
    """A Counted of each Wanted, in their order; None for one that is None, and where the time was used up."""
    until = time.monotonic() + SECONDS
    return [_count(project, wanted, until) for wanted in wanteds]


def _count(project, wanted, until):
    left = until - time.monotonic()
    if wanted is None or left <= 0:
        return None
    n = number(project, wanted)
    return Counted(n, False) if n is not None else count(project, wanted, min(EACH, left))
