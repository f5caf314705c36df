"""The overview of projects with little in them, by those who may read it and those who may not; and of changes."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from feedback.models import FeedbackKey
from feedback.services import create_feedback_key, keys_of, unlink_feedback_key
from interactions.views.overview_figures import Value, figure
from interactions.views.overview_parts import change_of_count, change_of_value
from tests.factories import make_interaction, make_user
from tests.feedback.compared import by_ids, make_key
from tests.interactions.overviews import check_table, overview_url, seen


@pytest.fixture
def pages(client, owner):
    client.force_login(owner)
    return client


def ago(**span):
    return (timezone.now() - datetime.timedelta(**span)).isoformat()


def keyed(project, key="good", kind="bool", **described):
    return create_feedback_key(team=project.team, key=key, kind=kind, projects=[project], **described)[0]


def test_an_empty_project_shows_how_to_begin(pages, project):
    response = seen(pages, project)
    assert "Log the first interaction" in response.content.decode()
    assert response.context["nav"] == "overview"


def test_a_project_without_keys_says_so_and_shows_the_rest(pages, project):
    make_interaction(project, labels={"intent": "refund"})
    response = seen(pages, project)
    assert "no feedback key yet" in response.content.decode()
    assert [tile.count.n for tile in response.context["tiles"]] == [1, 0, 0]
    assert response.context["bad"] is None


def test_a_period_without_data_leads_to_the_newest(pages, project):
    keyed(project)
    make_interaction(project, created_at=ago(days=40), feedbacks=[{"feedback_key": "good", "value": False}])
    response = seen(pages, project)
    assert response.status_code == 200
    assert "Nothing in this period" in response.content.decode()
    newest = seen(pages, project, response.context["newest"])
    assert newest.context["tiles"][0].count.n == 1
    assert len(newest.context["bad"].rows) == 1


def test_simulated_traffic_alone_is_left_out_and_told(pages, project):
    make_interaction(project, source="simulation")
    response = seen(pages, project)
    assert response.context["tiles"][0].count.n == 0
    assert "Only simulated traffic" in response.content.decode()


def test_a_reader_sees_it_and_a_stranger_does_not(client, project):
    make_interaction(project)
    assert client.get(overview_url(project)).status_code == 302
    client.force_login(make_user(team=project.team, role="auditor"))
    assert seen(client, project).context["tiles"][0].count.n == 1
    client.force_login(make_user())
    assert seen(client, project).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "after=yesterday", "before=2026-13-01", "after=2026-01-02&before=2026-01-01", "after=0001-01-01T00:00",
        "after=2024-01-01&before=2026-01-01", "before=9999-12-31T23:59", "period=3d", "after=2026-01-01%00",
        "after=2026-05-01T10:00&before=2026-05-01T10:00", "after=%F0%9F%92%A9", "bad=%00",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_and_the_usual_period_shown(pages, project, query):
    make_interaction(project)
    response = seen(pages, project, query, "America/Los_Angeles")
    assert response.status_code == 400
    assert "This cannot be read" in response.content.decode()
    assert response.context["period"].preset == "28d"
    assert response.context["tiles"][0].count.n == 1


def test_it_takes_the_same_number_of_queries_whatever_the_rows_and_reads_no_body(pages, project):
    keyed(project)
    keyed(project, "stars", "scalar", minimum=1, maximum=5)

    def log(hours, model):
        given = [{"feedback_key": "good", "value": False}, {"feedback_key": "stars", "value": 1}]
        make_interaction(project, created_at=ago(hours=hours), model=model, labels={"a": model}, feedbacks=given)

    for place in range(9):
        log(place, "m0")
    seen(pages, project)  # what is read once for all is read now
    with CaptureQueriesContext(connection) as few:
        seen(pages, project)
    for place in range(60):
        log(place, f"m{place % 15}")
    with CaptureQueriesContext(connection) as many:
        response = seen(pages, project)
    assert response.context["tiles"][0].count.n == 69
    # of the eight hours at most that the latest bad ones are looked for in, the fewer the more each holds
    assert len(many) <= len(few) <= 32
    assert not [query for query in many.captured_queries if "interactionbody" in query["sql"]]


def test_an_unlinked_key_is_hidden_and_the_shares_stay_those_of_the_table(pages, project):
    key = keyed(project)
    make_interaction(project, feedbacks=[{"feedback_key": "good", "value": True}])
    unlink_feedback_key(project=project, key=key)
    response = seen(pages, project)
    assert response.context["trends"] == []
    tile = response.context["tiles"][1]
    assert (tile.count.n, tile.what) == (1, "interaction")
    check_table(pages, tile.count.address, 1)


def test_a_project_with_comparisons_alone_is_told_so(pages, project):
    key = make_key(project)
    ids = [make_interaction(project, model=model).pk for model in ("a", "b")]
    sent = {"project": project.key, **by_ids(*map(str, ids))}
    assert pages.post("/api/v1/comparison", sent, content_type="application/json").status_code == 201
    assert keys_of(project) == {key.key: key}
    page = seen(pages, project).content.decode()
    assert page.count("There are comparisons alone so far") == 2 and "no feedback key yet" not in page


def test_a_share_is_written_as_the_pages_of_feedback_write_it():
    key = FeedbackKey(kind=FeedbackKey.Kind.BOOL)
    assert [figure(key, share) for share in (2_999 / 3_000, 98 / 160, 1.0)] == ["99.967 %", "61.2 %", "100.0 %"]


def test_many_models_are_listed_and_the_rest_is_one_row_with_its_table(pages, project):
    for place in range(13):
        for _ in range(1 if place else 2):
            make_interaction(project, model=f"model {place:02}&x=1")
    response = seen(pages, project)
    rows = response.context["models"]
    assert [row.count.n for row in rows] == [2] + [1] * 9 + [3]
    assert rows[-1].series.is_rest
    check_table(pages, rows[-1].count.address, 3)
    assert [one.count.n for one in response.context["volume"].columns[-1].parts][-1] == 8
    colours = {row.series.name: row.series.colour for row in rows}
    for one in response.context["volume"].series:
        assert one.is_rest or colours[one.name] == one.colour


def test_a_change_is_better_or_worse_only_where_the_key_says_so(pages, project):
    keyed(project)
    for days, yes in ((1, 3), (1, 1), (30, 0), (30, 1)):
        for place in range(3):
            given = [{"feedback_key": "good", "value": place < yes}]
            make_interaction(project, created_at=ago(days=days), feedbacks=given)
    volume, _, _, good = seen(pages, project, "period=28d").context["tiles"]
    assert (volume.change.text, volume.change.tone) == ("unchanged", "")
    assert (good.figure, good.change.text, good.change.tone) == ("66.7 %", "+50.0 pt", "good")
    project.feedback_keys.update(lower_is_better=True)
    assert seen(pages, project, "period=28d").context["tiles"][3].change.tone == "bad"


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [(100, 100, "unchanged"), (100_049, 100_000, "+0.049 %"), (99_951, 100_000, "−0.049 %"), (112, 100, "+12 %")],
)
def test_a_change_of_a_count_is_none_only_where_there_is_none(now, before, text):
    assert change_of_count(now, before).text == text


@pytest.mark.parametrize(
    ("kind", "now", "before", "text", "tone"),
    [
        ("bool", 0.0008, 0.0004, "+0.040 pt", "good"),
        ("bool", 0.0004, 0.0008, "−0.040 pt", "bad"),
        ("bool", 0.50012, 0.50011, "unchanged", ""),
        ("bool", 0.75, 0.5, "+25.0 pt", "good"),
        ("scalar", 4.1201, 4.1199, "unchanged", ""),
        ("scalar", 4.126, 4.124, "+0.002", "good"),
    ],
)
def test_a_value_is_unchanged_only_where_both_read_the_same(kind, now, before, text, tone):
    key = FeedbackKey(key="k", kind=kind, lower_is_better=False)
    change = change_of_value(key, *(Value(key, mean, None, 9_999) for mean in (now, before)))
    assert (change.text, change.tone) == (text, tone)


def test_what_is_compared_is_the_same_span_before(pages, project):
    for days, n in ((0, 3), (8, 2), (20, 1)):
        for _ in range(n):
            make_interaction(project, created_at=ago(days=days))
    tile = seen(pages, project, "period=7d").context["tiles"][0]
    period = seen(pages, project, "period=7d").context["period"]
    assert period.before[1] - period.before[0] == period.end - period.start
    assert (period.start - period.before[0]).days == 7
    assert tile.count.n == 3
    none = seen(pages, project, "period=90d").content.decode()
    assert "no data in the 90 days before" in none
