"""Statistics over REST equal what plain Python computes from the same records, for any filter."""

import collections
import datetime
import random
import statistics
from urllib.parse import urlencode

import pytest
from django.http import QueryDict

from feedback.services import create_feedback_key, update_feedback_key
from interactions.filters import InteractionFilter
from interactions.ingest import ingest
from interactions.search import matching
from interactions.search import values as search_values
from tests.conftest import Api
from tests.factories import make_interaction, make_project, make_user, owner_of

START = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)


@pytest.fixture
def scored(project):
    """200 interactions of three models, up to three values each of two keys, some of them simulated."""
    score, _ = create_feedback_key(
        team=project.team, key="score", kind="scalar", minimum=1, maximum=10, projects=[project]
    )
    create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    create_feedback_key(team=project.team, key="cost", kind="scalar", projects=[project])
    chance = random.Random(5)
    project.records = [
        {
            "prompt": f"question {place} " + ("late fee" if place % 3 else "refund"),
            "completion": "answer",
            "labels": {"intent": ("refund", "cover")[place % 2]},
            "created_at": (START + datetime.timedelta(hours=7 * place)).isoformat(),
            "source": "simulation" if place % 10 == 0 else "live",
            **({"model": f"model-{place % 3}"} if place % 7 else {}),
            "feedbacks": [
                *({"metric": "score", "value": chance.randint(2, 20) / 2} for _ in range(chance.randrange(4))),
                *({"metric": "good", "value": chance.random() < 0.7} for _ in range(chance.randrange(2))),
                {"metric": "cost", "value": 1e9 + chance.random()},
            ],
        }
        for place in range(200)
    ]
    assert not [
        one.error for one in ingest(project=project, records=project.records, by=owner_of(project)) if one.error
    ]
    update_feedback_key(key=score, step=1)  # what lies between the steps stays
    return project


def expected(records, key, group=lambda record: ""):
    """{group: ([values], number of interactions)}"""
    found = collections.defaultdict(lambda: ([], []))
    for place, record in enumerate(records):
        own = [float(given["value"]) for given in record["feedbacks"] if given["metric"] == key]
        found[group(record)][0].extend(own)
        found[group(record)][1].extend([place] * bool(own))
    return {name: (values, len(places)) for name, (values, places) in found.items() if values}


def told(api, project, key, **query):
    answer = api.get(f"feedback-keys/{key}/stats", {"project": project.key, **query})
    assert answer.status_code == 200, answer.content
    return answer.json()


REAL = [
    ({}, lambda record: True),
    ({"label": "intent:refund"}, lambda record: record["labels"]["intent"] == "refund"),
    ({"not_label": "intent:refund"}, lambda record: record["labels"]["intent"] != "refund"),
    ({"model": "model-1"}, lambda record: record.get("model") == "model-1"),
    ({"q": "refund"}, lambda record: "refund" in record["prompt"]),
    ({"q": "fee", "label": "intent:cover"},
     lambda record: "fee" in record["prompt"] and record["labels"]["intent"] == "cover"),
    ({"after": "2026-06-20T00:00:00Z", "before": "2026-07-05T12:30:00Z"},
     lambda record: "2026-06-20" <= record["created_at"] < "2026-07-05T12:30"),
    ({"feedback": "good:true"}, lambda record: {"metric": "good", "value": True} in record["feedbacks"]),
]  # fmt: skip


@pytest.mark.parametrize("key", ["score", "good", "cost"])
@pytest.mark.parametrize(("query", "meets"), REAL, ids=[str(query) for query, _ in REAL])
def test_they_equal_a_plain_computation(api, scored, key, query, meets):
    groups = {
        None: lambda record: "",
        "model": lambda record: record.get("model"),
        "label:intent": lambda record: record["labels"]["intent"],
        "day": lambda record: record["created_at"][:10],
    }
    records = [record for record in scored.records if record["source"] == "live" and meets(record)]
    for group_by, group in groups.items():
        answer = told(api, scored, key, **query, **({"group_by": group_by} if group_by else {}))
        assert answer["approximate"] is False
        wanted = expected(records, key, group)
        assert {one["key"] for one in answer["groups"]} == set(wanted), group_by
        for one in answer["groups"]:
            check_group(one, *wanted[one["key"]])


def check_group(one, values, interactions):
    assert (one["count"], one["interactions"]) == (len(values), interactions)
    assert one["mean"] == pytest.approx(statistics.fmean(values), rel=1e-12)
    deviation = statistics.stdev(values) if len(values) > 1 else None
    assert one["stddev"] == (deviation if deviation is None else pytest.approx(deviation, rel=1e-9))
    assert (one["min"], one["max"]) == (min(values), max(values))
    assert one["quantiles"]["p50"] == pytest.approx(statistics.median(values))
    assert sum(bar["count"] for bar in one["histogram"]) == len(values)
    for bar in one["histogram"]:
        assert bar["count"] == sum(bar["start"] <= value < bar["end"] for value in values)


def test_simulated_traffic_is_counted_only_where_it_is_asked_for(api, scored):
    records = [record for record in scored.records if record["source"] == "simulation"]
    [(values, _)] = expected(records, "cost").values()
    assert told(api, scored, "cost", source="simulation")["groups"][0]["count"] == len(values)


