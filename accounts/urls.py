"""Pages of people, keys and teams."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts import views

urlpatterns = [
    path("login", views.login, name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("account", views.account, name="account"),
    path("account/password", views.password, name="password"),
    path("api-keys", views.api_keys, name="api_keys"),
    path("api-keys/<int:pk>/revoke", views.api_key_revoke, name="api_key_revoke"),
    path("teams", views.team_list, name="team_list"),
    path("teams/<slug:team>", views.team, name="team"),
    path("teams/<slug:team>/password", views.member_password, name="member_password"),
    path("teams/<slug:team>/members/<int:pk>/role", views.member_role, name="member_role"),
    path("teams/<slug:team>/members/<int:pk>/remove", views.member_remove, name="member_remove"),
]
