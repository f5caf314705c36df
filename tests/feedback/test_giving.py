"""Giving values over REST: one, many, twice, by eight at once; correcting and taking back; what is refused."""

import threading
import uuid

import pytest
from django.db import connection
from django.test import Client

from feedback import rollups
from feedback.models import Feedback
from feedback.services import create_feedback_key, unlink_feedback_key
from interactions.models import Claim, Interaction
from tests.conftest import Api
from tests.factories import make_interaction, make_project, make_user, owner_of
from tests.feedback.recount import recounted, rolled_up


@pytest.fixture
def keyed(project):
    project.good, _ = create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    project.stars, _ = create_feedback_key(
        team=project.team, key="stars", kind="scalar", minimum=1, maximum=5, projects=[project]
    )
    return project


def current(api, pk):
    return [(one["feedback_key"], one["value"]) for one in api.get(f"interactions/{pk}/feedback").json()]


def item(pk, key="stars", value=4, **more):
    return {"completion_id": str(pk), "metric": key, "value": value, **more}


def test_one_value_is_given_and_read_back(api, keyed):
    pk = make_interaction(keyed).pk
    sent = {"completion_id": str(pk), "feedback_key": "stars", "value": 4.5, "details": "why", "user": "ada"}
    answer = api.post("feedback", {**sent, "origin": "grader", "external_id": "vote-1"})
    assert answer.status_code == 201
    [one] = api.get(f"interactions/{pk}/feedback").json()
    assert one["id"] == answer.json()["feedback_id"]
    assert {**sent, "origin": "grader"}.items() - {("completion_id", str(pk))} <= one.items()
    assert api.post("feedback", item(pk, user_id="bob")).status_code == 201
    assert [one["user"] for one in api.get(f"interactions/{pk}/feedback").json()] == ["ada", "bob"]


def test_an_interaction_is_named_by_the_external_id_it_was_logged_under(api, keyed):
    pk = make_interaction(keyed, external_id="ticket-1").pk
    stranger = make_project("strange")
    make_interaction(stranger, external_id="ticket-2")

    def own(text, project=keyed.key, **more):
        return {"completion_external_id": text, "project": project, "metric": "stars", "value": 4, **more}

    assert api.post("feedback", own("ticket-1")).status_code == 201
    told = api.post(
        "feedback",
        [
            own("ticket-1", value=2), own("ticket-2"), own("ticket-2", str(stranger.uid)),
            own("ticket-1", completion_id=str(pk)), own("ticket-1", None),
        ],
    ).json()  # fmt: skip
    assert [bad["position"] for bad in told["rejected"]] == [1, 2, 3, 4]
    assert all(list(bad["fields"]) == ["completion_external_id"] for bad in told["rejected"][2:])
    assert all("EntityNotFound" in bad["error"] for bad in told["rejected"][:2])
    assert current(api, pk) == [("stars", 4.0), ("stars", 2.0)]


def test_a_list_is_answered_like_a_batch_and_each_stands_alone(api, keyed):
    one, two = make_interaction(keyed).pk, make_interaction(keyed).pk
    answer = api.post(
        "feedback",
        [item(one, value=1), item(two, value=9), item(uuid.uuid4()), item(two, "nps"), 7, item(two, "good", True)],
    )
    told = answer.json()
    assert (answer.status_code, told["accepted"], told["duplicates"]) == (201, 2, 0)
    assert [(bad["position"], list(bad["fields"])) for bad in told["rejected"]] == [
        (1, ["value"]), (2, []), (3, []), (4, [""]),
    ]  # fmt: skip
    assert [one is None for one in told["ids"]] == [False, True, True, True, True, False]
    assert (current(api, one), current(api, two)) == ([("stars", 1.0)], [("good", 1.0)])
    assert api.post("feedback", [item(one, value=9)]).status_code == 200


def test_a_value_twice_with_the_same_external_id_is_stored_once(api, keyed):
    pk = make_interaction(keyed).pk
    sent = item(pk, external_id="vote-1")
    first = api.post("feedback", sent)
    again = api.post("feedback", sent)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = api.post("feedback", {**sent, "value": 2})
    assert (other.status_code, "vote-1" in other.json()["error"]) == (409, True)
    told = api.post("feedback", [sent, item(pk, external_id="vote-2"), item(pk, external_id="vote-2")]).json()
    assert (told["accepted"], told["duplicates"], told["rejected"]) == (1, 2, [])
    assert told["ids"][0] == first.json()["feedback_id"]
    assert told["ids"][1] == told["ids"][2]
    assert current(api, pk) == [("stars", 4.0)] * 2


