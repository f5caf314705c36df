"""Log the bench's user in and print the cookie that its browser would send."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.management.base import BaseCommand

from accounts.models import User
from bench import state


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def handle(self, **options):
        user = User.objects.get(email=state.read(settings.DATA_DIR)["user"])
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        self.stdout.write(f"{settings.SESSION_COOKIE_NAME}={session.session_key}")
