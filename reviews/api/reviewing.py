"""REST: reviewing. The same steps as at the desk, under the same locks."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from interactions.rules import RecordError
from reviews import back, decisions, desk, pace, slots
from reviews.api.gate import body_of, managed, reviewed, whole_number
from reviews.checks import stamp_of
from reviews.leading import answer_lead
from reviews.reading import others, readable_review
from reviews.serializers import AnswerShape, ConflictListShape, NextShape, ReplyShape, ReviewShape

MOST_BESIDES = 20
ANSWER = ("answers", "comment", "seconds", "asks_lead", "stamp")
DRAFT = ("answers", "comment", "seconds", "asks_lead")


class BesidesShape(serializers.Serializer):
    besides = serializers.ListField(
        child=serializers.UUIDField(), required=False, help_text="reviews in your hands already, to fetch one ahead"
    )


def presented(review):
    """A review for the wire."""
    return {
        "id": str(review.pk),
        "state": review.state,
        "item": review.item_id,
        "interaction_ids": [str(one) for one in desk.sides(review)],
        "questions": review.form.questions,
        "form_version": review.form.version,
        "guideline": review.guideline.text if review.guideline else "",
        "answers": review.answers,
        "comment": review.comment,
        "asks_lead": review.asks_lead,
        "decides": review.decides,
        "locked_until": review.locked_until,
        "seconds": review.seconds,
        "stamp": stamp_of(review),
        "reply": reply_of(review),
        "not_written": {
            one["failed"]: one["why"] for part in review.written.values() for one in part if "failed" in one
        },
        "others": [said(one) for one in others(review)],
    }


def reply_of(review):
    """What a lead answered to who asked, or None."""
    if review.replied_at is None:
        return None
    return {"text": review.reply, "by": review.replied_by.email, "at": review.replied_at}


def said(review):
    """What somebody said, for those who may see it."""
    return {
        "by": review.by.email,
        "answers": review.answers,
        "swapped": review.swapped,
        "comment": review.comment,
        "ended_at": review.ended_at,
    }


def progress_of(queue, user):
    progress = pace.progress(queue, user)
    return {name: getattr(progress, name) for name in progress.__dataclass_fields__}


class Next(APIView):
    """The next item of a queue."""

    @extend_schema(request=BesidesShape, responses=NextShape)
    def post(self, request, project, queue):
        """The review to go on with, locked for five minutes; asked again, the same. Null where there is none for you:
        `waiting` tells what others hold, which may come back."""
        queue = reviewed(request, project, queue)
        sent = body_of(request, ("besides",))
        besides = sent.get("besides") or []
        if not isinstance(besides, list) or len(besides) > MOST_BESIDES:
            raise RecordError({"besides": [f"Send a list of at most {MOST_BESIDES} ids of reviews."]})
        checked = serializers.ListSerializer(child=serializers.UUIDField(), data=besides)
        if not checked.is_valid():
            raise RecordError({"besides": ["Send ids of reviews."]})
        review = desk.next_review(queue, request.user, checked.validated_data)
        return Response({"review": review and presented(review), "progress": progress_of(queue, request.user)})


class ReviewDetail(APIView):
    """One review."""

    @extend_schema(responses=ReviewShape)
    def get(self, request, project, queue, review_id):
        """What you said, and what others did once you may see it. Who manages reviews reads anybody's, of a blind queue
        once all answers of the item are in, or where a lead is asked."""
        queue = reviewed(request, project, queue)
        return Response(presented(readable_review(queue, request.user, review_id)))


class _Step(APIView):
    """A step with a review of one's own."""

    known = ()

    @extend_schema(request=None, responses=ReviewShape)
    def post(self, request, project, queue, review_id):
        queue = reviewed(request, project, queue)
        sent = body_of(request, self.known)
        review = slots.review_or_404(queue, request.user, review_id)
        return Response(presented(self.take(review, sent)))


class Draft(_Step):
    """What is answered so far."""

    known = DRAFT

    @extend_schema(request=AnswerShape, responses=ReviewShape)
    def post(self, request, project, queue, review_id):
        """Keep it, and the item for five more minutes."""
        return super().post(request, project, queue, review_id)

    def take(self, review, sent):
        return desk.save_draft(review=review, answers=sent.pop("answers", {}), **sent)


class Submit(_Step):
    """Your answers."""

    known = ANSWER

    @extend_schema(request=AnswerShape, responses=ReviewShape)
    def post(self, request, project, queue, review_id):
        """Submit them; the same again is one. 409 where the lock was lost and somebody else has the item: they are kept
        as a draft; and where what is in has another `stamp` than the one you send. 400 names the questions whose
        answers do not fit."""
        return super().post(request, project, queue, review_id)

    def take(self, review, sent):
        return desk.submit(review=review, answers=sent.pop("answers", {}), **sent)


class Skip(_Step):
    """On without an answer."""

    def take(self, review, sent):
        return desk.skip(review=review)


class Later(_Step):
    """To the end of your own order."""

    def take(self, review, sent):
        return desk.later(review=review)


class Reply(APIView):
    """What a lead answers to who asked."""

    @extend_schema(request=ReplyShape, responses=ReviewShape)
    def post(self, request, project, queue, review_id):
        """Settle what was asked of a lead: she reads the text on the item, and it leaves the list. What she had skipped
        comes to her again. 409 where nothing is asked."""
        queue = managed(request, project, queue)
        sent = body_of(request, ("text",))
        review = readable_review(queue, request.user, review_id)
        return Response(presented(answer_lead(review=review, text=sent.get("text", ""), by=request.user)))


class Undo(APIView):
    """The last thing you did in a queue."""

    @extend_schema(request=None, responses=NextShape)
    def post(self, request, project, queue):
        """Take it back, with all that it wrote, up to twenty; the review is open again, null where nothing is left."""
        queue = reviewed(request, project, queue)
        body_of(request, ())
        review = back.undo(queue, request.user)
        return Response({"review": review and presented(review), "progress": progress_of(queue, request.user)})


class ConflictList(APIView):
    """Items about which reviewers differ."""

    @extend_schema(operation_id="queue_conflicts_list", responses=ConflictListShape)
    def get(self, request, project, queue):
        """Those that wait for a third person, fifty from `after` on, with what was said."""
        queue = managed(request, project, queue)
        items = decisions.conflicts(queue, request.user, after=whole_number(request, "after", 0, 2**60))
        return Response({"results": [_conflict(item) for item in items]})


def _conflict(item):
    return {
        "item": item.pk,
        "interaction_ids": [str(one) for one in (item.interaction_id, item.other_id) if one],
        "given": [said(one) for one in item.given],
        "mine": item.mine,
        "held_by": item.held_by.email if item.held_by else None,
    }


class Decide(APIView):
    """A conflict taken up."""

    @extend_schema(request=None, responses=ReviewShape)
    def post(self, request, project, queue, item_id):
        """A review of yours that decides: submit it like any other. 409 where you are one of those who differ, or
        somebody else is at it."""
        queue = managed(request, project, queue)
        body_of(request, ())
        return Response(presented(decisions.decide(queue, request.user, item_id)))
