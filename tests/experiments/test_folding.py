"""What is counted is what is there: in whatever order things come, change and go, however often they are folded."""

import json
import random
import statistics
import threading
from collections import defaultdict
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections, transaction

from experiments import folding, services
from experiments.clearing import clear
from experiments.models import ABTest, Cell, Counted, CountedVote, Evaluation, Seen, State, VoteCell
from experiments.proof import prove
from experiments.report import report
from feedback.giving import correct_feedback, give_feedback, withdraw_feedback
from feedback.models import Feedback, FeedbackKey
from interactions.ingest import ingest
from interactions.ingest.preferences import take_preferences
from interactions.ingest.removal import delete_interactions
from interactions.models import ArmTouch, Interaction
from tests.experiments.running import MODELS, fill, make_place, make_test, vote
from tests.experiments.test_ingestion import units
from tests.factories import owner_of

pytestmark = pytest.mark.django_db


def logged(test, model, user, *values, **more):
    """The id of an interaction of this model's arm, with these values."""
    given = [{"feedback_key": test.feedback_key.key, "value": value} for value in values]
    record = {"prompt": "?", "completion": "!", "model": model, "user": user, "ab_campaign": test.key} | more
    [outcome] = ingest(project=test.project, records=[record | {"feedbacks": given}], by=test.created_by)
    assert outcome.error is None
    return outcome.id


def sums(test):
    """All that the cells say, as comparable rows."""
    names = ("arm_id", "day", "units", "answered", "crossed", "total", "squares", "interactions", "latency_ms", "timed")
    names += ("failed",)
    rows = Cell.objects.filter(test=test, sequence=test.sequence).exclude(interactions=0, units=0)
    return sorted(rows.values_list(*names))


def values(test):
    """{letter: (units with a value, their mean)} as the report tells it."""
    cells = defaultdict(lambda: [0, 0])
    for cell in Cell.objects.filter(test=test, sequence=test.sequence).select_related("arm"):
        cells[cell.arm.letter][0] += cell.answered
        cells[cell.arm.letter][1] += cell.total
    return {letter: (n, float(total / n) if n else None) for letter, (n, total) in cells.items()}


def prove_right(test):
    [proof] = prove([test.project])
    assert (proof.units, proof.cells, proof.pairs) == (0, 0, 0)
    return proof


def test_several_interactions_of_a_unit_are_one_value(place):
    test = make_test(place, feedback="seconds")
    for value in (1, 2):
        logged(test, "lake-8b", "ada", value)
    logged(test, "lake-8b", "ada")  # says nothing
    logged(test, "lake-8b", "bob", 3, 5)  # two values of one interaction
    logged(test, "ridge-70b", "eve", 0.1)
    folding.settle()
    assert units(test) == {"A": (2, 2, 0), "B": (1, 1, 0)}
    assert values(test) == {"A": (2, (1.5 + 4) / 2), "B": (1, 0.1)}
    assert {str(one.value) for one in Counted.objects.exclude(value=None)} == {"1", "2", "4", "0.1"}  # exactly


def test_a_unit_in_two_arms_is_crossed_and_counts_for_neither_until_the_other_is_gone(place):
    test = make_test(place)
    logged(test, "lake-8b", "ada", True, created_at="2026-01-01T00:00:00Z")
    second = logged(test, "ridge-70b", "ada", False, created_at="2026-01-02T00:00:00Z")
    logged(test, "ridge-70b", "bob", True)
    folding.settle()
    assert units(test) == {"A": (0, 0, 1), "B": (1, 1, 0)}
    assert report(test).gates[0].shown == "1 unit was seen in two arms"
    prove_right(test)
    delete_interactions(project=place, ids=[second])
    folding.settle()
    assert units(test) == {"A": (1, 1, 0), "B": (1, 1, 0)}
    prove_right(test)


