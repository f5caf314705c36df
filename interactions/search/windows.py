"""Words by their own index, a window of so many bodies after the other: in each, the index of words is read for the
times that the window touches, and what it names is fetched. So a word of one in a hundred costs what its newest matches
cost, not all it has.
"""

import datetime
import math
import time
import uuid
from dataclasses import dataclass

from interactions import ids
from interactions.search import spans
from interactions.search.plan import row
from interactions.search.texts import indexed, is_plain, together

# seconds, warm, on a small machine
TEST, TEXT, CUT = 15e-6, 35e-6, 110e-6  # a body looked at for letters; its text looked at for words; cut into words
READ, TIME, FETCH = 0.05e-6, 20e-6, 15e-6  # an entry of the index of words; a time in it; a body that it names
COLD = 200e-6  # the same, and its row, where both lie on the disk: not known before the first window
START = 1e-3
SMALLEST = 200  # bodies in a window
AT_ONCE = 500  # matches that are fetched without a window
LATELY = 0.1  # share of a project's interactions that at least may lie in a part
UNKNOWN = 0.0051  # below it lies the planner's share of what is not among the most common: it may be six times as much
AMPLE = 1.3  # times as many as would just do
GROWTH = 8
TIMES = 48  # that the index of words is asked for: each is looked for in all of its list of new entries
MINUTE, HOUR = 60_000, 3_600_000  # ms, as interactions_times has them
LEAST = uuid.UUID(int=0)
AHEAD = datetime.timedelta(days=2)  # nothing that is stored lies so far in the future


@dataclass(frozen=True)
class Holding:
    """About how many bodies a part of the store has, which share of them holds the words, how many seconds it takes to
    be sure of one, and which share of all bodies is the project's own."""

    bodies: float
    share: float
    exact: float = CUT
    own: float = 1.0

    @classmethod
    def of(cls, part):
        """By the planner's estimates; of a word that is none of the most common ones, the most there may be."""
        wide = _partitions(part)
        where, values = wide.range("b.id")
        held, more = indexed(together(part.words))
        rows = f"SELECT count(*) FROM interactions_interactionbody b WHERE {where}"
        own, own_values = wide.own_rows()[0]
        asked = f"SELECT ({rows}), ({rows} AND {held}), (SELECT count(*) FROM {own})"
        [[told]] = row(f"EXPLAIN (FORMAT JSON) {asked}", [*values, *values, *more, *own_values])
        bodies, holding, own = (max(counted["Plans"][0]["Plan Rows"], 1) for counted in told["Plan"]["Plans"])
        own = max(own, LATELY * part.own.size)  # the planner knows nothing of who began after the last ANALYZE
        exact = TEXT if is_plain(part.words) else CUT
        return cls(bodies, min(holding / bodies, 1.0), exact, min(own / bodies, 1.0))

    @property
    def matches(self):
        """About how many bodies of the part hold the words."""
        return self.share * self.bodies

    @property
    def pace(self):
        """Seconds that looking at one body takes."""
        return TEST + self.share * self.exact

    def pays(self, part, found):
        """Whether the index of words is quicker than looking at what the plan's driver yields."""
        fetched = min(found.missing / max(part.share * part.rate * self.own, 1e-9), self.matches)
        looked_at = min(found.missing / self.share, part.share * self.own * self.bodies)
        return START + fetched * FETCH < looked_at * self.pace

    def window(self, part, found):
        """How many of the project's own probably hold what is missing; endless where all is quickly fetched."""
        if self.matches <= AT_ONCE:
            return math.inf
        wanted = min(found.missing / max(part.share * part.rate, 1e-9), max(found.seconds, 0) * self.own / COLD)
        return max((AMPLE if self.share > UNKNOWN else AMPLE / 2) * wanted / self.share, SMALLEST)

    def most(self, part, found):
        """How many matches a window may hold: with more, the words are far more common there than was expected."""
        wanted = found.missing / max(part.share * part.rate * self.own, 1e-9)
        return AT_ONCE + int(min(GROWTH * wanted, max(found.seconds, 0) / FETCH))

    @property
    def hours(self):
        """For how many the index of words is quicker asked than for all that it has."""
        return max(self.matches * READ / TIME, TIMES)


def at_once(part, found):
    """Whether the part has so few matches that all of them were fetched; of more, nothing is found."""
    n, more = _fetched(part, _apart(part), found, AT_ONCE + 1)
    found.few = n <= AT_ONCE
    if found.few:
        _add(part, found, more)
    return found.few


