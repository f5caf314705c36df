"""Rows of the table, with all that their template asks prepared: it is filled fifty times a page.

What is the same in many rows (a label, a value of a key) is rendered once and kept.
"""

import functools

from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.safestring import mark_safe

from feedback.models import FeedbackKey
from interactions.models import Label
from interactions.rendering import found
from interactions.templatetags.interactions import PLUMBING, feedback_mark
from interactions.views.address import is_single

TAGS = 2  # labels in a row
COLUMNS = 2  # feedback keys in a row
KEPT = 4_096
SPRITE = "generated/icons.svg"  # where the icons of a mark lie


def fill_rows(rows, address, columns, pattern=None):
    """Give each row its address, its texts as HTML with the words of the pattern marked, the labels to show but those
    that the filter fixes (`.tags`, `.more`), and a mark for each column's key."""
    fixed = {is_single(text) for text in address.all("label")}
    sprite = static(SPRITE)
    for row in rows:
        free = [label for label in row.labels if (label.key, label.value) not in fixed]
        free.sort(key=lambda label: label.key.lower() in PLUMBING)
        row.address = address.of(row.id)
        row.prompt, row.completion = found(row.prompt_preview, pattern), found(row.completion_preview, pattern)
        row.tags, row.more = free[:TAGS], free[TAGS:]
        row.tags_html = [_tag(label.key, label.value, label.hue) for label in row.tags]
        row.marks = [_mark(*_scale(key), row.feedbacks.get(key.key), sprite) for key in columns]


@functools.lru_cache(maxsize=KEPT)
def _tag(key, value, hue):
    return _rendered("_row_tag", {"label": Label(key=key, value=value, hue=hue)})


def _scale(key):
    """What the look of a key's values depends on."""
    return key.kind, key.minimum, key.maximum, key.lower_is_better


@functools.lru_cache(maxsize=KEPT)
def _mark(kind, minimum, maximum, lower_is_better, value, sprite):
    """The mark of a value; its icons lie in the sprite."""
    key = FeedbackKey(kind=kind, minimum=minimum, maximum=maximum, lower_is_better=lower_is_better)
    return _rendered("_mark", feedback_mark(key, value))


def _rendered(name, context):
    html = render_to_string(f"interactions/{name}.html", context)
    return mark_safe(html.strip())  # noqa: S308 - what a template gave, without the line's end
