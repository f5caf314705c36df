"""The pages of saved views and exports."""

from urllib.parse import parse_qsl, urlencode

from django.urls import reverse

from interactions.filters import canonical_query


def filter_of(project, query):
    """(the filter in its one form, its words as (name, value), the table's address with it) of a QueryDict, whose
    `view` is no word of it; RecordError names what is wrong."""
    pairs = [(name, value) for name, values in query.lists() for value in values if name != "view" and value]
    text = canonical_query(project, urlencode(pairs))
    return text, words_of(text), table_of(project, text)


def words_of(text):
    """[(name, value)] of a filter's query string."""
    return parse_qsl(text, keep_blank_values=True)


def table_of(project, text):
    """The address of the table with this filter."""
    address = reverse("interaction_list", kwargs={"project": project.ref})
    return f"{address}?{text}" if text else address
