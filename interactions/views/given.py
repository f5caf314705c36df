"""What is shown of what was given to an interaction: its feedback and the controls to give more, the better answer,
its comparisons, and what reviewers said."""

from dataclasses import dataclass
from decimal import Decimal

from accounts.permissions import FEEDBACK
from feedback.corrections import correction_of
from feedback.giving import history_of
from feedback.models import Feedback, FeedbackKey, Origin
from feedback.preferences import preferences_of
from feedback.services import keys_of
from interactions import rendering
from interactions.differences import differences, visible_text
from interactions.views.history import events_of, page_of_history, tell_who_set
from reviews.reading import reads_all, reviews_of
from reviews.sayings import said_by_item

MOST_BUTTONS = 11  # a scale of more steps is typed
LONGEST_DRAFT = 50_000  # characters that a field is filled with
LONGEST_SHOWN = 200_000  # characters that a page shows of it


@dataclass
class Control:
    """How a value of this key is given: by one button a value, or typed. `mine`: what this person gave."""

    key: FeedbackKey
    buttons: list
    mine: Feedback | None = None


def given_context(project, interaction, user, notes):
    """What the panel's templates ask for; each of the interaction's labels gets `.set` (see tell_who_set). Of the
    `notes` (see notes_history) the history alone is told here."""
    keys = list(keys_of(project).values())
    everything = history_of(interaction.pk)
    told = [(row, former) for row, former in everything if row.feedback_key in keys]
    corrected_by = {row.id: row.by for row, former in told if former}
    current = [row for row, _ in reversed(told) if row.superseded_by is None]
    reviews = reviews_of(project, interaction.pk, user)
    may_give, events = FEEDBACK in project.permissions, events_of(interaction, everything, keys, notes, reviews)
    tell_who_set(interaction.labels, events)
    return {
        "may_give": may_give,
        "feedbacks": [(one, control_of(one.feedback_key, current, user), corrected_by.get(one.id)) for one in current],
        "controls": [control_of(key, current, user) for key in keys] if may_give else [],
        **page_of_history(events),
        "comparisons": preferences_of(interaction),
        "reviewed": said_by_item(reviews, user, aside=reads_all(project)),
        "reads_items": reads_all(project),
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
