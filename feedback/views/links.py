"""The tables behind figures: addresses in the words of the filter language."""

from urllib.parse import urlencode

from django.urls import reverse


def table(project, *pairs):
    """The table of the project's interactions that these pairs of name and value ask for."""
    return with_words(reverse("interaction_list", kwargs={"project": project.ref}), pairs)


def with_words(address, pairs):
    """The address with a query string, where there is any."""
    return f"{address}?{urlencode(pairs)}" if pairs else address


def of_key(name, project, key):
    """A page of the key: feedback_key_detail, feedback_comparisons, …"""
    return reverse(name, kwargs={"project": project.ref, "key": key.key})


def word(value):
    """A number as the filter language reads it back to the last digit: 4, 0.25, 1e-07."""
    return repr(float(value)).removesuffix(".0")


def bar_word(key, bar):
    """The condition that a value lies in this bar of the key's histogram."""
    if key.kind == "bool":
        return f"{key.key}:{'true' if bar.start else 'false'}"
    return f"{key.key}:{word(bar.start)}..{'' if bar.last else '<'}{word(bar.end)}"
