"""The pages of feedback keys: figures that equal a plain loop over what was sent, links that open just those rows,
and what may be changed by whom."""

import datetime
import html
import json
import math
import re
import shlex
import statistics

import pytest
from django.urls import reverse

from feedback.giving import give_feedback
from feedback.models import FeedbackKey
from feedback.moments import wilson
from feedback.rollups import fold
from feedback.services import create_feedback_key, is_used
from interactions.ingest import ingest
from interactions.labels import remove_label
from interactions.labels.renames import begin_rename
from interactions.models import Interaction
from interactions.search import values as search_values
from interactions.search.values import matching
from interactions.tasks import rename_labels
from jobs.work import run_job
from projects.services import share_project
from tests.factories import make_interaction, make_project, make_team, make_user, owner_of
from tests.feedback.compared import make_key

NOON = datetime.datetime.now(datetime.UTC).replace(hour=12, minute=0, second=0, microsecond=0)
QUERIES = 33  # of a key's page with all it can show
SCORES = [1, 2, 2.5, 4, 4, 5, 3, 5, 4, 1.5, 5, 2]


def record(place):
    """One of the project's: every third has two scores, every fourth none and no thumb."""
    given = [] if place % 4 == 3 else [{"metric": "score", "value": SCORES[place]}]
    given += [{"metric": "score", "value": SCORES[-1 - place]}] if place % 3 == 0 and given else []
    given += [{"metric": "good", "value": place % 2 == 0}] if place % 4 != 3 else []
    return {
        "messages": [{"role": "user", "content": f"Question {place}"}],
        "completion": f"Answer {place}",
        "labels": {"intent": ("refund", "a|b:c\\d")[place % 2]} if place % 5 else {},
        "created_at": (NOON - datetime.timedelta(days=1 + place // 3, minutes=place)).isoformat(),
        "feedbacks": given,
    } | ({"model": ("m1", "m2/x")[place % 2]} if place != 4 else {})


RECORDS = [record(place) for place in range(12)]


def values_of(key, records=RECORDS):
    return [float(one["value"]) for row in records for one in row["feedbacks"] if one["metric"] == key]


@pytest.fixture
def keyed(project):
    create_feedback_key(team=project.team, key="good", name="Good", kind="bool", projects=[project])
    create_feedback_key(
        team=project.team, key="score", kind="scalar", minimum=1, maximum=5, step=0.5, projects=[project]
    )
    outcomes = ingest(project=project, records=RECORDS, by=owner_of(project))
    project.ids = [str(outcome.id) for outcome in outcomes]
    return project


@pytest.fixture
def pages(client, project):
    client.force_login(owner_of(project))
    return client


def url(name, project, key=None):
    return reverse(name, kwargs={"project": project.key} | ({"key": key} if key else {}))


def behind(pages, address):
    """The ids of the rows that a link opens."""
    answer = pages.get(address)
    assert answer.status_code == 200, address
    return {str(row.id) for row in answer.context["page"]}


def ids_where(project, holds):
    return {pk for pk, row in zip(project.ids, RECORDS, strict=True) if holds(row)}


def having(key, test=lambda value: True):
    return lambda row: any(one["metric"] == key and test(float(one["value"])) for one in row["feedbacks"])


# -- the list -------------------------------------------------------------------------------------
@pytest.mark.parametrize("folded", [False, True])
def test_the_list_counts_what_was_sent(pages, keyed, folded):
    if folded:
        fold()
    rows = {row.key.key: row for row in pages.get(url("feedback_key_list", keyed)).context["rows"]}
    good, score = rows["good"], rows["score"]
    assert (good.totals.interactions, good.totals.moments.n) == (9, 9)
    assert (score.totals.interactions, score.totals.moments.n) == (9, len(values_of("score")))
    assert score.estimate.value == pytest.approx(statistics.mean(values_of("score")), abs=1e-12)
    thumbs = values_of("good")
    assert good.estimate.value == pytest.approx(sum(thumbs) / 9, abs=1e-12)
    assert (good.estimate.low, good.estimate.high) == wilson(int(sum(thumbs)), 9)
    assert behind(pages, score.table) == ids_where(keyed, having("score"))


def test_the_trend_has_a_mean_for_each_of_the_last_days(pages, keyed):
    row = next(row for row in pages.get(url("feedback_key_list", keyed)).context["rows"] if row.key.key == "score")
    by_day = {}
    for one in RECORDS:
        age = (NOON.date() - datetime.datetime.fromisoformat(one["created_at"]).date()).days
        by_day.setdefault(age, []).extend(values_of("score", [one]))
    expected = [statistics.mean(by_day[age]) if by_day.get(age) else None for age in range(27, -1, -1)]
    assert [one and one.value for one in row.days] == pytest.approx(expected)


def test_coverage_leads_to_what_it_counts(pages, keyed, owner):
    reviewed = keyed.ids[3]
    give_feedback(
        interaction=Interaction.objects.get(pk=reviewed),
        key=FeedbackKey.objects.get(key="good"),
        value=1,
        by=owner,
        origin="reviewer",
    )
    coverage = pages.get(url("feedback_key_list", keyed)).context["coverage"]
    assert (coverage["total"], coverage["given"]["n"], coverage["reviewed"]["n"]) == (12, 10, 1)
    assert behind(pages, coverage["given"]["table"]) == ids_where(keyed, lambda row: row["feedbacks"]) | {reviewed}
    assert behind(pages, coverage["reviewed"]["table"]) == {reviewed}
    unreviewed = pages.get(url("feedback_key_detail", keyed, "good"), {"reviewed": "false"}).context["coverage"]
    assert (unreviewed["given"]["n"], unreviewed["reviewed"]["n"], unreviewed["reviewed"]["table"]) == (9, 0, None)
    assert behind(pages, unreviewed["given"]["table"]) == ids_where(keyed, lambda row: row["feedbacks"])


def test_without_keys_the_page_says_how_to_make_one(pages, project):
    text = pages.get(url("feedback_key_list", project)).content.decode()
    assert "No feedback key yet" in text
    assert "/api/v1/feedback" in text
    assert url("feedback_key_create", project) in text


def test_the_list_takes_as_many_queries_for_one_key_as_for_many(pages, keyed, django_assert_num_queries):
    pages.get(url("feedback_key_list", keyed))
    with django_assert_num_queries(13):
        pages.get(url("feedback_key_list", keyed))
    for place in range(5):
        make_key(keyed, f"more-{place}")
    with django_assert_num_queries(13):
        pages.get(url("feedback_key_list", keyed))


# -- one key --------------------------------------------------------------------------------------
def test_the_figures_equal_plain_python(pages, keyed):
    context = pages.get(url("feedback_key_detail", keyed, "score")).context
    group, values = context["group"], sorted(values_of("score"))
    assert (group.count, group.interactions) == (len(values), 9)
    assert group.mean == pytest.approx(statistics.mean(values), abs=1e-9)
    assert group.stddev == pytest.approx(statistics.stdev(values), abs=1e-9)
    assert (group.minimum, group.maximum) == (values[0], values[-1])
    assert [group.quantiles[share] for share in (0.25, 0.5, 0.75)] == pytest.approx(
        statistics.quantiles(values, n=4, method="inclusive")
    )
    assert context["estimate"].low < group.mean < context["estimate"].high


@pytest.mark.parametrize("key", ["score", "good"])
def test_every_bar_opens_the_interactions_behind_it(pages, keyed, key):
    bars = pages.get(url("feedback_key_detail", keyed, key)).context["bars"]
    assert sum(one["bar"].count for one in bars) == len(values_of(key))
    for one in bars:
        start, end = one["bar"].start, math.inf if one["bar"].last else one["bar"].end
        inside = [value for value in values_of(key) if start <= value < end]
        assert one["bar"].count == len(inside)
        rows = ids_where(keyed, having(key, lambda value, a=start, b=end: a <= value < b))
        assert behind(pages, one["table"]) == rows


def test_the_last_bar_of_a_scale_ends_with_it(pages, project):
    for key, declared in (("stars", {"maximum": 5, "step": 1}), ("fives", {"maximum": 100, "step": 30}), ("open", {})):
        create_feedback_key(team=project.team, key=key, kind="scalar", projects=[project], minimum=1, **declared)
        given = (31, 61) if key == "fives" else (2, 5)
        make_interaction(project, feedbacks=[{"metric": key, "value": one} for one in given])
    titles = {
        key: [one["title"] for one in pages.get(url("feedback_key_detail", project, key)).context["bars"]]
        for key in ("stars", "fives", "open")
    }
    assert titles["stars"] == ["1 to under 2", "2 to under 3", "3 to under 4", "4 to under 5", "5"]
    assert titles["fives"][-1] == "91 to 100"
    assert titles["open"][-1] == "5 to 5.2"


def test_a_days_wide_interval_does_not_flatten_the_line(pages, project):
    """Two values far apart have an interval from below 1 to above 5; the line keeps to where the means lie."""
    create_feedback_key(team=project.team, key="stars", kind="scalar", projects=[project], minimum=1, maximum=5, step=1)
    for day, values in enumerate(([2, 5], [3, 4, 3, 4, 4, 4], [3, 4, 3, 3, 4, 3], [3, 3, 4, 4])):
        at = (NOON - datetime.timedelta(days=1 + day)).isoformat()
        make_interaction(project, created_at=at, feedbacks=[{"metric": "stars", "value": one} for one in values])
    days = pages.get(url("feedback_key_detail", project, "stars")).context["days"]
    wide = days["rows"][0]["estimate"]
    assert wide.low < 1 and wide.high > 5
    assert [tick.value for tick in days["line"].ticks][0] >= 3
    assert [tick.value for tick in days["line"].ticks][-1] <= 4.2
    assert all(0 <= float(pair.split(",")[1]) <= days["height"] for band in days["line"].bands for pair in band.split())


def test_models_and_labels_and_days_open_their_rows(pages, keyed):
    context = pages.get(url("feedback_key_detail", keyed, "score"), {"by": "intent"}).context
    scored = having("score")
    models = {row.group.key: row for row in context["models"].rows}
    assert set(models) == {"m1", "m2/x", None}
    for model, row in models.items():
        own = [one for one in RECORDS if one.get("model") == model]
        assert row.group.count == len(values_of("score", own))
        assert row.group.mean == pytest.approx(statistics.mean(values_of("score", own)), abs=1e-9)
        rows = ids_where(keyed, lambda one, model=model: scored(one) and one.get("model") == model)
        assert behind(pages, row.table) == rows
    labels = {row.group.key: row for row in context["labels"].rows}
    assert set(labels) == {"refund", "a|b:c\\d", None}
    for value, row in labels.items():
        rows = ids_where(keyed, lambda one, value=value: scored(one) and one["labels"].get("intent") == value)
        assert (row.group.interactions, behind(pages, row.table)) == (len(rows), rows)
    for day in context["days"]["rows"]:
        rows = ids_where(keyed, lambda one, day=day: scored(one) and one["created_at"][:10] == str(day["date"]))
        assert (day["group"].interactions, behind(pages, day["table"])) == (len(rows), rows)


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ({"model": "m1"}, lambda row: row.get("model") == "m1"),
        ({"label": "intent:refund"}, lambda row: row["labels"].get("intent") == "refund"),
        ({"feedback": "good:true"}, having("good", lambda value: value == 1)),
        ({"model": "m1", "q": "Answer"}, lambda row: row.get("model") == "m1"),
        ({"after": (NOON - datetime.timedelta(days=2, hours=6)).isoformat()}, lambda row: RECORDS.index(row) < 6),
    ],
)
def test_a_filter_of_the_table_holds_for_every_figure_and_every_link(pages, keyed, query, holds):
    answer = pages.get(url("feedback_key_detail", keyed, "score"), query)
    kept = [row for row in RECORDS if holds(row)]
    context = answer.context
    assert context["group"].count == len(values_of("score", kept))
    assert context["coverage"]["total"] == len(kept)
    rows = ids_where(keyed, lambda row: holds(row) and having("score")(row))
    assert behind(pages, context["table"]) == rows
    assert behind(pages, context["coverage"]["own"]["table"]) == rows
    assert set.union(*(behind(pages, one["table"]) for one in context["bars"])) == rows
    assert set.union(*(behind(pages, row.table) for row in context["models"].rows)) == rows
    assert set.union(*(behind(pages, day["table"]) for day in context["days"]["rows"])) == rows
    for chip in context["chips"]:
        without = pages.get(chip.without).context
        assert len(without["chips"]) == len(context["chips"]) - 1


