"""What holds for every call because the API's description says so: no word of the query string that is not described or
says nothing, and errors of one shape; and an example of what the main calls take."""

from rest_framework.permissions import BasePermission

from config.examples import EXAMPLES
from interactions.calls import refuse_empty, refuse_unknown
from interactions.filters import EXACT

ERRORS = {
    "400": "Something in the request is wrong, unknown or missing; `fields` says where.",
    "401": "No key, or one that is not known.",
    "403": "The key's person may see the project, but not do this.",
    "404": "There is no such thing, or none of yours.",
    "503": "The database does not answer; Retry-After.",
}
CONFLICT = {"409": "It contradicts what is stored; the text says how."}
WITH_BODY = {
    "408": "The body stopped coming.",
    "413": "The body is larger than what is taken in one piece.",
    "415": "The body is no JSON, or packed in a way that is not taken.",
}
OF_A_CALL = ("409", "429")  # which its own description tells
ERROR = {
    "type": "object",
    "properties": {
        "error": {"type": "string"},
        "fields": {
            "type": "object",
            "description": "path, such as messages[0].role: what is wrong with it",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "required": ["error", "fields"],
}
_known = {}


class KnownWords(BasePermission):
    """Refuses, whoever asks, a word of the query string that the call does not describe, or that is empty: what is
    misspelt, or was to be filled in, must not pass for everything."""

    def has_permission(self, request, view):
        if request.META.get("QUERY_STRING"):
            method = getattr(view, "action", None) or request.method.lower()
            if handler := getattr(view, method, None):
                refuse_unknown(request.query_params, _words(view, getattr(handler, "__func__", handler)))
                refuse_empty(request.query_params, but={*EXACT, "project"})  # where that is missing, it is asked for
        return True


def _words(view, handler):
    """The words of the query string that the description of the view's handler names."""
    if handler not in _known:
        parameters = []
        if kind := getattr(handler, "kwargs", {}).get("schema"):
            schema = kind()
            schema.view, schema.method = view, view.request.method
            parameters = schema.get_override_parameters()
        _known[handler] = {one.name for one in parameters if one.location == "query"}
    return _known[handler]


def tell_errors(result, generator, request, public):
    """The description with the errors that every call may answer, and examples of what is sent."""
    result["components"].setdefault("schemas", {})["Error"] = ERROR
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for path, operations in result["paths"].items():
        for method, operation in operations.items() if path.startswith("/api/v1/") else ():
            sent = operation.get("requestBody", {}).get("content", {})
            errors = {**ERRORS, **({} if method == "get" else CONFLICT), **(WITH_BODY if sent else {})}
            for code, told in errors.items():
                operation["responses"].setdefault(code, {"description": told})
            for code in errors.keys() | set(OF_A_CALL) & operation["responses"].keys():
                operation["responses"][code].setdefault("content", content)
            operation["responses"] = dict(sorted(operation["responses"].items()))
            if method == "post" and path in EXAMPLES:
                sent["application/json"]["example"] = EXAMPLES[path]
    return result
