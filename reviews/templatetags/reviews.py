"""What pages say about reviewing."""

from django import template
from django.utils.html import format_html

from feedback.shares import in_points
from reviews.waiting import MOST, waiting

register = template.Library()


@register.simple_tag
def waits_for(user, project):
    """How much waits for this person in all queues, as the navigation tells it: 88, 99+, or nothing."""
    return waits(sum(waiting(project, user).values()))


@register.simple_tag
def wrong(row, name, first):
    """What makes a control of a question's row tell that it is wrong; the first of all takes the focus."""
    if name not in row.wrong:
        return ""
    focus = " autofocus" if first == f"q{row.place}.{name}" else ""
    told = ' aria-invalid="true" aria-describedby="q{}-{}-fault"{}'
    return format_html(told, row.place, name, focus)


@register.inclusion_tag("reviews/_question_fault.html")
def faults(row, name):
    """What is wrong with a field of a question's row, under it."""
    return {"texts": row.wrong.get(name), "id": f"q{row.place}-{name}-fault"}


@register.filter
def waits(n):
    """88, 99+, or nothing"""
    return f"{MOST - 1}+" if n >= MOST else str(n or "")


@register.filter
def up_to(n, most=MOST):
    """88, or 100+ where it was not counted further."""
    return f"{n}+" if n >= most else str(n)


@register.filter
def percent(share, digits=0):
    """77 %, and 0.040 % or 99.960 % where it only comes near to 0 or 100; nothing where it is not known"""
    return "" if share is None else f"{in_points(share, digits)} %"


@register.filter
def hundredths(share):
    """A share as the length of a bar of 100."""
    return f"{100 * (share or 0):.4g}"


@register.filter
def figure(value, digits=2):
    """0.81; a minus that is one."""
    return "" if value is None else f"{value:.{digits}f}".replace("-", "\u2212")


@register.filter
def part_of(n, answers):
    """A count as the length of a bar of 100, the largest of [(name, count)] being the whole."""
    return hundredths(n / (max(count for _, count in answers) or 1))


@register.filter
def matrix(confusion):
    """[(a row's name, its counts)]"""
    return list(zip(confusion.names, confusion.counts, strict=True))