def test_a_yes_or_no_of_the_filter_is_told_in_words(pages, keyed):
    chips = pages.get(url("feedback_key_detail", keyed, "score"), {"reviewed": "true", "has_images": "false"}).context[
        "chips"
    ]
    assert {(chip.kind, chip.text) for chip in chips} == {("feedback by a reviewer", "yes"), ("with pictures", "no")}


def test_the_share_of_a_key_is_of_what_was_looked_at(pages, keyed, monkeypatch):
    """What takes too long is counted over the newest: these are no share of all there are."""

    def slowly(project, wanted):
        tables, where, values = matching(project, wanted)
        return tables, f"{where} AND pg_sleep(0.05)::text IS NOT NULL", values

    monkeypatch.setattr(search_values, "matching", slowly)
    monkeypatch.setattr("feedback.views.key_detail.BUDGET_MS", 20)
    monkeypatch.setattr(search_values, "SAMPLE", 2)
    sampled = pages.get(url("feedback_key_detail", keyed, "score"), {"label": "intent:refund"})
    own = sampled.context["coverage"]["own"]
    assert (own["newest"], own["share"]) == (2, own["n"] / 2) and "of the newest 2</small>" in sampled.content.decode()
    every = pages.get(url("feedback_key_detail", keyed, "score")).context["coverage"]  # the roll-up still knows these
    assert every["own"]["share"] == 9 / 12


