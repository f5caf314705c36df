"""What is wanted to a page of ids: in which order, from where on, and how far to look.

The id is the time, so every order is id order and every cursor an id. `plan` decides which index drives; words go
first where few interactions hold them, else the newest are walked and tested, within a budget of time.
"""

import datetime
import time
import uuid
from dataclasses import dataclass, field
from typing import NamedTuple

from interactions import ids
from interactions.claims import claimed
from interactions.labels import labels_of
from interactions.models import Interaction
from interactions.rules import text_fault
from interactions.search.plan import BLOCK, plan_of, run
from interactions.wanted import Cursor

CAP = 10_000  # counts end here
BUDGET = 1.0  # seconds a page may search for words
ASIDE = 0.25  # seconds that counting may, which nobody waits for in vain


class Counted(NamedTuple):
    """How many there are; where `capped`, there are more."""

    n: int
    capped: bool


@dataclass
class Page:
    """A page of interactions with their `.labels`; cursors where there is more; `searched_to` where time ran out."""

    rows: list = field(default_factory=list)
    next: str | None = None
    previous: str | None = None
    searched_to: datetime.datetime | None = None

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)


def search(project, wanted, *, cursor=None, limit=50):
    """A page of interactions, newest first (or oldest), with the cursors to go on; it may be short, even empty,
    while `next` is set: the time was used up. ValueError for a cursor that is none."""
    at = Cursor.read(cursor) if cursor else None
    back = bool(at and at.back)
    found, reached = page_of_ids(project, wanted, at, limit + 1)
    more = len(found) > limit
    found = found[:limit][::-1] if back else found[:limit]
    page = Page(rows=labels_of(Interaction.objects.for_table().in_order(found)))
    forward_end = found[-1] if found and (more or back) else None
    backward_end = found[0] if found and (more if back else at) else None
    if reached is not None and not more:
        page.searched_to = ids.time_of(reached)
        forward_end, backward_end = (forward_end, reached) if back else (reached, backward_end)
    page.next = str(Cursor(forward_end)) if forward_end else None
    page.previous = str(Cursor(backward_end, back=True)) if backward_end else None
    return page


def count(project, wanted):
    """How many match, up to 10,000, or as many as there was time to count."""
    found, reached = page_of_ids(project, wanted, None, CAP + 1, budget=ASIDE)
    return Counted(min(len(found), CAP), len(found) > CAP or reached is not None)


def neighbours(project, wanted, interaction_id):
    """(the one before, the one after) this interaction in the order of the filter; None at an end."""
    before, _ = page_of_ids(project, wanted, Cursor(interaction_id, back=True), 1)
    after, _ = page_of_ids(project, wanted, Cursor(interaction_id), 1)
    return (before[0] if before else None), (after[0] if after else None)


def find(project, text):
    """What a pasted id names: an Interaction (by id or external id), the session's text, or None."""
    text = text.strip()
    if text_fault(text):
        return None
    try:
        wanted_id = uuid.UUID(text)
    except ValueError:
        wanted_id = None
    for candidate in (wanted_id, text and claimed(project, "interaction", text)):
        if candidate and (row := Interaction.objects.filter(project=project, pk=candidate).first()):
            return row
    if text and Interaction.objects.filter(project=project, session=text).exists():
        return text
    return None


def page_of_ids(project, wanted, at, limit, budget=BUDGET):
    """(up to `limit` ids in the order asked, walking away from the cursor; the id down to which everything was
    searched, where the seconds of the budget were used up before there were enough)."""
    plan = plan_of(project, wanted, at)
    if plan is None:
        return [], None
    if not wanted.words:
        return run(*plan.statement(limit)), None
    found, deadline = [], time.monotonic() + budget
    spans = plan.spans()
    for place, (lower, upper) in enumerate(spans):
        part = plan.within(lower, upper)
        if part.few():
            found += run(*part.words_first(limit - len(found)))
            reached = lower if plan.descending else upper
            stopped = time.monotonic() > deadline and place + 1 < len(spans)
        else:
            more, reached = _walk(part, limit - len(found), deadline)
            found += more
            stopped = reached is not None
        if len(found) >= limit:
            break
        if stopped:
            return found, reached
    return found, None


def newest_within(project, wanted, spans, limit):
    """Up to `limit` ids, newest first, of what is wanted and lies in one of these spans (after, before), of which
    there are few; no words may be wanted. Between the spans nothing is looked at."""
    plan = plan_of(project, wanted, None)
    if plan is None or not spans:
        return []
    parts = [plan.within(ids.first(after), ids.first(before)).statement(limit) for after, before in spans]
    merged = " UNION ALL ".join(f"({sql})" for sql, _ in parts)
    return run(
        f"SELECT * FROM ({merged}) AS merged ORDER BY 1 DESC LIMIT %s",
        [*(value for _, values in parts for value in values), limit],
    )


def matching(project, wanted):
    """(tables, conditions, values) of a SELECT over all that match, in no order, the row being `i`; None where
    nothing can. It may take long: the caller sets a limit."""
    plan = plan_of(project, wanted, None)
    return plan and plan.whole()


def _walk(plan, limit, deadline):
    """(ids that hold the words, in the plan's order; the last id looked at, where the time was used up): the rows
    that meet everything else are fetched in blocks, and their words looked at, until there are enough."""
    found = []
    while True:
        block = run(*plan.statement(BLOCK))
        holding = set(run(*plan.holding(block)))
        found += [one for one in block if one in holding]
        if len(found) >= limit or len(block) < BLOCK:
            return found[:limit], None
        if time.monotonic() > deadline:
            return found, block[-1]
        plan = plan.beyond(block[-1])
