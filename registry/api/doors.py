"""What the calls about models and providers have in common: their refusals, and pages of lists."""

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import APIView

from interactions.calls import refuse_unknown
from interactions.rules import Conflict, RecordError
from registry.checking import Busy
from registry.listing import SHOWN
from registry.paging import PAGE, page_of
from registry.rules import Fault, Taken

PAGING = [
    OpenApiParameter("cursor", description="next of the page before"),
    OpenApiParameter("q", description="words in key or name"),
    OpenApiParameter("of", enum=[*SHOWN, "all"], description="models that can be called, or were only logged"),
]


BUSY = {429: OpenApiResponse(description="Other checks are under way.")}


class Door(APIView):
    """Says the core's refusals as the API does."""

    def handle_exception(self, error):
        if isinstance(error, Fault):
            error = RecordError({name: [text] for name, text in error.fields.items()})
        elif isinstance(error, Taken):
            error = Conflict(str(error))
        elif isinstance(error, Busy):
            error = exceptions.Throttled(detail="Other checks are under way; try again in a few seconds.")
        return super().handle_exception(error)

    def body(self, serializer_class):
        """What was sent, checked."""
        sent = serializer_class(data=self.request.data)
        sent.is_valid(raise_exception=True)
        return dict(sent.validated_data)

    def page(self, rows_of, serializer_class, besides=()):
        """The page of rows_of(shown=, words=) that the query string asks for; it may hold these words besides."""
        asked = self.request.query_params
        refuse_unknown(asked, {*(word.name for word in PAGING), *besides})
        if asked.get("of", "all") not in {*SHOWN, "all"}:
            raise RecordError({"of": [f"Send one of {', '.join([*SHOWN, 'all'])}."]})
        words = asked.get("q", "").replace("\x00", "").strip()[:100]
        rows, cursor = page_of(rows_of(shown=asked.get("of", "all"), words=words), asked.get("cursor", ""), PAGE)
        return Response({"results": serializer_class(rows, many=True).data, "next": cursor})
