"""Words by their own index, a window of time after the other: in each, the index of words and that of ids are read,
and what both hold is fetched. So a word of one in a hundred costs what its newest matches cost, not all it has.
"""

import datetime
import math
from dataclasses import dataclass

from interactions import ids
from interactions.search.plan import row

# seconds, warm, on a small machine
TEST, CUT = 20e-6, 150e-6  # a body looked at for letters; cut into words
READ, FETCH = 0.05e-6, 15e-6  # an entry of the index of words; a body that it names
START = 3e-3
SMALLEST = 2_000  # bodies in a window
AT_ONCE = 2_000  # matches that are fetched without a window
GROWTH = 8

_WORDS = "interactions_words(b.messages, b.completion) @@ to_tsquery('simple', %s)"


@dataclass(frozen=True)
class Holding:
    """About how many bodies a part of the store has, and which share of them holds the words."""

    bodies: float
    share: float

    @classmethod
    def of(cls, part):
        """By the planner's estimates; of a word that is none of the most common ones, the most there may be."""
        where, values = part.range("b.id")
        rows = f"EXPLAIN (FORMAT JSON) SELECT FROM interactions_interactionbody b WHERE {where}"
        bodies = _estimated(rows, values)
        return cls(bodies, min(_estimated(f"{rows} AND {_WORDS}", [*values, part.words]) / bodies, 1.0))

    def pays(self, part, found):
        """Whether the index of words is quicker than looking at what the plan's driver yields."""
        matches = self.share * self.bodies
        fetched = min(found.missing / max(part.share * part.rate, 1e-9), matches)
        looked_at = min(found.missing / self.share, part.share * self.bodies)
        return START + matches * READ + fetched * FETCH < looked_at * (TEST + self.share * CUT)

    def window(self, part, found):
        """Milliseconds that probably hold what is missing; endless where all is quickly fetched."""
        if self.share * self.bodies <= AT_ONCE:
            return math.inf
        wanted = min(found.missing / max(part.share * part.rate, 1e-9), max(found.seconds, 0) / FETCH)
        return max(1.3 * wanted / self.share, SMALLEST) / self.bodies * _length(part)


def through(part, holding, found):
    """The id down to which the part was looked at, None where it was done or there is enough."""
    window = holding.window(part, found)
    while True:
        piece = _next(part, window)
        where, values = piece.range("b.id")
        entries = f"SELECT b.id FROM interactions_interactionbody b WHERE {where} AND {_WORDS}"
        n, more = piece.meeting(entries, [*values, piece.words], found.counted)
        found.add(more if found.counted else sorted(more, reverse=piece.descending))
        if found.missing <= 0 or piece == part:
            return None
        edge = piece.lower if piece.descending else piece.upper
        if found.seconds < 0:
            return edge
        part = part.within(part.lower, edge) if part.descending else part.within(edge, part.upper)
        window = math.inf if n / window * _length(part) < AT_ONCE else GROWTH * window


def _next(part, window):
    """The next so many milliseconds of the part; the part itself where no more are left, or it has no beginning."""
    if part.lower is None or window >= _length(part):
        return part
    if part.descending:
        return part.within(_first(_upper(part) - window), part.upper)
    return part.within(part.lower, _first((part.lower.int >> 80) + window))


def _length(part):
    return max(_upper(part) - (part.lower.int >> 80), 1) if part.lower else math.inf


def _upper(part):
    """Milliseconds since 1970 at which the part ends: now, where it has no end."""
    return ids.milliseconds(ids.now()) if part.upper is None else part.upper.int >> 80


def _first(milliseconds):
    return ids.first(ids.EPOCH + datetime.timedelta(milliseconds=int(milliseconds)))


def _estimated(sql, values):
    return max(row(sql, values)[0][0]["Plan"]["Plan Rows"], 1)
