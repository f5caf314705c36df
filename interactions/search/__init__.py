"""What is wanted to a page of ids: in which order, from where on, and how far to look.

The id is the time, so every order is id order and every cursor an id. `plan` decides which index drives, `walk` goes
through it within a budget of time, `windows` does where words have the better index.
"""

import datetime
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from interactions import ids
from interactions.search import walk
from interactions.search.plan import Plan, plan_of
from interactions.search.rows import rows_of
from interactions.wanted import Cursor

CAP = 10_000  # counts end here
BUDGET = 1.0  # seconds a page may search
ASIDE = 0.25  # seconds that counting may, which nobody waits for in vain


class Counted(NamedTuple):
    """How many there are; where `capped`, at least so many."""

    n: int
    capped: bool


@dataclass
class Page:
    """A page of interactions with their `.labels`; cursors where there is more; `searched_to` where time ran out.
    Where it begins at the beginning, `rest` is the plan of what lies behind the `seen` ids that it found, and `pace`
    what an entry took: who counts goes on there."""

    rows: list = field(default_factory=list)
    next: str | None = None
    previous: str | None = None
    searched_to: datetime.datetime | None = None
    rest: Plan | None = None
    seen: int = 0
    pace: float | None = None

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)


def search(project, wanted, *, cursor=None, limit=50, without=()):
    """A page of interactions, newest first (or oldest), with the cursors to go on; it may be short, even empty,
    while `next` is set: the time was used up. ValueError for a cursor that is none. `without`: see `rows_of`."""
    at = Cursor.read(cursor) if cursor else None
    back = bool(at and at.back)
    plan = plan_of(project, wanted, at)
    found, reached, pace = walk.ids_of(plan, limit + 1, BUDGET) if plan else ([], None, None)
    rest = plan.beyond(found[-1]) if found and at is None else None
    seen, more = len(found) if rest else 0, len(found) > limit
    found = found[:limit][::-1] if back else found[:limit]
    page = Page(rows_of(found, without), rest=rest, seen=seen, pace=pace)
    forward_end = found[-1] if found and (more or back) else None
    backward_end = found[0] if found and (more if back else at) else None
    if reached is not None and not more:
        page.searched_to = ids.time_of(reached)
        forward_end, backward_end = (forward_end, reached) if back else (reached, backward_end)
    page.next = str(Cursor(forward_end)) if forward_end else None
    page.previous = str(Cursor(backward_end, back=True)) if backward_end else None
    return page


def count(project, wanted, seconds=ASIDE, page=None):
    """How many match, up to 10,000; capped where there are more, or where there was no time to count all. From a `page`
    of them, counting goes on behind it."""
    rest, seen, pace = (page.rest, page.seen, page.pace) if page is not None else (None, 0, None)
    plan = rest or plan_of(project, wanted, None)
    if plan is None:
        return Counted(0, False)
    n, complete = walk.number_of(plan, CAP + 1 - seen, seconds, pace)
    n += seen
    return Counted(min(n, CAP) if complete else roundly(n), n > CAP or not complete)


def roundly(n):
    """1, 2 or 5 times a power of ten, so that "at least so many" does not change with every look."""
    steps = (step * 10**power for power in range(4, -1, -1) for step in (5, 2, 1))
    return next((step for step in steps if step <= n), 0)


def neighbours(project, wanted, interaction_id):
    """(the one before, the one after) this interaction in the order of the filter; None at an end."""
    before, _ = page_of_ids(project, wanted, Cursor(interaction_id, back=True), 1)
    after, _ = page_of_ids(project, wanted, Cursor(interaction_id), 1)
    return (before[0] if before else None), (after[0] if after else None)


def page_of_ids(project, wanted, at, limit, budget=None):
    """(up to `limit` ids in the order asked, walking away from the cursor; the id down to which everything was
    searched, where the seconds of the budget were used up before there were enough)."""
    plan = plan_of(project, wanted, at)
    return walk.ids_of(plan, limit, BUDGET if budget is None else budget)[:2] if plan else ([], None)


def through(project, wanted, at, limit, seconds=0.5):
    """(up to `limit` ids, the cursor's text to go on behind them, None where these were the last): goes through all
    that is wanted, slice by slice, however much it is. `at` is such a text, or None for the beginning."""
    found, reached = page_of_ids(project, wanted, Cursor.read(at) if at else None, limit, seconds)
    last = found[-1] if len(found) == limit else reached
    return found, str(Cursor(last)) if last else None


def newest_of(project, wanted):
    """The id of the newest in the time and of the sources that are asked for, whatever else is; None where there is
    none."""
    plan = plan_of(project, replace(wanted, oldest_first=False), None)
    return plan and plan.ends(1)[0]


def newest_within(project, wanted, spans, limit):
    """Up to `limit` ids, newest first, of what is wanted and lies in one of these spans (after, before), newest first
    and apart from each other, of which there are few. Between the spans nothing is looked at."""
    plan, found = plan_of(project, wanted, None), []
    for after, before in spans if plan else ():
        found += walk.ids_of(plan.clipped(ids.first(after), ids.first(before)), limit - len(found), BUDGET)[0]
        if len(found) >= limit:
            break
    return found


def matching(project, wanted):
    """(tables, conditions, values) of a SELECT over all that match, in no order, the row being `i`; None where
    nothing can. It may take long: the caller sets a limit."""
    plan = plan_of(project, wanted, None)
    return plan and plan.whole()
