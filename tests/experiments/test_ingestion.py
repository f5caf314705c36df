"""What is logged for a test comes into its arm; what is not pays nothing for there being tests."""

import json

import pytest

from experiments import folding, services
from experiments.models import Cell
from feedback.models import Feedback
from interactions import bulk, ids
from interactions.ingest import Placed, ingest, log
from interactions.models import ArmTouch, Interaction
from tests.experiments.running import make_test
from tests.factories import owner_of

pytestmark = pytest.mark.django_db


def record(**more):
    return {"prompt": "Am I covered?", "completion": "Yes.", "model": "lake-8b", "user": "ada"} | more


def units(test):
    """{letter: (units, answered, crossed)} of the current sequence."""
    found = {arm.letter: (0, 0, 0) for arm in test.arms.all()}
    for cell in Cell.objects.filter(test=test, sequence=test.sequence).select_related("arm"):
        found[cell.arm.letter] = tuple(
            a + b for a, b in zip(found[cell.arm.letter], (cell.units, cell.answered, cell.crossed), strict=True)
        )
    return found


def test_a_record_of_a_campaign_is_of_its_models_arm(place, program):
    test = make_test(place)
    arms = {arm.model.key: arm.pk for arm in test.arms.select_related("model")}
    for model, user in (("lake-8b", "ada"), ("ridge-70b", "bob")):
        answer = program.log(place, model=model, user=user, ab_campaign=test.key)
        assert answer.status_code == 201
        assert Interaction.objects.get(pk=answer.json()["completion_id"]).arm == arms[model]
    folding.settle()
    assert units(test) == {"A": (1, 0, 0), "B": (1, 0, 0)}


def test_who_logs_for_a_test_that_is_paused_is_told_that_it_does_not_count(place, program):
    test = make_test(place)
    sent = {"model": "lake-8b", "ab_campaign": test.key}
    assert "note" not in program.log(place, **sent).json()
    services.pause(test=test, by=owner_of(place))
    answer = program.log(place, **sent)
    assert answer.status_code == 201
    assert answer.json()["note"] == "The A/B test dpo-against-sft is paused or over: this counts in no arm."
    assert Interaction.objects.get(pk=answer.json()["completion_id"]).arm is None
    lines = [record(ab_campaign=test.key), record(), record(ab_campaign=test.key)]
    told = json.loads(b"".join(program.post(f"interactions/batch?project={place.key}", lines).streaming_content))
    assert (told["accepted"], told["notes"]) == (3, [answer.json()["note"]])


def test_a_campaign_that_is_not_there_or_has_no_such_arm_is_refused_and_nothing_is_made(place, program):
    test = make_test(place)
    unknown = program.log(place, model="lake-8b", ab_campaign="nothing")
    assert unknown.status_code == 404 and "A/B test 'nothing'" in unknown.json()["error"]
    for model in ({"model": "never-seen"}, {}):
        wrong = program.log(place, ab_campaign=test.key, **model)
        assert wrong.status_code == 400
        assert "its arms are lake-8b, ridge-70b" in wrong.json()["fields"]["model"][0]
    assert not Interaction.objects.filter(project=place).exists() and not ArmTouch.objects.exists()
    assert not place.models.filter(key="never-seen").exists()


def test_in_a_batch_each_record_stands_alone(place, program):
    test = make_test(place)
    lines = [record(ab_campaign=test.key), record(), record(ab_campaign="nothing"), record(ab_campaign=7)]
    answer = program.post(f"interactions/batch?project={place.key}", lines)
    told = json.loads(b"".join(answer.streaming_content))
    assert told["accepted"] == 2 and [one["position"] for one in told["rejected"]] == [2, 3]
    assert Interaction.objects.filter(project=place).exclude(arm=None).count() == 1


def test_a_batch_from_elsewhere_takes_part_in_no_test_where_it_says_so(place, program):
    test = make_test(place)
    lines = [record(ab_campaign=test.key), record(ab_campaign="nothing"), record(ab_campaign=test.key, model="fen-3b")]
    address = f"interactions/batch?project={place.key}"
    answer = program.post(f"{address}&arms=none", lines)
    assert json.loads(b"".join(answer.streaming_content))["accepted"] == 3
    assert not Interaction.objects.exclude(arm=None).exists() and not ArmTouch.objects.exists()
    for word in ("arms=all", "arm=none"):
        refused = program.post(f"{address}&{word}", lines)
        assert (refused.status_code, list(refused.json()["fields"])) == (400, [word.partition("=")[0]])


