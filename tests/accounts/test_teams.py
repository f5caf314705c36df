"""The people of a team, and what they may do there."""

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.urls import reverse

from accounts.models import ApiKey, Invitation, Membership, User
from accounts.permissions import PERMISSIONS, ROLES
from accounts.services import LastAdministrator, add_member, create_api_key, create_user, remove_member
from tests.factories import bearer, make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client):
    user = make_user("owner@example.org")
    client.force_login(user)
    return user


@pytest.fixture
def team(owner):
    return make_team("claims", owner=owner)


def add(client, **values):
    return client.post(reverse("team", args=["claims"]), {"email": "jo@example.org", "role": "reviewer", **values})


def role_of(user, team):
    return Membership.objects.get(user=user, team=team).role.key


def test_every_role_is_made_of_known_permissions_and_administrators_have_all():
    assert all(permissions <= set(PERMISSIONS) for _, permissions in ROLES.values())
    assert ROLES["administrator"][1] == set(PERMISSIONS)


def test_an_address_is_one_person_whatever_its_case():
    make_user("jo@example.org")
    with pytest.raises(IntegrityError):
        create_user(email="JO@example.org", name="Jo")


def test_somebody_new_gets_a_password_shown_once_and_chooses_her_own_first(client, team):
    answer = add(client, name="Jo Okafor")
    plain = answer.context["plain"]
    assert plain in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert plain not in client.get(reverse("team", args=["claims"])).content.decode()

    client.logout()
    client.post(reverse("login"), {"username": "jo@example.org", "password": plain})
    assert client.get(reverse("project_list")).headers["Location"] == reverse("password")
    values = {"old_password": plain, "new_password1": "my own long one", "new_password2": "my own long one"}
    client.post(reverse("password"), values)
    assert client.get(reverse("project_list")).status_code == 200
    assert role_of(User.objects.get(email="jo@example.org"), team) == "reviewer"


def test_somebody_known_is_asked_and_is_in_the_team_once_she_accepts(client, team):
    jo = make_user("jo@example.org", password="correct horse battery")
    answer = add(client, email="JO@example.org")
    assert answer.context["plain"] is None and "is invited" in answer.content.decode()
    assert not team.members.filter(pk=jo.pk).exists()
    jo.refresh_from_db()
    assert jo.check_password("correct horse battery") and not jo.password_is_temporary
    asked = Invitation.objects.get()
    answer_to = reverse("team_answer", args=[asked.pk])
    assert client.post(answer_to, {"accept": "1"}).status_code == 404  # only she herself answers
    client.force_login(jo)
    assert "invites you as reviewer" in client.get(reverse("team_list")).content.decode()
    client.post(answer_to, {"accept": "1"})
    assert role_of(jo, team) == "reviewer" and not Invitation.objects.exists()


def test_an_invitation_is_declined_or_withdrawn_and_a_member_leaves_by_herself(client, team, owner):
    jo = make_user("jo@example.org")
    add(client, email="jo@example.org")
    client.post(reverse("invitation_withdraw", args=["claims", Invitation.objects.get().pk]))
    assert not Invitation.objects.exists()
    add(client, email="jo@example.org")
    client.force_login(jo)
    client.post(reverse("team_answer", args=[Invitation.objects.get().pk]))
    assert not Invitation.objects.exists() and not team.members.filter(pk=jo.pk).exists()
    member = add_member(team=team, user=jo, role="reviewer")
    others = Membership.objects.get(user=owner)
    assert client.post(reverse("team_leave", args=[others.pk])).status_code == 404
    client.post(reverse("team_leave", args=[member.pk]))
    assert not team.members.filter(pk=jo.pk).exists()
    client.force_login(owner)  # the last administrator stays
    answer = client.post(reverse("team_leave", args=[others.pk]), follow=True)
    assert "at least one administrator" in answer.content.decode() and role_of(owner, team) == "administrator"


def test_an_administrator_sees_a_members_keys_revokes_one_and_ends_an_account(client, team, owner):
    jo = make_user("jo@example.org", password="correct horse battery", team=team, role="reviewer")
    program, other = bearer(jo), make_user()
    key, foreign = ApiKey.objects.get(user=jo), create_api_key(user=other, name="Elsewhere")[0]
    page = client.get(reverse("team", args=["claims"])).content.decode()
    assert key.hint in page and "never used" in page
    assert client.post(reverse("member_key_revoke", args=["claims", foreign.pk])).status_code == 404
    client.post(reverse("member_key_revoke", args=["claims", key.pk]))
    assert type(client)().get("/api/v1/projects", headers=program).status_code == 401

    program, member = bearer(jo), Membership.objects.get(user=jo)
    elsewhere = type(client)()
    elsewhere.force_login(jo)
    add_member(team=make_team("other"), user=jo, role="reviewer")
    end = reverse("member_deactivate", args=["claims", member.pk])
    assert client.post(end).status_code == 403  # she is in the hands of another team too
    Membership.objects.filter(user=jo, team__key="other").delete()
    client.post(end)
    assert type(client)().get("/api/v1/projects", headers=program).status_code == 401
    assert elsewhere.get(reverse("team_list")).status_code == 302
    assert "account ended" in client.get(reverse("team", args=["claims"])).content.decode()
    with pytest.raises(CommandError, match="only administrator"):
        call_command("deactivate", "owner@example.org")
    call_command("deactivate", "JO@example.org", "--undo")
    assert User.objects.get(pk=jo.pk).is_active