def test_feedback_that_is_given_corrected_and_taken_back_is_followed(place):
    test, by = make_test(place), owner_of(place)
    pk = logged(test, "lake-8b", "ada")
    key, row = FeedbackKey.objects.get(key="helpful"), Interaction.objects.get(pk=pk)
    other = FeedbackKey.objects.get(key="seconds")

    def mean():
        folding.settle()
        return values(test)["A"]

    assert mean() == (0, None)
    change = give_feedback(interaction=row, key=key, value=1, by=by)
    give_feedback(interaction=row, key=other, value=9, by=by)
    assert mean() == (1, 1.0)
    change = correct_feedback(interaction=row, feedback_id=change.id, value=0, by=by)
    assert mean() == (1, 0.0)
    withdraw_feedback(interaction=row, feedback_id=change.id, by=by)
    assert mean() == (0, None)
    prove_right(test)


def test_a_call_that_failed_is_counted_as_that_and_is_in_no_latency(place):
    test = make_test(place)
    odd = {"metadata": {"note": "what PostgreSQL cannot read: \x00", "of": "error", "x": {"error": 1}}}
    said = [{"error": {"code": "timeout"}}, {"error": None}, {"request": {"error": "theirs"}}, {"error": "broke"}, {}]
    ids = [
        logged(test, "lake-8b", f"user-{n}", metadata=one, latency_ms=(9, 900)[n in (1, 2, 4)])
        for n, one in enumerate(said)
    ]
    with connection.cursor() as cursor:
        stored = "UPDATE interactions_interactionbody SET envelope = %s::json WHERE id = %s"
        cursor.execute(stored, [json.dumps(odd), ids[4]])
    folding.settle()
    a = report(test).arms[0]
    assert (a.interactions, a.failed, a.timed) == (5, 2, 3)
    assert Cell.objects.get(test=test).latency_ms == 2_700 and a.latency_ms is None  # of three
    prove_right(test)
    delete_interactions(project=place, ids=ids[:1])
    folding.settle()
    assert (report(test).arms[0].failed, Cell.objects.get(test=test).timed) == (1, 3)
    prove_right(test)


def test_a_unit_belongs_to_the_day_of_its_first_interaction_however_late_that_comes(place):
    test = make_test(place)
    logged(test, "lake-8b", "ada", True, created_at="2026-03-05T10:00:00Z")
    folding.settle()
    logged(test, "lake-8b", "ada", False, created_at="2026-03-02T23:59:59Z")
    folding.settle()
    [cell] = Cell.objects.filter(test=test).exclude(units=0)
    assert (str(cell.day), cell.units, cell.interactions, float(cell.total)) == ("2026-03-02", 1, 2, 0.5)
    prove_right(test)


def test_whatever_happens_in_whatever_order_the_figures_are_those_of_the_rows(place):
    test, by, dice = make_test(place, models=3, feedback="seconds"), owner_of(place), random.Random(7)
    key, there = FeedbackKey.objects.get(key="seconds"), []
    for _ in range(260):
        act = dice.random()
        if act < 0.45 or not there:
            person = dice.randrange(40)
            model, user = MODELS[person % 3 if dice.random() < 0.95 else dice.randrange(3)], f"person-{person}"
            given = [round(dice.gauss(5, 2), 3)] if dice.random() < 0.5 else []
            more = {"latency_ms": dice.randrange(900)} if dice.random() < 0.7 else {}
            more |= {"metadata": {"error": {"code": "timeout"}}} if dice.random() < 0.2 else {}
            at = f"2026-02-{dice.randrange(1, 28):02}T12:00:00Z"
            there.append(logged(test, model, user, *given, created_at=at, **more))
        elif act < 0.6:
            row = Interaction.objects.get(pk=dice.choice(there))
            give_feedback(interaction=row, key=key, value=dice.gauss(5, 2), by=by)
        elif act < 0.75:
            current = Feedback.objects.current().filter(interaction_id=dice.choice(there)).first()
            if current:
                change = withdraw_feedback if dice.random() < 0.5 else correct_feedback
                more = {"value": 1.5} if change is correct_feedback else {}
                row = Interaction.objects.get(pk=current.interaction_id)
                change(interaction=row, feedback_id=current.id, by=by, **more)
        elif act < 0.85:
            delete_interactions(project=place, ids=[there.pop(dice.randrange(len(there)))])
        else:
            folding.fold(dice.randrange(1, 30))
    folding.settle()
    prove_right(test)
    by_hand = _by_hand(test)
    assert min(n for n, _ in by_hand.values()) > 3 and sum(crossed for *_, crossed in units(test).values()) > 1
    for letter, (n, mean) in values(test).items():
        assert (n, mean) == (by_hand[letter][0], pytest.approx(by_hand[letter][1]))
    said = sums(test)
    ArmTouch.objects.bulk_create(
        ArmTouch(arm=arm, interaction_id=pk) for pk, arm in Interaction.objects.values_list("pk", "arm") for _ in "ab"
    )
    folding.settle()
    assert sums(test) == said  # folded again, nothing is counted twice


