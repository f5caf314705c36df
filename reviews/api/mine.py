"""REST: one's own reviewing."""

from dataclasses import asdict

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import REVIEW
from projects.access import project_or_404
from reviews.api.reviewing import reply_of
from reviews.own import answers_of_person, by_day
from reviews.sayings import plainly

LIMIT = 200


class MyAnswerShape(serializers.Serializer):
    id = serializers.UUIDField()
    queue = serializers.CharField()
    item = serializers.IntegerField()
    interaction_id = serializers.UUIDField()
    other_id = serializers.UUIDField(allow_null=True)
    answers = serializers.DictField(help_text="of a pair, a is the item's first interaction")
    comment = serializers.CharField()
    seconds = serializers.FloatField(allow_null=True)
    submitted_at = serializers.DateTimeField()
    became = serializers.ChoiceField(
        ["waiting", "alone", "agreed", "conflict", "decided", "decided_otherwise", "decides", "removed"],
        help_text="alone: nobody else is asked; decides: it is your own word on a conflict",
    )
    asks_lead = serializers.BooleanField()
    reply = serializers.DictField(allow_null=True, help_text="text, by and at of what a lead answered")


class MyDayShape(serializers.Serializer):
    day = serializers.DateField()
    answers = serializers.IntegerField()
    seconds = serializers.FloatField(allow_null=True, help_text="the median")


class MyReviewsShape(serializers.Serializer):
    results = MyAnswerShape(many=True)
    days = MyDayShape(many=True, help_text="of the last thirty, in UTC")
    next = serializers.CharField(allow_null=True)


class MyReviews(APIView):
    """What you answered yourself."""

    @extend_schema(
        operation_id="my_reviews_list",
        parameters=[OpenApiParameter("after", description="`next` of the page before")],
        responses=MyReviewsShape,
    )
    def get(self, request, project):
        """Two hundred, newest first, in all queues of the project that you review in; and how much it was a day."""
        project = project_or_404(request.user, project, REVIEW)
        after = request.query_params.get("after", "")
        found, older = answers_of_person(project, request.user, after=after, limit=LIMIT)
        days = [asdict(one) for one in by_day(project, request.user)]
        return Response({"results": [_told(one) for one in found], "days": days, "next": older})


def _told(review):
    return {
        "id": str(review.pk),
        "queue": review.item.queue.key,
        "item": review.item_id,
        "interaction_id": str(review.item.interaction_id),
        "other_id": review.item.other_id and str(review.item.other_id),
        "answers": plainly(review),
        "comment": review.comment,
        "seconds": review.seconds,
        "submitted_at": review.ended_at,
        "became": review.became,
        "asks_lead": review.asks_lead,
        "reply": reply_of(review),
    }
