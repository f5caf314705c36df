"""REST: what is in a queue, and how it came there."""

from uuid import UUID

from django.db.models import Prefetch
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from interactions.rules import RecordError
from interactions.ticked import MOST
from projects.access import EntityNotFound
from reviews import contents
from reviews.api.gate import audited, body_of, managed, people_of, whole_number
from reviews.api.reviewing import reply_of
from reviews.by_hand import put_by_hand
from reviews.filling import draw_again, fill
from reviews.lists import NAMES, listed
from reviews.models import Item, Review, Sample
from reviews.reading import shows
from reviews.serializers import (
    AgainShape,
    ByHandShape,
    ItemChangeShape,
    ItemListShape,
    ItemShape,
    NewSampleShape,
    PutShape,
    SampleListSerializer,
    SampleSerializer,
)

LIMIT = 200
SHOWN = [word for word in NAMES if word]


def with_all(items):
    """Items with what `presented` tells of them."""
    reviews = Review.objects.select_related("by", "replied_by").order_by("opened_at", "pk")
    rows = items.select_related("queue", "removed_by", "sample__by").defer("sample__picked", "sample__picked_strata")
    return rows.prefetch_related("assignments__user", Prefetch("reviews", reviews))


def presented(item, user):
    """An item of `with_all` for the wire, as this person may see it."""
    return {
        "id": item.pk,
        "interaction_id": str(item.interaction_id),
        "other_id": item.other_id and str(item.other_id),
        "submitted": item.submitted,
        "open": item.open,
        "conflict": item.conflict,
        "decided": item.decided,
        "gold": item.gold,
        "assigned_to": sorted(one.user.email for one in item.assignments.all()),
        "added_at": item.added_at,
        "removed_at": item.removed_at,
        "removed_by": item.removed_by and item.removed_by.email,
        "put_in_by": item.sample.by.email if item.sample and item.sample.is_by_hand else None,
        "reviews": [_said(review, user) for review in item.reviews.all()],
    }


def _said(review, user):
    shown = shows(review, user)
    return {
        "id": str(review.pk),
        "by": review.by.email,
        "state": review.state,
        "decides": review.decides,
        "asks_lead": review.asks_lead,
        "swapped": review.swapped,
        "answers": review.answers if shown else None,
        "comment": review.comment if shown else None,
        "reply": reply_of(review),
    }


class ItemList(APIView):
    """The items of a queue."""

    @extend_schema(
        operation_id="queue_items_list",
        parameters=[
            OpenApiParameter("show", description=f"{', '.join(SHOWN)}; all that is in it unless said"),
            OpenApiParameter("after", int, description="`next` of the page before"),
        ],
        responses=ItemListShape,
    )
    def get(self, request, project, queue):
        """Two hundred, in the order they came in."""
        queue = audited(request, project, queue)
        show = request.query_params.get("show") or ""
        if show and show not in SHOWN:
            raise RecordError({"show": [f"Send one of {', '.join(SHOWN)}."]})
        after = whole_number(request, "after", 0, 2**60)
        rows = listed(queue, show).filter(pk__gt=after)
        found = list(with_all(rows).order_by("pk")[: LIMIT + 1])
        more = str(found[LIMIT - 1].pk) if len(found) > LIMIT else None
        return Response({"results": [presented(item, request.user) for item in found[:LIMIT]], "next": more})

    @extend_schema(request=ByHandShape, responses={201: PutShape})
    def post(self, request, project, queue):
        """Put chosen interactions into the queue, each once; of pairs, each with the newest answer of another model to
        its prompt. Kept with your name among how it was filled."""
        queue = managed(request, project, queue)
        sent = body_of(request, ("ids",))
        new, old, without = put_by_hand(queue=queue, ids=_ids(sent.get("ids")), by=request.user)
        return Response({"new": new, "already": old, "left_out": without}, status=201)


def _ids(texts):
    try:
        if not isinstance(texts, list) or not 1 <= len(texts) <= MOST:
            raise ValueError
        return [UUID(text) for text in texts]
    except (ValueError, AttributeError, TypeError):
        raise RecordError({"ids": [f"Send a list of 1 to {MOST:,} ids of interactions."]}) from None


class ItemDetail(APIView):
    """One item."""

    @extend_schema(request=ItemChangeShape, responses=ItemShape)
    def patch(self, request, project, queue, item_id):
        """Say whose it is, what is known to be right of it, or whether it is in the queue at all."""
        queue = managed(request, project, queue)
        item = contents.item_or_404(queue, item_id)
        sent = body_of(request, ("assigned_to", "gold", "removed"))
        if "assigned_to" in sent:
            users = people_of(queue, sent["assigned_to"], "assigned_to")
            contents.assign(queue=queue, item_ids=[item.pk], users=users)
        if "gold" in sent:
            contents.set_gold(item=item, answers=sent["gold"])
        if "removed" in sent:
            _remove(queue, item, sent["removed"], request.user)
        return Response(presented(with_all(Item.objects.filter(queue=queue)).get(pk=item_id), request.user))


def _remove(queue, item, removed, by):
    if not isinstance(removed, bool):
        raise RecordError({"removed": ["Send true or false."]})
    if removed:
        contents.remove_items(queue=queue, item_ids=[item.pk], by=by)
    else:
        contents.put_back(queue=queue, item_ids=[item.pk])


class SampleList(APIView):
    """How a queue was filled."""

    @extend_schema(operation_id="queue_samples_list", responses=SampleListSerializer)
    def get(self, request, project, queue):
        """Every filling, oldest first: its query, seed, and what there was to draw from."""
        queue = audited(request, project, queue)
        rows = Sample.objects.filter(queue=queue).select_related("by").defer("picked", "picked_strata").order_by("pk")
        return Response(SampleListSerializer({"results": rows}).data)

    @extend_schema(request=NewSampleShape, responses={202: SampleSerializer})
    def post(self, request, project, queue):
        """Fill the queue from a filter, or a sample of it. The worker does it: `job` tells how far it is."""
        queue = managed(request, project, queue)
        sent = body_of(request, ("query", "method", "strata", "size", "seed"))
        sent = {name: value for name, value in sent.items() if value is not None}
        sample, _ = fill(queue=queue, by=request.user, **sent)
        return Response(SampleSerializer(sample).data, status=202)


class SampleAgain(APIView):
    """A sample drawn anew."""

    @extend_schema(responses=AgainShape)
    def get(self, request, project, queue, sample_id):
        """What the seed draws from what was there then, computed now: an auditor compares it with the queue."""
        queue = audited(request, project, queue)
        sample = Sample.objects.filter(queue=queue, pk=sample_id).first()
        if sample is None:
            raise EntityNotFound("Sample", sample_id)
        sample.queue = queue
        ids = draw_again(sample)
        flat = [one for unit in ids for one in (unit if isinstance(unit, tuple) else [unit])]
        # of what took all, only how many there were was written down
        same = flat == sample.picked if sample.picked is not None else len(ids) == (sample.drawn or 0)
        return Response({"same": same, "ids": [_plain(unit) for unit in ids]})


def _plain(unit):
    return [str(one) for one in unit] if isinstance(unit, tuple) else str(unit)
