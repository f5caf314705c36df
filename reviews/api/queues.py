"""REST: the queues of a project."""

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import MANAGE_REVIEWS
from interactions.rules import RecordError
from projects.access import project_or_404
from reviews import services, versions
from reviews.api.gate import body_of, managed, people_of
from reviews.models import Member
from reviews.rules import set_rule
from reviews.serializers import (
    NewQueueShape,
    QueueChangeShape,
    QueueListSerializer,
    RuleShape,
    WholeQueueSerializer,
)

NEW = ("key", "name", "kind", "reviewers", "blind", "open_to_all", "guideline", "questions")
CHANGES = (*services.CHANGEABLE, "closed", "guideline", "questions", "members")


def presented(queue):
    """A queue with what it asks, and of whom, for the wire."""
    guideline, form = versions.guideline_of(queue), versions.form_of(queue)
    queue.guideline = {"version": guideline.version, "text": guideline.text} if guideline else None
    queue.questions = {"version": form.version, "questions": form.questions}
    queue.people = services.who_reviews(queue).count()
    members = Member.objects.filter(queue=queue).order_by("user__email")
    queue.addresses = list(members.values_list("user__email", flat=True))
    return WholeQueueSerializer(queue).data


class QueueList(APIView):
    """The queues of a project."""

    @extend_schema(operation_id="queues_list", responses=QueueListSerializer)
    def get(self, request, project):
        """All of them, those that are open first."""
        project = project_or_404(request.user, project)
        queues = services.queues_of(project).select_related("created_by")
        return Response(QueueListSerializer({"results": queues}).data)

    @extend_schema(request=NewQueueShape, responses={201: WholeQueueSerializer})
    def post(self, request, project):
        """Make a queue; 409 where its key is taken."""
        project = project_or_404(request.user, project, MANAGE_REVIEWS)
        sent = body_of(request, NEW)
        given = {"name": "", "questions": []} | {name: value for name, value in sent.items() if value is not None}
        return Response(presented(services.create_queue(project=project, by=request.user, **given)), status=201)


class QueueDetail(APIView):
    """One queue."""

    @extend_schema(responses=WholeQueueSerializer)
    def get(self, request, project, queue):
        """What it asks, and of whom."""
        return Response(presented(services.queue_or_404(project_or_404(request.user, project), queue)))

    @extend_schema(request=QueueChangeShape, responses=WholeQueueSerializer)
    def patch(self, request, project, queue):
        """Change what is sent, all or nothing. Other questions are a new version: answers keep that which they were
        given to. 409 for another number of reviewers once answers were given."""
        queue = managed(request, project, queue)
        sent = body_of(request, CHANGES)
        with transaction.atomic():
            _change(queue, sent, request.user)
        return Response(presented(queue))


def _change(queue, sent, by):
    plain = {name: sent.pop(name) for name in services.CHANGEABLE & sent.keys()}
    if plain:
        services.change_queue(queue=queue, **plain)
    if "kind" in plain and "questions" not in sent:
        versions.check_kind(queue)
    if "questions" in sent:
        versions.write_questions(queue=queue, questions=sent["questions"], by=by)
    if "guideline" in sent:
        versions.write_guideline(queue=queue, text=sent["guideline"], by=by)
    if "members" in sent:
        services.set_members(queue=queue, users=people_of(queue, sent["members"], "members"))
    if "closed" in sent:
        if not isinstance(sent["closed"], bool):
            raise RecordError({"closed": ["Send true or false."]})
        (services.close_queue if sent["closed"] else services.open_queue)(queue=queue)


class QueueRule(APIView):
    """What new arrivals come into a queue by themselves."""

    @extend_schema(request=RuleShape, responses=WholeQueueSerializer)
    def put(self, request, project, queue):
        """From now on, what arrives and matches the query comes in, or the share of it that the seed draws. What a
        person took out is never put back."""
        queue = managed(request, project, queue)
        sent = body_of(request, ("query", "share", "seed"))
        query = sent.get("query", "")
        set_rule(queue=queue, query="" if query is None else query, share=sent.get("share", 1.0), seed=sent.get("seed"))
        return Response(presented(queue))

    @extend_schema(responses={204: None})
    def delete(self, request, project, queue):
        """Nothing comes in by itself any more."""
        set_rule(queue=managed(request, project, queue), query=None)
        return Response(status=204)
