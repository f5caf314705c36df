"""Pages of background work."""

from django.urls import path

from jobs import views

urlpatterns = [
    path("p/<str:project>/jobs", views.job_list, name="job_list"),
    path("p/<str:project>/jobs/<uuid:job_id>", views.job_detail, name="job_detail"),
    path("p/<str:project>/jobs/<uuid:job_id>/cancel", views.job_cancel, name="job_cancel"),
]
