"""What a test watches beside what it is judged by: counted as it comes, told with its verdict, and in the way of an arm
that got worse."""

import random
from importlib import import_module

import numpy as np
import pytest
from django.db import connection

from bench import watching as simulated
from experiments import folding, services
from experiments.clearing import clear
from experiments.evaluating import evaluate_due
from experiments.figures import judged
from experiments.models import ABTest, CountedUnder, Decision, Seen, SeenUnder, WatchedCell, WatchedKey
from experiments.proof import prove
from experiments.statistics import Moments, watch, watching
from experiments.tasks import fold
from feedback.giving import correct_feedback, give_feedback, withdraw_feedback
from feedback.models import FeedbackKey
from feedback.services import create_feedback_key
from interactions.ingest import ingest
from interactions.ingest.removal import delete_interactions
from interactions.models import Interaction
from projects.services import delete_project
from projects.tasks import delete_content
from registry.services import default_of, set_default
from tests.experiments.running import make_test
from tests.experiments.test_pages import FORM, text_of, url
from tests.factories import owner_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys(place):
    """Keys of the project that may be watched: a share, a number with a range, one without."""
    for key, more in (("polite", {"kind": "bool"}), ("stars", {"kind": "scalar", "minimum": 1, "maximum": 5})):
        create_feedback_key(team=place.team, key=key, projects=[place], **more)
    return {key.key: key for key in FeedbackKey.objects.filter(team=place.team)}


