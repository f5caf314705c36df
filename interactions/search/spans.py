"""Where a search is cut, so that the planner has few partitions to think about at a time.

Together the parts cover every id there can be; that they begin and end where partitions do is a matter of speed alone,
so the places may be remembered: planning and starting a statement over 25 partitions takes 6 ms, over one 0.3 ms.
"""

import time
import uuid
from bisect import bisect_left, bisect_right

from accounts import prepared
from interactions import ids, partitions

KEPT = 60  # seconds
_known = {"until": 0.0, "places": []}


def parts(lower, upper, descending):
    """[(lower id or None, upper id or None)] that cover the range, in the order of the walk: one partition, one, two,
    four …, so that what lies far away is reached in few statements. All that is to come counts as one with today."""
    here = ids.first(ids.now())
    known = (place for place in _places() if place <= here)
    places = [place for place in known if (lower is None or lower < place) and (upper is None or place < upper)]
    edges = [lower, *places, upper]
    spans = list(zip(edges, edges[1:], strict=False))
    grouped, size = [], 1
    spans = spans[::-1] if descending else spans
    while spans:
        group, spans = spans[:size], spans[size:]
        grouped.append((group[-1][0], group[0][1]) if descending else (group[0][0], group[-1][1]))
        size = size * 2 if len(grouped) > 1 else 1
    return grouped


def around(lower, upper):
    """The ends of the partitions that the range lies in: the largest place up to its lower end, and the smallest from
    its upper end on; None where it has no such end, or there is none."""
    places = _places()
    below = places[: bisect_right(places, lower)] if lower is not None else []
    above = places[bisect_left(places, upper) :] if upper is not None else []
    return below[-1] if below else None, above[0] if above else None


def oldest():
    """The id of the oldest interaction there is, of whatever project; None where there is none."""
    found = prepared.rows("SELECT id FROM interactions_interaction ORDER BY id LIMIT 1", [])
    return found[0][0] if found else None


def _places():
    """The ids at which partitions begin, ascending."""
    if _known["until"] < time.monotonic():
        _known["places"] = sorted(lower for lower, _ in partitions.spans())
        _known["until"] = time.monotonic() + KEPT
    return _known["places"]


def after(one):
    """The smallest id behind this one."""
    return uuid.UUID(int=one.int + 1)
