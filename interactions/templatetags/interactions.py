"""How interactions, labels and feedback look in a page."""

import datetime
import zlib

from django import template
from django.utils import timezone
from django.utils.html import format_html

from interactions import rendering
from interactions.jsontext import dumps
from interactions.measures import size

register = template.Library()

PLUMBING = {"app", "channel", "dataset", "env", "item", "lang", "language", "locale", "platform", "source", "version"}
FLAG = "yes"  # the value of a label that was given as a word alone
HUES = 9  # the tenth is the grey of plumbing
SALT = "31"  # chosen so that the keys most people use fall apart
TOLD = 2_000  # characters of an error that is no text
SHORT = 4  # characters; a value this short says nothing without its key

register.filter("shown", rendering.text)
register.filter("linked", rendering.linked)
register.filter("plainly", rendering.plainly)
register.filter(size)


@register.filter
def found(value, pattern):
    """Text with the words of the search marked."""
    return rendering.found(value, pattern)


@register.filter
def hue(label):
    """The colour class of a label: always the same for a key, chosen for it or following from its name."""
    if getattr(label, "hue", None) is not None:
        return f"hue-{label.hue}"
    if label.key.lower() in PLUMBING:
        return f"hue-{HUES}"
    return f"hue-{zlib.crc32(f'{SALT}{label.key}'.encode()) % HUES}"


@register.filter
def is_flag(label):
    """The key says it all."""
    return label.value.lower() in {FLAG, "true"}


@register.filter
def is_short(label):
    return len(label.value) <= SHORT


@register.filter
def count(n):
    """1,284"""
    return f"{n:,}"


@register.filter
def capped(counted):
    """1,284; where it was not counted to the end the round number below: 10k+, 300+, 20+."""
    if not counted.capped:
        return f"{counted.n:,}"
    if counted.n < 10:
        return "some"
    if counted.n >= 1_000:
        return f"{counted.n // 1_000}k+"
    size = 100 if counted.n >= 100 else 10
    return f"{counted.n // size * size}+"


@register.filter
def milliseconds(value):
    """340 ms, 1.24 s, 2 min 5 s"""
    if value < 1_000:
        return f"{value} ms"
    if value < 60_000:
        return f"{value / 1000:.2f} s"
    return f"{value // 60_000} min {value // 1_000 % 60} s"


@register.filter
def number(value):
    """A figure as people write it: 4, 4.5, 0.333"""
    return f"{value:,.3f}".rstrip("0").rstrip(".")


@register.simple_tag
def moment(value, form="short"):
    """A time in the reader's zone: of today the hour, else the day too. `long` writes all of it with the zone."""
    return moments(form)(value)


def moments(form="short"):
    """A function that writes times as `moment` does, for many of them: zone and day are looked up once."""
    here, today = timezone.get_current_timezone(), timezone.localdate()

    def written(value):
        local = value.astimezone(here)
        long = f"{local:%d %b %Y, %H:%M:%S} {local.tzname()}".lstrip("0")
        if form == "long":
            text = f"{local:%d %b %Y, %H:%M} {local.tzname()}".lstrip("0")
        elif form == "seconds":
            text = f"{local:%H:%M:%S}"
        else:
            text = _short(local, today)
        sent = value.isoformat(timespec="milliseconds")
        return format_html('<time datetime="{}" title="{}">{}</time>', sent, long, text)

    return written


def _short(local, today):
    if local.date() == today:
        return f"{local:%H:%M}"
    if local.date() > today - datetime.timedelta(days=300):
        return f"{local:%d %b, %H:%M}".lstrip("0")
    return f"{local:%d %b %Y}".lstrip("0")


@register.simple_tag
def zone():
    """The reader's zone: (its short name now, its name)."""
    return timezone.localtime().tzname(), timezone.get_current_timezone_name()


@register.inclusion_tag("interactions/_mark.html")
def feedback_mark(key, value):
    """A value of a feedback key: a thumb for yes and no, a bar and the figure for a number."""
    mark = {"key": key, "value": value, "is_bool": key.kind == "bool"}
    if value is None:
        return mark
    if mark["is_bool"]:
        good = bool(value) is not key.lower_is_better
        return {**mark, "tone": "good" if good else "bad", "yes": bool(value)}
    share = _share(key, value)
    mark["figure"] = f"{value:.1f}" if share is not None and 1 < key.maximum - key.minimum <= 100 else number(value)
    return {**mark, "tone": _tone(key, share), "width": None if share is None else round(30 * share, 1)}


@register.filter
def unlocalized(value):
    """A number as a field's value: 4 and not 4.0, never with a comma for a point."""
    return f"{value:.15g}" if float(f"{value:.15g}") == value else repr(value)


@register.simple_tag
def said(key, value):
    """A value as people say it: yes, no, 4.5"""
    if key.kind == "bool":
        return "yes" if value else "no"
    return number(value)


def _share(key, value):
    """Where the value lies between the key's ends, 0 to 1; None where it has none."""
    if key.minimum is None or key.maximum is None:
        return None
    return min(1, max(0, (value - key.minimum) / (key.maximum - key.minimum)))


def _tone(key, share):
    if share is None:
        return ""
    quality = 1 - share if key.lower_is_better else share
    return "good" if quality >= 0.7 else "warn" if quality >= 0.35 else "bad"


@register.filter
def failure(envelope):
    """What is told of a call that failed, in its metadata: as the gateway logs it, as a text, or as whatever JSON a
    program sent, its beginning; "" of any other."""
    metadata = envelope.get("metadata") or {}
    error = metadata.get("error")
    message = error.get("message") if isinstance(error, dict) else error
    if error and isinstance(message, str):
        return message
    if error:
        return dumps(error)[:TOLD]
    return "The gateway was stopped." if metadata.get("broke_off") == "gateway" else ""


@register.filter
def shortened(id):
    """An id by its beginning, which is its time, and its end: 019a9f3c…7e01"""
    return f"{str(id)[:8]}…{str(id)[-4:]}"
