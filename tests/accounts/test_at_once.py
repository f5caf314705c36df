"""People of a team changed by several at once: each change is made, and told, once; nobody is left a way back in."""

import threading

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Invitation, Membership, User
from accounts.services import accept_invitation, add_member, remove_member
from projects.services import share_project
from tests.factories import bearer, make_project, make_team, make_user

N = 6


@pytest.fixture
def team(transactional_db):
    return make_team("claims", owner=make_user("owner@example.org"))


@pytest.fixture
def owner(team):
    return User.objects.get()


def at_once(*calls):
    """What the calls answer, each of its own thread, begun together."""
    start, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(place):
        start.wait()
        try:
            answers[place] = calls[place]()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def rest(method, path, by, **body):
    headers = bearer(by)
    return lambda: Client(raise_request_exception=False).generic(
        method, f"/api/v1/teams/claims/members{path}", *([_json(body)] if body else []),
        content_type="application/json", headers=headers,
    )  # fmt: skip


def _json(body):
    return "{" + ", ".join(f'"{name}": "{value}"' for name, value in body.items()) + "}"


def lines(verb):
    return AuditEntry.objects.filter(verb=verb).count()


def test_a_member_who_is_removed_by_many_at_once_is_removed_once(team, owner):
    make_user("jo@example.org", team=team, role="reviewer")
    answers = at_once(*[rest("DELETE", "/jo@example.org", owner) for _ in range(N)])
    assert sorted(answer.status_code for answer in answers) == [204] + [404] * (N - 1)
    assert lines("member.remove") == 1


def test_a_role_that_is_changed_while_she_is_removed_lets_nobody_in_again(team, owner):
    for _ in range(4):
        jo = User.objects.at("jo@example.org").first() or make_user("jo@example.org")
        add_member(team=team, user=jo, role="reviewer")
        change = rest("PATCH", "/jo@example.org", owner, role="engineer")
        removed, changed = at_once(rest("DELETE", "/jo@example.org", owner), change)
        assert removed.status_code == 204 and changed.status_code in {200, 404}
        assert not team.members.filter(pk=jo.pk).exists()


def test_somebody_new_who_is_added_by_many_at_once_is_added_once_and_has_no_invitation(team, owner):
    calls = [rest("POST", "", owner, email="jo@example.org", role="reviewer") for _ in range(N)]
    answers = at_once(*calls)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (N - 1)
    [plain] = [answer.json()["one_time_password"] for answer in answers if answer.status_code == 201]
    assert User.objects.get(email="jo@example.org").check_password(plain)
    assert not Invitation.objects.exists() and lines("member.add") == 2


def test_an_invitation_is_accepted_and_withdrawn_at_once_and_only_one_of_both_is_told(team, owner):
    jo = make_user("jo@example.org")
    role = team.roles.get(key="reviewer")
    for _ in range(4):
        Membership.objects.filter(user=jo).delete()
        asked = Invitation.objects.create(team=team, user=jo, role=role, invited_by=owner)
        hers, his = Client(), Client()
        hers.force_login(jo)
        his.force_login(owner)
        before = lines("member.accept"), lines("member.withdraw")
        codes = [
            answer.status_code
            for answer in at_once(
                lambda hers=hers, asked=asked: hers.post(reverse("team_answer", args=[asked.pk]), {"accept": "1"}),
                lambda his=his, asked=asked: his.post(reverse("invitation_withdraw", args=["claims", asked.pk])),
            )
        ]
        assert sorted(codes) == [302, 404]
        is_in = team.members.filter(pk=jo.pk).exists()
        assert is_in == (codes[0] == 302)
        assert (lines("member.accept"), lines("member.withdraw")) == (before[0] + is_in, before[1] + (not is_in))


def test_an_invitation_that_was_left_standing_changes_no_role_and_goes_with_its_member(team, owner):
    jo = make_user("jo@example.org", team=team, role="reviewer")
    more = {"team": team, "user": jo, "role": team.roles.get(key="administrator"), "invited_by": owner}
    accept_invitation(invitation=Invitation.objects.create(**more))
    assert jo.memberships.get().role.key == "reviewer" and not Invitation.objects.exists()
    Invitation.objects.create(**more)
    assert remove_member(member=jo.memberships.get(), by=owner)
    assert not Invitation.objects.exists()


def test_a_form_that_was_sent_twice_shows_a_password_that_opens(team, owner):
    values = {"email": "jo@example.org", "role": "reviewer"}
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(owner)
    page = reverse("team", args=["claims"])
    first, second = (client.post(page, values) for client in clients)
    assert first.context["plain"] != second.context["plain"]
    jo = User.objects.get(email="jo@example.org")
    assert jo.check_password(second.context["plain"])
    Client().post(reverse("login"), {"username": "jo@example.org", "password": second.context["plain"]})
    again = clients[0].post(page, values)  # she has come in: it is hers now
    assert again.status_code == 422 and "in the team already" in again.content.decode()


def test_of_two_administrators_only_who_took_her_in_is_shown_it_again(team, owner):
    values = {"email": "jo@example.org", "role": "reviewer"}
    one, other = Client(), Client()
    one.force_login(owner)
    other.force_login(make_user(team=team))
    page = reverse("team", args=["claims"])
    plain = one.post(page, values).context["plain"]
    assert other.post(page, values).status_code == 422
    assert User.objects.get(email="jo@example.org").check_password(plain)


def test_a_share_that_is_ended_by_many_at_once_is_ended_once(team, owner):
    project = make_project(team=team)
    other = make_team()
    share = share_project(project=project, team=other, role=team.roles.get(key="auditor"), by=owner)
    path, calls = reverse("project_unshare", args=[project.key, share.pk]), []
    for _ in range(N):
        client = Client()
        client.force_login(owner)
        calls.append(lambda client=client: client.post(path))
    codes = sorted(answer.status_code for answer in at_once(*calls))
    assert codes == [302] + [404] * (N - 1)
    assert lines("share.end") == 1