def test_a_value_is_the_same_by_whichever_door_it_comes(api, keyed):
    pk = make_interaction(keyed).pk
    sent = {"metric": "stars", "value": 4, "user_id": "ada", "external_id": "vote-1"}
    first = api.post(f"interactions/{pk}/feedback", sent)
    again = api.post(f"interactions/{pk}/feedback", sent)
    other = api.post("feedback", {**sent, "completion_id": str(pk)})
    assert [one.status_code for one in (first, again, other)] == [201, 200, 200]
    assert first.json() == again.json() == other.json()
    assert api.post(f"interactions/{pk}/feedback", {**sent, "value": 2}).status_code == 409
    logged = api.log(keyed, feedbacks=[{"metric": "stars", "value": 4, "user_id": "ada"}]).json()["completion_id"]
    for one in (pk, logged):
        [given] = api.get(f"interactions/{one}/feedback").json()
        assert (given["value"], given["user"]) == (4.0, "ada")


def test_an_external_id_is_free_again_when_its_interaction_is_deleted(api, keyed):
    pk, other = make_interaction(keyed).pk, make_interaction(keyed).pk
    api.post("feedback", item(pk, external_id="vote-1"))
    assert api.post("feedback", item(other, external_id="vote-1")).status_code == 409
    api.delete(f"interactions/{pk}")
    assert api.post("feedback", item(other, external_id="vote-1")).status_code == 201
    assert Claim.objects.count() == 1
    assert rolled_up(keyed) == recounted(keyed)


BAD = [
    ("null", {"value": None}, "value"),
    ("text", {"value": "4"}, "value"),
    ("out of the range", {"value": 5.5}, "value"),
    ("true for a number", {"value": True}, "value"),
    ("beyond any double", {"value": 10**400}, "value"),
    ("no bool", {"metric": "good", "value": 0.5}, "value"),
    ("no key", {"metric": None}, "feedback_key"),
    ("no id", {"completion_id": "7"}, "completion_id"),
    ("number for an id", {"completion_id": 7}, "completion_id"),
    ("origin", {"origin": "robot"}, "origin"),
    ("details", {"details": 7}, "details"),
    ("NUL", {"details": "a\0"}, "details"),
    ("half a pair", {"details": "\ud800"}, "details"),
    ("external id", {"external_id": ""}, "external_id"),
    ("long external id", {"external_id": "x" * 201}, "external_id"),
    ("unknown member", {"velue": 4}, "velue"),
    ("two users", {"user": "ada", "user_id": "bob"}, "user_id"),
]


