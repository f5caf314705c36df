"""The REST door of interactions: log one, list, read, delete, label, give feedback."""

from django.http import JsonResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import is_by_key
from accounts.permissions import DELETE, LABEL, LOG, READ
from interactions.calls import object_of, project_asked
from interactions.filters import REPEATED, InteractionFilter, read_wanted
from interactions.ingest import log
from interactions.ingest.removal import delete_interactions
from interactions.labels import labels_of, remove_label, set_label
from interactions.labels.keys import NotAllowed
from interactions.models import Interaction
from interactions.retention.holds import refuse_held
from interactions.rules import RecordError, label_fault, text_fault
from interactions.search import search
from interactions.search.facets import count_beside
from interactions.search.following import follow
from interactions.serializers import (
    FIELDS,
    UNSENT,
    InteractionShape,
    LabelsShape,
    LabelValue,
    LoggedShape,
    PageShape,
    RecordShape,
    present,
    wire_time,
)
from projects.access import EntityNotFound, project_or_404

MAX_LIMIT = 1_000
SHORT = 64 * 1024  # bytes of a record
PAGING = {"limit", "cursor", "fields", "images", "count"}
IMAGES = OpenApiParameter("images", enum=["inline"], description="inline: pictures as the data URIs that were sent")
FILTERS = [
    OpenApiParameter("project", required=True, description="key or id of the project"),
    *(
        OpenApiParameter(name, many=name in REPEATED, description=filter_.extra["help_text"])
        for name, filter_ in InteractionFilter.base_filters.items()
    ),
    OpenApiParameter("limit", int, description=f"1 to {MAX_LIMIT}, 50 unless said"),
    OpenApiParameter("cursor", description="from next or previous"),
    OpenApiParameter("fields", description="comma-separated members of a result; all unless said"),
    IMAGES,
    OpenApiParameter("count", enum=["exact"], description="exact: count up to 10,000, for up to a second"),
]


def interaction_or_404(user, interaction_id, permission):
    """The interaction with its project, checked by the gate; a stranger's is as unknown as one that never was."""
    row = Interaction.objects.for_table().select_related("project").filter(pk=interaction_id).first()
    if row is None:
        raise EntityNotFound("Interaction", interaction_id)
    try:
        row.project = project_or_404(user, row.project.uid, permission)
    except EntityNotFound:
        raise EntityNotFound("Interaction", interaction_id) from None
    return row


def _is_said(request, name, known):
    """Whether this word says the one thing that it can say."""
    said = request.query_params.get(name)
    if said not in {None, known}:
        raise exceptions.ValidationError({name: [f"Send {known}, or leave it out."]})
    return said is not None


def _inline(request):
    """Whether pictures are asked for as data URIs."""
    return _is_said(request, "images", "inline")


