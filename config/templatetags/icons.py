"""The icons of the interface: one sprite, and the tag that points into it."""

import functools
from pathlib import Path

from django import template
from django.core.files.storage import storages
from django.utils.html import format_html

NAMES_FILE = Path(__file__).resolve().parent.parent / "icons.txt"
SPRITE = "generated/icons.svg"

register = template.Library()


@functools.cache
def icon_names():
    """The names in config/icons.txt, in their order."""
    return tuple(NAMES_FILE.read_text().split())


@register.simple_tag
def icon(name, size=""):
    """The icon of this name; size "s" makes it the small one. Decoration only: screen readers pass over it."""
    return _drawn(name, size, _sprite(storages["staticfiles"]))


@functools.lru_cache(maxsize=1)  # a page has hundreds of icons; another storage may serve them at another address
def _sprite(storage):
    return storage.url(SPRITE)


@functools.cache  # of the few names there are
def _drawn(name, size, sprite):
    if name not in icon_names():
        raise template.TemplateSyntaxError(f"The icon {name!r} is not in config/icons.txt.")
    css = f"i {size}".strip()
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', css, sprite, name)
