"""Feedback as programs send it, one or many: each value checked whole, its faults named, then stored in pieces."""

import uuid
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied

from accounts.permissions import FEEDBACK
from feedback.giving import Item, NewFeedback, give_many
from feedback.services import checked_value, key_or_404, keys_of
from interactions import ids, jsontext
from interactions.claims import claimed_among
from interactions.models import Interaction
from interactions.rules import (
    FEEDBACK_MEMBERS,
    MAX_TEXT,
    Conflict,
    GivenFeedback,
    RecordError,
    kind_of,
    read_feedback,
    tell,
    text_fault,
)
from projects.access import EntityNotFound, project_or_404
from projects.models import Project

PIECE = 1_000  # values a transaction
NAMING = {"completion_id", "completion_external_id"}  # what it is about: an id of ours, or one of the program's own
BESIDES = {"project", "external_id", *NAMING}
MEMBERS = FEEDBACK_MEMBERS | BESIDES
REFUSALS = (RecordError, EntityNotFound, PermissionDenied, Conflict)


@dataclass(slots=True)
class Outcome:
    """What became of one value: its id, or the `error` it was refused for."""

    id: uuid.UUID | None = None
    duplicate: bool = False
    error: Exception | None = None


@dataclass(slots=True)
class _Read:
    """A value that is well formed, not yet compared with what it is about."""

    outcome: Outcome
    interaction_id: uuid.UUID | None
    own_id: str | None
    given: GivenFeedback
    project: str | None
    external_id: str | None
    payload_sha256: bytes


def take_feedback(records, *, by):
    """Store these values (JSON objects as they were sent), 1,000 a transaction; an Outcome each, in their order.

    Each stands alone: what is wrong with one keeps none of the others out. A value whose external id is taken
    answers with what is there if it says the same, else with a Conflict.
    """
    outcomes = [Outcome() for _ in records]
    for start in range(0, len(records), PIECE):
        piece = slice(start, start + PIECE)
        read = [_read(raw, outcome) for raw, outcome in zip(records[piece], outcomes[piece], strict=True)]
        _store([one for one in read if one], by)
    return outcomes


def _read(raw, outcome):
    """A _Read; None where the outcome tells what is wrong."""
    errors = {}

    def wrong(path, text):
        tell(errors, path.lstrip("."), text)

    if not isinstance(raw, dict):
        outcome.error = RecordError({"": ["Feedback is a JSON object."]})
        return None
    for name, text in raw.items():
        if isinstance(text, str) and (fault := text_fault(text) or text_fault(name)):
            wrong(name, fault)
    if isinstance(raw.get("value"), int) and raw["value"].bit_length() > 1023:
        wrong("value", "The number is too large.")  # for a double, and so for any digest
    given = read_feedback(raw, "", wrong, BESIDES)
    project, external_id, own_id = (
        _text(raw, name, wrong) for name in ("project", "external_id", "completion_external_id")
    )
    if own_id is not None and (project is None or raw.get("completion_id") is not None):
        wrong("completion_external_id", "Name its project beside it, and send no completion_id.")
    interaction_id = _uuid(raw, wrong) if own_id is None else None
    read = _Read(outcome, interaction_id, own_id, given, project, external_id, b"")
    if errors:
        outcome.error = RecordError({path.encode(errors="replace").decode(): texts for path, texts in errors.items()})
        return None
    read.payload_sha256 = jsontext.digest({name: value for name, value in raw.items() if name != "project"})
    return read


def _uuid(raw, wrong):
    try:
        return uuid.UUID(raw["completion_id"])
    except (KeyError, AttributeError, TypeError, ValueError):
        wrong("completion_id", "Send the id of the interaction, as logging it answered.")
        return None


def _text(raw, name, wrong):
    value = raw.get(name)
    if value is not None and (not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT):
        wrong(name, f"Send text of 1 to {MAX_TEXT} characters, not {kind_of(value)}.")
    return value


def _store(read, by):
    """Compare with the interactions and keys that these are about, and store what fits, project by project."""
    projects = _Projects(by)
    read = _named(projects, read)
    of = dict(Interaction.objects.filter(pk__in={one.interaction_id for one in read}).values_list("pk", "project_id"))
    pieces = {}
    for one in read:
        try:
            project, keys = projects.of_interaction(one, of.get(one.interaction_id))
            pieces.setdefault(project.pk, (project, []))[1].append((one, _item(one, keys)))
        except REFUSALS as error:
            one.outcome.error = error
    for _, (project, piece) in sorted(pieces.items()):
        give_many(project=project, items=[item for _, item in piece], by=by)
        for one, item in piece:
            one.outcome.error, one.outcome.duplicate = item.error, item.duplicate
            one.outcome.id = None if item.error else item.row.id


def _named(projects, read):
    """Those whose interactions are known by now: the external ids of a project are looked up at once."""
    by_project = {}
    for one in read:
        if one.own_id is not None:
            by_project.setdefault(one.project, []).append(one)
    for word, asked in by_project.items():
        try:
            known = claimed_among(projects.named(word), "interaction", {one.own_id for one in asked})
        except REFUSALS as error:
            known, refused = {}, error
        else:
            refused = None
        for one in asked:
            one.interaction_id = known.get(one.own_id)
            if one.interaction_id is None:
                one.outcome.error = refused or EntityNotFound("Interaction", one.own_id)
    return [one for one in read if one.interaction_id is not None]


def _item(one, keys):
    given = one.given
    try:
        key = key_or_404(keys, given.key)
        value = checked_value(key, given.value)
    except ValueError as error:
        raise RecordError({"value": [str(error)]}) from None
    row = NewFeedback(
        ids.make(ids.now()), one.interaction_id, key, value, given.details, given.user, given.origin, one.external_id
    )
    return Item(row, one.payload_sha256)


class _Projects:
    """The projects that a request speaks of, each asked for once at the gate."""

    def __init__(self, user):
        self.user = user
        self.known = {}

    def named(self, word):
        """The project of this key or id, at the gate."""
        return project_or_404(self.user, word, FEEDBACK)

    def of_interaction(self, one, project_id):
        """(project, its keys); a stranger's interaction is as unknown as one that never was, and so is one that is
        not of the project that was named."""
        project, error = self._gate(project_id)
        if one.project is not None and project and one.project not in {project.key, str(project.uid)}:
            error = EntityNotFound("Interaction", one.interaction_id)
        if isinstance(error, EntityNotFound):
            raise EntityNotFound("Interaction", one.interaction_id)
        if error:
            raise error
        return self.known[project_id][0], self.known[project_id][2]

    def _gate(self, project_id):
        """(project, None) or (None, why not)."""
        if project_id not in self.known:
            self.known[project_id] = self._asked(project_id)
        return self.known[project_id][:2]

    def _asked(self, project_id):
        row = Project.objects.filter(pk=project_id).first()
        try:
            if row is None:
                raise EntityNotFound("Project", project_id)
            project = project_or_404(self.user, row.uid, FEEDBACK)
        except (EntityNotFound, PermissionDenied) as error:
            return None, error, {}
        return project, None, keys_of(project)
