"""Rows of the table as HTML. There are fifty on a page, and the template engine would take most of a page's time for
them: their template is rendered once and its places are filled here. What is the same in many rows (a label, a value of
a key) is rendered once and kept too.
"""

import functools

from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe

from accounts.permissions import DELETE, LABEL, MANAGE_PROJECT, MANAGE_REVIEWS
from feedback.models import FeedbackKey
from interactions.models import Label
from interactions.notes import numbers_of
from interactions.rendering import found
from interactions.templatetags.interactions import PLUMBING, feedback_mark, moment
from interactions.views.address import is_single

TAGS = 2  # labels in a row
COLUMNS = 2  # feedback keys in a row
KEPT = 4_096
SPRITE = "generated/icons.svg"  # where the icons of a mark lie
FAILED = '<span class="bad">failed</span> '
NO_TEXT = '<span class="mute">no text</span>'
MODEL = '<div class="model" title="{}">{}</div>'
ALIKE = '<a class="tag hue-9 more alike" href="{}" title="Show all that are alike">{} alike</a>'
MORE = '<span class="tag hue-9 more" title="{}">+{}</span>'
CELL = '<td role="cell" class="d-fb">{}</td>'


def may_tick(project):
    """Whether there is anything that this person may do to ticked rows."""
    return not project.permissions.isdisjoint({LABEL, DELETE, MANAGE_PROJECT, MANAGE_REVIEWS})


def columns_of(keys, address):
    """The feedback keys that have a column, in their order: those that the filter asks about before others."""
    asked = {key for text in address.all("feedback") for key in (text, text.rpartition(":")[0])}
    return sorted(sorted(keys, key=lambda key: key.key not in asked)[:COLUMNS], key=keys.index)


def fill_rows(rows, address, columns, pattern=None):
    """Give each row its `.html`: its texts with the words of the pattern marked, how many notes it has, the labels but
    those that the filter fixes, how many are alike it (`.alike`, as count_alike gives it) and a mark for each column's
    key."""
    notes = numbers_of([row.pk for row in rows])
    fixed = {is_single(text) for text in address.all("label")}
    form, sprite, scales = _form(may_tick(address.project)), static(SPRITE), [_scale(key) for key in columns]
    for row in rows:
        free = [label for label in row.labels if (label.key, label.value) not in fixed]
        free.sort(key=lambda label: label.key.lower() in PLUMBING)
        marks = [_mark(*scale, row.feedbacks.get(key.key), sprite) for key, scale in zip(columns, scales, strict=True)]
        row.html = mark_safe(  # noqa: S308 - each part is escaped, or what a template gave
            form.format(
                id=row.id,
                address=escape(address.of(row.id)),
                prompt=found(row.prompt_preview, pattern) or NO_TEXT,
                inside=_inside(row.images, row.tools, notes.get(row.pk, 0), sprite),
                completion=_completion(row, pattern),
                model=_model(row.model.key if row.model else ""),
                alike=format_html(ALIKE, row.alike[1], row.alike[0]) if row.alike else "",
                tags="".join(_tag(label.key, label.value, label.hue) for label in free[:TAGS]),
                more=format_html(MORE, ", ".join(map(str, free[TAGS:])), len(free) - TAGS) if free[TAGS:] else "",
                marks="".join(map(CELL.format, marks)),
                moment=moment(row.created_at),
            )
        )


def _completion(row, pattern):
    """A call that failed has its mark, and mostly no text."""
    text = found(row.completion_preview, pattern)
    return FAILED + text if row.failed else text or NO_TEXT


@functools.cache
def _form(may_tick):
    return _rendered("_row", {"may_tick": may_tick})


@functools.lru_cache(maxsize=KEPT)
def _inside(images, tools, notes, sprite):
    """What is told of an interaction beside its text; its icons lie in the sprite."""
    return _rendered("_row_inside", {"images": images, "tools": tools, "notes": notes})


@functools.lru_cache(maxsize=KEPT)
def _model(key):
    return format_html(MODEL, key, key or "–")


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
