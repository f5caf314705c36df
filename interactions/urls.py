"""Pages of interactions, their labels and sessions."""

from django.urls import path

from interactions import converters  # noqa: F401 - registers <text:…>
from interactions.views import (
    arrivals,
    counts,
    detail,
    history,
    holding,
    judging,
    label_jobs,
    label_keys,
    labelling,
    overview,
    selection,
    sessions,
    table,
)

urlpatterns = [
    path("p/<str:project>/overview", overview.overview, name="overview"),
    path("p/<str:project>/interactions", table.interaction_list, name="interaction_list"),
    path("p/<str:project>/interactions/facets", counts.interaction_facets, name="interaction_facets"),
    path("p/<str:project>/interactions/histogram", counts.interaction_histogram, name="interaction_histogram"),
    path("p/<str:project>/interactions/arrivals", arrivals.interaction_arrivals, name="interaction_arrivals"),
    path("p/<str:project>/interactions/labels", labelling.label_many, name="label_many"),
    path("p/<str:project>/interactions/delete", selection.interaction_delete_many, name="interaction_delete_many"),
    path("p/<str:project>/interactions/<uuid:pk>", detail.interaction_detail, name="interaction_detail"),
    path("p/<str:project>/interactions/<uuid:pk>/payload", detail.interaction_payload, name="interaction_payload"),
    path("p/<str:project>/interactions/<uuid:pk>/history", history.interaction_history, name="interaction_history"),
    path("p/<str:project>/interactions/<uuid:pk>/labels", labelling.label_set, name="label_set"),
    path("p/<str:project>/interactions/<uuid:pk>/labels/remove", labelling.label_remove, name="label_remove"),
    path("p/<str:project>/interactions/<uuid:pk>/delete", selection.interaction_delete, name="interaction_delete"),
    path("p/<str:project>/interactions/hold", holding.hold_many, name="hold_many"),
    path("p/<str:project>/interactions/<uuid:pk>/hold", holding.hold_set, name="hold_set"),
    path("p/<str:project>/interactions/<uuid:pk>/release", holding.hold_release, name="hold_release"),
    path("p/<str:project>/interactions/<uuid:pk>/feedback", judging.feedback_give, name="feedback_give"),
    path(
        "p/<str:project>/interactions/<uuid:pk>/feedback/<uuid:feedback_id>",
        judging.feedback_correct,
        name="feedback_correct",
    ),
    path("p/<str:project>/interactions/<uuid:pk>/correction", judging.correction_write, name="correction_write"),
    path("p/<str:project>/interactions/feedback/undo", judging.feedback_undo, name="feedback_undo"),
    path("p/<str:project>/labels", label_keys.label_key_list, name="label_key_list"),
    path("p/<str:project>/labels/suggest", labelling.label_suggest, name="label_suggest"),
    path("p/<str:project>/labels/undo", labelling.label_undo, name="label_undo"),
    path("p/<str:project>/labels/new", label_keys.label_key_create, name="label_key_create"),
    path("p/<str:project>/labels/jobs/<uuid:job_id>/undo", label_jobs.label_job_undo, name="label_job_undo"),
    path("p/<str:project>/labels/keys/<text:key>", label_keys.label_key_detail, name="label_key_detail"),
    path("p/<str:project>/labels/edit/<text:key>", label_keys.label_key_edit, name="label_key_edit"),
    path("p/<str:project>/labels/rename/<text:key>", label_keys.label_rename, name="label_rename"),
    path("p/<str:project>/sessions/<text:session>", sessions.session_detail, name="session_detail"),
]
