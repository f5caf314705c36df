"""Pages of saved views and exports."""

from django.urls import path

from exports.views import exports, views

urlpatterns = [
    path("p/<str:project>/views", views.saved_view_list, name="saved_view_list"),
    path("p/<str:project>/views/new", views.saved_view_create, name="saved_view_create"),
    path("p/<str:project>/views/counts", views.saved_view_counts, name="saved_view_counts"),
    path("p/<str:project>/views/<slug:view_key>", views.saved_view_edit, name="saved_view_edit"),
    path("p/<str:project>/views/<slug:view_key>/delete", views.saved_view_delete, name="saved_view_delete"),
    path("p/<str:project>/exports", exports.export_list, name="export_list"),
    path("p/<str:project>/exports/new", exports.export_create, name="export_create"),
    path("p/<str:project>/exports/<uuid:export_id>/file", exports.export_file, name="export_file"),
    path("p/<str:project>/exports/<uuid:export_id>/delete", exports.export_delete, name="export_delete"),
]
