"""What came since a moment is counted as the filter wants it, whatever its own time."""

import datetime
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import QueryDict

from interactions.filters import InteractionFilter
from interactions.search import arrivals
from interactions.search.arrivals import arrived_since
from tests.factories import make_interaction, make_project


def asked(project, **query):
    filterset = InteractionFilter(QueryDict(urlencode(query, True)), project=project)
    assert filterset.is_valid(), filterset.errors
    return filterset.wanted


def database_time():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


@pytest.fixture
def moment(project):
    """A moment after which nine came: three from the past, one of them simulated, and one of another project."""
    make_interaction(project, labels={"intent": "refund"})
    moment = database_time()
    for day in (1, 2, 3):
        source = "simulation" if day == 3 else "live"
        make_interaction(project, created_at=f"2025-05-0{day}T00:00:00Z", source=source, labels={"intent": "refund"})
    for number in range(6):
        make_interaction(project, completion=f"Answer {number}", model=f"model-{number % 2}")
    make_interaction(make_project(team=project.team), labels={"intent": "refund"})
    return moment


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "n"),
    [
        ({}, 8),
        ({"label": "intent:refund"}, 2),
        ({"label": "intent"}, 2),
        ({"not_label": "intent"}, 6),
        ({"label": "nowhere"}, 0),
        ({"model": "model-1"}, 3),
        ({"q": "answer"}, 6),
        ({"q": "answer 3"}, 1),
        ({"q": "answer", "label": "intent:refund"}, 0),
        ({"source": "simulation"}, 1),
        ({"after": "2025-05-02"}, 7),
        ({"before": "2025-05-02"}, 1),
        ({"order": "created_at"}, 8),
    ],
    ids=str,
)
def test_what_came_since_is_counted_as_the_filter_wants_it(project, moment, query, n):
    assert arrived_since(project, asked(project, **query), moment) == (n, False)
    assert arrived_since(project, asked(project, **query), database_time()) == (0, False)


@pytest.mark.django_db
def test_of_many_no_more_are_told_than_asked_for(project, moment):
    assert arrived_since(project, asked(project), moment, most=5) == (5, True)
    assert arrived_since(project, asked(project), moment, most=8) == (8, False)


@pytest.mark.django_db
def test_where_more_came_than_are_looked_at_the_count_is_said_to_be_capped(project, moment, monkeypatch):
    monkeypatch.setattr(arrivals, "LOOKED_AT", 4)
    assert arrived_since(project, asked(project, label="intent:refund"), moment) == (0, True)


@pytest.mark.django_db
def test_a_moment_to_come_has_nothing_behind_it(project, moment):
    later = database_time() + datetime.timedelta(days=1)
    assert arrived_since(project, asked(project), later) == (0, False)


@pytest.mark.django_db
def test_what_is_live_is_found_by_its_filter_however_much_else_came(project, moment, monkeypatch):
    monkeypatch.setattr(arrivals, "LOOKED_AT", 1)
    monkeypatch.setattr(arrivals, "BRIEFLY", 60)
    assert arrived_since(project, asked(project, model="model-0"), moment) == (3, True)
    assert arrived_since(project, asked(project, q="answer"), moment) == (6, True)
