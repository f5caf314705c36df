"""The people of a team, and what they may do there."""

import pytest
from django.db import IntegrityError
from django.urls import reverse

from accounts.models import Membership, User
from accounts.permissions import PERMISSIONS, ROLES
from accounts.services import LastAdministrator, add_member, create_user, remove_member
from tests.factories import make_team, make_user

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


def test_somebody_known_is_added_and_keeps_her_password(client, team):
    jo = make_user("jo@example.org", password="correct horse battery")
    answer = add(client, email="JO@example.org")
    assert answer.context["plain"] is None
    jo.refresh_from_db()
    assert jo.check_password("correct horse battery") and not jo.password_is_temporary
    assert role_of(jo, team) == "reviewer"


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