def _by_hand(test):
    """The same from the rows, in Python."""
    letters = {arm.pk: arm.letter for arm in test.arms.all()}
    rows = {row.pk: row for row in Interaction.objects.filter(arm__in=letters)}
    given = defaultdict(list)
    for one in Feedback.objects.current().filter(feedback_key=test.feedback_key):
        if one.interaction_id in rows:
            given[one.interaction_id].append(one.value)
    by_unit = defaultdict(lambda: defaultdict(list))
    for pk, row in rows.items():
        by_unit[row.user][letters[row.arm]].append(statistics.fmean(given[pk]) if given[pk] else None)
    means = {letter: [] for letter in letters.values()}
    for arms in by_unit.values():
        for letter, found in arms.items():
            known = [value for value in found if value is not None]
            if len(arms) == 1 and known:
                means[letter].append(statistics.fmean(known))
    return {letter: (len(found), statistics.fmean(found) if found else None) for letter, found in means.items()}


def test_a_turn_that_breaks_off_has_not_been(place, monkeypatch):
    test = make_test(place, judged_by="preference")
    ids = fill(test, (3, 0, 0), (3, 0, 0))
    before, count = sums(test), folding._count
    take_preferences(project=place, records=[compared(ids[0][0], ids[1][0])], by=owner_of(place))
    logged(test, "lake-8b", "eve")

    def breaks(cursor, touches):
        count(cursor, touches)
        if touches and touches[0][2]:
            raise KeyboardInterrupt

    monkeypatch.setattr(folding, "_count", breaks)
    with pytest.raises(KeyboardInterrupt):
        folding.fold()
    assert sums(test) == before and ArmTouch.objects.count() == 2
    monkeypatch.undo()
    folding.settle()
    assert not ArmTouch.objects.exists()
    prove_right(test)


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_much_logging_at_once_count_everything_once():
    place = make_place()
    test, faults = make_test(place), []

    def run(work):
        try:
            work()
        except Exception as error:
            faults.append(error)
        finally:
            connections.close_all()

    def log(who):
        for n in range(6):
            records = [
                {"prompt": "?", "completion": "!", "model": MODELS[n % 2], "ab_campaign": test.key,
                 "user": f"person-{(who * 7 + n * k) % 90}", "feedbacks": [{"feedback_key": "helpful", "value": k % 2}]}
                for k in range(40)
            ]  # fmt: skip
            assert not [one.error for one in ingest(project=place, records=records, by=test.created_by) if one.error]

    def fold():
        for _ in range(60):
            folding.fold(50)

    threads = [threading.Thread(target=run, args=(work,)) for work in (fold, fold, lambda: log(1), lambda: log(2))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    folding.settle(200)
    assert Counted.objects.count() == sum(cell.interactions for cell in Cell.objects.all()) == 480
    prove_right(test)


@pytest.mark.django_db(transaction=True)
def test_who_cannot_have_the_folding_leaves_it_to_who_has():
    test = make_test(make_place())
    logged(test, "lake-8b", "ada")
    done = []

    def fold():
        done.append(folding.fold())
        connections.close_all()

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [folding.LOCK])
        thread = threading.Thread(target=fold)
        thread.start()
        thread.join()
    assert done == [0] and ArmTouch.objects.count() == 1
    assert folding.fold() == 1


