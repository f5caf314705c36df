"""What pages say about reviewing."""

from django import template

from reviews.waiting import MOST, waiting

register = template.Library()


@register.simple_tag
def waits_for(user, project):
    """How much waits for this person in all queues, as the navigation tells it: 88, 99+, or nothing."""
    n = sum(waiting(project, user).values())
    return f"{MOST - 1}+" if n >= MOST else str(n or "")


@register.filter
def up_to(n, most=MOST):
    """88, or 100+ where it was not counted further."""
    return f"{n}+" if n >= most else str(n)


@register.filter
def percent(share, digits=0):
    """77 %; what is not quite all, or not quite nothing, is never told as 100 % or 0 %: >99 %, <1 %"""
    if share is None:
        return ""
    step = 10.0**-digits
    if share > 0 and 100 * share < step / 2:
        return f"<{step:.{digits}f} %"
    if share < 1 and 100 * share >= 100 - step / 2:
        return f">{100 - step:.{digits}f} %"
    return f"{100 * share:.{digits}f} %"


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
