"""A fresh install's first user."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Membership, Team, User
from tests.factories import make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def password(monkeypatch):
    monkeypatch.setenv("ADMIN_PASSWORD", "correct horse battery")


def test_it_makes_the_person_and_the_team(password):
    call_command("create_admin", "mara@example.org", "--team", "Claims desk", stdout=io.StringIO())
    member = Membership.objects.get()
    assert member.user.email == "mara@example.org" and member.user.check_password("correct horse battery")
    assert (member.team.key, member.team.name, member.role.key) == ("claims-desk", "Claims desk", "administrator")


def test_it_reads_the_password_from_what_is_piped_in(monkeypatch):
    monkeypatch.delenv("ADMIN_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    call_command("create_admin", "mara@example.org", stdout=io.StringIO())
    assert User.objects.get().check_password("correct horse battery")


def test_somebody_known_becomes_administrator_of_the_team_there_is(monkeypatch):
    monkeypatch.delenv("ADMIN_PASSWORD", raising=False)
    team = make_team("main")
    jo = make_user("jo@example.org", password="correct horse battery", team=team, role="auditor")
    call_command("create_admin", "JO@example.org", stdout=io.StringIO())
    assert Team.objects.count() == 1
    assert Membership.objects.get(user=jo).role.key == "administrator"
    jo.refresh_from_db()
    assert jo.check_password("correct horse battery")


@pytest.mark.parametrize(
    ("email", "given"),
    [("no address", "correct horse battery"), ("mara@example.org", "short"), ("mara@example.org", "")],
)
def test_a_bad_address_or_password_is_refused_and_nothing_made(monkeypatch, email, given):
    monkeypatch.setenv("ADMIN_PASSWORD", given)
    monkeypatch.setattr("sys.stdin", io.StringIO(given + "\n"))
    with pytest.raises(CommandError):
        call_command("create_admin", email)
    assert not User.objects.exists() and not Team.objects.exists()


def test_before_the_first_start_it_says_what_makes_the_tables(password):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO pg_temp")  # where there is none
    with pytest.raises(CommandError, match="start Marginalia once"):
        call_command("create_admin", "mara@example.org")
