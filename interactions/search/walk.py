"""Runs a plan within a budget of time: part by part of the store, block by block of what drives.

Where the time is used up, it is told down to where everything was looked at, so that the search can go on there.
"""

import time
from dataclasses import dataclass, field

from interactions.search import windows

LARGEST = 16_384  # entries of a block whose rows come with them
LARGEST_APART = 4_096  # of a block whose rows are fetched one by one
SMALLEST = 64
FEW = 1_000  # entries of what drives, of which the first are counted however long they take
AMPLE = 1.3  # times as many entries as would just do
ROW, APART = 2.5e-6, 8e-6  # seconds that an entry takes, warm, on a small machine, until it was seen what one takes
STATEMENT = 0.5e-3  # seconds that a block takes before its first entry
BESIDE = 0.1  # share of a project from which on rows lie beside each other, and not each on a page of its own


@dataclass
class Found:
    """Up to `limit` matches in the order of the walk, or how many where they are only `counted`; `until` is the
    moment by the monotonic clock from which on nothing new is begun. `few`: the words were rare where they were looked
    for last; `pace`: the seconds that an entry of the driver took in the last block, None where none was looked at."""

    limit: int
    until: float
    counted: bool = False
    n: int = 0
    few: bool = False
    pace: float | None = None
    ids: list = field(default_factory=list)

    @property
    def missing(self):
        return self.limit - self.n

    @property
    def seconds(self):
        """That are left."""
        return self.until - time.monotonic()

    def add(self, more):
        """Matches of one block, a list of ids or how many."""
        if self.counted:
            self.n += more
        else:
            self.ids += dict.fromkeys(more)
            self.n = len(self.ids)


def ids_of(plan, limit, seconds):
    """(up to `limit` ids in the plan's order, the id down to which all was looked at where the time was used up, the
    seconds that an entry of what drives took, None where it did not come to that)."""
    found = Found(limit, time.monotonic() + seconds)
    reached = _walk(plan, found)
    return found.ids[:limit], reached, found.pace


def number_of(plan, limit, seconds, pace=None):
    """(how many match, up to `limit`; whether all was looked at, or the limit reached). `pace`: the seconds that an
    entry took before, where that is known: where there is no time for the least block of many, none is begun."""
    if pace is not None and plan.driver.size > FEW and seconds < SMALLEST * pace:
        return 0, False
    found = Found(limit, time.monotonic() + seconds, counted=True, pace=pace)
    reached = _walk(plan, found)
    return min(found.n, limit), reached is None


def _walk(plan, found):
    for part, is_last in plan.parts():
        reached = _through(part, found)
        if found.missing <= 0:
            return None
        if reached is None and found.seconds < 0 and not is_last:
            reached = part.lower if part.descending else part.upper
        if reached is not None:
            return reached
    return None


def _through(part, found):
    """The id down to which the part was looked at, None where it was done or there is enough."""
    if not part.words:
        return _blocks(part, found, part.rate)
    if found.few and windows.at_once(part, found):
        return None
    holding = windows.Holding.of(part)
    if holding.pays(part, found):
        reached, part = windows.through(part, holding, found)
        if part is None:
            return reached
    return _blocks(part, found, part.rate * holding.share, holding.pace)


def _blocks(part, found, rate, pace=0.0):
    """`rate` is the share of entries that probably match, `pace` the seconds that one takes beside its row."""
    largest = LARGEST if part.driver.holds_row else LARGEST_APART
    first = SMALLEST if part.opened else largest // 4  # no block is left before its end, and bodies may lie on the disk
    if found.pace is None:
        found.pace = pace + (ROW if part.driver.holds_row and part.share > BESIDE else APART)
    size = AMPLE * found.missing / max(rate, 1e-6) if rate < 1 else found.missing
    size = _between(SMALLEST, min(size, found.seconds / found.pace), first)
    while True:
        began, missing, before = time.monotonic(), found.missing, found.n
        end, more = part.block(size, missing, found.counted)
        found.add(more)
        found.pace = max((time.monotonic() - began - STATEMENT) / size, ROW)
        if found.missing <= 0:
            return None
        if not found.counted and len(more) == missing:  # one of them more than once, and the block cut short
            part = part.beyond(more[-1])
            continue
        if end is None:
            return None
        if found.seconds < SMALLEST * found.pace:
            return end
        part = part.beyond(end)
        hits = (found.n - before) / size
        wanted = AMPLE * found.missing / hits if hits else 4 * size
        size = _between(SMALLEST, min(wanted, 8 * size, found.seconds / found.pace), largest)


def _between(least, value, most):
    return int(max(least, min(value, most)))
