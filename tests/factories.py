"""Plain functions that make what tests need, the way the product makes it."""

import itertools

from accounts.models import Team
from accounts.services import add_member, create_api_key, create_team, create_user
from interactions.ingest import ingest
from interactions.models import Interaction
from projects.services import create_project

_numbers = itertools.count(1)


def make_user(email=None, *, name="Mara Lindqvist", password=None, team=None, role="administrator"):
    """A person; in a team where one is given. Without a password she comes in by client.force_login alone."""
    user = create_user(email=email or f"person{next(_numbers)}@example.org", name=name, password=password)
    if team:
        add_member(team=team, user=user, role=role)
    return user


def make_team(key=None, *, owner=None):
    """A team, with an administrator of its own unless an owner is given."""
    key = key or f"team-{next(_numbers)}"
    return create_team(key=key, name=key.title(), owner=owner or make_user())


def make_project(key=None, *, team=None, name=None):
    """A project of the team, made by its first member."""
    team, key = team or make_team(), key or f"project-{next(_numbers)}"
    return create_project(team=team, key=key, name=name or key.title(), by=team.members.order_by("pk").first())


def make_api_key(user):
    """The plain key."""
    return create_api_key(user=user, name="Test")[1]


def bearer(user):
    """Headers with which a program acts as this person."""
    return {"Authorization": f"Bearer {make_api_key(user)}"}


def owner_of(project):
    """The first administrator of the project's team."""
    return Team.objects.get(pk=project.team_id).members.order_by("pk").first()


def make_interaction(project, **record):
    """One interaction, logged as by POST."""
    record = {"messages": [{"role": "user", "content": "Am I covered?"}], "completion": "Yes.", "model": "m"} | record
    (outcome,) = ingest(project=project, records=[record], by=owner_of(project))
    if outcome.error:
        raise outcome.error
    return Interaction.objects.get(pk=outcome.id)