def test_a_declared_scale_has_a_bar_for_every_step_whatever_was_given(api, scored):
    bars = told(api, scored, "score", label="intent:refund")["groups"][0]["histogram"]
    assert [bar["start"] for bar in bars] == [float(n) for n in range(1, 11)]
    assert bars[-1]["end"] == 11


def test_coverage_tells_which_share_has_feedback_at_all(api, project):
    create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    none, given, reviewed = (make_interaction(project).pk for _ in range(3))
    make_interaction(project, source="simulation")
    api.post("feedback", [{"completion_id": str(pk), "metric": "good", "value": 1} for pk in (given, reviewed)])
    api.post("feedback", {"completion_id": str(reviewed), "metric": "good", "value": 1, "origin": "reviewer"})
    covered = {"interactions": 3, "with_feedback": 2, "reviewed": 1, "is_capped": False}
    assert told(api, project, "good")["coverage"] == covered
    without = told(api, project, "good", has_feedback="false")["coverage"]
    assert without == {"interactions": 1, "with_feedback": 0, "reviewed": 0, "is_capped": False}
    unreviewed = told(api, project, "good", reviewed="false")["coverage"]
    assert unreviewed == {"interactions": 2, "with_feedback": 1, "reviewed": 0, "is_capped": False}


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize("query", [{}, {"model": "model-1"}, {"label": "intent:refund"}])
def test_a_line_of_days_is_what_the_days_are(scored, zone, query):
    filterset = InteractionFilter(QueryDict(urlencode(query)), project=scored)
    assert filterset.is_valid()
    key = scored.feedback_keys.get(key="score")
    days = search_values.days_of(scored, key, filterset.wanted, zone).groups
    wanted = search_values.value_stats(scored, key, filterset.wanted, "day", zone).groups
    assert [(one.key, one.count, one.interactions) for one in days] == [
        (one.key, one.count, one.interactions) for one in wanted
    ]
    assert [one.mean for one in days] == pytest.approx([one.mean for one in wanted], rel=1e-12)
    for one, other in zip(days, wanted, strict=True):
        assert one.stddev == (other.stddev and pytest.approx(other.stddev, rel=1e-9))


def test_only_the_largest_groups_are_told_and_it_is_said(api, scored, monkeypatch):
    assert told(api, scored, "cost", group_by="day")["groups_are_capped"] is False
    monkeypatch.setattr(search_values, "MOST_GROUPS", 2)
    answer = told(api, scored, "score", group_by="model")
    real = [record for record in scored.records if record["source"] == "live"]
    sizes = {name: len(values) for name, (values, _) in expected(real, "score", lambda r: r.get("model")).items()}
    assert [one["count"] for one in answer["groups"]] == sorted(sizes.values(), reverse=True)[:2]
    assert answer["groups_are_capped"] is True


def test_nothing_given_is_no_group(api, scored):
    assert told(api, scored, "score", label="intent:unheard")["groups"] == []
    assert told(api, scored, "score", after="2030-01-01T00:00:00Z")["groups"] == []


def test_what_takes_too_long_is_told_of_the_newest_and_marked(api, scored, monkeypatch):
    def slowly(project, wanted):
        tables, where, values = matching(project, wanted)
        return tables, f"{where} AND pg_sleep(0.01)::text IS NOT NULL", values

    monkeypatch.setattr(search_values, "matching", slowly)
    monkeypatch.setattr(search_values, "BUDGET_MS", 100)
    monkeypatch.setattr(search_values, "SAMPLE", 50)
    real = [record for record in scored.records if record["source"] == "live"]
    of_label = told(api, scored, "cost", label="intent:refund")
    assert (of_label["approximate"], of_label["sampled"], of_label["groups"][0]["count"]) == (True, 50, 50)
    everything = told(api, scored, "cost")
    [(values, n)] = expected(real, "cost").values()
    [group] = everything["groups"]  # the roll-up still knows these
    assert (everything["approximate"], group["count"], group["interactions"]) == (True, len(values), n)
    assert group["mean"] == pytest.approx(statistics.fmean(values), rel=1e-12)
    assert group["stddev"] == pytest.approx(statistics.stdev(values), rel=1e-9)
    by_model = told(api, scored, "cost", group_by="model", model="model-1")
    wanted = expected([record for record in real if record.get("model") == "model-1"], "cost")[""]
    assert [(one["key"], one["count"]) for one in by_model["groups"]] == [("model-1", len(wanted[0]))]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"group_by": "week"}, "group_by"),
        ({"group_by": "label:"}, "group_by"),
        ({"lable": "x"}, "lable"),
        ({"label": ":x"}, "label"),
        ({"feedback": "nps:1"}, "feedback"),
    ],
)
def test_what_cannot_be_read_is_named(api, scored, query, path):
    answer = api.get("feedback-keys/score/stats", {"project": scored.key, **query})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [path])


def test_who_may_see_them(api, client, scored):
    address, query = "feedback-keys/score/stats", {"project": scored.key}
    assert Api(client, make_user(team=scored.team, role="auditor")).get(address, query).status_code == 200
    assert Api(client, make_user()).get(address, query).status_code == 404
    assert api.get("feedback-keys/nps/stats", query).status_code == 404
    other = make_project(team=scored.team)
    assert api.get(address, {"project": other.key}).status_code == 404
