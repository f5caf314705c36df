"""What every page's top bar asks about projects."""

from django import template

from projects.access import projects_of

register = template.Library()
register.simple_tag(projects_of)
