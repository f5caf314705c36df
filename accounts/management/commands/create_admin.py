"""The first user of a fresh install, or another administrator."""

import getpass
import os
import sys

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.db.utils import ProgrammingError
from django.utils.text import slugify
from psycopg.errors import UndefinedTable

from accounts.models import Team, User
from accounts.services import add_member, create_team, create_user


class Command(BaseCommand):
    help = "Make a person an administrator of a team; person and team are created where they do not exist."

    def add_arguments(self, parser):
        parser.add_argument("email", help="the address to log in with")
        parser.add_argument("--name", help="the person's name (from the address unless given)")
        parser.add_argument("--team", default="Main", help="the team's name; its key follows from it (default: Main)")

    def handle(self, **options):
        try:
            self._make(**options)
        except ProgrammingError as error:
            if isinstance(error.__cause__, UndefinedTable):
                raise CommandError("There are no tables yet: start Marginalia once, which makes them.") from None
            raise

    @transaction.atomic
    def _make(self, *, email, name, team, **options):
        user = User.objects.at(email).first() or self._create(email, name)
        key = slugify(team)
        if not key:
            raise CommandError(f"No key can be made of the team's name {team!r}.")
        existing = Team.objects.filter(key=key).first()
        if existing:
            add_member(team=existing, user=user, role="administrator")
        else:
            existing = create_team(key=key, name=team, owner=user)
        self.stdout.write(f"{user.email} is an administrator of {existing.name}.")

    def _create(self, email, name):
        try:
            validate_email(email)
            password = _password()
            validate_password(password, User(email=email, name=name or ""))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        return create_user(email=email, name=name or email.partition("@")[0], password=password)


def _password():
    """From ADMIN_PASSWORD, else typed twice, else the first line of what is piped in."""
    if password := os.environ.get("ADMIN_PASSWORD"):
        return password
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Password, once more: "):
        raise CommandError("The two passwords differ.")
    return password