def talk(test, letter, n, *, polite, well=None, failed=0, latency=(400, 600), by=None):
    """Log n units of this arm: of these so many were polite, liked, and failed; latency is drawn between the two.
    Returns their ids."""
    chance, arm = random.Random(letter), test.arms.select_related("model").get(position="ABC".index(letter))
    records = [
        {
            "prompt": "?",
            "completion": "!",
            "model": arm.model.key,
            "ab_campaign": test.key,
            "user": f"{letter}-{k}",
            "feedbacks": [
                {"feedback_key": "helpful", "value": k % n < (n // 2 if well is None else well)},
                {"feedback_key": "polite", "value": k < polite},
            ],
            "latency_ms": chance.randint(*latency),
            "usage": {"completion_tokens": chance.randint(50, 150)},
            "metadata": {"error": {"code": "timeout"}} if k >= n - failed else {},
        }
        for k in range(n)
    ]
    outcomes = ingest(project=test.project, records=records, by=test.created_by)
    assert not [outcome.error for outcome in outcomes if outcome.error]
    folding.settle()
    return [outcome.id for outcome in outcomes]


def told(test):
    """{figure, or key: its Watched}"""
    return {one.key or one.figure: one for one in judged(test).watched}


def prove_right(test):
    [proof] = prove([test.project])
    assert (proof.units, proof.cells) == (0, 0)


def test_keys_are_named_with_their_margins_and_told_with_their_figures(program, address, keys):
    sent = {"key": "one", "name": "One", "feedback_key": "helpful", "models": ["lake-8b", "ridge-70b"]}
    sent["watched"] = [{"feedback_key": "polite"}, {"feedback_key": "stars"}, {"feedback_key": "seconds", "margin": 3}]
    made = program.post(address, sent)
    assert made.status_code == 201, made.json()
    named = {one["feedback_key"]: one["margin"] for one in made.json()["watched"]}
    assert named == {"polite": 0.02, "stars": pytest.approx(0.08), "seconds": 3.0}
    test = ABTest.objects.get()
    talk(test, "A", 100, polite=80, failed=20)
    talk(test, "B", 100, polite=20)
    figures = {one["key"] or one["figure"]: one for one in program.get(f"{address}/one").json()["watched_figures"]}
    assert list(figures) == ["polite", "stars", "seconds", "failed", "latency_ms", "completion_tokens"]
    polite, [against] = figures["polite"], figures["polite"]["against"]
    assert (polite["values"], polite["units"], polite["level"]) == ([0.8, 0.2], [100, 100], 0.05 / 8)
    assert against["difference"] == pytest.approx(-0.6) and against["upper"] < 0 and against["verdict"] == "worse"
    assert figures["failed"]["values"] == [0.2, 0] and figures["failed"]["units"] == [100, 100]
    assert figures["latency_ms"]["units"] == figures["completion_tokens"]["units"] == [80, 100]  # no failed call's
    assert 400 < figures["latency_ms"]["values"][0] < 600 and 50 < figures["completion_tokens"]["values"][1] < 150
    [stars] = figures["stars"]["against"]
    assert (stars["verdict"], stars["refused"]) == ("not known yet", "No unit has a value yet.")


@pytest.mark.parametrize(
    ("watched", "field", "said"),
    [
        ("polite", "watched", "Send a list of objects"),
        (["polite"], "watched[0]", "an object with a feedback_key"),
        ([{"feedback_key": "polite", "colour": 1}], "watched[0]", "an object with a feedback_key"),
        ([{"feedback_key": "po\x00lite"}], "watched[0].feedback_key", "Send one of the project's"),
        ([{"feedback_key": 7}], "watched[0].feedback_key", "Send one of the project's"),
        ([{"feedback_key": "helpful"}], "watched", "helpful is the key that the test is judged by"),
        ([{"feedback_key": "polite"}] * 2, "watched", "polite is watched already"),
        ([{"feedback_key": "polite"}] * 6, "watched", "at most 5 keys; these would be 6"),
        ([{"feedback_key": "polite"}, {"feedback_key": "seconds"}], "watched[1].margin", "seconds has no range"),
        ([{"feedback_key": "polite", "margin": 0}], "watched[0].margin", "above 0"),
        ([{"feedback_key": "polite", "margin": 2}], "watched[0].margin", "from 0 to 1"),
        ([{"feedback_key": "stars", "margin": "much"}], "watched[0].margin", "Send a number, not text."),
        ([{"feedback_key": "stars", "margin": 1e300}], "watched[0].margin", "Send a number from 0"),
    ],
)
def test_what_cannot_be_watched_is_refused_by_its_place(program, address, keys, watched, field, said):
    sent = {"key": "one", "name": "One", "feedback_key": "helpful", "models": ["lake-8b", "ridge-70b"]}
    answer = program.post(address, sent | {"watched": watched})
    assert answer.status_code == 400, answer.content
    assert said in answer.json()["fields"][field][0]
    sent |= {"judged_by": "preference", "watched": [{"feedback_key": "polite"}]}
    assert "its units are judges" in program.post(address, sent).json()["fields"]["watched"][0]
    assert not ABTest.objects.exists()


def test_what_is_given_corrected_taken_back_deleted_and_crossed_is_followed(place, keys):
    test, by = make_test(place, watched=[(keys["polite"], None), (keys["seconds"], 1)]), owner_of(place)
    first, *_ = talk(test, "A", 60, polite=30)
    row = Interaction.objects.get(pk=first)

    def sums(key):
        folding.settle()
        cells = WatchedCell.objects.filter(test=test, arm__position=0, figure=keys[key].pk)
        return sum(cell.units for cell in cells), float(sum(cell.total for cell in cells))

    assert sums("polite") == (60, 30) and sums("seconds") == (0, 0)
    change = give_feedback(interaction=row, key=keys["seconds"], value=8, by=by)
    give_feedback(interaction=row, key=keys["stars"], value=5, by=by)  # nobody watches it
    assert sums("seconds") == (1, 8)
    change = correct_feedback(interaction=row, feedback_id=change.id, value=2.5, by=by)
    assert sums("seconds") == (1, 2.5)
    [again] = talk(test, "A", 1, polite=0)  # the same unit, who is half polite now
    assert sums("polite") == (60, 29.5)
    prove_right(test)
    record = {"prompt": "?", "completion": "!", "model": "ridge-70b", "ab_campaign": test.key, "user": "A-0"}
    [other] = ingest(project=place, records=[record], by=by)
    assert sums("polite") == (59, 29) and sums("seconds") == (0, 0)  # seen in both arms, of neither
    prove_right(test)
    delete_interactions(project=place, ids=[other.id])
    withdraw_feedback(interaction=row, feedback_id=change.id, by=by)
    assert sums("polite") == (60, 29.5) and sums("seconds") == (0, 0)
    delete_interactions(project=place, ids=[again])
    assert sums("polite") == (60, 30)
    prove_right(test)
    WatchedCell.objects.filter(test=test, figure=keys["polite"].pk).update(total=7)
    SeenUnder.objects.filter(unit=Seen.objects.first().unit, feedback_key_id=keys["polite"].pk).update(total=3)
    assert prove([place], rebuild=True)[0].n > 0
    assert sums("polite") == (60, 30)
    prove_right(test)


def test_a_key_that_is_named_later_counts_from_the_beginning_and_says_so_meanwhile(program, address, place, keys):
    test = make_test(place, watched=[(keys["seconds"], 1)])
    talk(test, "A", 60, polite=30)
    talk(test, "B", 60, polite=45)
    watch_it = f"{address}/{test.key}/watch"
    answer = program.post(watch_it, {"feedback_key": "polite", "margin": 0.1})
    assert answer.status_code == 200 and answer.json()["watched"][-1] == {"feedback_key": "polite", "margin": 0.1}
    now = judged(ABTest.objects.get())
    assert {one.refused for figure in now.watched for one in figure.against} == {
        "What came before it was watched is being counted."
    }
    assert next(gate for gate in now.gates if gate.key == "watched").holds is None
    fold(0)
    assert told(ABTest.objects.get())["polite"].values == [0.5, 0.75]
    prove_right(test)
    assert test.events.order_by("-pk").first().text == "polite is watched too: no worse up to 0.1."
    again = program.post(watch_it, {"feedback_key": "polite"})
    assert again.status_code == 400 and "watched already" in again.json()["fields"]["feedback_key"][0]
    assert program.post(watch_it, {"feedback_key": "gone"}).status_code == 400
    services.cancel(test=test, by=owner_of(place))
    assert program.post(watch_it, {"feedback_key": "stars"}).status_code == 409


def test_tests_that_run_when_it_comes_are_brought_in(place, keys):
    """What the migration does to tests that it finds: cells from their units, and all of it to be counted again."""
    test = make_test(place)
    talk(test, "A", 60, polite=30, failed=15)
    talk(test, "B", 60, polite=45)
    before = sorted(WatchedCell.objects.values_list("arm_id", "figure", "day", "units", "total", "squares"))
    Seen.objects.update(completion_tokens=0, tokened=0)
    WatchedCell.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE experiments_counted SET completion_tokens = NULL")
        migration = import_module("experiments.migrations.0009_also_watched")
        cursor.execute(migration.BROUGHT_IN)
        cursor.execute(migration.COUNT_AGAIN)
    assert ABTest.objects.get().recount_after is not None
    fold(0)
    assert sorted(WatchedCell.objects.values_list("arm_id", "figure", "day", "units", "total", "squares")) == before
    assert ABTest.objects.get().recount_after is None
    prove_right(test)


@pytest.mark.parametrize(("worse", "ships"), [(True, False), (False, True)])
def test_an_arm_that_is_worse_in_what_is_watched_is_not_shipped_by_itself(program, address, place, keys, worse, ships):
    test = make_test(place, watched=[(keys["polite"], None)], auto_deploy=True, days_ago=5)
    set_default(project=place, model=place.models.get(key="lake-8b"), by=owner_of(place))
    talk(test, "A", 300, polite=270, well=60)
    talk(test, "B", 300, polite=120 if worse else 270, well=200)
    ABTest.objects.update(first_unit_at=test.sequence_started_at)
    for _ in range(3):
        evaluate_due()
    assert Decision.objects.exists() is ships
    if ships:
        return
    found = judged(ABTest.objects.get())
    gate = next(gate for gate in found.gates if gate.key == "watched")
    assert gate.holds is False and gate.shown.startswith("B against A: polite \u22126")
    assert gate.shown.endswith("not up to 2 points lower")
    assert found.verdict.headline == "B is better, and may not win yet"
    assert "Nothing watched got worse" in found.verdict.text
    decided = program.post(f"{address}/{test.key}/decide", {"winner": "B", "reason": "Rude, and right."})
    assert decided.status_code == 201 and default_of(place).key == "ridge-70b"  # people may
    polite = next(one for one in decided.json()["figures"]["watched"] if one["key"] == "polite")
    assert polite["values"] == [0.9, 0.4] and polite["against"][0]["verdict"] == "worse"


def test_a_key_that_is_watched_stays_linked_while_the_test_runs(program, place, keys):
    test = make_test(place, watched=[(keys["polite"], None)])
    talk(test, "A", 2, polite=1)
    answer = program.delete(f"feedback-keys/polite?project={place.key}")
    assert answer.status_code == 409 and "watches polite" in answer.json()["error"]
    services.cancel(test=test, by=owner_of(place))
    clear()
    assert not CountedUnder.objects.exists() and not SeenUnder.objects.exists() and WatchedCell.objects.exists()
    delete_project(project=place, by=owner_of(place))
    delete_content(place.pk)
    assert not WatchedKey.objects.exists() and not WatchedCell.objects.exists()


def test_the_page_tells_each_figure_with_its_verdict(client, place, keys, django_assert_num_queries):
    test = make_test(place, models=3, watched=[(keys["polite"], None)])
    for letter, polite in zip("ABC", (270, 120, 290), strict=True):
        talk(test, letter, 300, polite=polite, latency=(400, 600) if letter != "C" else (900, 1300))
    client.force_login(owner_of(place))
    answer = client.get(url("detail", test))
    rows = {(row.name, row.letter): row for row in answer.context["watched"]}
    polite = rows["polite", "B"]
    assert (polite.verdict, polite.tone, polite.control, polite.value) == ("worse", "bad", "90.0 %", "40.0 %")
    assert rows["Latency", "C"].verdict == "worse" and rows["Latency", "C"].difference.endswith(" %")
    assert rows["Latency", "B"].verdict == "no worse" and rows["Failed calls", "B"].verdict == "not known yet"
    text = text_of(answer)
    assert "Also watched" in text and "no worse: up to 2 points lower" in text and "Watch another key" in text
    client.logout()
    assert client.get(url("watch", test)).status_code == 302


def test_keys_are_named_in_the_form_and_on_their_own_page(client, place, keys):
    client.force_login(owner_of(place))
    sent = FORM | {"watch_0": "polite", "margin_0": "5", "watch_1": "seconds", "margin_1": ""}
    refused = client.post(url("create", project=place), sent)
    assert refused.status_code == 422 and "seconds has no range" in str(refused.context["form"].errors["margin_1"])
    more = client.post(url("create", project=place), sent | {"do": "watch"})
    assert more.context["form"].watching == 3 and not more.context["form"].errors
    refused = client.post(url("create", project=place), sent | {"judged_by": "preference", "margin_1": "1"})
    assert "its units are judges" in str(refused.context["form"].errors["judged_by"])
    assert client.post(url("create", project=place), sent | {"margin_1": "1.5"}).status_code == 302
    named = dict(WatchedKey.objects.values_list("feedback_key__key", "margin"))
    assert named == {"polite": 0.05, "seconds": 1.5}
    page = url("watch", ABTest.objects.get())
    offered = client.get(page).context["form"].fields["watch_0"].queryset
    assert [key.key for key in offered] == ["stars"]
    assert client.post(page, {"watch_0": "polite"}).status_code == 422
    assert client.post(page, {"watch_0": "stars", "margin_0": "x"}).status_code == 422
    assert client.post(page, {"watch_0": "stars"}).status_code == 302
    assert ABTest.objects.get().watched_keys.count() == 3


def of(n, mean, deviation):
    return Moments(n, mean, deviation * deviation * (n - 1))


@pytest.mark.parametrize(
    ("kind", "control", "arm", "more", "verdict"),
    [
        ("bool", of(5000, 0.5, 0.5), of(5000, 0.6, 0.49), {}, "better"),
        ("bool", of(5000, 0.5, 0.5), of(5000, 0.4, 0.49), {}, "worse"),
        ("bool", of(5000, 0.5, 0.5), of(5000, 0.5, 0.5), {}, "not known yet"),
        ("bool", of(50_000, 0.5, 0.5), of(50_000, 0.5, 0.5), {}, "no worse"),
        ("bool", of(500_000, 0.5, 0.5), of(500_000, 0.49, 0.5), {}, "no worse"),  # worse for certain, by 1 point
        ("bool", of(5000, 0.0, 0.0), of(5000, 0.0, 0.0), {}, "no worse"),  # nobody failed
        ("bool", of(100, 0.0, 0.0), of(100, 0.0, 0.0), {}, "not known yet"),
        ("bool", of(49, 0.0, 0.0), of(5000, 0.5, 0.5), {}, "not known yet"),
        ("scalar", of(5000, 3.0, 1.0), of(5000, 2.0, 1.0), {"lower_is_better": True, "margin": 0.5}, "better"),
        ("scalar", of(5000, 3.0, 1.0), of(5000, 4.0, 1.0), {"lower_is_better": True, "margin": 0.5}, "worse"),
        ("scalar", of(5000, 3.0, 0.0), of(5000, 4.0, 1.0), {"margin": 0.5}, "not known yet"),
        ("ratio", of(5000, 7.0, 0.8), of(5000, 7.0, 0.8), {"lower_is_better": True, "margin": 0.1}, "no worse"),
        ("ratio", of(5000, 7.0, 0.8), of(5000, 7.3, 0.8), {"lower_is_better": True, "margin": 0.1}, "worse"),
    ],
)
def test_a_verdict_goes_by_the_interval_and_the_margin(kind, control, arm, more, verdict):
    named = {"figure": "feedback", "key": "k", "name": "K", "margin": 0.02, "lower_is_better": False, **more}
    [against] = watch(kind, [control, arm], tuned_for=5000, **named).against
    assert against.verdict == verdict
    if against.difference is not None:
        assert against.lower < against.difference < against.upper
    if kind == "ratio" and verdict == "worse":
        assert against.difference == pytest.approx(np.exp(0.3) - 1) and against.lower > -1


def test_what_is_simulated_is_the_rule_that_watches():
    n = np.array([40, 200, 1000])
    mean, error = simulated.shares(np.random.default_rng(5), 30, n, [0.02, 0.05])
    low, high = simulated.ends(mean, error, n)
    named = {"figure": "failed", "key": None, "name": "Failed calls", "margin": 0.01, "lower_is_better": True}
    for run in range(30):
        for look in range(3):
            shares = [float(one) for one in mean[run, look]]
            arms = [Moments(int(n[look]), p, n[look] * p * (1 - p)) for p in shares]
            [against] = watch("bool", arms, tuned_for=int(n[-1]), **named).against
            if look:
                assert (against.lower, against.upper) == pytest.approx((low[run, look], high[run, look]))
            else:
                assert against.refused and against.verdict == watching.OPEN
