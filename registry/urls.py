"""Pages of models and providers."""

from django.urls import path

from registry.views import models, project, providers

PROVIDER = "teams/<slug:team>/providers/<slug:provider>"
ATTACHMENT = "p/<str:project>/models/<int:pk>"

urlpatterns = [
    path("teams/<slug:team>/models", models.model_list, name="model_list"),
    path("teams/<slug:team>/models/new", models.model_create, name="model_create"),
    path("teams/<slug:team>/models/<int:pk>/edit", models.model_edit, name="model_edit"),
    path("teams/<slug:team>/models/<int:pk>/check", models.model_check, name="model_check"),
    path("teams/<slug:team>/providers", providers.provider_list, name="provider_list"),
    path("teams/<slug:team>/new-provider", providers.provider_create, name="provider_create"),
    path(PROVIDER, providers.provider_detail, name="provider_detail"),
    path(f"{PROVIDER}/edit", providers.provider_edit, name="provider_edit"),
    path(f"{PROVIDER}/check", providers.provider_check, name="provider_check"),
    path(f"{PROVIDER}/delete", providers.provider_delete, name="provider_delete"),
    path("p/<str:project>/models", project.project_models, name="project_models"),
    path("p/<str:project>/models/attach", project.model_attach, name="model_attach"),
    path(f"{ATTACHMENT}/detach", project.model_detach, name="model_detach"),
    path(f"{ATTACHMENT}/online", project.model_online, name="model_online"),
    path(f"{ATTACHMENT}/default", project.model_default, name="model_default"),
]
