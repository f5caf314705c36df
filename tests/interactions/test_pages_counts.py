"""What is counted for the table, apart from its rows: the filters with their counts, the histogram, the total."""

import datetime

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from feedback.services import create_feedback_key
from interactions.labels import remove_label, set_label
from interactions.search import Counted
from interactions.search.facets import Histogram
from interactions.templatetags.interactions import capped
from interactions.views.timeline import timeline_of
from interactions.wanted import Wanted
from tests.factories import make_interaction, make_project, make_user

HTMX = {"HX-Request": "true"}


@pytest.fixture
def pages(client, owner):
    client.force_login(owner)
    return client


def url(name, project, **more):
    return reverse(name, kwargs={"project": project.key, **more})


def counts(response):
    """{label: its count} of a panel."""
    panel = response.context["facets"]
    return {str(option.label): option.n for option in [*panel.labels, *panel.more_labels]}


def test_the_table_counts_nothing_but_what_one_sum_tells(pages, project):
    for place in range(3):
        make_interaction(project, labels={"intent": f"i{place}"})
    with CaptureQueriesContext(connection) as asked:
        plain = pages.get(url("interaction_list", project))
    filtered = pages.get(url("interaction_list", project), {"label": "intent:i1", "model": "m"})
    assert plain.context["counted"].n == 3
    assert pages.get(url("interaction_list", project), {"label": "intent:i1"}).context["counted"].n == 1
    assert filtered.context["counted"] is None and "total" not in filtered.context
    assert "timeline" not in plain.context
    assert plain.context["facets"].waiting and filtered.context["facets"].waiting
    told = [query["sql"] for query in asked.captured_queries if "interactions_rollup" in query["sql"]]
    assert len(told) <= 1


def test_what_the_address_sets_is_in_the_form_before_anything_is_counted(pages, project):
    create_feedback_key(team=project.team, key="csat", kind="scalar", minimum=1, maximum=5, projects=[project])
    create_feedback_key(team=project.team, key="helpful", kind="bool", projects=[project])
    make_interaction(project, labels={"intent": "refund"})
    asked = {"label": ["intent:refund", "tone:kind"], "model": ["m"], "feedback": ["helpful:true", "csat:2..4"]}
    asked |= {"latency": "5..900", "session": "s-1", "has_images": "true", "source": ["live"]}
    text = pages.get(url("interaction_list", project), asked).content.decode()
    for field in (
        'value="intent:refund" checked', 'value="tone:kind" checked', 'name="model"', 'value="m" checked',
        'name="feedback.is.helpful" value="true" checked', 'name="feedback.from.csat" value="2"',
        'name="feedback.to.csat" value="4"', 'name="latency.from" value="5"', 'name="session" value="s-1"',
        'name="has_images" value="true" checked', 'name="source" value="live" checked',
    ):  # fmt: skip
        assert field in text, field


def test_the_form_stands_in_the_same_order_before_and_after_it_is_counted(pages, project):
    for _ in range(2):
        make_interaction(project, labels={"tone": "kind", "intent": "refund", "lang": "de"}, model="b")
    query = {"label": ["intent:refund", "tone:kind"], "model": ["b", "a"]}
    before = pages.get(url("interaction_list", project), query)
    after = pages.get(url("interaction_facets", project), query, headers=HTMX)
    for one, n in ((before, None), (after, 2)):
        panel = one.context["facets"]
        assert [(option.value, option.n) for option in panel.labels if option.on] == [
            ("intent:refund", n),
            ("tone:kind", n),
        ]
        assert [option.value for option in panel.models if option.on] == ["b", "a"]
    assert counts(after)["lang:de"] == 2


def test_the_filters_come_with_their_counts_and_the_total(pages, project):
    make_interaction(project, labels={"intent": "refund"})
    make_interaction(project, labels={"intent": "claim"})
    response = pages.get(url("interaction_facets", project), {"label": "intent:claim"}, headers=HTMX)
    text = response.content.decode()
    assert counts(response) == {"intent:claim": 1}
    assert (response.context["counted"].n, response.context["total"].n) == (1, 2)
    assert text.startswith("<form") and 'hx-target="#count"' in text and "<!doctype" not in text
    assert "HX-Request" in response["Vary"]


