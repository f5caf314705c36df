"""The way back in for whoever lost her password: by an administrator of all her teams, or on the server."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.models import Membership, User
from accounts.permissions import ROLES
from accounts.services import add_member
from tests.factories import bearer, make_team, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def team(client):
    owner = make_user("owner@example.org", password=PASSWORD)
    client.force_login(owner)
    return make_team("claims", owner=owner)


@pytest.fixture
def jo(team):
    return make_user("jo@example.org", password=PASSWORD, team=team, role="reviewer")


def renew(client, person, team="claims", **sent):
    member = Membership.objects.get(user=person, team__key="claims")
    return client.post(f"{reverse('member_password', args=[team])}?member={member.pk}", sent)


def is_offered(client, person):
    member = Membership.objects.get(user=person, team__key="claims")
    return f'id="renew-{member.pk}"' in client.get(reverse("team", args=["claims"])).content.decode()


def keeps_her_password(person):
    person.refresh_from_db()
    return person.check_password(PASSWORD) and not person.password_is_temporary


def log_in(client, password):
    return client.post(reverse("login"), {"username": "jo@example.org", "password": password}).status_code


def test_the_new_one_is_shown_once_and_she_chooses_her_own_first(client, team, jo):
    elsewhere = type(client)()
    elsewhere.force_login(jo)
    assert is_offered(client, jo)
    answer = renew(client, jo)
    plain = answer.context["plain"]
    assert plain in answer.content.decode() and "no-store" in answer.headers["Cache-Control"]
    assert plain not in client.get(reverse("team", args=["claims"])).content.decode()
    log = client.get(reverse("audit_log", args=["claims"])).content.decode()
    assert "gave a new one-time password to jo@example.org" in log and plain not in log

    assert elsewhere.get(reverse("team_list")).headers["Location"].startswith("/login")
    assert log_in(elsewhere, PASSWORD) == 422
    assert log_in(elsewhere, plain) == 302
    assert elsewhere.get(reverse("team_list")).headers["Location"] == reverse("password")


def test_who_tried_the_lost_one_too_often_comes_in_with_the_new_one(client, team, jo):
    elsewhere = type(client)()
    for _ in range(10):
        answer = log_in(elsewhere, "perhaps this one")
    assert answer == 429 == log_in(elsewhere, PASSWORD)
    assert log_in(elsewhere, renew(client, jo).context["plain"]) == 302


@pytest.mark.parametrize("revoke", [False, True])
def test_her_api_keys_go_on_working_unless_they_are_revoked_too(client, team, jo, revoke):
    program, question = bearer(jo), "Revoke her API keys too"
    assert question in client.get(reverse("team", args=["claims"])).content.decode()
    answer = renew(client, jo, **({"revoke_keys": "on"} if revoke else {})).content.decode()
    assert ("her API keys are revoked" in answer) is revoke and ("her API keys go on working" in answer) is not revoke
    assert type(client)().get("/api/v1/projects", headers=program).status_code == (401 if revoke else 200)
    assert (question in client.get(reverse("team", args=["claims"])).content.decode()) is not revoke


def test_what_names_no_member_is_not_found(client, team):
    for sent in ("9" * 5_000, "9" * 18, "-1", ""):
        assert client.post(f"{reverse('member_password', args=['claims'])}?member={sent}").status_code == 404


def test_of_somebody_in_another_team_too_only_who_manages_both_may(client, team, jo):
    other = make_team("other")
    add_member(team=other, user=jo, role="annotator")
    assert not is_offered(client, jo)
    assert renew(client, jo).status_code == 403 and keeps_her_password(jo)
    owner = User.objects.get(email="owner@example.org")
    add_member(team=other, user=owner, role="engineer")
    assert renew(client, jo).status_code == 403 and keeps_her_password(jo)
    add_member(team=other, user=owner, role="administrator")
    assert is_offered(client, jo) and renew(client, jo).status_code == 200 and not keeps_her_password(jo)


def test_nobody_gets_round_the_old_password_by_giving_herself_a_new_one(client, team):
    owner = User.objects.get(email="owner@example.org")
    assert not is_offered(client, owner)
    assert renew(client, owner).status_code == 403 and keeps_her_password(owner)


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"administrator"}))
def test_a_teammate_who_does_not_manage_the_team_may_not(client, team, jo, role):
    client.force_login(make_user(team=team, role=role))
    assert renew(client, jo).status_code == 403 and keeps_her_password(jo)


def test_a_stranger_and_an_administrator_of_another_team_find_nobody(client, team, jo):
    client.force_login(make_user())
    assert renew(client, jo).status_code == 404
    client.force_login(make_team("other").members.get())
    assert renew(client, jo).status_code == 404
    assert renew(client, jo, team="other").status_code == 404 and keeps_her_password(jo)


@pytest.mark.parametrize("member", ["", "0", "x", "²", "9" * 30])
def test_who_is_no_member_is_not_found(client, team, member):
    assert client.post(reverse("member_password", args=["claims"]), query_params={"member": member}).status_code == 404


def test_it_is_sent_not_followed(client, team, jo):
    assert client.get(reverse("member_password", args=["claims"])).status_code == 405


def test_the_command_is_for_whom_no_administrator_may_help(client, team):
    out = io.StringIO()
    call_command("reset_password", "OWNER@example.org", stdout=out)
    owner = User.objects.get(email="owner@example.org")
    assert owner.check_password(out.getvalue().strip()) and owner.password_is_temporary
    assert client.get(reverse("team_list")).status_code == 302
    program = bearer(owner)
    call_command("reset_password", "owner@example.org", stdout=out)
    assert client.get("/api/v1/projects", headers=program).status_code == 200
    call_command("reset_password", "owner@example.org", "--revoke-keys", stdout=out)
    assert client.get("/api/v1/projects", headers=program).status_code == 401
    with pytest.raises(CommandError, match="Nobody has the address"):
        call_command("reset_password", "nobody@example.org")
