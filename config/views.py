"""What belongs to no app: whether all is up, and errors that are told to programs."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

# of a call that stores in pieces, what came before the piece that broke is there
NO_GATEWAY = "The gateway is being started. Try again in a moment."
BROKEN = "Something went wrong here. What was sent may be stored in part; under external ids it can be sent again."


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
        if request.path.startswith("/api/"):
            return JsonResponse({"error": text, "fields": {}}, status=code)
        return page(request, *args, **kwargs)

    return view


bad_request = _for_programs(defaults.bad_request, 400, "The request is malformed.")
forbidden = _for_programs(defaults.permission_denied, 403, "You may not do this.")
not_found = _for_programs(defaults.page_not_found, 404, "There is nothing at this address.")
server_error = _for_programs(defaults.server_error, 500, BROKEN)
