"""Pages of feedback keys and of comparisons."""

from django.urls import path

from feedback.views import beside, comparisons, key_detail, keys

KEY = "p/<str:project>/feedback/keys/<path:key>"

urlpatterns = [
    path("p/<str:project>/feedback", keys.feedback_key_list, name="feedback_key_list"),
    path("p/<str:project>/feedback/new", keys.feedback_key_create, name="feedback_key_create"),
    path("p/<str:project>/feedback/link", keys.feedback_key_link, name="feedback_key_link"),
    path(f"{KEY}/edit", keys.feedback_key_edit, name="feedback_key_edit"),
    path(f"{KEY}/unlink", keys.feedback_key_unlink, name="feedback_key_unlink"),
    path(f"{KEY}/comparisons", comparisons.feedback_comparisons, name="feedback_comparisons"),
    path(f"{KEY}/pairs", comparisons.feedback_pairs, name="feedback_pairs"),
    path(KEY, key_detail.feedback_key_detail, name="feedback_key_detail"),
    path(
        "p/<str:project>/comparisons/<uuid:interaction>/<uuid:pk>",
        beside.comparison_detail,
        name="comparison_detail",
    ),
    path("p/<str:project>/interactions/<uuid:pk>/beside/<uuid:other>", beside.answers_beside, name="answers_beside"),
]