def test_the_histogram_comes_alone(pages, project):
    make_interaction(project)
    response = pages.get(url("interaction_histogram", project), headers=HTMX)
    assert response.content.decode().startswith('<div id="timeline-drawn"') and b"<time-brush" in response.content


START = datetime.datetime(2026, 5, 12, tzinfo=datetime.UTC)
REACHED = START + datetime.timedelta(hours=2, minutes=30)


def four_hours(**ends):
    bars = [(START + datetime.timedelta(hours=place), n) for place, n in enumerate((0, 0, 3, 4))]
    return Histogram(START, START + datetime.timedelta(hours=4), datetime.timedelta(hours=1), bars, **ends)


def test_a_bar_says_what_was_not_counted():
    limit = "not counted before 12 May 2026, 02:30"
    with timezone.override("UTC"):
        line = timeline_of(four_hours(since=REACHED), Wanted())
        drawn = render_to_string("interactions/_timeline_drawn.html", {"timeline": line})
    titles = [bar["title"].removeprefix("12 May 2026, ") for bar in line.bars]
    assert titles == [f"00:00: {limit}", f"01:00: {limit}", f"02:00: at least 3, {limit}", "03:00: 4"]
    assert line.description == f"7 interactions from 12 May 2026, 02:30 to 12 May 2026, 04:00, {limit}"
    assert (line.uncounted["x"], line.uncounted["width"]) == (0, 787.5)
    assert "Not counted before 12 May 2026, 02:30</p>" in drawn and '<rect class="uncounted"' in drawn


def test_a_bar_says_what_was_not_counted_behind_the_oldest():
    with timezone.override("UTC"):
        line = timeline_of(four_hours(until=REACHED), Wanted())
    assert [("not counted after 12 May 2026, 02:30" in bar["title"]) for bar in line.bars] == [False, False, True, True]
    assert (line.uncounted["x"], line.uncounted["width"]) == (787.5, 472.5)


def test_where_all_is_counted_nothing_else_is_said():
    line = timeline_of(four_hours(), Wanted())
    assert line.uncounted is None
    assert "not counted" not in line.description + "".join(bar["title"] for bar in line.bars)


@pytest.mark.parametrize(("query", "end"), [("", "newest"), ("&fold=near", "oldest")])
def test_estimates_say_over_which_matches(pages, project, monkeypatch, query, end):
    monkeypatch.setattr("interactions.search.facets.SAMPLE", 1)
    for words in ("Where is my parcel?", "Cancel the lease of the flat.", "Translate this poem into Welsh."):
        make_interaction(project, latency_ms=5, messages=[{"role": "user", "content": words}], completion=words)
    address = url("interaction_facets", project) + f"?latency=0..&order=created_at{query}"
    assert f"Counted over the {end} 1, not all matches" in pages.get(address, headers=HTMX).text
    address = url("interaction_facets", project) + f"?order=created_at{query}"  # without one, roll-ups tell the rest
    assert ("but latency: over the newest 1<" in pages.get(address, headers=HTMX).text) is (not query)


def test_a_label_that_is_set_is_told_as_the_matches_are(pages, project, monkeypatch):
    """What matches has it: its count is theirs, and not that of the few that the rest is counted over."""
    monkeypatch.setattr("interactions.search.facets.SAMPLE", 1)
    for place in range(23):
        make_interaction(project, latency_ms=5, labels={"intent": "refund", "lang": "de"}, completion=f"{place}")
    query = {"label": "intent:refund", "latency": "0.."}
    assert counts(pages.get(url("interaction_facets", project), query, headers=HTMX))["intent:refund"] == 23
    monkeypatch.setattr("interactions.search.facets.CAP", 20)
    response = pages.get(url("interaction_facets", project), query, headers=HTMX)
    assert response.context["counted"] == Counted(20, True) and counts(response)["lang:de"] == 1
    assert '<span class="n">20+</span>' in response.content.decode()


