"""Every page and call, from the top."""

from django.urls import include, path

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("projects.urls")),
]
