"""Every page and call, from the top."""

from csp.decorators import csp_update
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView

from config.graphql import no_graphql
from config.health import health
from config.views import no_gateway, ready
from interactions.api.pictures import Picture

handler400 = "config.views.bad_request"
handler403 = "config.views.forbidden"
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"

# the browser page of the API draws its icons from data URIs
_docs = csp_update({"img-src": ["'self'", "data:"]})(SpectacularSwaggerSplitView.as_view(template_name="api_docs.html"))

urlpatterns = [
    path("ready", ready, name="ready"),
    path("health", health, name="health"),
    path("openai/v1/<path:rest>", no_gateway),
    path("api/graphql", no_graphql),
    path("api/", include("config.api_urls")),
    path("api/docs", _docs, name="api_docs"),
    re_path(r"^blobs/(?P<project_id>[0-9a-f-]{36})/(?P<sha256>[0-9a-f]{64})$", Picture.as_view(), name="blob"),
    path("", include("accounts.urls")),
    path("", include("projects.urls")),
    path("", include("interactions.urls")),
    path("", include("feedback.urls")),
    path("", include("exports.urls")),
    path("", include("jobs.urls")),
    path("", include("reviews.urls")),
    path("", include("gateway.urls")),
    path("", include("registry.urls")),
    path("", include("experiments.urls")),
]