def test_without_scripts_the_filters_are_a_page_that_the_table_leads_to(pages, project):
    make_interaction(project, labels={"intent": "refund"})
    table = pages.get(url("interaction_list", project), {"model": "m"})
    address = url("interaction_facets", project) + "?model=m"
    assert f'href="{address}"' in table.content.decode()
    page = pages.get(address)
    text = page.content.decode()
    assert text.startswith("<!doctype html>") and "<time-brush" in text
    assert f'action="{url("interaction_list", project)}"' in text and 'value="intent:refund"' in text
    assert 'value="m" checked' in text
    assert pages.get(url("interaction_histogram", project) + "?model=m")["Location"] == address


@pytest.mark.parametrize(
    ("n", "text"), [(0, "some"), (9, "some"), (57, "50+"), (321, "300+"), (4_567, "4k+"), (10_000, "10k+")]
)
def test_what_was_not_counted_to_the_end_is_said_roundly(n, text):
    assert capped(Counted(n, True)) == text
    assert capped(Counted(n, False)) == f"{n:,}"


@pytest.mark.parametrize("name", ["interaction_facets", "interaction_histogram"])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_filter_that_cannot_be_read_is_told_by_the_table(pages, project, name, headers):
    make_interaction(project)
    response = pages.get(url(name, project), {"latency": "soon"}, headers=headers)
    assert response["Location"] == url("interaction_list", project) + "?latency=soon"
    told = pages.get(response["Location"])
    assert told.status_code == 400
    assert "data-get" not in told.content.decode()  # nothing will come, and nothing is waited for
    assert not told.context["facets"].waiting


def test_counts_are_right_at_the_next_look_after_a_change(pages, project, owner):
    made = make_interaction(project, labels={"intent": "refund"})
    make_interaction(project, labels={"intent": "refund"})

    def look(query=None):
        return pages.get(url("interaction_facets", project), query, headers=HTMX)

    assert counts(look()) == {"intent:refund": 2}
    set_label(interaction=made, key="intent", value="claim", by=owner)
    assert counts(look()) == {"intent:refund": 1, "intent:claim": 1}
    assert look({"label": "intent:claim"}).context["counted"].n == 1
    remove_label(interaction=made, key="intent", by=owner)
    assert counts(look()) == {"intent:refund": 1}
    pages.post(url("interaction_delete_many", project), {"id": made.pk, "sure": "1"})
    assert look().context["counted"].n == 1
    assert pages.get(url("interaction_list", project)).context["counted"].n == 1


def test_counting_asks_the_same_number_of_queries_whatever_there_is(pages, project):
    create_feedback_key(team=project.team, key="helpful", kind="bool", projects=[project])
    make_interaction(project, labels={"a": "b"}, feedbacks=[{"feedback_key": "helpful", "value": True}])
    for name in ("interaction_facets", "interaction_histogram"):
        pages.get(url(name, project), headers=HTMX)
        with CaptureQueriesContext(connection) as few:
            pages.get(url(name, project), headers=HTMX)
        for place in range(20):
            given = [{"feedback_key": "helpful", "value": place % 2 > 0}]
            make_interaction(project, labels={"a": f"b{place}"}, feedbacks=given)
        with CaptureQueriesContext(connection) as many:
            pages.get(url(name, project), headers=HTMX)
        assert len(many) == len(few), name


@pytest.mark.parametrize("name", ["interaction_facets", "interaction_histogram", "interaction_arrivals"])
def test_strangers_find_nothing_and_readers_see_it(client, project, name):
    make_interaction(project, labels={"zebra": "finch"})
    query = {"since": "2026-01-01T00:00:00Z"}
    client.force_login(make_user(team=make_project().team))
    assert client.get(url(name, project), query, headers=HTMX).status_code == 404
    client.force_login(make_user(team=project.team, role="auditor"))
    assert client.get(url(name, project), query, headers=HTMX).status_code == 200
