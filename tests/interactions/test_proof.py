"""The proof of the roll-ups: passes after all that can happen, names what is wrong, puts it right beside writers."""

import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from feedback import rollups as given_rollups
from feedback.models import FeedbackKey, GivenRollup, PairRollup
from interactions import proof, rollups
from interactions.models import Dimension, Label, Rollup
from interactions.proof import prove
from tests.conftest import Api
from tests.factories import make_interaction, make_project, owner_of
from tests.feedback.recount import pairs_recounted, recounted, rolled_up
from tests.interactions.lived import live


def fold():
    while rollups.fold() or given_rollups.fold():
        pass


def told(capsys, *arguments):
    """(what the command printed, the error that it ended with or None)"""
    try:
        call_command("prove_rollups", *arguments)
    except CommandError as error:
        return capsys.readouterr().out, str(error)
    return capsys.readouterr().out, None


@pytest.fixture
def lived(api, project):
    live(api, project)
    return project


def test_the_proof_passes_whatever_happened_folded_or_not(lived, api, capsys):
    assert told(capsys) == ("The roll-ups say what the rows say.\n", None)
    fold()
    assert told(capsys) == ("The roll-ups say what the rows say.\n", None)
    make_interaction(lived, labels={"topic": "after"})
    assert prove().n == 0


# what is broken, and the words in which it must be told
BREAKS = {
    "interactions": (Rollup, {"dimension": Dimension.ALL}, {"n": 41}, "interactions of"),
    "a model's": (Rollup, {"dimension": Dimension.MODEL}, {"n": 77}, "model harbor-"),
    "a label's": (Rollup, {"dimension": Dimension.LABEL}, {"n": 3}, "label topic:changed"),
    "a sum": (GivenRollup, {"key_id__gt": 0}, {"total": "0.30000000000000004"}, "total 0.30000000000000004 instead of"),
    "any feedback": (GivenRollup, {"key_id": 0}, {"interactions": 9}, "any key"),
    "a pair": (PairRollup, {}, {"n": 7}, "pairs of"),
    "uses": (Label, {"key": "topic"}, {"uses": 99}, "label uses of"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_what_is_wrong_is_named_and_put_right(lived, capsys, what):
    fold()
    model, where, wrong, words = BREAKS[what]
    row = model.objects.filter(**where).order_by("-pk").first()
    model.objects.filter(pk=row.pk).update(**wrong)
    out, error = told(capsys)
    assert words in out and lived.key in out
    assert error.endswith("--rebuild puts them right.")
    out, error = told(capsys, "--rebuild")
    assert (words in out, error) == (True, None)
    for _ in "now, and folded":
        assert prove().n == 0
        assert rolled_up(lived) == recounted(lived)
        key = FeedbackKey.objects.get(key="good")
        assert given_rollups.pairs(lived, key) == pairs_recounted(lived, key)
        fold()
    used = {label.pk: label.uses for label in Label.objects.all()}
    assert used == {pk: rollups.totals(lived, Dimension.LABEL).get(pk, 0) for pk in used}


def test_roll_ups_that_are_lost_altogether_are_made_anew(lived, capsys):
    for model in (Rollup, GivenRollup, PairRollup):
        model.objects.all().delete()
    connection.cursor().execute("DELETE FROM interactions_rollupdelta; DELETE FROM feedback_givendelta")
    assert told(capsys)[1]
    assert told(capsys, "--rebuild")[1] is None
    assert prove().n == 0
    assert rolled_up(lived) == recounted(lived)


def test_counts_of_hours_that_have_no_partition_are_found_too(lived, capsys):
    Rollup.objects.create(project=lived, hour="1999-12-31T23:00Z", dimension=Dimension.ALL, value=0, n=1)
    out, _ = told(capsys)
    assert f"interactions of {lived.key}, 1999-12-31 23h UTC: says n 1 instead of 0" in out
    assert prove(rebuild=True).mended
    assert prove().n == 0


def test_one_project_is_proved_without_the_others(lived, capsys):
    other = make_project(team=lived.team)
    make_interaction(other)
    fold()
    Rollup.objects.filter(project=other).update(n=5)
    assert told(capsys, "--project", lived.key)[1] is None
    assert told(capsys, "--project", lived.key, "--rebuild")[1] is None
    assert prove(other).n > 0
    assert told(capsys, "--project", "nowhere")[1] == "There is no project nowhere."


@pytest.mark.django_db(transaction=True)
def test_what_is_logged_and_folded_while_a_proof_rebuilds_stays_right(handler, client, monkeypatch):
    project = make_project()
    api = Api(client, owner_of(project))
    left = live(api, project)
    fold()
    Rollup.objects.filter(project=project).update(n=50)
    append = proof._append_differences

    def meanwhile():
        make_interaction(project, labels={"topic": "changed 0"})
        api.put(f"interactions/{left[0]}/labels/topic", {"value": "changed 1"})
        api.delete(f"interactions/{left[1]}")
        fold()
        connection.close()

    def appended_late(cursor):
        thread = threading.Thread(target=meanwhile)
        thread.start()
        thread.join()
        return append(cursor)

    monkeypatch.setattr(proof, "_append_differences", appended_late)
    assert prove(rebuild=True).n > 0
    for _ in "now, and folded":
        assert prove().n == 0
        fold()


@pytest.mark.django_db(transaction=True)
def test_two_proofs_at_once_are_one_too_many(project, capsys):
    def prove_too():
        results.append(told(capsys)[1])
        connection.close()

    results = []
    with proof._snapshot():
        thread = threading.Thread(target=prove_too)
        thread.start()
        thread.join()
    assert results == ["Another proof runs, or a month is being dropped; try again later."]