def through(part, holding, found):
    """(the id down to which the part was looked at, None where it was done or there is enough; what is better looked
    through by what the plan's driver yields, None where there is nothing like that).

    A window that turns out to hold too many is given up for a narrower one, since fetching bodies that lie on the disk
    takes many times what was reckoned: words may be common in one month and absent from the next, or in what another
    project logs.
    """
    window, growth, may_be_few = holding.window(part, found), GROWTH, True
    while True:
        if may_be_few and window >= holding.bodies:
            if at_once(part, found):
                return None, None
            window, growth, may_be_few = max(holding.bodies / GROWTH, SMALLEST), 2, False
        piece, rest = _next(part, int(window))
        if piece is None:
            return None, None
        most, began = holding.most(part, found), time.monotonic()
        n, more = _fetched(piece, _window(piece, holding.hours), found, most)
        if n == most and window <= SMALLEST:
            return None, part
        if n == most:
            window, growth = max(window / GROWTH, SMALLEST), 2
            continue
        before = found.n
        _add(piece, found, more)
        if found.missing <= 0 or rest is None:
            return None, None
        part = rest
        if found.seconds < 0:
            return (part.upper if part.descending else part.lower), None
        hits, took = found.n - before, max(time.monotonic() - began, 1e-6)
        largest = min(growth, found.seconds / took) * window
        grown = min(AMPLE * found.missing * window / hits, largest) if hits else largest
        rare = may_be_few and n / window * holding.bodies < AT_ONCE
        window = math.inf if rare else max(grown, SMALLEST)


def _fetched(part, bodies, found, most=None):
    (where, values), (held, more) = bodies, indexed(part.words)
    entries = f"SELECT b.id FROM interactions_interactionbody b WHERE {where} AND {held}"
    return part.meeting(entries, [*values, *more], found.counted, most)


def _add(part, found, more):
    found.add(more if found.counted else sorted(more, reverse=part.descending))


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


def _window(part, hours):
    """The same for a window. Its times are asked of the index of words. Where they are more than so many `hours`, or it
    is shorter than a minute, what that yields is cut down by the index of ids. Both are hidden from the planner, else
    it would cut each body into words where it believes that there is one."""
    lower, upper = part.lower or spans.oldest() or LEAST, part.upper or ids.first(ids.now() + AHEAD)
    times, short = _times(lower, upper, hours), (upper.int - lower.int) >> 80 < MINUTE
    where, values = _apart(part)
    if short or times is None:
        where, values = _partitions(part).range("b.id")
        where, values = f"{where} AND b.id >= (SELECT %s::uuid) AND b.id < (SELECT %s::uuid)", [*values, lower, upper]
    if times:
        own, more = _own_of(part, *times)
        where, values = f"{where} AND interactions_times(b.id) && ({own})", [*values, *more]
    return where, values


def _times(lower, upper, hours):
    """(the minutes that this range of ids touches, or else the hours, the ms that each has); None where these are too
    many."""
    first, last = lower.int >> 80, (upper.int - 1) >> 80
    for step, most in ((MINUTE, TIMES), (HOUR, hours)):
        if last // step - first // step < most:
            return range(first // step, last // step + 1), step
    return None


def _own_of(part, times, step):
    """(SQL, values) of those of the times in which the project has anything: what others logged meanwhile is passed."""
    edges = [uuid.UUID(int=(time * step) << 80) for time in [*times, times.stop]]
    all_times = "unnest(%s::bigint[], %s::uuid[], %s::uuid[]) AS t(time, lower, upper)"
    values, found = [[*times], edges[:-1], edges[1:]], []
    for own, more in part.own_rows():
        found.append(f"(SELECT true FROM {own} AND id >= t.lower AND id < t.upper LIMIT 1) IS TRUE")
        values += more
    return f"SELECT array_agg(t.time) FROM {all_times} WHERE {' OR '.join(found)}", values


def _next(part, window):
    """(the next so many of the project's own in the part, what is left of it), None for what there is not. They are
    counted, for imports and busy hours lie denser in time than the rest; what others logged before them is passed."""
    first, edge = part.ends(window)
    if first is None:
        return None, None
    part = part.within(part.lower, spans.after(first)) if part.descending else part.within(first, part.upper)
    if edge is None:
        return part, None
    lower, upper = part.within(part.lower, edge), part.within(edge, part.upper)
    return (upper, lower) if part.descending else (lower, upper)
