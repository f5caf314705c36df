"""One's own reviewing: what a person answered in a project's queues, what became of it, and how much it was a day."""

import datetime
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.permissions import MANAGE_REVIEWS
from interactions.rules import RecordError
from reviews.models import Member, Queue, Review, State
from reviews.questions import conflicts

DAYS = 30
# of each queue the newest, by the index of this person's reviews in their order
_NEWEST = """
    SELECT r.id FROM unnest(%(queues)s::integer[]) AS q(id) CROSS JOIN LATERAL (
        SELECT id, ended_at FROM reviews_review
        WHERE queue_id = q.id AND by_id = %(user)s AND state = 'submitted' AND {behind}
        ORDER BY ended_at DESC, id DESC LIMIT %(limit)s) AS r
    ORDER BY r.ended_at DESC, r.id DESC LIMIT %(limit)s
"""
_BY_DAY = """
    SELECT (ended_at AT TIME ZONE %s)::date, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)
    FROM reviews_review WHERE queue_id = ANY(%s::integer[]) AND by_id = %s AND state = 'submitted' AND ended_at >= %s
    GROUP BY 1 ORDER BY 1 DESC
"""


@dataclass
class Day:
    """How many answers a day had, and the median of the seconds on each, None where none is known."""

    day: datetime.date
    answers: int
    seconds: float | None


def answers_of_person(project, user, *, after="", limit=50):
    """(up to `limit` of her submitted Reviews in the project's queues that she reviews in by now, newest first, each
    with `.became`; `after` of the page behind, None where there is none). RecordError for an `after` that is none."""
    values = {"queues": _queues(project, user), "user": user.pk, "limit": limit + 1}
    behind = "ended_at IS NOT NULL"
    if after:
        values["at"], values["id"] = _place(after)
        behind = "ended_at <= %(at)s AND (ended_at, id) < (%(at)s, %(id)s)"
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST.format(behind=behind), values)
        ids = [row[0] for row in cursor.fetchall()]
    rows = Review.objects.filter(pk__in=ids[:limit]).select_related("item__queue", "form", "replied_by")
    rows = list(rows.defer("first", "written").order_by("-ended_at", "-pk"))
    deciders = _deciders(rows)
    for review in rows:
        review.became = _became(review, deciders.get(review.item_id))
    last = rows[-1] if len(ids) > limit and rows else None
    return rows, last and f"{last.ended_at.isoformat()}~{last.pk}"


def by_day(project, user):
    """[Day] of the last thirty that had any, newest first, as days of the current time zone."""
    since = timezone.now() - datetime.timedelta(days=DAYS)
    values = [timezone.get_current_timezone_name(), _queues(project, user), user.pk, since]
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY, values)
        return [Day(*row) for row in cursor.fetchall()]


def _queues(project, user):
    queues = Queue.objects.filter(project=project)
    if MANAGE_REVIEWS not in project.permissions:
        queues = queues.filter(Q(open_to_all=True) | Exists(Member.objects.filter(queue=OuterRef("pk"), user=user)))
    return list(queues.values_list("pk", flat=True))


def _place(text):
    at, _, review = text.partition("~")
    try:
        moment = datetime.datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError
        return moment, UUID(review)
    except ValueError:
        raise RecordError({"after": ["Send `next` of the page before."]}) from None


def _deciders(reviews):
    """{item id: the Review that decided it} of those that a third person has decided."""
    decided = [review.item_id for review in reviews if review.item.decided and not review.decides]
    found = Review.objects.filter(item__in=decided, decides=True, state=State.SUBMITTED).select_related("form")
    return {one.item_id: one for one in found}


def _became(review, decider):
    """waiting, alone, agreed, conflict, decided (as she said), decided_otherwise, decides (she did) or removed. Of a
    gold item, which nobody may tell from others, what is told of one that others have not answered yet."""
    item = review.item
    if item.removed_at:
        return "removed"
    if review.decides:
        return "decides"
    if item.queue.reviewers == 1:
        return "alone"
    if item.gold is not None or item.open:
        return "waiting"
    if decider:
        both = [(one.form.questions, one.answers, one.swapped) for one in (review, decider)]
        return "decided_otherwise" if conflicts(both) else "decided"
    return "conflict" if item.conflict else "agreed"
