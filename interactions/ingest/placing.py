"""Where a record belongs before it is stored: the id that was made for it, and the arm of an A/B test that answered."""

import uuid
from typing import NamedTuple

from experiments.assignment import arms_of, not_an_arm
from interactions.models import Interaction, Source
from interactions.rules import RecordError
from interactions.touches import insert_touches
from projects.access import EntityNotFound


class Placed(NamedTuple):
    """What was settled before the record was made: its interaction's id, and its arm (None: of none, also where the
    record names a test: the default may have answered). A record whose id is stored already is a duplicate of that,
    whatever it says."""

    id: uuid.UUID | None = None
    arm: int | None = None


def give_arms(project, entries):
    """Entries that name a test take part in it, in the arm of their model; where it is paused or over in none. Those
    that were placed are where they belong."""
    entries = [e for e in entries if e.record.ab_campaign and not e.is_placed and not e.outcome.error]
    if not entries:
        return
    tests = arms_of(project=project, campaigns={entry.record.ab_campaign for entry in entries})
    for entry in entries:
        try:
            entry.arm = _arm(tests, entry.record.ab_campaign, entry.record.model)
            if entry.arm is None:
                entry.outcome.note = (
                    f"The A/B test {entry.record.ab_campaign} is paused or over: this counts in no arm."
                )
        except (RecordError, EntityNotFound) as error:
            entry.outcome.error = error


def _arm(tests, campaign, model):
    if campaign not in tests:
        raise EntityNotFound("A/B test", campaign)
    arms = tests[campaign]
    if arms is None:
        return None
    if model not in arms:
        raise RecordError({"model": [not_an_arm(campaign, model, arms)]})
    return arms[model]


def not_there(entries):
    """The entries whose given ids are not stored, each id once; the others are told to be duplicates."""
    given = [entry.place for entry in entries if entry.place]
    sessions, left = dict(Interaction.objects.filter(pk__in=given).values_list("pk", "session")), []
    for entry in entries:
        if entry.place in sessions:
            entry.outcome.id, entry.outcome.session = entry.place, sessions[entry.place]
            entry.outcome.duplicate = True
            continue
        left.append(entry)
        if entry.place:
            sessions[entry.place] = entry.record.session
    return left


def touch(entries):
    """The tests are to count these; simulated traffic never counts."""
    insert_touches(
        [
            (entry.arm, entry.outcome.id, None)
            for entry in entries
            if entry.arm is not None and entry.record.source != Source.SIMULATION
        ]
    )
