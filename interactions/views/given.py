"""What is shown of what was given to an interaction: its feedback and the controls to give more, the better answer,
its comparisons, and the history of all of it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.models import User
from accounts.permissions import FEEDBACK
from feedback.corrections import correction_of, corrections_history
from feedback.giving import history_of
from feedback.models import Feedback, FeedbackKey, Origin
from feedback.preferences import preferences_of
from feedback.services import keys_of
from interactions import rendering
from interactions.differences import differences, visible_text
from interactions.labels import history

MOST_BUTTONS = 11  # a scale of more steps is typed
HISTORY = 50
LONGEST_DRAFT = 50_000  # characters that a field is filled with
LONGEST_SHOWN = 200_000  # characters that a page shows of it


@dataclass
class Control:
    """How a value of this key is given: by one button a value, or typed. `mine`: what this person gave."""

    key: FeedbackKey
    buttons: list
    mine: Feedback | None = None


@dataclass
class Event:
    """A line of the history; what it tells lies in `row` and `former`, `kind` says of what sort they are."""

    kind: str
    row: object
    former: object
    by: User | None
    at: datetime
    id: object


def given_context(project, interaction, user):
    """What the panel's templates ask for."""
    keys = list(keys_of(project).values())
    told = [(row, former) for row, former in history_of(interaction.pk) if row.feedback_key in keys]
    corrected_by = {row.id: row.by for row, former in told if former}
    current = [row for row, _ in reversed(told) if row.superseded_by is None]
    may_give, events = FEEDBACK in project.permissions, _history(interaction, told)
    return {
        "may_give": may_give,
        "feedbacks": [(one, control_of(one.feedback_key, current, user), corrected_by.get(one.id)) for one in current],
        "controls": [control_of(key, current, user) for key in keys] if may_give else [],
        "history": events[:HISTORY],
        "history_is_cut": len(events) > HISTORY,
        "comparisons": preferences_of(interaction),
        **correction_context(interaction),
    }


def control_of(key, current, user):
    """The Control of a key for this person."""
    mine = [one for one in current if one.feedback_key_id == key.pk and _is_own(one, user)]
    buttons = _buttons(key)
    return Control(key, buttons, mine[-1] if mine else None)


def _is_own(one, user):
    return one.origin == Origin.REVIEWER and one.by_id == user.pk and not one.user


def _buttons(key):
    """[(value, its text)], none where it is typed."""
    if key.kind == FeedbackKey.Kind.BOOL:
        return [(1.0, "Yes"), (0.0, "No")]
    if None in (key.minimum, key.maximum, key.step):
        return []
    # in decimals, so that 0.1 three times is 0.3
    start, end, step = (Decimal(repr(number)) for number in (key.minimum, key.maximum, key.step))
    steps = int((end - start) / step)
    if not 1 <= steps < MOST_BUTTONS:
        return []
    values = [start + step * place for place in range(steps + 1)]
    return [(float(value), f"{value.normalize():f}") for value in values]


def correction_context(interaction):
    """The better answer and what it changes, word by word, of the text as it is rendered."""
    correction = correction_of(interaction.pk)
    draft = correction.completion if correction else interaction.body.completion
    context = {"correction": correction, "draft": draft if len(draft) <= LONGEST_DRAFT else ""}
    if correction is None:
        return context
    rendered = [rendering.markdown(text) for text in (interaction.body.completion, correction.completion)]
    whole = not any(one.cut for one in rendered)
    pieces = differences(*(visible_text(str(one.html)) for one in rendered)) if whole else None
    return {**context, "pieces": pieces, "shown": rendering.cut(correction.completion, LONGEST_SHOWN)}


def _history(interaction, told):
    """[Event] of labels, feedback under the project's keys and better answers, newest first. What came by a program and
    was never touched is no event: it is the feedback that is shown."""
    labelled = history(interaction)[: HISTORY + 1]
    events = [Event("label", one, None, one.by, one.created_at, one.id) for one in labelled]
    for row, former in told:
        is_over = row.superseded_by not in (None, row.id)
        if former or is_over or row.origin == Origin.REVIEWER:
            kind = "withdrawn" if row.superseded_by == row.id else "corrected" if former else "given"
            events.append(Event(kind, row, former, row.by, row.created_at, row.id))
    for row in corrections_history(interaction.pk):
        kind = "unwritten" if row.superseded_by == row.id else "written"
        events.append(Event(kind, row, None, row.by, row.created_at, row.id))
    return sorted(events, key=lambda event: event.id, reverse=True)
