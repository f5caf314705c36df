"""What every page's top bar asks about projects, and the calls that the page of an empty one shows."""

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import BashLexer, PythonLexer

from projects.access import projects_of

SAMPLES = (("curl", "first.sh.txt", BashLexer), ("Python", "first.py.txt", PythonLexer))
FILE = (("curl", "first_file.sh.txt", BashLexer),)

register = template.Library()
register.simple_tag(projects_of)


@register.simple_tag(takes_context=True)
def first_calls(context, project, api_key):
    """Working calls that log an interaction into the project: name and coloured source of each."""
    return _calls(context, project, api_key, SAMPLES)


@register.simple_tag(takes_context=True)
def first_file(context, project, api_key):
    """The coloured source of a call that logs a file."""
    [(_, code)] = _calls(context, project, api_key, FILE)
    return code


def _calls(context, project, api_key, samples):
    address = context["request"].build_absolute_uri("/").rstrip("/")
    values = {"project": project, "address": address, "api_key": api_key or "YOUR_API_KEY"}
    return [(name, _coloured(render_to_string(f"projects/{source}", values), lexer)) for name, source, lexer in samples]


def _coloured(text, lexer):
    # the formatter escapes the text, so what it gives back is markup of its own alone
    return mark_safe(highlight(text.strip(), lexer(), HtmlFormatter(nowrap=True, classprefix="hl-")))  # noqa: S308