def test_a_day_ends_where_the_filter_does(pages, keyed):
    """Of a day that the address asks a part of, the link opens that part."""
    newest = datetime.datetime.fromisoformat(RECORDS[0]["created_at"])
    query = {"before": newest.isoformat(), "after": (newest - datetime.timedelta(minutes=2)).isoformat()}
    [day] = pages.get(url("feedback_key_detail", keyed, "score"), query).context["days"]["rows"]
    assert behind(pages, day["table"]) == {keyed.ids[1], keyed.ids[2]}


def test_days_are_the_readers(pages, keyed):
    late = NOON.replace(hour=23, minute=30) - datetime.timedelta(days=20)
    row = make_interaction(keyed, created_at=late.isoformat(), feedbacks=[{"metric": "score", "value": 3}])
    pages.cookies["tz"] = "Asia/Tokyo"
    day = pages.get(url("feedback_key_detail", keyed, "score")).context["days"]["rows"][-1]
    assert day["date"] == late.date() + datetime.timedelta(days=1)
    assert behind(pages, day["table"]) == {str(row.pk)}


@pytest.mark.parametrize("query", [{"feedback": "nobody:1"}, {"after": "soon"}, {"q": "a\x00b"}, {"label": ":"}])
def test_a_filter_that_cannot_be_read_is_told_and_can_be_cleared(pages, keyed, query):
    answer = pages.get(url("feedback_key_detail", keyed, "score"), query)
    assert answer.status_code == 400
    assert "This filter cannot be read" in answer.content.decode()
    assert pages.get(answer.context["words"].page).status_code == 200