def test_an_address_that_only_looks_like_one_in_capitals_is_somebody_elses(client, team):
    make_user("jo@mill.example")
    answer = add(client, email="jo@mıll.example")
    assert answer.context["plain"] and team.members.count() == 2


@pytest.mark.parametrize(
    ("values", "field"),
    [({"email": "no address"}, "email"), ({"role": "emperor"}, "role"), ({"email": "owner@example.org"}, "email")],
)
def test_a_refusal_says_so_beside_its_field_and_adds_nobody(client, team, values, field):
    answer = add(client, **values)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert team.memberships.count() == 1


def test_a_role_is_changed_and_a_member_removed(client, team):
    jo = make_user(team=team, role="reviewer")
    member = Membership.objects.get(user=jo)
    client.post(reverse("member_role", args=["claims", member.pk]), {"role": "engineer"})
    assert role_of(jo, team) == "engineer"
    client.post(reverse("member_role", args=["claims", member.pk]), {"role": "emperor"})
    assert role_of(jo, team) == "engineer"
    client.post(reverse("member_remove", args=["claims", member.pk]))
    assert not Membership.objects.filter(user=jo).exists()


def test_the_last_administrator_is_neither_demoted_nor_removed(client, team, owner):
    member = Membership.objects.get(user=owner)
    answer = client.post(reverse("member_role", args=["claims", member.pk]), {"role": "auditor"}, follow=True)
    assert "at least one administrator" in answer.content.decode()
    client.post(reverse("member_remove", args=["claims", member.pk]))
    assert role_of(owner, team) == "administrator"


def test_somebody_who_can_no_longer_log_in_does_not_count_as_an_administrator(team, owner):
    gone = make_user(team=team)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    with pytest.raises(LastAdministrator):
        add_member(team=team, user=owner, role="auditor")
    assert role_of(owner, team) == "administrator"


def test_with_a_second_administrator_the_first_may_go(client, team, owner):
    make_user(team=team)
    answer = client.post(reverse("member_remove", args=["claims", Membership.objects.get(user=owner).pk]))
    assert answer.headers["Location"] == reverse("team_list")
    assert not Membership.objects.filter(user=owner).exists()


def test_a_member_of_another_team_cannot_be_named_through_this_one(client, team):
    other = make_team()
    member = other.memberships.get()
    for name in ("member_role", "member_remove"):
        assert client.post(reverse(name, args=["claims", member.pk]), {"role": "auditor"}).status_code == 404
    assert other.memberships.count() == 1


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"administrator"}))
def test_only_those_who_manage_the_team_see_its_people(client, team, role):
    client.force_login(make_user(team=team, role=role))
    assert client.get(reverse("team", args=["claims"])).status_code == 403
    assert add(client).status_code == 403
    assert f'href="{reverse("team", args=["claims"])}"' not in client.get(reverse("team_list")).content.decode()


def test_a_stranger_cannot_tell_a_team_from_none(client, team):
    client.force_login(make_user())
    assert client.get(reverse("team", args=["claims"])).status_code == 404
    assert client.get(reverse("team", args=["nothing"])).status_code == 404


def test_removing_a_member_who_is_not_the_last_leaves_the_others(team):
    jo = make_user(team=team)
    remove_member(member=Membership.objects.get(user=jo))
    assert team.memberships.count() == 1


def test_people_are_listed_added_changed_and_removed_over_rest(client, team, owner):
    headers, address = bearer(owner), "/api/v1/teams/claims/members"

    def call(method, path="", body=None, by=headers):
        more = {"data": body, "content_type": "application/json"} if body is not None else {}
        return getattr(client, method)(address + path, headers=by, **more)

    made = call("post", body={"email": "jo@example.org", "role": "reviewer"})
    assert made.status_code == 201 and made.json()["one_time_password"] and not made.json()["invited"]
    assert call("post", body={"email": "JO@example.org", "role": "reviewer"}).status_code == 409
    make_user("kim@example.org")
    assert call("post", body={"email": "kim@example.org", "role": "auditor"}).json()["invited"] is True
    assert list(call("post", body={"email": "x", "role": "emperor"}).json()["fields"]) == ["role", "email"]
    assert call("patch", "/JO@example.org", {"role": "engineer"}).json()["role"] == "engineer"
    told = call("get").json()
    assert [(one["email"], one["role"], len(one["api_keys"])) for one in told["results"]] == [
        ("jo@example.org", "engineer", 0),
        ("owner@example.org", "administrator", 1),
    ]
    assert [one["email"] for one in told["invitations"]] == ["kim@example.org"]
    assert call("delete", "/owner@example.org").status_code == 409
    assert call("get", by=bearer(User.objects.get(email="jo@example.org"))).status_code == 403
    assert call("delete", "/jo@example.org").status_code == 204
    assert call("patch", "/jo@example.org", {"role": "engineer"}).status_code == 404
    assert client.get(address, headers=bearer(make_user(team=make_team()))).status_code == 404
