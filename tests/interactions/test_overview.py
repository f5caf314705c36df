"""The overview: each of its counts is the number of rows of a table, its statistics are those of a plain loop."""

import datetime
import html
import random
import re
import statistics
import zoneinfo
from collections import Counter, defaultdict
from itertools import pairwise

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from scipy import stats

from feedback import rollups as given_rollups
from feedback.giving import correct_feedback, give_feedback, withdraw_feedback
from feedback.models import Feedback
from feedback.services import create_feedback_key, keys_of, unlink_feedback_key
from interactions import rollups
from interactions.ingest import ingest
from interactions.ingest.removal import delete_interactions
from interactions.models import Interaction
from interactions.views.overview_period import PRESETS, read_period
from tests.factories import make_interaction, make_project, make_user, owner_of

NOW = timezone.now()
MODELS = ["lake-8b", "ridge-70b", "fen:2|b", "moor-1", "dale-9", "cove-3", "peak-4", None]
KEYS = {
    "good": {"kind": "bool"},
    "stars": {"kind": "scalar", "minimum": 1, "maximum": 5},
    "harm": {"kind": "bool", "lower_is_better": True},
    "size": {"kind": "scalar"},
}
Z = statistics.NormalDist().inv_cdf(0.975)
LINK = re.compile(r"<a\b[^>]*\bdata-count=\"(\d+)\"[^>]*>")


def overview_url(project):
    return reverse("overview", kwargs={"project": project.key})


def links_of(response):
    """{address: count} of all figures that say that they are counts."""
    found = {}
    for match in LINK.finditer(response.content.decode()):
        address = html.unescape(re.search(r'href="([^"]*)"', match[0])[1])
        assert found.setdefault(address, int(match[1])) == int(match[1]), address
    return found


def record(chance):
    """What may be, by chance: of the last 70 days, most of it of the last week, some of it in the newest hour."""
    age = chance.choice([70, 30, 7, 7, 2, 1, 0.04]) * 24 * 60 * chance.random()
    given = [("good", chance.random() < 0.7)] if chance.random() < 0.5 else []
    given += [("good", chance.random() < 0.5)] if chance.random() < 0.2 else []
    given += [("stars", chance.choice([1, 2, 2.5, 4, 5])) for _ in range(chance.choice([0, 0, 1, 3]))]
    given += [("harm", chance.random() < 0.2)] if chance.random() < 0.4 else []
    given += [("size", chance.gauss(0, 1e6))] if chance.random() < 0.3 else []
    made = {
        "messages": [{"role": "user", "content": "Am I covered?"}],
        "completion": "Yes.",
        "labels": {"intent": chance.choice(["refund", "a|b", "x:y", "cover"]), "lang": chance.choice(["de", "en"])},
        "feedbacks": [{"feedback_key": key, "value": value} for key, value in given],
        "source": "simulation" if chance.random() < 0.1 else "logged",
        "created_at": (NOW - datetime.timedelta(minutes=age)).isoformat(),
    }
    model = chance.choices(MODELS, [9, 8, 4, 3, 2, 2, 1, 2])[0]
    return made | ({"model": model} if model else {})


@pytest.fixture(scope="module")
def desk(django_db_setup, django_db_blocker, handler):
    """(client of the owner, project) with what tests need, made once: logged, reviewed, corrected, deleted."""
    with django_db_blocker.unblock(), transaction.atomic():
        project = make_project("desk")
        noise = make_project("noise", team=project.team)
        for key, described in KEYS.items():
            create_feedback_key(team=project.team, key=key, name=key.title(), projects=[project, noise], **described)
        chance, owner = random.Random(5), owner_of(project)
        for place in (project, noise):
            outcomes = ingest(project=place, records=[record(chance) for _ in range(260)], by=owner)
            assert not [outcome.error for outcome in outcomes if outcome.error]
        judge(project, chance, owner)
        client = Client()
        client.handler = handler
        client.force_login(owner)
        yield client, project
        transaction.set_rollback(True)