def test_feedback_that_came_along_counts_at_once_and_simulated_traffic_never(place, program):
    test = make_test(place)
    given = [{"feedback_key": "helpful", "value": True}]
    program.log(place, model="lake-8b", user="ada", ab_campaign=test.key, feedbacks=given)
    program.log(place, model="ridge-70b", user="bob", ab_campaign=test.key, feedbacks=given, source="simulation")
    folding.settle()
    assert units(test) == {"A": (1, 1, 0), "B": (0, 0, 0)}


def test_after_the_end_all_is_kept_and_nothing_counted(place, program):
    test = make_test(place)
    early = program.log(place, model="lake-8b", user="ada", ab_campaign=test.key).json()["completion_id"]
    services.cancel(test=test, by=owner_of(place))
    late = program.log(place, model="lake-8b", user="eve", ab_campaign=test.key)
    assert late.status_code == 201
    for pk in (early, late.json()["completion_id"]):
        assert program.post("feedback", {"completion_id": pk, "metric": "helpful", "value": 1}).status_code == 201
    folding.settle()
    assert Feedback.objects.count() == 2 and units(test) == {"A": (1, 0, 0), "B": (0, 0, 0)}


def test_what_has_no_arm_pays_nothing_and_what_has_one_no_statement_more(place, monkeypatch):
    test, by, sent = make_test(place), owner_of(place), []
    execute = bulk._execute
    monkeypatch.setattr(bulk, "_execute", lambda sql, *rest, **more: sent.append(sql) or execute(sql, *rest, **more))

    def statements(**more):
        sent.clear()
        ingest(project=place, records=[record(**more)], by=by)
        return list(sent)

    statements()
    [plain] = statements()
    [tested] = statements(ab_campaign=test.key)
    assert "arm" not in plain and "interactions_armtouch" in tested


def test_a_record_has_the_id_and_the_arm_that_it_was_given(place):
    test, by = make_test(place), owner_of(place)
    arm, pk = test.arms.first().pk, ids.make(ids.now())
    [outcome] = ingest(project=place, records=[record()], by=by, placed=[Placed(pk, arm)])
    assert (outcome.id, outcome.duplicate) == (pk, False)
    assert Interaction.objects.get(pk=pk).arm == arm
    single = log(kind="test", admit=lambda: (place, by), record=record(), placed=Placed(None, arm))
    assert Interaction.objects.get(pk=single.id).arm == arm


def test_what_was_placed_in_no_arm_is_of_none_whatever_test_it_names(place):
    test, by = make_test(place), owner_of(place)
    sent = record(ab_campaign=test.key, model="fen-3b")  # the default answered for a model that was detached
    [outcome] = ingest(project=place, records=[sent], by=by, placed=[Placed(ids.make(ids.now()), None)])
    assert outcome.error is None and Interaction.objects.get(pk=outcome.id).arm is None


def test_an_id_that_is_stored_already_is_stored_once(place):
    test, by = make_test(place), owner_of(place)
    arm, pk, new = test.arms.first().pk, ids.make(ids.now()), ids.make(ids.now())
    ingest(project=place, records=[record(session_id="s")], by=by, placed=[Placed(pk, arm)])
    again = ingest(
        project=place,
        records=[record(completion="Other."), record(), record(), record(labels={"a": "b"})],
        by=by,
        placed=[Placed(pk, arm), Placed(new, arm), None, Placed(new, arm)],
    )
    assert [one.duplicate for one in again] == [True, False, False, True]
    assert [one.id for one in again][:2] == [pk, new] and again[0].session == "s" and again[3].id == new
    assert Interaction.objects.filter(project=place).count() == 3
    folding.settle()
    assert Cell.objects.get(test=test).interactions == 2


def test_the_table_shows_the_interactions_of_an_arm(place, program, client):
    test = make_test(place)
    a, b = test.arms.all()
    for n, model in enumerate(("lake-8b", "ridge-70b", "lake-8b")):
        program.log(place, model=model, user=f"person-{n}", ab_campaign=test.key)
    program.log(place, model="lake-8b")
    for query, expected in (({"arm": a.pk}, 2), ({"arm": [a.pk, b.pk]}, 3), ({"arm": 999_999}, 0), ({}, 4)):
        found = program.get("interactions", {"project": place.key, **query}).json()
        assert (len(found["results"]), found["count"]) == (expected, expected)
        client.force_login(program.user)
        assert len(client.get(f"/p/{place.key}/interactions", query).context["page"]) == expected
    wrong = program.get("interactions", {"project": place.key, "arm": "A"})
    assert wrong.status_code == 400 and "the id of an A/B test's arm" in wrong.json()["fields"]["arm"][0]