@pytest.mark.parametrize("key", ["side-by-side", 'it\'s "<ü>" & \\ $HOME'])
def test_a_key_without_values_says_how_they_come(pages, keyed, key):
    make_key(keyed, key)
    text = pages.get(url("feedback_key_detail", keyed, key)).content.decode()
    assert "No value yet" in text
    call = shlex.split(html.unescape(re.search(r"<code>(curl .*?)</code>", text, re.DOTALL)[1]))
    assert json.loads(call[-1]) == {"completion_id": "ID_OF_THE_INTERACTION", "feedback_key": key, "value": True}
    assert r"\u002D" not in text


def test_labels_are_offered_by_their_names_in_force_and_an_old_one_shows_what_it_became(pages, keyed):
    make_interaction(keyed, labels={"topic": "x"})
    removed = make_interaction(keyed, labels={"gone": "x"})
    remove_label(interaction=removed, key="gone", by=owner_of(keyed))
    for key, to in (("topic", "about"), ("about", "intent")):
        job = begin_rename(project=keyed, by=owner_of(keyed), key=key, to=to)
        run_job(rename_labels.func.__wrapped__, job.pk)
    context = pages.get(url("feedback_key_detail", keyed, "score"), {"by": "topic"}).context
    assert context["label_keys"] == ["intent"]
    assert context["by"] == context["label"] == "intent"
    assert {row.group.key for row in context["labels"].rows} == {"refund", "a|b:c\\d", None}


