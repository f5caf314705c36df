"""The overview: each of its counts is the number of rows of a table, its statistics are those of a plain loop."""

import datetime
import random
import re
import statistics
from collections import Counter, defaultdict
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from scipy import stats

from feedback import rollups as given_rollups
from feedback.giving import correct_feedback, give_feedback, withdraw_feedback
from feedback.models import Feedback
from feedback.services import create_feedback_key, keys_of
from interactions import rollups
from interactions.ingest import ingest
from interactions.ingest.removal import delete_interactions
from interactions.models import Interaction
from tests.factories import make_project, owner_of
from tests.interactions.overviews import check_table, links_of, seen

NOW = timezone.now()
DAY = datetime.timedelta(days=1)
MODELS = ["lake-8b", "ridge-70b", "fen:2|b", "moor-1", "dale-9", "cove-3", "peak-4", None]
KEYS = {
    "good": {"kind": "bool"},
    "stars": {"kind": "scalar", "minimum": 1, "maximum": 5},
    "harm": {"kind": "bool", "lower_is_better": True},
    "size": {"kind": "scalar"},
}
Z = statistics.NormalDist().inv_cdf(0.975)


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


# the look of which every count is opened; of the others one of each shape, and what the clocks' changes touch
ALL_OF = LOOKS[2]


@pytest.mark.django_db
@pytest.mark.parametrize(("query", "zone"), LOOKS, ids=[f"{query[:12]} {zone}" for query, zone in LOOKS])
def test_every_count_opens_a_table_of_so_many_rows(desk, query, zone):
    client, project = desk
    response = seen(client, project, query, zone)
    assert response.status_code == 200
    links = links_of(response)
    counted = {address: n for address, n in links.items() if n}
    assert len(counted) > 30
    nothing = [address for address, n in links.items() if not n]
    for address in nothing if len(nothing) < 6 else random.Random(1).sample(nothing, 6):
        check_table(client, address, 0)
    for address in counted if (query, zone) == ALL_OF else telling(counted, ZoneInfo(zone)):
        check_table(client, address, counted[address], 10)  # drawing hundreds of rows takes its time


def telling(addresses, zone):
    """One address of each shape, and all the spans in which, or beside which, the zone's clocks change."""
    shapes, changes = {}, []
    for address in addresses:
        words = parse_qsl(urlsplit(address).query)
        shapes.setdefault(frozenset(name for name, _ in words), address)
        start, end = (datetime.datetime.fromisoformat(dict(words)[name]) for name in ("after", "before"))
        around = [(moment + way * DAY).astimezone(zone).utcoffset() for moment, way in ((start, -1), (end, 1))]
        if end - start <= 8 * DAY and around[0] != around[1]:
            changes.append(address)
    return [*shapes.values(), *changes]


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
