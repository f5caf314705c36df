"""A way back in for whoever no administrator may give a new password: the last one, or a member of several teams."""

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.services import reset_password


class Command(BaseCommand):
    help = "Give a person a new one-time password and print it; her sessions end, and at the login she chooses her own."

    def add_arguments(self, parser):
        parser.add_argument("email", help="the address to log in with")
        parser.add_argument("--revoke-keys", action="store_true", help="revoke her API keys too; else they stay")

    def handle(self, *, email, revoke_keys, **options):
        user = User.objects.at(email).first()
        if user is None:
            raise CommandError(f"Nobody has the address {email}.")
        self.stdout.write(reset_password(user=user, revoke_keys=revoke_keys))
