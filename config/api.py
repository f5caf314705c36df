"""What every call of the API has in common: how a body is read, and what an error looks like."""

import logging

from django.core.exceptions import PermissionDenied
from django.db.utils import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions, negotiation, parsers, status, views
from rest_framework.response import Response

from interactions.jsontext import JSONError, loads
from interactions.rules import Conflict, IdTaken, RecordError
from interactions.streams import CUT_OFF, StreamError, TooSlow, UnknownPacking, packing_of, reading, unpacked

# whether a statement was committed whose answer never came is not known
NO_DATABASE = (
    "The database does not answer. What was sent may be stored, whole or in part; "
    "under external ids it can be sent again."
)
SEND_KEY = "Send an API key, as Authorization: Bearer KEY. The page API keys makes them."
SEND_JSON = "Send JSON, and say so: Content-Type: application/json. (A batch takes application/x-ndjson too.)"
logger = logging.getLogger(__name__)
MOST_LOGGED = 500  # characters of what the database said
MAX_BODY = 32 * 1024 * 1024  # bytes of one record, or of a body that is read whole


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = (
        f"The body is larger than {MAX_BODY // 1024**2} MB after unpacking; send records in batches, each within that."
    )


class JSONParser(parsers.BaseParser):
    """Strict JSON, plain or packed, whole and within the limit, whatever length the client announced."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None):
        encoding = packing_of(parser_context["request"].META.get("HTTP_CONTENT_ENCODING", ""))
        text = stream.read(MAX_BODY + 1) if encoding == "identity" else _unpacked(stream, encoding)
        if len(text) > MAX_BODY:
            raise TooLarge
        try:
            return loads(text)
        except JSONError as error:
            raise (RecordError(error.fields) if error.fields else exceptions.ParseError(str(error))) from None


def _unpacked(stream, encoding):
    """What the stream unpacks to, no further than beyond the limit."""
    text = bytearray()
    for chunk in unpacked(reading(stream.read), encoding):
        text += chunk
        if len(text) > MAX_BODY:
            break
    return bytes(text)


class OnlyJSON(negotiation.DefaultContentNegotiation):
    """A view that has one way to answer answers so, whatever is asked for; and says what it takes."""

    def select_parser(self, request, parsers):
        parser = super().select_parser(request, parsers)
        if parser is None:
            raise exceptions.UnsupportedMediaType(request.content_type, SEND_JSON)
        return parser

    def select_renderer(self, request, renderers, format_suffix=None):
        if len(renderers) == 1:
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)


def exception_handler(error, context):
    """Every error as {"error": text, "fields": {path: [text]}}."""
    if isinstance(error, RecordError):
        return answer(status.HTTP_400_BAD_REQUEST, str(error), error.fields)
    if isinstance(error, IdTaken):
        response = answer(status.HTTP_409_CONFLICT, str(error), error.fields)
        response.data["completion_id"] = str(error.id)
        return response
    if isinstance(error, Conflict):
        return answer(status.HTTP_409_CONFLICT, str(error))
    if isinstance(error, UnreadablePostError):
        if isinstance(error.__cause__, TimeoutError):
            return answer(status.HTTP_408_REQUEST_TIMEOUT, TooSlow())
        return answer(status.HTTP_400_BAD_REQUEST, CUT_OFF)
    if isinstance(error, UnknownPacking):
        return answer(status.HTTP_415_UNSUPPORTED_MEDIA_TYPE, str(error))
    if isinstance(error, StreamError):
        slow = isinstance(error, TooSlow)
        return answer(status.HTTP_408_REQUEST_TIMEOUT if slow else status.HTTP_400_BAD_REQUEST, str(error))
    if isinstance(error, Http404):
        return answer(status.HTTP_404_NOT_FOUND, str(error) or "Not found.")
    if isinstance(error, PermissionDenied):
        return answer(status.HTTP_403_FORBIDDEN, str(error) or "You may not do this.")
    if isinstance(error, (OperationalError, InterfaceError)):
        # in one line: while it is away all calls come here, and tracebacks would push out what led to it
        logger.error("The database did not answer a call: %s", " ".join(str(error).split())[:MOST_LOGGED])
        response = answer(status.HTTP_503_SERVICE_UNAVAILABLE, NO_DATABASE)
        response["Retry-After"] = "2"
        return response
    response = views.exception_handler(error, context)
    if response is not None:
        fields = dict(_paths(error.detail, "")) if isinstance(error, exceptions.ValidationError) else {}
        text = "; ".join(f"{path}: {' '.join(texts)}" for path, texts in fields.items()) or str(error.detail)
        text = SEND_KEY if isinstance(error, exceptions.NotAuthenticated) else text
        response.data = {"error": text, "fields": fields}
    return response


def answer(code, error, fields=None):
    """An error's response; names that were sent may hold what no answer can carry."""
    told = {_sayable(path): [_sayable(text) for text in texts] for path, texts in (fields or {}).items()}
    return Response({"error": _sayable(error), "fields": told}, status=code)


def _sayable(text):
    """The text with halves of surrogate pairs, which no answer can carry, written out."""
    return str(text).encode(errors="backslashreplace").decode()


def _paths(detail, path):
    """(path, [text]) pairs of a serializer's nested complaints: messages[0].role."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            name = "" if name == "non_field_errors" else str(name)
            yield from _paths(inner, f"{path}.{name}" if path and name else path or name)
    elif isinstance(detail, list) and any(isinstance(item, (dict, list)) for item in detail):
        for place, inner in enumerate(detail):
            if inner:
                yield from _paths(inner, f"{path}[{place}]")
    else:
        yield _sayable(path), [_sayable(item) for item in (detail if isinstance(detail, list) else [detail])]
