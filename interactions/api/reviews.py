"""What reviewers said of one interaction, in whichever queue."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READ
from interactions.api.interactions import interaction_or_404
from interactions.serializers import wire_time
from reviews.models import State
from reviews.reading import reviews_of
from reviews.sayings import plainly


class ReviewOfShape(serializers.Serializer):
    id = serializers.UUIDField()
    queue = serializers.CharField()
    item = serializers.IntegerField()
    state = serializers.ChoiceField(State.choices)
    by = serializers.EmailField()
    answers = serializers.DictField(
        allow_null=True, help_text="of a pair, a is the item's first interaction; null while the queue is blind to them"
    )
    comment = serializers.CharField(allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)
    decides = serializers.BooleanField(help_text="a third person's word on a conflict")
    decided = serializers.BooleanField(help_text="a third person has decided the item")


class ReviewsOfShape(serializers.Serializer):
    results = ReviewOfShape(many=True)


class InteractionReviews(APIView):
    """The reviews of an interaction."""

    @extend_schema(operation_id="interaction_reviews_list", responses=ReviewsOfShape)
    def get(self, request, interaction_id):
        """The newest hundred, by item: all that was begun, for who manages or audits reviews, without what the queue is
        still blind to; for a reviewer what she said, and what others said where her desk shows it; else none."""
        row = interaction_or_404(request.user, interaction_id, READ)
        return Response({"results": [_told(one) for one in reviews_of(row.project, row.pk, request.user)]})


def _told(review):
    is_in = review.state == State.SUBMITTED
    return {
        "id": str(review.pk),
        "queue": review.item.queue.key,
        "item": review.item_id,
        "state": review.state,
        "by": review.by.email,
        "answers": plainly(review) if review.shows else None,
        "comment": review.comment if review.shows else None,
        "submitted_at": wire_time(review.ended_at) if is_in else None,
        "decides": review.decides,
        "decided": review.item.decided,
    }