class InteractionList(APIView):
    """Log an interaction; list those of a project."""

    @extend_schema(operation_id="interactions_list", parameters=FILTERS, responses=PageShape)
    def get(self, request):
        """List interactions, newest first."""
        project = project_asked(request)
        look, wanted = self._asked(request, project)
        fields, limit = self._fields(request), self._limit(request)
        try:
            page = look(project, wanted, cursor=request.query_params.get("cursor"), limit=limit, without=UNSENT)
        except ValueError as error:
            raise exceptions.ValidationError({"cursor": [str(error)]}) from None
        counted = count_beside(project, wanted, page, wait=_is_said(request, "count", "exact"))
        return Response(
            {
                "results": present(project, page.rows, fields=fields, inline=_inline(request)),
                "next": page.next,
                "previous": page.previous,
                "count": counted.n if counted else None,
                "count_is_capped": bool(counted and counted.capped),
                "searched_to": wire_time(page.searched_to) if page.searched_to else None,
            }
        )

    @extend_schema(request=RecordShape, responses={201: LoggedShape, 200: LoggedShape})
    def post(self, request):
        """Log one interaction. 201 means committed; 200 that its external_id was logged before with this payload."""
        try:
            record = object_of(request)
            if not record:
                raise RecordError({"": ["Send an interaction: project, messages or prompt, and completion."]})
            word = record.get("project")
            if not isinstance(word, str) or text_fault(word):
                raise RecordError({"project": ["Name the project by its key or id."]})
        except (exceptions.APIException, RecordError):
            super().check_permissions(request)
            raise

        if request.META.get("QUERY_STRING"):  # refused before those that arrive with it are asked for together
            super().check_permissions(request)

        def admit():
            super(InteractionList, self).check_permissions(request)
            return project_or_404(request.user, word, LOG), request.user

        sender = request.META["HTTP_AUTHORIZATION"] if self.is_asked_later else request.user.pk
        outcome = log(kind=(sender, word), admit=admit, record=record)
        return JsonResponse(
            {
                "completion_id": str(outcome.id),
                "session_id": outcome.session,
                "feedback_ids": [str(one) for one in outcome.feedback_ids],
                **({"note": outcome.note} if outcome.note else {}),
            },
            status=status.HTTP_200_OK if outcome.duplicate else status.HTTP_201_CREATED,
        )

    def initial(self, request, *args, **kwargs):
        self.is_asked_later = self._is_asked_later(request)
        super().initial(request, *args, **kwargs)

    def perform_authentication(self, request):
        if not self.is_asked_later:
            super().perform_authentication(request)

    def check_permissions(self, request):
        if not self.is_asked_later:
            super().check_permissions(request)

    def _is_asked_later(self, request):
        """Whether who sends a record is asked with the commit, once for all that arrive together with the same key: not
        where reading the record would be work that a stranger should not get done."""
        length = request.META.get("CONTENT_LENGTH", "")
        is_short = len(length) < 10 and length.isascii() and length.isdigit() and int(length) <= SHORT
        is_packed = "HTTP_CONTENT_ENCODING" in request.META  # and may be as long as there may be
        return request.method == "POST" and is_short and not is_packed and is_by_key(request)

    def _asked(self, request, project):
        """(search, or follow where the order of arrival is asked for; the Wanted)."""
        words = request.query_params.copy()
        if words.getlist("order") != ["received_at"]:
            return search, read_wanted(words, project, PAGING)
        del words["order"]
        wanted = read_wanted(words, project, PAGING)
        if wanted.fold:
            raise RecordError({"fold": ["What arrives is not folded; leave fold or order out."]})
        return follow, wanted

    def _limit(self, request):
        text = request.query_params.get("limit", "50")
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_LIMIT:
            raise exceptions.ValidationError({"limit": [f"Send a whole number from 1 to {MAX_LIMIT}."]})
        return int(text[:9])

    def _fields(self, request):
        if (said := request.query_params.get("fields")) is None:
            return FIELDS
        asked = [name for name in said.split(",") if name] or [said]
        if unknown := set(asked) - set(FIELDS):
            raise exceptions.ValidationError({"fields": [f"{min(unknown)[:40]!r} is none of {', '.join(FIELDS)}."]})
        return asked


class InteractionDetail(APIView):
    """One interaction."""

    @extend_schema(parameters=[IMAGES], responses=InteractionShape)
    def get(self, request, interaction_id):
        """Read an interaction whole."""
        row = interaction_or_404(request.user, interaction_id, READ)
        return Response(present(row.project, labels_of([row]), inline=_inline(request))[0])

    @extend_schema(responses={204: None})
    def delete(self, request, interaction_id):
        """Delete an interaction with its labels and feedback; its external id is free again. 409 while it is held."""
        row = interaction_or_404(request.user, interaction_id, DELETE)
        if not delete_interactions(project=row.project, ids=[row.pk], by=request.user):
            refuse_held(row.pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


class InteractionLabel(APIView):
    """One label of an interaction, by its key."""

    @extend_schema(request=LabelValue, responses=LabelsShape)
    def put(self, request, interaction_id, key):
        """Set the label, replacing its former value. 400 for a value that the key does not allow."""
        row = interaction_or_404(request.user, interaction_id, LABEL)
        value = object_of(request, "value").get("value")
        if fault := label_fault(key, value):
            raise RecordError({"value": [fault]})
        try:
            set_label(interaction=row, key=key, value=value, by=request.user)
        except NotAllowed as error:
            raise RecordError({"value": [str(error)]}) from None
        except ValueError as error:
            raise RecordError({"labels": [str(error)]}) from None
        return self._labels(row)

    @extend_schema(responses={200: LabelsShape})
    def delete(self, request, interaction_id, key):
        """Take the label away."""
        row = interaction_or_404(request.user, interaction_id, LABEL)
        remove_label(interaction=row, key=key, by=request.user)
        return self._labels(row)

    def _labels(self, row):
        rows = labels_of(list(Interaction.objects.filter(pk=row.pk).only("label_ids")))
        if not rows:  # somebody deleted it at this moment
            raise EntityNotFound("Interaction", row.pk)
        return Response({"labels": {label.key: label.value for label in rows[0].labels}})
