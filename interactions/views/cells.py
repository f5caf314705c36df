"""What a row of the table shows in each of its columns, as HTML. What is the same in many rows (a label, a value of a
key) is rendered once and kept.
"""

import functools
from typing import NamedTuple

from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from accounts.models import User
from experiments.models import Arm
from feedback.models import FeedbackKey
from interactions.models import Label, Source
from interactions.rendering import found, plainly, text
from interactions.templatetags.interactions import PLUMBING, count, feedback_mark, milliseconds, moments
from interactions.views.address import Address, is_single

TAGS = 2  # labels in a row
KEPT = 4_096
SPRITE = "generated/icons.svg"  # where the icons of a mark lie
FAILED = '<span class="bad">failed</span> '
NO_TEXT = '<span class="mute">no text</span>'
NONE = '<span class="none">–</span>'
MODEL = '<div class="model" title="{}">{}</div>'
TEXT = '<div class="model" title="{}"><bdi>{}</bdi></div>'
WORDS = '<div class="truncate" title="{}"><bdi>{}</bdi></div>'
MORE = '<span class="tag hue-9 more" title="{}">+{}</span>'
MARK = '<td role="cell" class="d-fb">{}</td>'
ALIKE = '<a class="tag hue-9 more alike" href="{}" title="Show all that are alike">{} alike</a>'


class Filling(NamedTuple):
    """Rows of an address's table: `keys` are the feedback keys that have a mark, `pattern` the words to be marked."""

    rows: list
    address: Address
    keys: list
    pattern: object


def cells_of(columns, filling):
    """[(name of a Column, function of a row that gives its HTML)]; what is looked up is so once for all rows."""
    return [(column.name, _MAKERS[column.name](filling)) for column in columns]


def _prompts(filling):
    return lambda row: found(row.prompt_preview, filling.pattern) or NO_TEXT


def _completions(filling):
    def completion(row):
        """A call that failed has its mark, and mostly no text."""
        said = found(row.completion_preview, filling.pattern)
        return FAILED + said if row.failed else said or NO_TEXT

    return completion


def _models(filling):
    return lambda row: _model(row.model.key if row.model else "")


def _texts(name):
    return lambda filling: lambda row: _text(getattr(row, name))


def _sources(filling):
    return lambda row: Source(row.source).label


def _people(filling):
    people = User.objects.only("name", "email").in_bulk({row.logged_by_id for row in filling.rows} - {None})
    told = {pk: _words(str(one), one.email) for pk, one in people.items()}
    return lambda row: told.get(row.logged_by_id, NONE)


def _arms(filling):
    arms = Arm.objects.select_related("test").in_bulk({row.arm for row in filling.rows} - {None})
    told = {pk: _words(f"{arm.letter} of {arm.test.name}") for pk, arm in arms.items()}
    return lambda row: told.get(row.arm, NONE)


def _alike(filling):
    return lambda row: format_html(ALIKE, row.alike[1], row.alike[0]) if row.alike else ""


def _labels(filling):
    """How many are alike, and the labels but those that the filter fixes."""
    fixed, alike = {is_single(text) for text in filling.address.all("label")}, _alike(filling)

    def labels(row):
        free = [label for label in row.labels if (label.key, label.value) not in fixed]
        free.sort(key=lambda label: label.key.lower() in PLUMBING)
        tags = "".join(_tag(label.key, label.value, label.hue) for label in free[:TAGS])
        more = format_html(MORE, ", ".join(map(str, free[TAGS:])), len(free) - TAGS) if free[TAGS:] else ""
        return f"{alike(row)}{tags}{more}"

    return labels


def _marks(filling):
    sprite, scales = static(SPRITE), [(key.key, _scale(key)) for key in filling.keys]
    return lambda row: "".join(MARK.format(_mark(*scale, row.feedbacks.get(key), sprite)) for key, scale in scales)


def _figures(name, written):
    return lambda filling: lambda row: NONE if getattr(row, name) is None else written(getattr(row, name))


def _times(filling):
    write = moments()
    return lambda row: write(row.created_at)


_MAKERS = {
    "prompt": _prompts,
    "completion": _completions,
    "model": _models,
    "user": _texts("user"),
    "session": _texts("session"),
    "source": _sources,
    "logged_by": _people,
    "arm": _arms,
    "labels": _labels,
    "alike": _alike,
    "feedback": _marks,
    "prompt_tokens": _figures("prompt_tokens", count),
    "completion_tokens": _figures("completion_tokens", count),
    "latency": _figures("latency_ms", milliseconds),
    "time": _times,
}


@functools.lru_cache(maxsize=KEPT)
def _model(key):
    return format_html(MODEL, key, key or "–")


def _text(value):
    return format_html(TEXT, plainly(value), text(value)) if value else NONE


def _words(value, title=None):
    return format_html(WORDS, plainly(title or value), text(value))


@functools.lru_cache(maxsize=KEPT)
def _tag(key, value, hue):
    return rendered("_row_tag", {"label": Label(key=key, value=value, hue=hue)})


def _scale(key):
    """What the look of a key's values depends on."""
    return key.kind, key.minimum, key.maximum, key.lower_is_better


@functools.lru_cache(maxsize=KEPT)
def _mark(kind, minimum, maximum, lower_is_better, value, sprite):
    """The mark of a value; its icons lie in the sprite."""
    key = FeedbackKey(kind=kind, minimum=minimum, maximum=maximum, lower_is_better=lower_is_better)
    return rendered("_mark", feedback_mark(key, value))


def rendered(name, context):
    """The template of this name as it stands in a row."""
    html = render_to_string(f"interactions/{name}.html", context)
    return mark_safe(html.strip())  # noqa: S308 - what a template gave, without the line's end