def test_a_test_runs_once_all_its_arms_have_had_traffic(place):
    test = make_test(place, models=3, weights=[1, 1, 0])
    logged(test, "lake-8b", "ada")
    folding.settle()
    assert ABTest.objects.get(pk=test.pk).state == State.WARMUP
    logged(test, "ridge-70b", "bob")  # the third takes none
    folding.settle()
    assert ABTest.objects.get(pk=test.pk).state == State.IN_PROGRESS
    assert test.events.filter(text="All arms have had traffic.").count() == 1


def test_another_split_begins_anew_and_what_came_before_changes_nothing(place):
    test, by = make_test(place), owner_of(place)
    old = logged(test, "lake-8b", "ada", True)
    logged(test, "ridge-70b", "bob", True)
    services.change_split(test=test, by=by, weights=[1, 2])
    test.refresh_from_db()
    assert (test.sequence, test.state, units(test)) == (2, State.WARMUP, {"A": (0, 0, 0), "B": (0, 0, 0)})
    row, key = Interaction.objects.get(pk=old), FeedbackKey.objects.get(key="helpful")
    give_feedback(interaction=row, key=key, value=0, by=by)
    logged(test, "lake-8b", "ada", True)
    folding.settle()
    assert units(test) == {"A": (1, 1, 0), "B": (0, 0, 0)} and values(test)["A"] == (1, 1.0)
    assert Seen.objects.filter(sequence=1, n__gt=0).count() == 2
    prove_right(test)


# -- preferences ----------------------------------------------------------------------------------
def compared(preferred, other, **more):
    return {
        "feedback_key": "helpful", "preferred_completion": str(preferred), "other_completion": str(other), "user": "jo",
    } | more  # fmt: skip


def pairs(test):
    """{(letter, letter): (wins, losses, ties)}"""
    found = defaultdict(lambda: (0, 0, 0))
    for one in VoteCell.objects.filter(test=test).select_related("one", "other"):
        own = (one.wins, one.losses, one.ties)
        place = one.one.letter, one.other.letter
        found[place] = tuple(a + b for a, b in zip(found[place], own, strict=True))
    return {place: counts for place, counts in found.items() if any(counts)}


def test_with_two_arms_a_judges_votes_are_one_win_rate(place):
    test, by = make_test(place, judged_by="preference"), owner_of(place)
    (a1, a2), (b1, b2) = fill(test, (2, 0, 0), (2, 0, 0))
    votes = [
        compared(b1, a1), compared(a2, b1), compared(b2, a2, tied="good"), compared(b2, a1, user="kim"),
        compared(a1, a2), compared(b1, a2, feedback_key="seconds", user="lee"),
    ]  # fmt: skip
    outcomes = take_preferences(project=place, records=votes, by=by)
    folding.settle()
    assert units(test) == {"A": (2, 2, 0), "B": (2, 2, 0)}
    assert values(test) == {"A": (2, 0.25), "B": (2, 0.75)}  # jo: half of it, kim: B
    assert pairs(test) == {("A", "B"): (1, 2, 1)}
    told = report(test).judgement.votes
    assert (told.wins, told.losses, told.ties, told.win_rate, told.tie_share) == (1, 2, 1, 0.375, 0.25)
    assert sum(cell.interactions for cell in Cell.objects.all()) == 4
    prove_right(test)
    delete_interactions(project=place, ids=[b2])
    folding.settle()
    assert pairs(test) == {("A", "B"): (1, 1, 0)} and values(test) == {"A": (1, 0.5), "B": (1, 0.5)}
    assert [one.error for one in outcomes] == [None] * 6
    prove_right(test)


