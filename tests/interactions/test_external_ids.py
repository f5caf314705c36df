"""The caller's own id: one interaction for it, however often, and from however many sides, it is sent."""

import threading

import pytest
from django.db import connection

from feedback.models import Feedback
from feedback.services import create_feedback_key
from interactions.ingest import ingest
from interactions.models import Claim, Interaction
from interactions.rules import Conflict
from interactions.search.naming import find
from tests.factories import make_project, owner_of
from tests.interactions.batch import send_batch
from tests.interactions.stored import stored

RECORD = {"prompt": "Am I covered?", "completion": "Yes.", "external_id": "case-7"}


def test_the_same_again_answers_with_the_same_ids(api, project):
    create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    record = RECORD | {"feedbacks": [{"metric": "good", "value": 1}, {"metric": "good", "value": 0}]}
    first = api.log(project, **record)
    assert first.status_code == 201
    api.post(f"interactions/{first.json()['completion_id']}/feedback", {"metric": "good", "value": 1})
    before = stored()
    again = api.log(project, **record)
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(again.json()["feedback_ids"]) == 2
    assert stored() == before


def test_another_payload_under_a_used_one_is_a_conflict_and_leaves_nothing(api, project):
    first = api.log(project, **RECORD).json()["completion_id"]
    before = stored()
    answer = api.log(project, **RECORD, labels={"new": "label"}, model="new-model")
    told = answer.json()
    assert (answer.status_code, set(told["fields"]), told["completion_id"]) == (409, {"labels", "model"}, first)
    assert "case-7" in told["error"] and f"the interaction {first}, which differs in labels, model" in told["error"]
    assert stored() == before
    status, batch = send_batch(api, project, [RECORD | {"completion": "No."}])
    assert (status, batch["rejected"][0]["completion_id"]) == (200, first)
    assert set(batch["rejected"][0]["fields"]) == {"completion"}


SAID = {"feedbacks": [{"feedback_key": "good", "value": True}], "created_at": "2026-05-01T10:00:00Z", "model": "m"}


@pytest.mark.parametrize(
    "otherwise",
    [
        {"feedbacks": [{"metric": "good", "value": 1, "origin": "user", "details": None}]},
        {"created_at": "2026-05-01T11:00:00+01:00", "model": None, "model_service": "m"},
        {"source": "logged", "session_id": None, "corrected_completion": None, "usage": {}, "labels": {}, "user": ""},
        {"prompt": None, "messages": [{"role": "user", "content": "Am I covered?"}]},
    ],
)
def test_the_same_in_other_words_is_the_same(api, project, otherwise):
    create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    first = api.log(project, **RECORD, **SAID)
    again = api.log(project, **(RECORD | SAID | otherwise))
    assert (again.status_code, again.json()) == (200, first.json())
    assert api.log(project, **(RECORD | SAID | otherwise | {"source": "live"})).status_code == 409


def test_numbers_that_are_equal_make_equal_payloads(api, project):
    large = RECORD | {"external_id": "large", "metadata": {"message_id": 1234567890123456789}}
    assert api.log(project, **large).status_code == 201
    assert api.log(project, **large).status_code == 200
    assert api.log(project, **(large | {"metadata": {"message_id": 1234567890123456790}})).status_code == 409
    assert api.log(project, **RECORD, metadata={"n": 1, "m": 1e3}).status_code == 201
    assert api.log(project, **RECORD, metadata={"m": 1000, "n": 1.0}).status_code == 200
    assert api.log(project, **RECORD, metadata={"m": 1000, "n": True}).status_code == 409


def test_twice_in_a_batch_is_stored_once(api, project):
    status, answer = send_batch(api, project, [RECORD, RECORD, RECORD | {"completion": "No."}, RECORD])
    assert (status, answer["accepted"], answer["duplicates"]) == (201, 1, 2)
    [refused] = answer["rejected"]
    assert (refused["position"], "case-7" in refused["error"]) == (2, True)
    first = answer["ids"][0]
    assert answer["ids"] == [first, first, None, first]
    assert Interaction.objects.count() == 1


def test_each_project_has_its_own(api, project):
    other = make_project(team=project.team)
    ids = {api.log(place, **RECORD).json()["completion_id"] for place in (project, other)}
    assert len(ids) == 2
    assert str(find(other, "case-7").what.pk) in ids - {str(find(project, "case-7").what.pk)}


def test_it_is_free_again_after_the_interaction_was_deleted(api, project):
    first = api.log(project, **RECORD).json()["completion_id"]
    assert api.delete(f"interactions/{first}").status_code == 204
    assert not Claim.objects.exists()
    again = api.log(project, **RECORD, labels={"second": "time"})
    assert again.status_code == 201
    assert again.json()["completion_id"] != first


def test_it_is_shown_and_found(api, project):
    logged = api.log(project, **RECORD).json()["completion_id"]
    assert api.get(f"interactions/{logged}").json()["external_id"] == "case-7"
    assert str(find(project, " case-7 ").what.pk) == logged
    assert str(find(project, logged.upper()).what.pk) == logged
    assert find(project, "case-8") is None
    assert find(project, "a\0b") is None


def test_a_session_is_found_by_its_id(api, project):
    api.log(project, session_id="visit 12")
    assert find(project, "visit 12") == ("session", "visit 12")
    assert find(make_project(), "visit 12") is None


@pytest.mark.django_db(transaction=True)
def test_eight_at_the_same_moment_make_one():
    project = make_project()
    by, start, told = owner_of(project), threading.Barrier(8), []

    def log(number):
        start.wait()
        record = RECORD | ({"completion": "No."} if number == 7 else {}) | {"labels": {"a": "b"}, "model": "m"}
        [outcome] = ingest(project=project, records=[record], by=by)
        told.append((number, outcome))
        connection.close()

    threads = [threading.Thread(target=log, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 8
    assert Interaction.objects.count() == Claim.objects.count() == 1
    stands = Interaction.objects.get().pk
    fresh = [outcome for _, outcome in told if not outcome.error and not outcome.duplicate]
    assert [outcome.id for outcome in fresh] == [stands]
    for _, outcome in told:
        assert outcome.id == stands or isinstance(outcome.error, Conflict)
    refused = {number for number, outcome in told if outcome.error}
    assert refused in ({7}, set(range(7)))


@pytest.mark.django_db(transaction=True)
def test_two_batches_with_the_same_ids_in_opposite_order_do_not_wait_for_ever():
    project = make_project()
    by, start = owner_of(project), threading.Barrier(2)
    records = [RECORD | {"external_id": f"c{n}", "labels": {f"k{n}": "v"}, "model": f"m{n % 7}"} for n in range(300)]
    told = []

    def log(mine):
        start.wait()
        told.extend(ingest(project=project, records=mine, by=by))
        connection.close()

    threads = [threading.Thread(target=log, args=[mine]) for mine in (records, records[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(told), sum(outcome.duplicate for outcome in told)) == (600, 300)
    assert not any(outcome.error for outcome in told)
    assert Interaction.objects.count() == 300
    assert not Feedback.objects.exists()
