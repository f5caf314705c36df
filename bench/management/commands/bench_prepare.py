"""Make the team, the user, the key and the project of the bench, where they are not there yet."""

from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.services import create_api_key, create_team, create_user
from bench import state
from bench.corpus import FEEDBACK_KEYS
from feedback.services import create_feedback_key
from interactions import ids
from interactions.partitions import ensure
from projects.services import create_project

PROJECTS = {"corpus": "Corpus", "writes": "Writes"}


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--n", type=int, required=True)
        parser.add_argument("--seed", type=int, required=True)

    def handle(self, *, n, seed, **options):
        known = state.read(settings.DATA_DIR)
        state.check(known, settings.DATA_DIR, n=n, seed=seed)
        if known:
            return
        user = create_user(email="bench@marginalia.example", name="Bench")
        team = create_team(key="bench", name="Bench", owner=user)
        projects = [create_project(team=team, key=key, name=name, by=user) for key, name in PROJECTS.items()]
        for key, kind in FEEDBACK_KEYS:
            create_feedback_key(team=team, key=key, kind=kind, projects=projects)
        _, api_key = create_api_key(user=user, name="Bench")
        # whole seconds in the past: what is logged while measuring is newer than the corpus
        end = ids.now().replace(microsecond=0)
        kept = state.write(settings.DATA_DIR, n=n, seed=seed, end=end.isoformat(), api_key=api_key, user=user.email)
        corpus = state.corpus_of(kept)
        ensure([corpus.moment(number) for number in range(0, n, max(n // 100, 1))])