def test_with_three_arms_every_pair_is_counted_and_strengths_are_told(place):
    test = make_test(place, judged_by="preference", models=3)
    vote(test, fill(test, (60, 0, 0), (60, 0, 0), (60, 0, 0)), (0.3, 0.6, 0.3))
    assert pairs(test) == {("A", "B"): (15, 45, 0), ("A", "C"): (0, 0, 60), ("B", "C"): (45, 15, 0)}
    found = report(test).judgement
    assert found.strengths.arms[0].arm == 1 and found.strengths.votes == 180
    assert found.ratio.holds is not False
    prove_right(test)


def test_with_three_arms_a_judges_votes_on_a_pair_are_one(place):
    """jo says sixty times that B is better than A; of sixty others, each once, 45 say that A is."""
    test = make_test(place, judged_by="preference", models=3)
    a, b, _ = fill(test, (60, 0, 0), (60, 0, 0), (1, 0, 0))
    votes = [compared(better, worse) for better, worse in zip(b, a, strict=True)]
    votes += [compared(*((a[n], b[n]) if n % 4 else (b[n], a[n])), user=f"judge {n}") for n in range(60)]
    take_preferences(project=place, records=votes, by=owner_of(place))
    folding.settle()
    found = report(test).judgement.strengths
    assert [(arm.arm, arm.wins, arm.losses) for arm in found.arms] == [(0, 45, 75), (1, 75, 45)]
    assert found.pairs[0].difference > 0.5


def test_completions_sent_as_text_come_into_the_arms_of_the_campaign(place, program):
    test = make_test(place, judged_by="preference")

    def sent(**more):
        sides = {
            "preferred_completion": {"model": "ridge-70b", "text": "Yes, you are."},
            "other_completion": {"model": "lake-8b", "text": "Perhaps."},
        }
        body = {"project": place.key, "feedback_key": "helpful", "prompt": "Am I covered?", "user": "jo"}
        return program.post("comparison", body | sides | more)

    assert sent().status_code == 201  # of no test
    assert sent(ab_campaign=test.key).status_code == 201
    assert sent(ab_campaign=test.key, user="kim").status_code == 201
    folding.settle()
    assert pairs(test) == {("A", "B"): (0, 2, 0)}
    assert Interaction.objects.filter(project=place, arm=None).count() == 2  # each made once, in the test once more
    assert Interaction.objects.filter(project=place).exclude(arm=None).count() == 2
    unknown = sent(ab_campaign="nothing")
    assert unknown.status_code == 404 and "A/B test 'nothing'" in unknown.json()["error"]
    wrong = sent(ab_campaign=test.key, other_completion={"model": "fen-3b", "text": "No."})
    assert wrong.status_code == 400 and "no arm" in wrong.json()["fields"]["other_completion.model"][0]
    stray = Interaction.objects.filter(project=place, arm=None).first()
    by_id = sent(ab_campaign=test.key, other_completion=str(stray.pk))
    assert by_id.status_code == 400 and "was not logged for" in by_id.json()["fields"]["other_completion"][0]
    prove_right(test)
    services.cancel(test=test, by=owner_of(place))
    assert sent(ab_campaign=test.key, user="lee").status_code == 201
    folding.settle()
    assert pairs(test) == {("A", "B"): (0, 2, 0)}


