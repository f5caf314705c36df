"""Putting chosen interactions into a queue: no sample, and no rule, but somebody's word, kept with her name."""

from django.db import transaction

from interactions.models import Interaction
from reviews import arrivals, placing
from reviews.models import Kind, Sample


@transaction.atomic
def put_by_hand(*, queue, ids, by):
    """Put these interactions of the queue's project into it, in their order, behind what is there; kept as a Sample
    that is by hand. Of a pair queue each brings the newest interaction with the same prompt by another model.

    (how many items are new, how many were there already, removed ones among them, how many interactions make none).
    """
    now = arrivals.now()
    there = set(Interaction.objects.filter(project=queue.project, pk__in=ids).values_list("pk", flat=True))
    found = [one for one in dict.fromkeys(ids) if one in there]
    units = [(one,) for one in found]
    if queue.kind == Kind.PAIR:
        partners = placing.partners(queue.project, found, now)
        units = list(dict.fromkeys(unit for one in found for unit, _ in partners.get(one, ())))
        there = partners.keys()
    if not units:
        return 0, 0, len(set(ids))
    sample = Sample.objects.create(
        queue=queue, method=Sample.Method.ALL, size=len(units), seed=0, drawn_at=now, population=len(units),
        drawn=len(units), picked=[one for unit in units for one in unit], by=by,
    )  # fmt: skip
    new = placing.put_in(queue, units, placing.next_place(queue), sample)
    return new, len(units) - new, len(set(ids) - there)
