"""New arrivals that come into a queue by themselves."""

import datetime
import secrets
from dataclasses import replace

from django.db import connection, transaction
from django.utils import timezone

from interactions.rules import RecordError
from interactions.search.drivers import ROW
from interactions.search.plan import plan_of
from reviews import arrivals, placing
from reviews.filling import read_query
from reviews.models import Kind, Queue

WINDOW = datetime.timedelta(seconds=10)  # of arrivals that one transaction looks at, to begin with
FEW, MANY = 500, 5_000  # matches, at which it looks at more, or at less


def set_rule(*, queue, query, share=1.0, seed=None):
    """What arrives from now on and matches the query string comes in, a share of it (above 0, up to 1) that the seed
    draws; query None ends the rule. RecordError. The queue."""
    if query is None:
        queue.rule = queue.rule_reached = None
    else:
        read_query(queue.project, query)
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= 1:
            raise RecordError({"share": ["Send a number above 0, up to 1."]})
        seed = secrets.randbelow(2**31) if seed is None else seed
        if isinstance(seed, bool) or not isinstance(seed, int) or abs(seed) >= 2**63:
            raise RecordError({"seed": ["Send a whole number of at most 63 bits."]})
        queue.rule = {"query": query, "share": float(share), "seed": seed}
        queue.rule_reached = arrivals.now()
    queue.save(update_fields=["rule", "rule_reached"])
    return queue


def run_rules(until):
    """Bring in what arrived, for all queues with a rule; nothing new is begun after the moment `until`."""
    following = Queue.objects.filter(rule__isnull=False, closed_at=None, project__deleted_at=None)
    for pk in following.order_by("pk").values_list("pk", flat=True):
        window = WINDOW
        while window and timezone.now() < until:
            window = _follow(pk, window)


def is_drawn(rule, unit):
    """Whether the rule takes this arrival: the share of all whose digests are smallest."""
    return placing.digest(rule["seed"], *unit) < rule["share"] * 2**256


@transaction.atomic
def _follow(queue_id, window):
    """Look at the arrivals of so long a time, and go on behind them. How long a time to look at next, None where all
    is done."""
    queue = Queue.objects.select_for_update(skip_locked=True, of=("self",)).select_related("project__team")
    queue = queue.filter(pk=queue_id, rule__isnull=False).first()
    if queue is None:
        return None
    settled, start = arrivals.settled(), queue.rule_reached
    end = min(settled, start + window)
    if end <= start:
        return None
    try:
        wanted = read_query(queue.project, queue.rule["query"])
    except RecordError as error:  # a feedback key it speaks of was unlinked
        if queue.rule.get("fault") != str(error):
            queue.rule = {**queue.rule, "fault": str(error)}
            queue.save(update_fields=["rule"])
        return None
    found = _arrived(queue, replace(wanted, fold=False), start, end)
    units = [(one,) for one in found]
    if queue.kind == Kind.PAIR:
        partners = placing.partners(queue.project, found, end)
        units = [unit for one in found for unit, _ in partners.get(one, ())]
    units = [unit for unit in dict.fromkeys(units) if is_drawn(queue.rule, unit)]
    if wanted.fold and queue.kind == Kind.SINGLE:
        units = placing.without_like(queue, units)
    placing.put_in(queue, units, placing.next_place(queue))
    queue.rule_reached = end
    queue.rule.pop("fault", None)  # the key is back
    queue.save(update_fields=["rule", "rule_reached"])
    if end == settled:
        return None
    return window * 4 if len(found) < FEW else window / 2 if len(found) > MANY else window


def _arrived(queue, wanted, start, end):
    """The ids of what matches and was received from start to before end, in the order they came."""
    plan = plan_of(queue.project, wanted, None)
    if plan is None:
        return []
    tests, values = plan.row_tests()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH arrived AS MATERIALIZED (
                SELECT {ROW} FROM interactions_interaction
                WHERE project_id = %s AND received_at >= %s AND received_at < %s)
            SELECT id FROM arrived i WHERE {tests} ORDER BY received_at, id
            """,
            [queue.project_id, start, end, *values],
        )
        return [one for (one,) in cursor.fetchall()]
