"""The published client asks for some things in GraphQL, of which there is none here: it is told what to call."""

from django.contrib.auth.decorators import login_not_required
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt

from interactions.jsontext import JSONError, loads

INSTEAD = {
    "AddDirectScore": "give feedback by POST /api/v1/feedback",
    "DescribeInteraction": "read an interaction by GET /api/v1/interactions/{id}",
    "ListInteractions": "list interactions by GET /api/v1/interactions?project=KEY",
    "ListGroupedInteractions": "list interactions by GET /api/v1/interactions?project=KEY",
    "CreateMetric": "make a feedback key by POST /api/v1/feedback-keys",
    "ListMetrics": "list feedback keys by GET /api/v1/feedback-keys?project=KEY",
    "DescribeMetric": "read a feedback key by GET /api/v1/feedback-keys/{key}?project=KEY",
    "DescribeMetricAdmin": "read a feedback key by GET /api/v1/feedback-keys/{key}?project=KEY",
    "ListProjects": "list projects by GET /api/v1/projects",
    "DescribeProject": "read a project by GET /api/v1/projects/{key}",
    "CreateProject": "make a project by POST /api/v1/projects",
    "ListModels": "list models by GET /api/v1/projects/{key}/models",
    "CreateAbCampaign": "begin an A/B test by POST /api/v1/projects/{key}/ab-tests",
    "ListAbCampaigns": "list A/B tests by GET /api/v1/projects/{key}/ab-tests",
    "DescribeAbCampaign": "read an A/B test by GET /api/v1/projects/{key}/ab-tests/{key}",
    "CancelABCampaign": "end an A/B test by POST /api/v1/projects/{key}/ab-tests/{key}/cancel",
}


@login_not_required
@csrf_exempt
def no_graphql(request):
    """200 with GraphQL's own shape of an error: the client reads no other answer, and tells its words."""
    try:
        sent = loads(request.body)
    except JSONError:
        sent = None
    name = sent.get("operationName") if isinstance(sent, dict) else None
    instead = INSTEAD.get(name) if isinstance(name, str) else None
    text = f"Marginalia has no GraphQL; {instead or 'call its REST API'}. /api/docs tells how."
    return JsonResponse({"data": None, "errors": [{"message": text}]})
