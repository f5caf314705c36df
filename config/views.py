"""What belongs to no app: whether all is up, and errors that are told to programs."""

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import DisallowedHost
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

# of a call that stores in pieces, what came before the piece that broke is there
NO_GATEWAY = "The gateway is being started. Try again in a moment."
BROKEN = "Something went wrong here. What was sent may be stored in part; under external ids it can be sent again."
NOWHERE = "There is nothing at this address. Ids are UUIDs, and a path begins with one slash; see /api/docs."
MOST_HOST = 100  # characters of an unknown host that are told


@login_not_required
@csrf_exempt
def no_gateway(request, rest=""):
    """What the gateway's addresses answer while its process is not there to take the connection."""
    error = {"message": NO_GATEWAY, "type": "api_error", "param": None, "code": "no_gateway"}
    answer = {"error": error if request.path.startswith("/openai/") else NO_GATEWAY}
    return JsonResponse(answer, status=503, headers={"Retry-After": "2"})


@login_not_required
def ready(request):
    """200 once the database answers with its tables."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM interactions_interaction LIMIT 0")
    return HttpResponse("ready\n", content_type="text/plain")


def _for_programs(page, code, text):
    """The error page for people; JSON in the API's shape below /api/."""

    def view(request, *args, **kwargs):
        if _is_call(request):
            return JsonResponse({"error": text, "fields": {}}, status=code)
        return page(request, *args, **kwargs)

    return view


def _is_call(request):
    # a program whose base address ends in a slash asks for //api/
    return request.path.lstrip("/").startswith("api/")


def bad_request(request, exception):
    """400: of a host that is not ours it is told what it was, or all programs behind it would look for faults in what
    they send."""
    if not isinstance(exception, DisallowedHost):
        return _malformed(request, exception)
    host = request.META.get("HTTP_HOST", "")[:MOST_HOST]
    text = f"This server does not answer to {host!r}; its operator adds it to ALLOWED_HOSTS."
    if _is_call(request):
        return JsonResponse({"error": text, "fields": {}}, status=400)
    return HttpResponse(f"{text}\n", status=400, content_type="text/plain; charset=utf-8")


_malformed = _for_programs(defaults.bad_request, 400, "The request is malformed.")
forbidden = _for_programs(defaults.permission_denied, 403, "You may not do this.")
not_found = _for_programs(defaults.page_not_found, 404, NOWHERE)
server_error = _for_programs(defaults.server_error, 500, BROKEN)
