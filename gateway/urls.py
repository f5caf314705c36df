"""The playground's pages."""

from django.urls import path

from gateway import views

urlpatterns = [
    path("p/<str:project>/playground", views.playground, name="playground"),
    path("p/<str:project>/playground/token", views.playground_pass, name="playground_pass"),
    path("p/<str:project>/playground/messages/<uuid:pk>", views.playground_messages, name="playground_messages"),
    path("p/<str:project>/playground/answers/<uuid:pk>", views.playground_answer, name="playground_answer"),
    path("p/<str:project>/playground/votes", views.playground_vote, name="playground_vote"),
    path("p/<str:project>/playground/votes/undo", views.playground_undo, name="playground_undo"),
]
