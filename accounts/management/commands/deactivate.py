"""The end of an account everywhere, for whoever no administrator may end it: a member of several teams."""

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.services import LastAdministrator, activate, deactivate


class Command(BaseCommand):
    help = "End a person's account: her sessions and API keys end, and she cannot log in. What she did stays."

    def add_arguments(self, parser):
        parser.add_argument("email", help="the address to log in with")
        parser.add_argument("--undo", action="store_true", help="let her log in again; revoked keys stay so")

    def handle(self, *, email, undo, **options):
        user = User.objects.at(email).first()
        if user is None:
            raise CommandError(f"Nobody has the address {email}.")
        if undo:
            activate(user=user)
            self.stdout.write(f"{user.email} may log in again.")
            return
        try:
            deactivate(user=user)
        except LastAdministrator:
            raise CommandError(f"{user.email} is the only administrator of a team: make another one first.") from None
        self.stdout.write(f"The account of {user.email} has ended.")
