"""Words by their own index, a window of so many bodies after the other: in each, the index of words and that of ids are
read, and what both hold is fetched. So a word of one in a hundred costs what its newest matches cost, not all it has.
"""

import math
import uuid
from dataclasses import dataclass

from interactions.search import spans
from interactions.search.plan import row
from interactions.search.texts import indexed, is_plain, together

# seconds, warm, on a small machine
TEST, TEXT, CUT = 15e-6, 35e-6, 110e-6  # a body looked at for letters; its text looked at for words; cut into words
READ, FETCH = 0.05e-6, 15e-6  # an entry of the index of words; a body that it names
START = 3e-3
SMALLEST = 200  # bodies in a window
AT_ONCE = 500  # matches that are fetched without a window
GROWTH = 8
LEAST, GREATEST = uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)


@dataclass(frozen=True)
class Holding:
    """About how many bodies a part of the store has, which share of them holds the words, and how many seconds it
    takes to be sure of one."""

    bodies: float
    share: float
    exact: float = CUT

    @classmethod
    def of(cls, part):
        """By the planner's estimates; of a word that is none of the most common ones, the most there may be."""
        where, values = _partitions(part).range("b.id")
        held, more = indexed(together(part.words))
        rows = f"SELECT count(*) FROM interactions_interactionbody b WHERE {where}"
        [[told]] = row(f"EXPLAIN (FORMAT JSON) SELECT ({rows}), ({rows} AND {held})", [*values, *values, *more])
        bodies, holding = (max(counted["Plans"][0]["Plan Rows"], 1) for counted in told["Plan"]["Plans"])
        return cls(bodies, min(holding / bodies, 1.0), TEXT if is_plain(part.words) else CUT)

    @property
    def pace(self):
        """Seconds that looking at one body takes."""
        return TEST + self.share * self.exact

    def pays(self, part, found):
        """Whether the index of words is quicker than looking at what the plan's driver yields, and has the time: it
        cannot be left half read."""
        matches = self.share * self.bodies
        fetched = min(found.missing / max(part.share * part.rate, 1e-9), matches)
        looked_at = min(found.missing / self.share, part.share * self.bodies)
        took = START + matches * READ + fetched * FETCH
        return took < looked_at * self.pace and (took < found.seconds or matches * READ < START)

    def window(self, part, found):
        """How many bodies probably hold what is missing; endless where all is quickly fetched."""
        if self.share * self.bodies <= AT_ONCE:
            return math.inf
        wanted = min(found.missing / max(part.share * part.rate, 1e-9), max(found.seconds, 0) / FETCH)
        return max(1.3 * wanted / self.share, SMALLEST)


def through(part, holding, found):
    """The id down to which the part was looked at, None where it was done or there is enough."""
    window, (held, held_values) = holding.window(part, found), indexed(part.words)
    while True:
        piece = _next(part, holding, window)
        where, values = _apart(piece) if piece == part else _window(piece)
        entries = f"SELECT b.id FROM interactions_interactionbody b WHERE {where} AND {held}"
        n, more = piece.meeting(entries, [*values, *held_values], found.counted)
        found.add(more if found.counted else sorted(more, reverse=piece.descending))
        if found.missing <= 0 or piece == part:
            return None
        edge = piece.lower if piece.descending else piece.upper
        if found.seconds < 0:
            return edge
        part = part.within(part.lower, edge) if part.descending else part.within(edge, part.upper)
        window = math.inf if n / window * holding.bodies < AT_ONCE else GROWTH * window


def _partitions(part):
    """The part as wide as the partitions that it lies in: of ends close to each other, or behind the last ANALYZE, the
    planner believes that there is one row between them."""
    return part.within(*spans.around(part.lower, part.upper))


def _apart(part):
    """(SQL, values) of the part's range beside its words, where few match: a test on what the index of words finds."""
    wide = _partitions(part)
    where, values = wide.range("b.id")
    ends = [(">=", part.lower, wide.lower), ("<", part.upper, wide.upper)]
    ends = [(sign, end) for sign, end, other in ends if end != other]
    tests = [where, *(f"(b.id {sign} %s) IS TRUE" for sign, _ in ends)]
    return " AND ".join(tests), [*values, *(end for _, end in ends)]


def _window(part):
    """The same where both indexes are read. The ends are hidden from the planner, else it would cut each body into
    words where it believes that there is one."""
    where, values = _partitions(part).range("b.id")
    ends = [part.lower or LEAST, part.upper or GREATEST]
    return f"{where} AND b.id >= (SELECT %s::uuid) AND b.id < (SELECT %s::uuid)", [*values, *ends]


def _next(part, holding, window):
    """The next so many bodies of the part; the part itself where it has no more. They are counted, for imports and
    busy hours lie denser in time than the rest."""
    if window >= holding.bodies:
        return part
    where, values = part.range("b.id")
    order = "DESC" if part.descending else "ASC"
    edge = f"SELECT b.id FROM interactions_interactionbody b WHERE {where} ORDER BY b.id {order}"
    [found] = row(f"SELECT ({edge} OFFSET %s LIMIT 1)", [*values, int(window)])
    if found is None:
        return part
    return part.within(found, part.upper) if part.descending else part.within(part.lower, found)