@pytest.mark.parametrize(("change", "path"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_value_is_refused_by_name_and_leaves_nothing(api, keyed, change, path):
    pk = make_interaction(keyed).pk
    answer = api.post("feedback", {**item(pk), **change})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [path])
    told = api.post("feedback", [{**item(pk), **change}]).json()
    assert (told["accepted"], list(told["rejected"][0]["fields"])) == (0, [path])
    assert not Feedback.objects.exists()
    assert not Claim.objects.exists()


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_refused(api, keyed, text):
    pk = make_interaction(keyed).pk
    answer = api.post("feedback", raw=f'{{"completion_id": "{pk}", "metric": "stars", "value": {text}}}')
    assert answer.status_code == 400


def test_what_is_not_the_projects_is_not_known(api, client, keyed):
    pk, other = make_interaction(keyed), make_project(team=keyed.team)
    elsewhere = make_interaction(other)
    assert api.post("feedback", item(elsewhere.pk)).status_code == 404  # the key is not linked there
    answer = api.post("feedback", item(pk.pk, project=other.key))
    assert (answer.status_code, "Interaction" in answer.json()["error"]) == (404, True)
    assert api.post("feedback", item(pk.pk, project=keyed.key)).status_code == 201
    stranger = Api(client, make_user())
    unknown = stranger.post("feedback", item(uuid.UUID(int=pk.pk.int ^ 1)))
    theirs = stranger.post("feedback", item(pk.pk))
    assert (theirs.status_code, unknown.status_code) == (404, 404)
    assert theirs.json()["error"][:27] == unknown.json()["error"][:27]
    auditor = Api(client, make_user(team=keyed.team, role="auditor"))
    assert auditor.post("feedback", item(pk.pk)).status_code == 403
    assert auditor.post("feedback", [item(pk.pk)]).json()["rejected"][0]["error"]


def test_a_hundred_thousand_values_at_once_are_too_many(api, keyed):
    pk = make_interaction(keyed).pk
    answer = api.post("feedback", [item(pk)] * 100_000)
    assert (answer.status_code, "10,000" in answer.json()["error"]) == (413, True)
    assert not Feedback.objects.exists()


def test_of_a_value_that_is_all_wrong_no_more_is_told_than_one_reads(api, keyed):
    wrong = {f"member {number}": number for number in range(1_000)}
    [refused] = api.post("feedback", [wrong]).json()["rejected"]
    assert 1 < len(refused["fields"]) <= 20
    for path in ("comparison", "interactions"):
        answer = api.post(path, {**wrong, "messages": [None] * 1_000, "project": keyed.key})
        assert (answer.status_code, 1 < len(answer.json()["fields"]) <= 40) == (400, True), path


def test_an_unlinked_key_hides_what_was_given_and_linking_shows_it_again(api, keyed):
    pk = api.log(keyed, feedbacks=[{"metric": "stars", "value": 3}]).json()["completion_id"]
    unlink_feedback_key(project=keyed, key=keyed.stars)
    assert current(api, pk) == []
    assert api.get(f"interactions/{pk}").json()["feedbacks"] == []
    assert api.post("feedback", item(pk)).status_code == 404
    hidden = f"interactions/{pk}/feedback/{Feedback.objects.get().id}"
    assert (api.put(hidden, {"value": 5}).status_code, api.delete(hidden).status_code) == (404, 404)
    api.post("feedback-keys", {"project": keyed.key, "key": "stars", "kind": "scalar"})
    assert current(api, pk) == [("stars", 3.0)]


def test_a_correction_takes_the_place_and_the_history_stays(api, keyed):
    pk = make_interaction(keyed).pk
    first = api.post("feedback", item(pk, value=2, details="poor", user="ada")).json()["feedback_id"]
    answer = api.put(f"interactions/{pk}/feedback/{first}", {"value": 5})
    assert answer.status_code == 201
    [one] = api.get(f"interactions/{pk}/feedback").json()
    assert (one["id"], one["value"], one["details"], one["user"]) == (
        answer.json()["feedback_id"], 5.0, "poor", "ada",
    )  # fmt: skip
    assert Interaction.objects.get(pk=pk).feedbacks == {"stars": 5.0}
    assert Feedback.objects.filter(interaction_id=pk).count() == 2
    late = api.put(f"interactions/{pk}/feedback/{first}", {"value": 1})
    assert (late.status_code, current(api, pk)) == (409, [("stars", 5.0)])
    assert api.put(f"interactions/{pk}/feedback/{one['id']}", {"value": 9}).status_code == 400
    assert api.put(f"interactions/{pk}/feedback/{uuid.uuid4()}", {"value": 1}).status_code == 404
    assert rolled_up(keyed) == recounted(keyed)


def test_what_is_taken_back_is_gone_from_all_that_is_current(api, keyed):
    pk = make_interaction(keyed).pk
    one = api.post("feedback", item(pk, value=2)).json()["feedback_id"]
    api.post("feedback", item(pk, "good", 1))
    assert api.delete(f"interactions/{pk}/feedback/{one}").status_code == 204
    assert current(api, pk) == [("good", 1.0)]
    assert Interaction.objects.get(pk=pk).feedbacks == {"good": 1.0}
    query = {"project": keyed.key, "feedback": "stars", "fields": "id"}
    assert api.get("interactions", query).json()["count"] == 0
    assert api.delete(f"interactions/{pk}/feedback/{one}").status_code == 409
    assert Feedback.objects.filter(interaction_id=pk).count() == 3
    assert rolled_up(keyed) == recounted(keyed)


def test_the_better_answer_is_written_replaced_and_taken_back(api, client, keyed):
    pk = make_interaction(keyed, completion="No.").pk
    address = f"interactions/{pk}/correction"
    assert api.get(address).status_code == 404
    assert api.put(address, {"completion": "Yes."}).status_code == 201
    assert api.put(address, {"completion": "Yes, it is."}).status_code == 201
    read = api.get(address).json()
    assert (read["completion"], read["by"]) == ("Yes, it is.", str(api.user))
    shown = api.get(f"interactions/{pk}").json()
    assert (shown["completion"], shown["corrected_completion"]) == ("No.", "Yes, it is.")
    for bad in ("", "  ", 7, None, "a\0", "x" * 1_000_001):
        assert api.put(address, {"completion": bad}).status_code == 400
    assert Api(client, make_user(team=keyed.team, role="auditor")).put(address, {"completion": "x"}).status_code == 403
    assert Api(client, make_user()).get(address).status_code == 404
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404
    assert api.delete(address).status_code == 404
    assert api.get(f"interactions/{pk}").json()["corrected_completion"] is None


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_lose_nothing_and_store_nothing_twice(handler):
    project = make_project()
    create_feedback_key(team=project.team, key="stars", kind="scalar", projects=[project])
    user, pks = owner_of(project), [make_interaction(project).pk for _ in range(60)]
    sent = [item(pks[n % 60], value=n, external_id=f"vote-{n}") for n in range(3_200)]
    answers = []

    def give(start):
        client = Client()
        client.handler = handler
        mine = Api(client, user)
        for piece in range(0, len(sent), 800):
            # all say all of it, each beginning elsewhere and in another order
            turned = sent[(start + piece) % 3_200 :][:800][:: -1 if start % 800 else 1]
            answers.append(mine.post("feedback", turned).json())
        connection.close()

    threads = [threading.Thread(target=give, args=(400 * place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer["rejected"] for answer in answers if answer["rejected"]] == []
    assert sum(answer["accepted"] for answer in answers) == Feedback.objects.count()
    assert sorted(Feedback.objects.values_list("value", flat=True)) == sorted({item["value"] for item in sent})
    while rollups.fold(100):
        pass
    assert rolled_up(project) == recounted(project)