def judge(project, chance, owner):
    """Reviews, corrections, withdrawals and deletions; half of what is counted is folded, the rest is not."""
    keys, rows = keys_of(project), list(Interaction.objects.filter(project=project).order_by("pk"))
    given_rollups.fold(limit=200)
    rollups.fold(limit=200)
    for row in chance.sample(rows, 40):
        give_feedback(interaction=row, key=keys["stars"], value=2, by=owner, origin="reviewer", details="Too short.")
    for row in chance.sample(rows, 80):
        for one in Feedback.objects.current().filter(interaction_id=row.pk, feedback_key=keys["good"])[:1]:
            row.project = project
            if chance.random() < 0.7:
                correct_feedback(interaction=row, feedback_id=one.id, value=1 - one.value, by=owner)
            else:
                withdraw_feedback(interaction=row, feedback_id=one.id, by=owner)
    delete_interactions(project=project, ids=[row.pk for row in chance.sample(rows, 30)])


def seen(client, project, query="", zone="UTC"):
    client.cookies["tz"] = zone
    return client.get(f"{overview_url(project)}?{query}")


def local(moment, zone=datetime.UTC):
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}"


DAYS_AGO = local(NOW - datetime.timedelta(days=20, minutes=7)), local(NOW - datetime.timedelta(days=3, hours=5))
LOOKS = [
    ("period=28d", "UTC"),
    ("period=24h&bad=harm", "Asia/Kolkata"),
    ("period=7d&bad=stars", "Asia/Kathmandu"),
    ("period=7d", "America/New_York"),
    ("period=90d", "America/St_Johns"),
    (f"after={DAYS_AGO[0]}&before={DAYS_AGO[1]}&bad=stars", "Australia/Lord_Howe"),
    (f"after={local(NOW - datetime.timedelta(days=200))}", "Europe/Berlin"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("query", "zone"), LOOKS, ids=[f"{query[:12]} {zone}" for query, zone in LOOKS])
def test_every_count_opens_a_table_of_so_many_rows(desk, query, zone):
    client, project = desk
    response = seen(client, project, query, zone)
    assert response.status_code == 200
    links = links_of(response)
    assert sum(1 for n in links.values() if n) > 30
    chance, nothing = random.Random(1), [address for address, n in links.items() if not n]
    for address in nothing if len(nothing) < 6 else chance.sample(nothing, 6):
        check_table(client, address, 0)
    for address, n in links.items():
        if n:
            check_table(client, address, n)


def check_table(client, address, n):
    table = client.get(f"{address}&limit=1000")
    assert table.status_code == 200, address
    assert len(table.context["page"].rows) == n, address
    assert (table.context["counted"].n, table.context["counted"].capped) == (n, False), address


@pytest.mark.django_db
def test_no_count_is_without_its_table(desk):
    client, project = desk
    text = seen(client, project, "period=7d").content.decode()
    cells = re.findall(r"(?s)<td class=\"([^\"]*)\">(.*?)</td>", text)
    assert len(cells) > 50
    # means, and numbers of values, of which an interaction may have several, are no numbers of rows
    bare = [cell for kind, cell in cells if "value" not in kind and re.fullmatch(r"[\d,]+", cell.strip())]
    assert bare == []


def counted_rows(project, start, end):
    """What a plain loop sees: [(interaction, [(key, value, origin)])] of the span, simulation left out."""
    names = {key.pk: key.key for key in keys_of(project).values()}
    given = defaultdict(list)
    for one in Feedback.objects.filter(superseded_by=None):
        given[one.interaction_id].append((names.get(one.feedback_key_id), one.value, one.origin))
    rows = Interaction.objects.filter(project=project).exclude(source="simulation").select_related("model")
    return [(row, given[row.pk]) for row in rows if start <= row.created_at < end]


def wilson(ones, n, z=Z):
    """Both solutions of |p - share| = z sqrt(p (1 - p) / n), by the quadratic formula."""
    share = ones / n
    a, b, c = 1 + z * z / n, -(2 * share + z * z / n), share * share
    root = (b * b - 4 * a * c) ** 0.5
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def interval(key, values):
    if key.kind == "bool":
        return wilson(sum(values), len(values))
    if len(set(values)) < 2:
        return None
    half = stats.t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return statistics.fmean(values) - half, statistics.fmean(values) + half


def same(value, key, values):
    """Whether a Value is what the plain values say."""
    if not values:
        return value is None
    expected = interval(key, values)
    ends = expected and pytest.approx(expected, rel=1e-9, abs=1e-12)
    close = value.interval == ends
    return value.n == len(values) and value.mean == pytest.approx(statistics.fmean(values), rel=1e-9) and close


@pytest.mark.django_db
@pytest.mark.parametrize(("query", "zone"), LOOKS, ids=[f"{query[:12]} {zone}" for query, zone in LOOKS])
def test_statistics_are_those_of_a_plain_loop(desk, query, zone):
    client, project = desk
    context = seen(client, project, query, zone).context
    period, keys = context["period"], keys_of(project)
    rows = counted_rows(project, period.start, period.end)
    volume, with_any, reviewed, _ = context["tiles"]
    assert volume.count.n == len(rows)
    assert (volume.before.n if volume.before else 0) == len(counted_rows(project, *period.before))
    assert with_any.count.n == sum(1 for _, given in rows if given)
    assert reviewed.count.n == sum(1 for _, given in rows if any(origin == "reviewer" for *_, origin in given))
    assert with_any.figure == f"{100 * with_any.count.n / len(rows):.1f} %"
    for trend in context["trends"]:
        values = [value for _, given in rows for name, value, _ in given if name == trend.key.key]
        assert same(trend.value, trend.key, values), trend.key
        for column in trend.columns:
            within = [given for row, given in rows if column.column.start <= row.created_at < column.column.end]
            values = [value for given in within for name, value, _ in given if name == trend.key.key]
            assert same(column.value, trend.key, values)
    models = Counter(row.model.key if row.model else None for row, _ in rows)
    listed = {row.series.name: row for row in context["models"]}
    assert {name: n for name, n in models.items() if name} == {
        name: row.count.n for name, row in listed.items() if not row.series.is_rest
    }
    for (name, row), (place, key) in [(m, k) for m in listed.items() for k in enumerate(keys.values())]:
        own = None if row.series.is_rest else name
        values = [
            value for one, given in rows if (one.model.key if one.model else None) == own
            for given_key, value, _ in given if given_key == key.key
        ]  # fmt: skip
        assert same(row.cells[place].value, key, values), (name, key)
    known = {label.pk: (label.key, label.value) for label in project.labels.all()}
    labels = Counter(known[pk] for row, _ in rows for pk in row.label_ids)
    assert {(row.label.key, row.label.value): row.count.n for row in context["labels"]} == dict(labels)


@pytest.mark.django_db
@pytest.mark.parametrize(("key", "is_bad"), [
    ("good", lambda value: value == 0), ("harm", lambda value: value == 1), ("stars", lambda value: value <= 2)
])  # fmt: skip
def test_the_latest_bad_ones_are_the_newest_with_any_bad_value(desk, key, is_bad):
    client, project = desk
    context = seen(client, project, f"period=90d&bad={key}").context
    period, bad = context["period"], context["bad"]
    rows = counted_rows(project, period.start, period.end)
    expected = [row for row, given in rows if any(name == key and is_bad(value) for name, value, _ in given)]
    expected.sort(key=lambda row: row.pk, reverse=True)
    assert bad.counted == (len(expected), False)
    assert [row.pk for row in bad.rows] == [row.pk for row in expected[:8]]
    for row in bad.rows:
        assert is_bad(row.value)
        opened = client.get(row.address)
        assert opened.status_code == 200
        assert opened.context["back"] == bad.address


@pytest.mark.django_db
def test_a_key_without_a_range_is_not_judged_by(desk):
    client, project = desk
    assert [key.key for key in seen(client, project).context["judged"]] == ["good", "stars", "harm"]
    refused = seen(client, project, "bad=size")
    assert (refused.status_code, refused.context["bad"].key.key) == (400, "good")
    assert seen(client, project, "bad=nobody").status_code == 400


# -- states ----------------------------------------------------------------------------------------
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
    assert len(many) == len(few)
    assert not [query for query in many.captured_queries if "interactionbody" in query["sql"]]


def test_an_unlinked_key_is_hidden_and_the_shares_stay_those_of_the_table(pages, project):
    key = keyed(project)
    make_interaction(project, feedbacks=[{"feedback_key": "good", "value": True}])
    unlink_feedback_key(project=project, key=key)
    response = seen(pages, project)
    assert response.context["trends"] == []
    tile = response.context["tiles"][1]
    assert tile.count.n == 1
    check_table(pages, tile.count.address, 1)


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


# -- periods ---------------------------------------------------------------------------------------
MOMENTS = [
    datetime.datetime(2026, 3, 9, 3, 30, tzinfo=datetime.UTC),  # America changed its clocks the day before
    datetime.datetime(2026, 11, 1, 5, 59, tzinfo=datetime.UTC),  # within the hour that America has twice
    datetime.datetime(2026, 1, 1, 0, 0, tzinfo=datetime.UTC),
]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "America/Havana",
                                  "Australia/Lord_Howe", "Pacific/Chatham", "Europe/Berlin"])  # fmt: skip
