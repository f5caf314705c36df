"""Pages of people, keys and teams."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts.views import audit, entering, teams

urlpatterns = [
    path("login", entering.login, name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("account", entering.account, name="account"),
    path("account/password", entering.password, name="password"),
    path("api-keys", entering.api_keys, name="api_keys"),
    path("api-keys/<int:pk>/revoke", entering.api_key_revoke, name="api_key_revoke"),
    path("teams", teams.team_list, name="team_list"),
    path("teams/invitations/<int:pk>/answer", teams.team_answer, name="team_answer"),
    path("teams/memberships/<int:pk>/leave", teams.team_leave, name="team_leave"),
    path("teams/<slug:team>", teams.team, name="team"),
    path("teams/<slug:team>/audit", audit.audit_log, name="audit_log"),
    path("teams/<slug:team>/invitations/<int:pk>/withdraw", teams.invitation_withdraw, name="invitation_withdraw"),
    path("teams/<slug:team>/keys/<int:pk>/revoke", teams.member_key_revoke, name="member_key_revoke"),
    path("teams/<slug:team>/members/<int:pk>/deactivate", teams.member_deactivate, name="member_deactivate"),
    path("teams/<slug:team>/password", teams.member_password, name="member_password"),
    path("teams/<slug:team>/members/<int:pk>/role", teams.member_role, name="member_role"),
    path("teams/<slug:team>/members/<int:pk>/remove", teams.member_remove, name="member_remove"),
]
