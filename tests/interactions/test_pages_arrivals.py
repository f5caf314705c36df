"""The "12 new" pill: what arrived since the page was made and belongs on top of it."""

import datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.urls import reverse

from interactions.labels import set_label
from tests.factories import make_interaction

HTMX = {"HX-Request": "true"}


@pytest.fixture
def pages(client, owner):
    client.force_login(owner)
    return client


class Open:
    """A page of the table that stands open, and what its polls are told."""

    def __init__(self, pages, project, query=None):
        self.pages = pages
        self.page = pages.get(reverse("interaction_list", kwargs={"project": project.key}), query)
        self.address = self.page.context["arrivals"]

    @property
    def new(self):
        response = self.pages.get(self.address, headers=HTMX)
        if response.status_code == 204:
            assert response.content == b""
            return 0
        assert response.status_code == 200
        return f"{response.context['n']}{'+' if response.context['capped'] else ''}"


def ago(**span):
    return (datetime.datetime.now(datetime.UTC) - datetime.timedelta(**span)).isoformat()


def shown_in(page):
    return parse_qs(urlsplit(page.address).query)


def test_what_the_page_shows_is_not_new_and_what_comes_is(pages, project):
    for _ in range(3):
        make_interaction(project)
    page = Open(pages, project)
    assert shown_in(page)["shown"] == ["3"]
    assert page.new == 0
    make_interaction(project)
    make_interaction(project)
    assert page.new == "2"
    text = pages.get(page.address, headers=HTMX).content.decode()
    assert f'href="{page.page.context["address"].url}"' in text and 'data-key="n"' in text
    assert Open(pages, project).new == 0


def test_only_what_matches_is_new(pages, project):
    make_interaction(project, labels={"intent": "claim"})
    page = Open(pages, project, {"label": "intent:claim", "q": "covered"})
    make_interaction(project, labels={"intent": "refund"})
    make_interaction(project, source="simulation", labels={"intent": "claim"})
    assert page.new == 0
    make_interaction(project, labels={"intent": "claim"})
    assert page.new == "1"


def test_of_a_full_page_only_what_comes_above_its_last_row_is_new(pages, project):
    for minutes in range(1, 5):
        make_interaction(project, created_at=ago(minutes=minutes))
    page = Open(pages, project, {"limit": "2"})
    assert page.new == 0  # though two more were just received and are not shown
    make_interaction(project, created_at=ago(hours=5))
    assert page.new == 0
    make_interaction(project, created_at=ago(seconds=90))
    assert page.new == "1"
    whole = Open(pages, project, {"limit": "50"})
    make_interaction(project, created_at=ago(days=5))
    assert whole.new == "1"


def test_what_was_being_stored_when_the_page_was_made_is_not_lost(pages, project):
    make_interaction(project)
    page = Open(pages, project)
    late = make_interaction(project)
    with connection.cursor() as cursor:  # received before the page was made, seen after it
        cursor.execute(
            "UPDATE interactions_interaction SET received_at = received_at - interval '20 seconds' WHERE id = %s",
            [late.pk],
        )
    assert page.new == "1"


def test_a_label_set_by_oneself_makes_nothing_new(pages, project, owner):
    made = make_interaction(project, created_at=ago(days=1))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE interactions_interaction SET received_at = received_at - interval '1 day'")
    page = Open(pages, project, {"label": "intent:claim"})
    assert page.page.context["page"].rows == []
    set_label(interaction=made, key="intent", value="claim", by=owner)
    assert page.new == 0


def test_more_than_a_hundred_are_not_counted_on(pages, project):
    make_interaction(project)
    page = Open(pages, project)
    for _ in range(100):
        make_interaction(project)
    assert page.new == "100"
    make_interaction(project)
    assert page.new == "100+"


@pytest.mark.parametrize(
    "query",
    [{"order": "created_at"}, {"before": "2026-01-01T00:00:00Z"}, {"latency": "soon"}],
    ids=["oldest first", "ends in the past", "unreadable"],
)
def test_where_nothing_new_can_come_nothing_is_asked(pages, project, query):
    make_interaction(project)
    assert Open(pages, project, query).address == ""


def test_deeper_pages_ask_nothing_and_a_span_that_goes_on_does(pages, project):
    for minutes in (1, 2):
        make_interaction(project, created_at=ago(minutes=minutes))
    first = Open(pages, project, {"limit": "1"})
    assert Open(pages, project, {"limit": "1", "cursor": first.page.context["page"].next}).address == ""
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    assert Open(pages, project, {"before": until.isoformat(timespec="seconds").replace("+00:00", "Z")}).address


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"since": "soon"},
        {"since": "0001-01-01T00:00:00Z"},
        {"since": "2026-01-01T00:00:00Z", "shown": "-1"},
        {"since": "2026-01-01T00:00:00Z", "shown": "9999"},
        {"since": "2026-01-01T00:00:00Z", "above": "x"},
        {"since": "2026-01-01T00:00:00Z", "latency": "soon"},
    ],
)
def test_a_poll_that_cannot_be_read_is_refused(pages, project, query):
    address = reverse("interaction_arrivals", kwargs={"project": project.key})
    assert pages.get(address, query, headers=HTMX).status_code == 400