@pytest.mark.parametrize("now", MOMENTS, ids=str)
@pytest.mark.parametrize("preset", PRESETS)
def test_columns_follow_each_other_by_whole_hours_and_end_with_this_one(now, zone, preset):
    here = zoneinfo.ZoneInfo(zone)
    period, faults = read_period({"period": preset}, now, here)
    assert faults == []
    assert len(period.columns) == (PRESETS[preset] or 24)
    assert period.start < period.end and now < period.end <= now + datetime.timedelta(hours=1)
    for column, after in pairwise(period.columns):
        assert column.end == after.start
    assert all(edge.utcoffset() == datetime.timedelta(0) and not edge.minute for edge in period.edges)
    assert period.before[1] <= period.start
    assert period.end - period.start - (period.before[1] - period.before[0]) <= datetime.timedelta(hours=1)
    if PRESETS[preset]:
        dates = [(column.start + datetime.timedelta(minutes=59)).astimezone(here).date() for column in period.columns]
        assert [after - date for date, after in pairwise(dates)] == [datetime.timedelta(days=1)] * (len(dates) - 1)
        for column, date in zip(period.columns, dates, strict=True):
            assert column.name == f"{date.day} {date:%b}"
            midnight = datetime.datetime(date.year, date.month, date.day, tzinfo=here).astimezone(datetime.UTC)
            assert datetime.timedelta(0) <= midnight - column.start < datetime.timedelta(hours=1)


