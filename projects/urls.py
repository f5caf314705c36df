"""Pages of projects."""

from django.urls import path

from projects import views

urlpatterns = [
    path("", views.home, name="home"),
    path("projects", views.project_list, name="project_list"),
    path("projects/new", views.project_create, name="project_create"),
    path("projects/<str:project>/settings", views.project_settings, name="project_settings"),
    path("projects/<str:project>/share", views.project_share, name="project_share"),
    path("projects/<str:project>/shares/<int:pk>/end", views.project_unshare, name="project_unshare"),
    path("projects/<str:project>/archive", views.project_archive, name="project_archive"),
    path("projects/<str:project>/unarchive", views.project_unarchive, name="project_unarchive"),
    path("projects/<str:project>/delete", views.project_delete, name="project_delete"),
    path("projects/<str:project>/first", views.project_first, name="project_first"),
    path("projects/<str:project>/first/key", views.project_first_key, name="project_first_key"),
]
