"""Pages of projects."""

from django.urls import path

from projects import views

urlpatterns = [
    path("", views.home, name="home"),
    path("projects", views.project_list, name="project_list"),
    path("projects/new", views.project_create, name="project_create"),
    path("p/<str:project>", views.project_home, name="project_home"),
    path("p/<str:project>/", views.project_home),
    path("p/<str:project>/settings", views.project_settings, name="project_settings"),
    path("p/<str:project>/share", views.project_share, name="project_share"),
    path("p/<str:project>/shares/<int:pk>/end", views.project_unshare, name="project_unshare"),
    path("p/<str:project>/keep", views.project_keep, name="project_keep"),
    path("p/<str:project>/archive", views.project_archive, name="project_archive"),
    path("p/<str:project>/unarchive", views.project_unarchive, name="project_unarchive"),
    path("p/<str:project>/delete", views.project_delete, name="project_delete"),
    path("p/<str:project>/first", views.project_first, name="project_first"),
    path("p/<str:project>/first/key", views.project_first_key, name="project_first_key"),
]