# -- the proof --------------------------------------------------------------------------------------
@pytest.mark.parametrize("judged_by", ["metric", "preference"])
def test_the_proof_finds_what_is_wrong_and_counts_it_anew(place, judged_by):
    test, out = make_test(place, judged_by=judged_by), StringIO()
    ids = fill(test, (5, 4, 2), (5, 3, 3))
    vote(test, ids, (0.4, 0.6))
    right = sums(test), pairs(test)
    call_command("prove_ab_tests", stdout=out)
    assert "say what their interactions say" in out.getvalue()
    cell = Cell.objects.filter(test=test).exclude(units=0).first()
    Cell.objects.filter(pk=cell.pk).update(total=cell.total + 1)
    seen = Seen.objects.exclude(arm=cell.arm_id).filter(n__gt=0).first()
    Seen.objects.filter(pk=seen.pk).update(answered=seen.answered + 1)
    VoteCell.objects.filter(test=test).update(wins=77)
    with pytest.raises(CommandError, match=r"1 of 1 A/B tests differ"):
        call_command("prove_ab_tests", "--project", place.key, stdout=out)
    call_command("prove_ab_tests", "--rebuild", stdout=out)
    assert (sums(test), pairs(test)) == right
    prove_right(test)


def test_what_was_only_needed_to_count_goes_when_it_is_over_and_the_figures_stay(place):
    over, by = make_test(place, "over", traffic_split=0.3, judged_by="preference"), owner_of(place)
    vote(over, fill(over, (3, 0, 0), (3, 0, 0)), (0.3, 0.6))
    runs = make_test(place, "runs", traffic_split=0.3)
    old = logged(runs, "lake-8b", "ada", True)
    services.change_split(test=runs, by=by, weights=[1, 2])
    logged(runs, "lake-8b", "bob", True)
    services.decide(test=over, winner=None, reason="Enough.", by=by)
    folding.settle()
    before = sums(over), pairs(over)
    clear()
    assert (sums(over), pairs(over)) == before
    counted = [arm.pk for test in (over, runs) for arm in test.arms.all()]  # what was over is still told by label
    assert (CountedVote.objects.count(), Counted.objects.count()) == (3, 7)
    assert sorted(Counted.objects.values_list("arm", flat=True)) == sorted([*counted[:2] * 3, counted[2]])
    runs.refresh_from_db()
    assert set(Seen.objects.values_list("test_id", "sequence")) == {(runs.pk, 2)}
    key = FeedbackKey.objects.get(key="helpful")
    give_feedback(interaction=Interaction.objects.get(pk=old), key=key, value=0, by=by)
    folding.settle()
    assert values(runs)["A"] == (1, 1.0)
    prove_right(runs)


def test_of_old_evaluations_one_an_hour_stays_and_the_newest(place):
    test = make_test(place, traffic_split=0.5)
    for at in ("2026-01-01T10:05Z", "2026-01-01T10:06Z", "2026-01-01T11:00Z", "2026-01-01T11:59Z"):
        one = Evaluation.objects.create(test=test, sequence=1, figures={}, gates=[])
        Evaluation.objects.filter(pk=one.pk).update(at=at)
    for _ in range(3):
        Evaluation.objects.create(test=test, sequence=1, figures={}, gates=[])
    over = make_test(place, "over", traffic_split=0.1)
    for at in ("2026-01-01T10:05Z", "2026-01-01T10:06Z", "2026-01-01T10:07Z"):
        one = Evaluation.objects.create(test=over, sequence=1, figures={}, gates=[])
        Evaluation.objects.filter(pk=one.pk).update(at=at)
    clear()
    kept = Evaluation.objects.filter(test=over).order_by("pk").values_list("at", flat=True)
    assert [at.strftime("%H:%M") for at in kept] == ["10:05", "10:07"]  # its newest is what is left to tell of it
    over.delete()
    assert [one.strftime("%H:%M") for one in Evaluation.objects.order_by("pk").values_list("at", flat=True)[:2]] == [
        "10:05", "11:00",
    ]  # fmt: skip
    assert Evaluation.objects.count() == 5


def test_what_retention_takes_stays_counted_and_is_told(place):
    test = make_test(place)
    ids = fill(test, (3, 2, 1), (3, 2, 2))
    before = sums(test)
    delete_interactions(project=place, ids=ids[0][:1], stay_counted=True)
    folding.settle()
    assert sums(test) == before
    assert prove_right(test).gone == 1