def test_another_filter_may_hold_no_value(pages, keyed):
    filtered = pages.get(url("feedback_key_detail", keyed, "score"), {"model": "unheard"})
    assert "No value here" in filtered.content.decode()


@pytest.mark.parametrize("value", [1e12, -1e12, 1e-9, 0.0])
def test_one_value_alone_of_any_size_has_a_page(pages, project, value):
    make_key(project, "size", "scalar")
    row = make_interaction(project, feedbacks=[{"metric": "size", "value": value}])
    context = pages.get(url("feedback_key_detail", project, "size")).context
    assert (context["group"].mean, context["group"].stddev) == (value, None)
    [bar] = [one for one in context["bars"] if one["bar"].count]
    assert behind(pages, bar["table"]) == {str(row.pk)}


def test_a_key_takes_as_many_queries_whatever_there_is(pages, keyed, django_assert_num_queries):
    address = url("feedback_key_detail", keyed, "score")
    pages.get(address, {"by": "intent"})
    with django_assert_num_queries(QUERIES):
        pages.get(address, {"by": "intent"})
    ingest(project=keyed, records=[{**row, "model": f"m{n}"} for n in range(4) for row in RECORDS], by=owner_of(keyed))
    pages.get(address, {"by": "intent"})
    with django_assert_num_queries(QUERIES):
        pages.get(address, {"by": "intent"})


# -- changing -------------------------------------------------------------------------------------
def fields(**more):
    return {"name": "Stars", "key": "stars", "kind": "scalar", "minimum": "1", "maximum": "5", "step": "0.5"} | more


def test_a_key_is_made_by_the_form(pages, project):
    answer = pages.post(url("feedback_key_create", project), fields(lower_is_better="lower", description="At the end"))
    assert (answer.status_code, answer["Location"]) == (302, url("feedback_key_list", project))
    key = FeedbackKey.objects.get(projects=project)
    found = (key.team, key.key, key.name, key.kind, key.minimum, key.maximum, key.step, key.lower_is_better)
    assert found == (project.team, "stars", "Stars", "scalar", 1, 5, 0.5, True)
    assert key.description == "At the end"


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"name": ""}, "name"),
        ({"key": ""}, "key"),
        ({"key": "a/../b"}, "key"),
        ({"key": "k" * 101}, "key"),
        ({"key": "a\x00b"}, "key"),
        ({"kind": "stars"}, "kind"),
        ({"minimum": "five"}, "minimum"),
        ({"minimum": "NaN"}, "minimum"),
        ({"maximum": "inf"}, "maximum"),
        ({"maximum": "1"}, "maximum"),
        ({"step": "0"}, "step"),
        ({"kind": "bool"}, "minimum"),
    ],
)
def test_the_form_tells_what_is_wrong_beside_the_field(pages, project, changes, wrong):
    answer = pages.post(url("feedback_key_create", project), fields(**changes))
    assert answer.status_code == 422
    assert wrong in answer.context["form"].errors
    assert not FeedbackKey.objects.exists()


def test_a_key_that_the_team_has_with_another_kind_is_told(pages, project):
    create_feedback_key(team=project.team, key="stars", kind="bool")
    answer = pages.post(url("feedback_key_create", project), fields())
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["key"])


def test_a_key_is_changed_by_the_form_and_its_kind_until_it_is_used(pages, project):
    key = make_key(project, "stars", "scalar")
    address = url("feedback_key_edit", project, "stars")
    assert pages.get(address).context["form"].fields["kind"].disabled is False
    pages.post(address, {"name": "Thumb", "kind": "bool"})
    key.refresh_from_db()
    assert (key.key, key.name, key.kind) == ("stars", "Thumb", "bool")
    make_interaction(project, feedbacks=[{"metric": "stars", "value": True}])
    assert is_used(key)
    page = pages.get(address)
    assert page.context["form"].fields["kind"].disabled is True
    assert "Values are stored under this key" in page.content.decode()
    answer = pages.post(address, {"name": "Still a thumb", "kind": "scalar"})
    assert answer.status_code == 302
    key.refresh_from_db()
    assert (key.name, key.kind) == ("Still a thumb", "bool")