@pytest.mark.parametrize(
    ("query", "zone", "start", "end", "columns"),
    [
        ({"after": "2026-05-01T10:20", "before": "2026-05-01T12:20"}, "UTC", "05-01T10", "05-01T13", 3),
        ({"after": "2026-05-01T00:00", "before": "2026-05-04T00:00"}, "Europe/Berlin", "04-30T22", "05-03T22", 3),
        ({"after": "2026-05-01T00:00", "before": "2026-05-04T00:00"}, "Asia/Kolkata", "04-30T18", "05-03T19", 4),
        ({"after": "2026-05-01T00:00Z", "before": "2026-05-01T12:00-02:00"}, "Asia/Tokyo", "05-01T00", "05-01T14", 14),
        ({"before": "2026-05-29T00:00"}, "UTC", "05-01T00", "05-29T00", 28),
        ({"after": "2026-01-01", "before": "2026-06-30"}, "UTC", "01-01T00", "06-30T00", 26),
    ],
)
def test_a_span_of_ones_own_is_taken_to_whole_hours(query, zone, start, end, columns):
    period, faults = read_period(query, MOMENTS[0], zoneinfo.ZoneInfo(zone))
    assert faults == []
    assert (f"{period.start:%m-%dT%H}", f"{period.end:%m-%dT%H}") == (start, end)
    assert len(period.columns) == columns
    assert period.before == (period.start - (period.end - period.start), period.start)
