"""Fill an empty database with the demo: a team, two projects, two months of interactions."""

import json
import secrets
from datetime import datetime

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User
from accounts.services import add_member, create_api_key, create_team, create_user
from demo import audit, trial
from demo.comparisons import compare
from demo.corpus import records
from demo.teammates import review
from exports.saved import create_view
from feedback.services import create_feedback_key
from interactions import durable, ids, partitions
from interactions.ingest import ingest
from projects.models import Project
from projects.services import create_project

LOGIN = "mara.lindqvist@alder-row.example"
FEEDBACK_KEYS = [
    {"key": "helpful", "kind": "bool", "name": "Helpful", "description": "The thumb below an answer in the app."},
    {"key": "csat", "kind": "scalar", "name": "CSAT", "minimum": 1, "maximum": 5, "step": 1,
     "description": "Stars that members give when a chat ends, 1 to 5."},
    {"key": "policy-accurate", "kind": "bool", "name": "Policy accurate",
     "description": "A reviewer compared the answer with the house rules and the price list."},
    {"key": "side-by-side", "kind": "bool", "name": "Side by side",
     "description": "Two answers to one question: which of them to send."},
]  # fmt: skip

VIEWS = [("Unhappy members", "feedback=csat:1..2"), ("To be audited", "label=needs-audit:yes")]


class Command(BaseCommand):
    help = "Fill an empty database with the demo project; what opens it is written to DATA_DIR/demo.json."

    def handle(self, **options):
        if User.objects.exists() or Project.objects.exists():
            raise CommandError("There is a user or a project already: the demo goes into an empty database only.")
        with transaction.atomic():
            opens = make_demo()
            settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
            durable.write(settings.DATA_DIR / "demo.json", json.dumps(opens, indent=2))
        self.stdout.write(f"The demo is in the project {opens['project']}; log in as {opens['login']}.")


def make_demo():
    """The people, the projects and what is in them; returns what opens it: login, password, API key, project."""
    password = readable_password()
    mara = create_user(email=LOGIN, name="Mara Lindqvist", password=password)
    jonas = create_user(email="jonas.okafor@alder-row.example", name="Jonas Okafor")
    ines = create_user(email="ines.adeyemi@alder-row.example", name="Ines Adeyemi")
    team = create_team(key="alder-row", name="Alder Row", owner=mara)
    add_member(team=team, user=jonas, role="reviewer")
    add_member(team=team, user=ines, role="annotator")
    helpdesk = create_project(team=team, key="helpdesk", name="Member helpdesk", by=mara)
    kiosk = create_project(team=team, key="lobby-kiosk", name="Lobby kiosk", by=mara)
    keys = [create_feedback_key(team=team, projects=[helpdesk, kiosk], **key)[0] for key in FEEDBACK_KEYS]
    fill(helpdesk, by=mara, reviewer=jonas, annotator=ines, thumb=keys[0], stars=keys[1], accurate=keys[2])
    _, api_key = create_api_key(user=mara, name="Made with the demo")
    return {"login": mara.email, "password": password, "api_key": api_key, "project": helpdesk.key}


def fill(project, *, by, reviewer, annotator, thumb, stars, accurate):
    """Begin the A/B test, log the records, keep some filters, then let the two colleagues do some of their work."""
    now = ids.now()
    logged = list(records(now))
    partitions.ensure([datetime.fromisoformat(record["created_at"]) for record in logged])
    test = trial.begin(project, stars, by=by, records=logged, watched=[thumb, accurate])
    outcomes = ingest(project=project, records=logged, by=by)
    refused = [outcome.error for outcome in outcomes if outcome.error]
    if refused:
        raise CommandError(f"{len(refused)} records of the demo were refused, the first: {refused[0]}")
    kept = [(outcome.id, record) for outcome, record in zip(outcomes, logged, strict=True)]
    review(project, kept, reviewer=reviewer, annotator=annotator, accurate=accurate)
    compare(project, kept, FEEDBACK_KEYS[-1]["key"], grader=by, reviewer=reviewer, annotator=annotator)
    for name, query in VIEWS:
        create_view(project=project, by=by, name=name, query=query, is_shared=True)
    audit.begin(project, kept, by=by, colleagues=[reviewer, annotator])
    trial.look(test)


def readable_password():
    """Four short made-up words, about 50 bits: easy to type from another screen."""
    syllables = [consonant + vowel for consonant in "bdfghklmnprstvz" for vowel in "aeiou"]
    return "-".join(secrets.choice(syllables) + secrets.choice(syllables) for _ in range(4))