def test_what_is_edited_shows_as_it_is(pages, project):
    create_feedback_key(
        team=project.team,
        key="k",
        kind="scalar",
        minimum=1e-7,
        maximum=2,
        step=0.1,
        lower_is_better=True,
        projects=[project],
    )
    form = pages.get(url("feedback_key_edit", project, "k")).context["form"]
    sent = {field.name: field.value() for field in form}
    assert (sent["minimum"], sent["maximum"], sent["step"]) == ("1e-07", "2", "0.1")
    assert pages.post(url("feedback_key_edit", project, "k"), sent).status_code == 302
    key = FeedbackKey.objects.get()
    assert (key.minimum, key.maximum, key.step, key.lower_is_better) == (1e-7, 2, 0.1, True)


def test_unlinking_hides_and_linking_shows_again(pages, keyed):
    pages.post(url("feedback_key_unlink", keyed, "score"))
    assert pages.get(url("feedback_key_detail", keyed, "score")).status_code == 404
    listed = pages.get(url("feedback_key_list", keyed))
    assert [row.key.key for row in listed.context["rows"]] == ["good"]
    assert [key.key for key in listed.context["link_form"].fields["key"].queryset] == ["score"]
    pages.post(url("feedback_key_link", keyed), {"key": "score"})
    assert pages.get(url("feedback_key_detail", keyed, "score")).context["group"].count == len(values_of("score"))


def test_only_keys_of_the_team_can_be_linked(pages, project):
    theirs = make_key(make_project(), "theirs")
    assert pages.post(url("feedback_key_link", project), {"key": theirs.key}).status_code == 422
    assert not project.feedback_keys.exists()


def test_a_guest_is_shown_no_key_that_is_not_the_projects(client, keyed):
    create_feedback_key(team=keyed.team, key="elsewhere", kind="bool")
    guests = make_team()
    share_project(project=keyed, team=guests, role=keyed.team.roles.get(key="engineer"))
    client.force_login(guests.members.get())
    page = client.get(url("feedback_key_list", keyed))
    assert (page.status_code, page.context["may_manage"]) == (200, True)
    assert "elsewhere" not in page.content.decode()
    assert client.post(url("feedback_key_link", keyed), {"key": "elsewhere"}).status_code == 422


@pytest.mark.parametrize(("role", "may"), [("engineer", True), ("reviewer", False), ("auditor", False)])
def test_who_may_change_keys_and_who_only_reads(client, keyed, role, may):
    client.force_login(make_user(team=keyed.team, role=role))
    page = client.get(url("feedback_key_list", keyed))
    assert page.status_code == client.get(url("feedback_key_detail", keyed, "good")).status_code == 200
    assert (url("feedback_key_create", keyed) in page.content.decode()) is may
    assert client.get(url("feedback_key_create", keyed)).status_code == (200 if may else 403)
    assert client.get(url("feedback_key_edit", keyed, "good")).status_code == (200 if may else 403)
    assert client.post(url("feedback_key_unlink", keyed, "good")).status_code == (302 if may else 403)


def test_a_stranger_finds_no_page(client, keyed):
    client.force_login(make_user(team=make_team()))
    for name, key in (("feedback_key_list", None), ("feedback_key_detail", "good"), ("feedback_key_edit", "good")):
        assert client.get(url(name, keyed, key)).status_code == 404
    assert client.post(url("feedback_key_unlink", keyed, "good")).status_code == 404
    assert keyed.feedback_keys.count() == 2


def test_hostile_names_are_shown_and_do_nothing(pages, project):
    hostile = "<script>alert(1)</script>\u202e"
    key = make_key(project, "<b>&'\"")
    FeedbackKey.objects.filter(pk=key.pk).update(name=hostile, description=hostile)
    make_interaction(project, model="<i>m</i>", feedbacks=[{"metric": key.key, "value": 1}])
    for name, named in (("feedback_key_list", None), ("feedback_key_detail", key.key), ("feedback_key_edit", key.key)):
        text = pages.get(url(name, project, named)).content.decode()
        assert "<script>alert" not in text
        assert "<i>m" not in text
        assert "<b>&" not in text
