"""Facets and the histogram tell what a plain loop counts."""

import datetime
from collections import Counter
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from feedback.models import FeedbackKey
from feedback.services import create_feedback_key
from interactions import rollups
from interactions.filters import InteractionFilter
from interactions.search import facets as facets_module
from interactions.search import search
from interactions.search import tally as tally_module
from interactions.search.facets import SHOWN, Matches, count_beside, count_shown, facets, histogram
from tests.factories import make_interaction, make_project, owner_of
from tests.interactions.corpus import START, cases, is_real, make_corpus

HTMX = {"HX-Request": "true"}
CASES = cases()
SOME = [CASES[place] for place in (0, 1, 3, 8, 13, 16, 18, 22, 25, 33, 40, 43, 46, 60, 75, 80, -3, -1)]
HOUR = START.replace(minute=0, second=0, microsecond=0) + datetime.timedelta(days=30, hours=5)


@pytest.fixture(scope="module")
def shelf(django_db_setup, django_db_blocker):
    """project, corpus; made once for the module and rolled back after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        project = make_project("shelf")
        yield SimpleNamespace(project=project, corpus=make_corpus(project))
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def there_is_time(monkeypatch):
    """However busy the machine that tests: what is exact here is not cut short."""
    for name in ("ASIDE", "BRIEFLY", "LOOKING", "COUNTING"):
        monkeypatch.setattr(facets_module, name, 60)


def wanted(project, query):
    filterset = InteractionFilter(QueryDict(urlencode(query, True)), project=project)
    assert filterset.is_valid(), filterset.errors
    return filterset.wanted


def hour(one):
    return one.at.astimezone(datetime.UTC).replace(minute=0, second=0, microsecond=0)


def assert_facets_are_true(shelf, query, meets):
    shown = facets(shelf.project, wanted(shelf.project, query))
    rows = [one for one in shelf.corpus if meets(one)]
    labels = Counter(pair for one in rows for pair in one.record["labels"].items())
    models = Counter(one.record["model"] for one in rows if "model" in one.record)
    told = [((label.key, label.value), n) for label, n in shown.labels]
    assert all(labels[pair] == n for pair, n in told)
    assert sorted((n for _, n in told), reverse=True) == sorted(labels.values(), reverse=True)[:SHOWN]
    assert shown.label_total == len(labels)
    assert {model.key: n for model, n in shown.models} == models
    good, stars, _ = shown.feedback
    assert (good.yes, good.no) == tuple(sum(value in one.values("good") for one in rows) for value in (1, 0))
    assert good.none == sum(not one.values("good") for one in rows)
    values = [value for one in rows for value in one.values("stars")]
    assert sum(stars.distribution.bins if stars.distribution else []) == len(values)
    latencies = [one.record["latency_ms"] for one in rows if "latency_ms" in one.record]
    assert sum(shown.latency.bins if shown.latency else []) == len(latencies)
    assert not shown.approximate and not shown.labels_approximate


@pytest.mark.django_db
@pytest.mark.parametrize(("query", "meets"), SOME, ids=[urlencode(query, True) or "all" for query, _ in SOME])
def test_facets_are_what_a_loop_counts(shelf, query, meets):
    assert_facets_are_true(shelf, query, meets)
    rollups.fold()
    assert_facets_are_true(shelf, query, meets)


@pytest.mark.django_db
def test_facets_of_whole_hours_come_from_the_rollups_and_are_the_same(shelf):
    query = {"after": HOUR.isoformat(), "before": (HOUR + datetime.timedelta(days=9)).isoformat()}
    assert_facets_are_true(
        shelf, query, lambda one: is_real(one) and HOUR <= one.at < HOUR + datetime.timedelta(days=9)
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("query", "meets"), SOME, ids=[urlencode(query, True) or "all" for query, _ in SOME])
def test_the_histogram_is_what_a_loop_counts(shelf, query, meets):
    """Its own span of time is left out, so that it can be seen within the rest."""
    timeless = {name: value for name, value in query.items() if name not in ("after", "before")}
    if timeless != query:
        meets = next(test for other, test in CASES if other == timeless)
    shown = histogram(shelf.project, wanted(shelf.project, query))
    rows = [one for one in shelf.corpus if meets(one)]
    expected = Counter(shown.start + (hour(one) - shown.start) // shown.step * shown.step for one in rows)
    assert {start: n for start, n in shown.bars if n} == expected
    assert len(shown.bars) <= facets_module.BARS + 1
    assert all(later[0] - earlier[0] == shown.step for earlier, later in zip(shown.bars, shown.bars[1:], strict=False))


@pytest.mark.django_db
@pytest.mark.parametrize("real", [0, 1])
def test_simulated_traffic_is_shown_where_it_lies_beside_the_real_one_or_alone(client, project, real):
    for day in range(10):
        make_interaction(project, source="simulation", created_at=(HOUR - datetime.timedelta(days=day)).isoformat())
    for _ in range(real):
        make_interaction(project, created_at=(HOUR + datetime.timedelta(days=3)).isoformat())
    client.force_login(owner_of(project))
    answer = client.get(f"/p/{project.key}/interactions/histogram", {"source": "simulation"}, headers=HTMX)
    assert "10 interactions" in answer.content.decode()
    shown = histogram(project, wanted(project, {"source": "simulation"}))
    assert sum(n for _, n in shown.bars) == 10
    assert shown.start <= HOUR - datetime.timedelta(days=9) and shown.end > HOUR + datetime.timedelta(days=3 * real)


@pytest.mark.django_db
@pytest.mark.parametrize(("query", "meets"), SOME, ids=[urlencode(query, True) or "all" for query, _ in SOME])
def test_counts_are_what_a_loop_counts(shelf, query, meets):
    counted = count_shown(shelf.project, wanted(shelf.project, query))
    assert (counted.n, counted.capped) == (sum(1 for one in shelf.corpus if meets(one)), False)


@pytest.mark.django_db
def test_what_is_too_much_to_count_is_marked(shelf, monkeypatch):
    monkeypatch.setattr(facets_module, "SAMPLE", 20)
    monkeypatch.setattr("interactions.search.CAP", 30)
    asked = wanted(shelf.project, {"latency": "0.."})
    shown = facets(shelf.project, asked)
    assert shown.approximate and shown.labels_approximate
    assert sum(shown.latency.bins) == 20
    assert count_shown(shelf.project, asked) == (30, True)
    everything = wanted(shelf.project, {})
    assert not facets(shelf.project, everything).labels_approximate
    assert not count_shown(shelf.project, everything).capped


@pytest.mark.django_db
def test_where_rows_take_their_time_fewer_are_counted_and_it_is_said_of_how_many(shelf, monkeypatch):
    monkeypatch.setattr(tally_module, "FIRST", 20)
    monkeypatch.setattr(facets_module, "COUNTING", 0)
    asked = wanted(shelf.project, {"latency": "0.."})
    shown = facets(shelf.project, asked)
    assert shown.approximate and shown.looked_at == sum(shown.latency.bins) == 20
    monkeypatch.setattr(facets_module, "COUNTING", 60)
    n = sum(1 for one in shelf.corpus if is_real(one) and "latency_ms" in one.record)
    shown = facets(shelf.project, asked)
    assert not shown.approximate and shown.looked_at == sum(shown.latency.bins) == n > 40


@pytest.mark.django_db
def test_what_there_is_no_time_to_count_is_told_as_the_least_there_are(shelf, monkeypatch):
    monkeypatch.setattr(facets_module, "ASIDE", 0)
    asked = wanted(shelf.project, {"latency": "0.."})
    n = sum(1 for one in shelf.corpus if is_real(one) and "latency_ms" in one.record)
    counted = count_shown(shelf.project, asked)
    assert counted.capped and counted.n in (0, 1, 2, 5, 10, 20, 50, 100, 200) and counted.n <= n
    page = search(shelf.project, asked, limit=30)
    monkeypatch.setattr(facets_module, "BRIEFLY", 0)
    assert count_beside(shelf.project, asked, page) is None
    assert count_beside(shelf.project, asked, page, wait=True) == (n, False)


@pytest.mark.django_db
def test_a_page_that_holds_all_is_its_own_count(shelf):
    asked = wanted(shelf.project, {"q": "refund", "label": "ticket"})
    page = search(shelf.project, asked, limit=400)
    with CaptureQueriesContext(connection) as queries:
        assert count_beside(shelf.project, asked, page) == (len(page), False)
    assert len(page) > 0 and not queries.captured_queries


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", [{"feedback": "good:false"}, {"reviewed": "true"}, {"label": "intent:refund"}], ids=str
)
def test_the_histogram_of_one_condition_is_exact_however_many_match(shelf, monkeypatch, query):
    monkeypatch.setattr(facets_module, "SAMPLE", 2)
    meets = next(test for other, test in CASES if other == query)
    shown = histogram(shelf.project, wanted(shelf.project, query))
    assert not shown.approximate
    assert sum(n for _, n in shown.bars) == sum(1 for one in shelf.corpus if meets(one)) > 2


@pytest.mark.django_db
@pytest.mark.parametrize("order", [None, "created_at"])
def test_a_histogram_that_is_cut_short_says_from_when_on_it_counts(shelf, monkeypatch, order):
    monkeypatch.setattr(facets_module, "CAP", 30)
    asked = wanted(shelf.project, {"latency": "0..", **({"order": order} if order else {})})
    shown = histogram(shelf.project, asked)
    newest = sorted((one.at for one in shelf.corpus if is_real(one) and "latency_ms" in one.record), reverse=True)[:31]
    assert shown.approximate and shown.until is None
    assert abs(shown.since - newest[-1]) < datetime.timedelta(milliseconds=1)
    assert sum(n for _, n in shown.bars) == 31


@pytest.mark.django_db
def test_what_is_counted_of_many_are_the_newest_whatever_the_order(shelf):
    asked = wanted(shelf.project, {"latency": "0.."})
    turned = wanted(shelf.project, {"latency": "0..", "order": "created_at"})
    folded = wanted(shelf.project, {"latency": "0..", "order": "created_at", "fold": "near"})
    assert turned.oldest_first
    assert Matches(shelf.project, turned).ids == Matches(shelf.project, asked).ids
    oldest = Matches(shelf.project, folded).ids
    assert oldest == sorted(oldest)


@pytest.mark.django_db
def test_of_what_is_folded_the_histogram_says_up_to_when_it_counts(shelf, monkeypatch):
    monkeypatch.setattr(facets_module, "CAP", 30)
    shown = histogram(shelf.project, wanted(shelf.project, {"order": "created_at", "fold": "near", "latency": "0.."}))
    assert shown.approximate and shown.since is None
    assert all(start <= shown.until for start, n in shown.bars if n)


@pytest.mark.django_db
def test_an_empty_project_has_neither(project):
    everything = wanted(project, {})
    assert histogram(project, everything) is None
    shown = facets(project, everything)
    assert (shown.labels, shown.models, shown.feedback, shown.latency) == ([], [], [], None)


SCALES = {
    "whole": ({"minimum": 1, "maximum": 5, "step": 1}, "1 – 5", [1, 0, 0, 2, 3]),
    "halves": ({"minimum": 1, "maximum": 5, "step": 0.5}, "1 – 5", [1, 0, 0, 0, 0, 0, 1, 1, 3]),
    "uneven": ({"minimum": 1, "maximum": 5, "step": 3}, "1 – 5", [1, 5]),
    "no ends": ({"step": 1}, "1 – 5", [1, 0, 0, 2, 3]),
    "no step": ({"minimum": 1, "maximum": 5}, "1 – 5", [1, 0, 0, 0, 0, 0, 0, 1, 1, 3]),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("declared", "ends", "bins"), SCALES.values(), ids=SCALES)
def test_a_scale_has_a_bar_a_step(client, project, declared, ends, bins):
    create_feedback_key(team=project.team, key="stars", kind="scalar", projects=[project])
    make_interaction(project, feedbacks=[{"metric": "stars", "value": one} for one in (1, 4, 4.5, 5, 5, 5)])
    FeedbackKey.objects.filter(key="stars").update(**declared)  # what lies between the steps stays
    client.force_login(owner_of(project))
    response = client.get(f"/p/{project.key}/interactions/facets")
    facet = response.context["facets"].feedback[0]
    titles = [bar["title"] for bar in facet["bars"]]
    assert (facet["range"], [int(title.rpartition(": ")[2]) for title in titles]) == (ends, bins)
    assert f"<title>{titles[-1]}</title>" in response.text


@pytest.mark.django_db
def test_a_range_declared_after_the_values_has_a_page(client, project):
    create_feedback_key(team=project.team, key="stars", kind="scalar", projects=[project])
    make_interaction(project, feedbacks=[{"metric": "stars", "value": 3}])
    client.force_login(owner_of(project))
    for declared in ({"minimum": 10, "step": 1}, {"minimum": None, "maximum": 2, "step": 1}):
        FeedbackKey.objects.filter(key="stars").update(**declared)
        response = client.get(f"/p/{project.key}/interactions/facets")
        assert sum(int(bar["title"].rpartition(": ")[2]) for bar in response.context["facets"].feedback[0]["bars"]) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "on"), [("4..5", "00011"), ("..2", "11000"), ("2..4", "01110"), ("2..<4", "01100"), ("5..", "00001")]
)
def test_the_bars_of_a_range_are_those_it_holds(client, project, asked, on):
    create_feedback_key(team=project.team, key="stars", kind="scalar", projects=[project], minimum=1, maximum=5, step=1)
    make_interaction(project, feedbacks=[{"metric": "stars", "value": one} for one in (2, 4, 5)])
    client.force_login(owner_of(project))
    response = client.get(f"/p/{project.key}/interactions/facets", {"feedback": f"stars:{asked}"})
    bars = response.context["facets"].feedback[0]["bars"]
    assert "".join(str(int(bar["on"])) for bar in bars) == on
