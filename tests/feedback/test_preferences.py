"""Preferences one by one: by ids and by texts, what is refused, what is counted, and what goes with an interaction."""

import json
import threading
import uuid

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Role
from feedback.matrix import win_matrix
from feedback.models import Outcome, Preference
from feedback.preferences import pairs_behind, preferences_of
from feedback.rollups import fold, pairs
from feedback.services import WHERE_KEYS_ARE_MADE, unlink_feedback_key
from interactions.ingest.preferences import take_preferences
from interactions.ingest.removal import delete_interactions
from interactions.models import Claim, Interaction
from projects.access import project_or_404
from projects.services import share_project
from tests.conftest import Api
from tests.factories import make_interaction, make_project, make_team, make_user, owner_of
from tests.feedback.compared import assert_counted, by_ids, by_texts, everything, make_key, send_comparisons, text
from tests.interactions.batch import ndjson
from tests.interactions.test_mutations import anything, changed, is_told_well, places

ONE, OTHER = text("a", "Yes."), text("b", "No.")


@pytest.fixture
def key(project):
    return make_key(project)


@pytest.fixture
def logged(project, key):
    """Two interactions of two models to one prompt."""
    return tuple(
        make_interaction(project, prompt="Q", messages=None, model=model, completion=said)
        for model, said in (("a", "Yes."), ("b", "No."))
    )


def give(api, preference):
    answer = api.post("comparison", preference)
    assert answer.status_code == 201, answer.content
    return uuid.UUID(answer.json()["comparison_id"])


def matrix_of(api, project, key="better"):
    answer = api.get(f"feedback-keys/{key}/preferences", {"project": project.key})
    assert answer.status_code == 200
    return answer.json()


# -- what is stored -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("tied", "own", "others"),
    [
        ({}, "won", "lost"),
        ({"tied": None}, "won", "lost"),
        ({"tied": False}, "won", "lost"),
        ({"tied": True}, "tied", "tied"),
        ({"tied": "good"}, "tied_good", "tied_good"),
        ({"tied": "bad"}, "tied_bad", "tied_bad"),
    ],
)
def test_a_preference_lies_with_both_interactions(api, project, key, logged, tied, own, others):
    one, other = logged
    said = {"user": "judge", "origin": "grader", "external_id": "e", **tied}
    pk = give(api, by_ids(one.pk, other.pk, **said))
    [mine], [theirs] = preferences_of(one), preferences_of(other)
    assert mine.id == theirs.id == pk
    assert (mine.other_id, theirs.other_id) == (other.pk, one.pk)
    assert (mine.outcome, theirs.outcome) == (own, others)
    assert (mine.other_model.key, theirs.other_model.key) == ("b", "a")
    for side in (mine, theirs):
        assert (side.feedback_key, side.user, side.origin, side.by) == (key, "judge", "grader", api.user)
    assert_counted(project, key)
    assert len(matrix_of(api, project)["pairs"]) == 1


@pytest.mark.parametrize("kind", ["bool", "scalar"])
@pytest.mark.parametrize("name", ["feedback_key", "metric"])
def test_a_key_of_either_kind_is_named_in_either_way(api, project, kind, name):
    make_key(project, "mine", kind)
    preference = by_texts(ONE, OTHER, project=project.key) | {name: "mine"}
    if name == "metric":
        del preference["feedback_key"]
    give(api, preference)
    assert matrix_of(api, project, "mine")["pairs"][0]["a_wins"] == 1


def test_a_side_is_named_by_the_external_id_it_was_logged_under(api, project, key, logged):
    mine = make_interaction(project, external_id="run-1", model="a")
    own, absent = {"external_id": "run-1"}, {"external_id": "run-2"}
    named = {"preferred_completion": own, "project": project.key}
    pk = give(api, by_ids("", logged[1].pk) | named)
    assert {row.interaction_id for row in Preference.objects.filter(id=pk)} == {mine.pk, logged[1].pk}
    for sides, code in (
        ({"preferred_completion": own, "other_completion": own}, 400),
        ({"preferred_completion": own, "other_completion": str(mine.pk)}, 400),
        ({"preferred_completion": absent, "other_completion": str(mine.pk)}, 404),
        ({"preferred_completion": own, "other_completion": {"external_id": 7}}, 400),
    ):
        answer = api.post("comparison", {"feedback_key": key.key, "project": project.key, **sides})
        assert answer.status_code == code, answer.content
    unnamed = api.post("comparison", {"feedback_key": key.key, "preferred_completion": own, "other_completion": absent})
    assert (unnamed.status_code, list(unnamed.json()["fields"])) == (400, ["project"])


def test_the_published_clients_body_is_understood(api, project, key, logged):
    body = {
        "metric": "better", "preferred_completion": ONE, "other_completion": OTHER, "project": project.key,
        "user_id": "2def0000-0000-4000-8000-000000000000", "messages": [{"role": "user", "content": "Q"}],
    }  # fmt: skip
    pk = give(api, body)
    assert {row.interaction_id for row in Preference.objects.filter(id=pk)} == {row.pk for row in logged}
    assert preferences_of(logged[0])[0].user == body["user_id"]


def test_the_numbers_are_those_of_the_votes(api, project, key):
    for preference in [
        by_texts(text("a", "1"), text("b", "1")),
        by_texts(text("a", "2"), text("b", "1")),
        by_texts(text("b", "1"), text("a", "1")),
        by_texts(text("b", "1"), text("a", "2"), tied="good"),
        by_texts(text("a", "1"), text("b", "2"), tied="bad"),
        by_texts(text("a", "1"), text("b", "2"), tied=True),
        by_texts(text("c", "1"), text("b", "1")),
        by_texts(text("a", "1"), text("a", "2")),
        by_texts(text("a", "1"), text("a", "2"), tied=True),
    ]:
        give(api, {**preference, "project": project.key})
    assert_counted(project, key)
    told = matrix_of(api, project)
    first, second = told["pairs"]
    rates = {name: first.pop(name) for name in ("a_win_rate", "a_win_rate_low", "a_win_rate_high")}
    assert first == {"a": "a", "b": "b", "a_wins": 2, "b_wins": 1, "ties": 3, "ties_good": 1, "ties_bad": 1}
    assert rates["a_win_rate"] == pytest.approx(3.5 / 6)
    assert 0 < rates["a_win_rate_low"] < 3.5 / 6 < rates["a_win_rate_high"] < 1
    assert (second["a"], second["b"], second["a_wins"], second["b_wins"], second["a_win_rate"]) == ("b", "c", 0, 1, 0)
    assert told["within"] == [{"model": "a", "decided": 1, "ties": 1, "ties_good": 0, "ties_bad": 0}]
    models = {one["model"]: one for one in told["models"]}
    strengths = [one["strength"] for one in told["models"]]
    assert strengths == sorted(strengths, reverse=True)
    assert sum(strengths) == pytest.approx(0)
    b = models["b"]
    assert (b["wins"], b["losses"], b["ties"], b["comparisons"]) == (1, 3, 3, 7)
    assert b["win_rate"] == pytest.approx(2.5 / 7)
    assert b["low"] < b["strength"] < b["high"]
    assert 1 <= b["rank_low"] <= b["rank_high"] <= 3
    assert told["connected"] is True


def test_models_that_never_met_are_told_to_be_apart(api, project, key):
    give(api, by_texts(ONE, OTHER, project=project.key))
    assert matrix_of(api, project)["connected"] is True
    give(api, by_texts(text("c", "x"), text("d", "y"), project=project.key))
    told = matrix_of(api, project)
    assert told["connected"] is False
    groups = {one["model"]: one["group"] for one in told["models"]}
    assert groups["a"] == groups["b"] != groups["c"] == groups["d"]


def test_nothing_given_is_nothing_told(api, project, key):
    assert matrix_of(api, project) == {"models": [], "pairs": [], "within": [], "connected": True}


def test_a_matrix_is_read_from_both_sides(api, project, key):
    give(api, by_texts(ONE, OTHER, project=project.key))
    matrix = win_matrix(project, key)
    [pair] = matrix.pairs
    turned = matrix.between(pair.b_id, pair.a_id)
    assert (turned.a, turned.a_wins, turned.b_wins, turned.a_win_rate.rate) == ("b", 0, 1, 0)
    assert turned.a_win_rate.high == pytest.approx(1 - pair.a_win_rate.low)
    assert matrix.between(pair.a_id, 0) is None


# -- texts ----------------------------------------------------------------------------------------
def test_texts_point_to_the_newest_equal_interaction(api, project, key, logged):
    older = make_interaction(project, prompt="Q", messages=None, model="a", completion="Yes.", created_at="2026-08-01")
    make_interaction(project, prompt="Q", messages=None, model="c", completion="Yes.")
    make_interaction(project, prompt="Q?", messages=None, model="a", completion="Yes.")
    make_interaction(make_project(team=project.team), prompt="Q", messages=None, model="a", completion="Yes.")
    before = Interaction.objects.count()
    pk = give(api, by_texts(ONE, OTHER, project=project.key))
    assert {row.interaction_id for row in Preference.objects.filter(id=pk)} == {row.pk for row in logged}
    assert Interaction.objects.count() == before
    assert older.pk < logged[0].pk  # equal ones that were logged stay two
    assert not preferences_of(older)


def test_real_traffic_goes_before_simulated_which_is_not_counted(api, project, key):
    simulated = make_interaction(project, prompt="Q", messages=None, model="a", completion="Yes.", source="simulation")
    give(api, by_texts(ONE, OTHER, project=project.key))
    assert len(preferences_of(simulated)) == 1
    assert (pairs(project, key), matrix_of(api, project)["pairs"]) == ({}, [])
    real = make_interaction(project, prompt="Q", messages=None, model="a", completion="Yes.", created_at="2026-08-01")
    give(api, by_texts(ONE, OTHER, project=project.key))
    assert len(preferences_of(real)) == 1
    assert_counted(project, key)
    assert sum(pairs(project, key).values()) == 1
    a, b = sorted((real.model_id, Interaction.objects.get(model__key="b").model_id))
    assert len(pairs_behind(project, key, a, b).rows) == 1
    delete_interactions(project=project, ids=[simulated.pk])
    assert_counted(project, key)


def test_texts_that_are_new_make_an_interaction_once(api, project, key):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Q"}]
    preference = by_texts(ONE, OTHER, messages=messages, project=project.key)
    del preference["prompt"]
    for _ in range(2):
        give(api, preference)
    made = Interaction.objects.order_by("model__key")
    assert [(row.model.key, row.source, row.logged_by) for row in made] == [
        ("a", "logged", api.user), ("b", "logged", api.user),
    ]  # fmt: skip
    shown = api.get(f"interactions/{made[0].pk}").json()
    assert (shown["messages"], shown["completion"], shown["model"]) == (messages, "Yes.", "a")
    assert api.get("interactions", {"project": project.key}).json()["count"] == 2


def test_an_id_and_a_text_are_compared(api, project, key, logged):
    pk = give(api, by_texts(str(logged[0].pk), text("c", "Perhaps.")))
    made = Interaction.objects.get(model__key="c")
    assert {row.interaction_id for row in Preference.objects.filter(id=pk)} == {logged[0].pk, made.pk}


def test_the_same_text_of_two_models_is_compared(api, project, key):
    give(api, by_texts(text("a", "Same."), text("b", "Same."), tied=True, project=project.key))
    assert Interaction.objects.count() == 2
    assert matrix_of(api, project)["pairs"][0]["ties"] == 1


def test_what_was_made_can_be_deleted_and_made_again(api, project, key):
    give(api, by_texts(ONE, OTHER, project=project.key))
    first = Interaction.objects.get(model__key="a")
    assert api.delete(f"interactions/{first.pk}").status_code == 204
    give(api, by_texts(ONE, OTHER, project=project.key))
    assert Interaction.objects.get(model__key="a").pk != first.pk
    assert Interaction.objects.count() == 2
    assert_counted(project, key)


@pytest.mark.django_db(transaction=True)
def test_eight_who_ask_at_the_same_moment_make_one():
    project = make_project()
    key, by, start, told = make_key(project), owner_of(project), threading.Barrier(8), []
    asked = project_or_404(by, project.key)

    def send(number):
        start.wait()
        sides = (ONE, OTHER) if number % 2 else (OTHER, ONE)
        told.extend(take_preferences(project=asked, records=[by_texts(*sides)], by=by))
        connection.close()

    run([threading.Thread(target=send, args=[number]) for number in range(8)])
    assert [outcome.error for outcome in told] == [None] * 8
    assert Interaction.objects.count() == Claim.objects.count() == 2
    assert Preference.objects.count() == 16
    assert set(pairs(project, key).values()) == {4}
    assert_counted(project, key)


def run(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# -- sent twice -----------------------------------------------------------------------------------
def test_the_same_external_id_is_stored_once(api, project, key):
    preference = by_texts(ONE, OTHER, external_id="vote-1", project=project.key)
    first = api.post("comparison", preference)
    before = everything()
    again = api.post("comparison", preference)
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    for other in (
        preference | {"tied": True},
        preference | {"other_completion": text("new", "Never seen.")},
        preference | {"prompt": "Another."},
    ):
        refused = api.post("comparison", other)
        assert refused.status_code == 409
        assert "vote-1" in refused.json()["error"]
    assert everything() == before
    assert_counted(project, key)


def test_external_ids_of_preferences_and_interactions_are_apart(api, project, key):
    api.log(project, external_id="e")
    give(api, by_texts(ONE, OTHER, external_id="e", project=project.key))


# -- refused --------------------------------------------------------------------------------------
MESSAGES = [{"role": "user", "content": "Q"}]
BAD = {
    "no object": ([1], {""}),
    "nothing": ({}, {"feedback_key", "preferred_completion", "other_completion"}),
    "unknown member": (by_texts(ONE, OTHER, winner="a"), {"winner"}),
    "no key": (by_texts(ONE, OTHER, feedback_key=None), {"feedback_key"}),
    "key is a number": (by_texts(ONE, OTHER, feedback_key=5), {"feedback_key"}),
    "two keys": (by_texts(ONE, OTHER, metric="other"), {"metric"}),
    "tied is a word": (by_texts(ONE, OTHER, tied="both"), {"tied"}),
    "tied is one": (by_texts(ONE, OTHER, tied=1), {"tied"}),
    "tied is zero": (by_texts(ONE, OTHER, tied=0), {"tied"}),
    "tied is a list": (by_texts(ONE, OTHER, tied=["good"]), {"tied"}),
    "no uuid": (by_texts("seven", OTHER), {"preferred_completion"}),
    "a number": (by_texts(ONE, 7), {"other_completion"}),
    "no text": (by_texts({"model": "a"}, OTHER), {"preferred_completion.text"}),
    "no model": (by_texts(ONE, {"text": "x"}), {"other_completion.model"}),
    "empty model": (by_texts(ONE, text("", "x")), {"other_completion.model"}),
    "long model": (by_texts(ONE, text("m" * 201, "x")), {"other_completion.model"}),
    "unfit model": (by_texts(ONE, text("org/check", "x")), {"other_completion.model"}),
    "text is a list": (by_texts(ONE, text("b", ["x"])), {"other_completion.text"}),
    "NUL": (by_texts(ONE, text("b", "x\0")), {"other_completion.text"}),
    "half a pair": (by_texts(ONE, text("b", "\ud800")), {"other_completion.text"}),
    "more in a completion": (by_texts(ONE, OTHER | {"id": 1}), {"other_completion.id"}),
    "itself": (by_texts(ONE, ONE), {"other_completion"}),
    "no prompt": (by_texts(ONE, OTHER, prompt=None), {"messages"}),
    "prompt and messages": (by_texts(ONE, OTHER, messages=MESSAGES), {"prompt"}),
    "prompt is a number": (by_texts(ONE, OTHER, prompt=5), {"prompt"}),
    "no role": (by_texts(ONE, OTHER, prompt=None, messages=[{"role": "x", "content": "Q"}]), {"messages[0].role"}),
    "user is a number": (by_texts(ONE, OTHER, user=5), {"user"}),
    "long user": (by_texts(ONE, OTHER, user_id="u" * 201), {"user_id"}),
    "unknown origin": (by_texts(ONE, OTHER, origin="dice"), {"origin"}),
    "empty external id": (by_texts(ONE, OTHER, external_id=""), {"external_id"}),
}


@pytest.mark.parametrize(("preference", "paths"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_named_and_leaves_nothing(api, project, key, preference, paths):
    if isinstance(preference, dict):
        preference = {**preference, "project": project.key}
    before = everything()
    answer = api.post("comparison", preference)
    assert answer.status_code == 400, answer.content
    assert set(answer.json()["fields"]) == paths
    assert answer.json()["error"]
    assert everything() == before


def test_what_is_unknown_here_is_not_found_and_leaves_nothing(api, project, key, logged):
    sister = make_project(team=project.team)
    strangers = make_interaction(make_project())
    sisters, never = make_interaction(sister), uuid.uuid4()
    make_key(sister, "theirs")
    before = everything()
    cases = [
        (by_ids(logged[0].pk, never), f"Interaction '{never}'"),
        (by_ids(never, logged[0].pk), f"Interaction '{never}'"),
        (by_ids(logged[0].pk, strangers.pk), f"Interaction '{strangers.pk}'"),
        (by_ids(strangers.pk, logged[0].pk), f"Interaction '{strangers.pk}'"),
        (by_ids(logged[0].pk, sisters.pk), f"Interaction '{sisters.pk}'"),
        (by_texts(str(sisters.pk), OTHER, project=project.key), f"Interaction '{sisters.pk}'"),
        (
            by_ids(*[row.pk for row in logged], project=sister.key, feedback_key="theirs"),
            f"Interaction '{logged[0].pk}'",
        ),
        (
            by_texts(ONE, OTHER, project=project.key, feedback_key="none"),
            f"FeedbackKey (metric) 'none'. {WHERE_KEYS_ARE_MADE}",
        ),
        (
            by_texts(ONE, OTHER, project=project.key, feedback_key="theirs"),
            f"FeedbackKey (metric) 'theirs'. {WHERE_KEYS_ARE_MADE}",
        ),
        (by_texts(ONE, OTHER, project="nowhere"), "Project 'nowhere'"),
    ]
    for preference, what in cases:
        answer = api.post("comparison", preference)
        assert (answer.status_code, answer.json()["error"]) == (404, f"EntityNotFound: {what}")
    assert everything() == before


def test_an_unlinked_key_is_unknown_and_what_was_given_is_hidden(api, project, key, logged):
    give(api, by_ids(logged[0].pk, logged[1].pk))
    unlink_feedback_key(project=project, key=key)
    assert api.post("comparison", by_ids(logged[0].pk, logged[1].pk)).status_code == 404
    assert api.get("feedback-keys/better/preferences", {"project": project.key}).status_code == 404
    assert preferences_of(logged[0]) == []
    assert Preference.objects.count() == 2


def test_an_interaction_is_not_compared_with_itself(api, project, key, logged):
    before = everything()
    for preference in (
        by_ids(logged[0].pk, logged[0].pk),
        by_ids(logged[0].pk, str(logged[0].pk).upper()),
        by_texts(str(logged[0].pk), ONE),
        by_texts(ONE, str(logged[0].pk)),
    ):
        answer = api.post("comparison", preference)
        assert (answer.status_code, set(answer.json()["fields"])) == (400, {"other_completion"})
    assert everything() == before


def test_texts_name_their_project(api, project, key):
    answer = api.post("comparison", by_texts(ONE, OTHER))
    assert (answer.status_code, set(answer.json()["fields"])) == (400, {"project"})


WHOLE = by_texts(ONE, OTHER, tied=False, user="u", origin="user", external_id="e", messages=MESSAGES)
del WHOLE["prompt"]


@given(st.lists(st.tuples(st.sampled_from(list(places(WHOLE))), anything), min_size=1, max_size=2))
def test_whatever_is_sent_is_taken_or_told_to_be_wrong(api, project, changes):
    make_key(project)
    preference = WHOLE | {"project": project.key}
    for path, value in changes:
        try:
            preference = changed(preference, path, value)
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change took the place away
    assert is_told_well(api.post("comparison", preference))
    try:
        raw = ndjson([preference])
    except UnicodeEncodeError:
        raw = json.dumps(preference).encode()
    assert send_comparisons(api, project, raw)[0] in {200, 201}


# -- who may --------------------------------------------------------------------------------------
MAY = {  # by ids, by texts (which may make interactions), read
    "administrator": (201, 201, 200),
    "engineer": (201, 201, 200),
    "reviewer": (201, 403, 200),
    "annotator": (201, 403, 200),
    "auditor": (403, 403, 200),
    "program": (201, 201, 200),
}


@pytest.mark.parametrize(("role", "may"), MAY.items())
def test_who_may_prefer(client, project, key, logged, role, may):
    partner = make_user(team=make_team())
    share_project(project=project, team=partner.teams.get(), role=Role.objects.get(team=project.team, key=role))
    for person in (make_user(team=project.team, role=role), partner):
        api = Api(client, person)
        assert (
            api.post("comparison", by_ids(logged[0].pk, logged[1].pk)).status_code,
            api.post("comparison", by_texts(ONE, text("b", "New."), project=project.key)).status_code,
            api.get("feedback-keys/better/preferences", {"project": project.key}).status_code,
        ) == may


def test_a_stranger_finds_nothing_and_changes_nothing(client, project, key, logged):
    stranger, before = Api(client, make_user(team=make_team())), everything()
    for preference, what in (
        (by_ids(logged[0].pk, logged[1].pk), f"Interaction '{logged[0].pk}'"),
        (by_texts(ONE, OTHER, project=project.key), f"Project '{project.key}'"),
    ):
        answer = stranger.post("comparison", preference)
        assert (answer.status_code, answer.json()["error"]) == (404, f"EntityNotFound: {what}")
    assert stranger.get("feedback-keys/better/preferences", {"project": project.key}).status_code == 404
    assert everything() == before
    assert client.post("/api/v1/comparison", "{}", "application/json").status_code == 401


# -- deleted --------------------------------------------------------------------------------------
def test_deleting_one_side_takes_both_and_uncounts(api, project, key, logged):
    third = make_interaction(project, prompt="Q", messages=None, model="b", completion="Maybe.")
    kept = give(api, by_ids(third.pk, logged[1].pk, external_id="kept"))
    give(api, by_ids(logged[0].pk, logged[1].pk, external_id="free"))
    give(api, by_ids(third.pk, logged[0].pk, tied="bad"))
    assert api.delete(f"interactions/{logged[0].pk}").status_code == 204
    assert set(Preference.objects.values_list("id", flat=True)) == {kept}
    assert_counted(project, key)
    assert [(one["model"], one["decided"]) for one in matrix_of(api, project)["within"]] == [("b", 1)]
    again = by_ids(logged[1].pk, third.pk)
    assert api.post("comparison", {**again, "external_id": "kept"}).status_code == 409
    assert api.post("comparison", {**again, "external_id": "free"}).status_code == 201
    assert Claim.objects.count() == 2


def test_both_sides_are_deleted_in_one_go(api, project, key, logged):
    give(api, by_ids(logged[0].pk, logged[1].pk, external_id="e"))
    assert delete_interactions(project=project, ids=[row.pk for row in logged]) == 2
    assert (Preference.objects.count(), Claim.objects.count(), pairs(project, key)) == (0, 0, {})


@pytest.mark.django_db(transaction=True)
def test_both_sides_deleted_at_once_are_uncounted_once():
    project = make_project()
    key, by = make_key(project), owner_of(project)
    asked = project_or_404(by, project.key)
    sides = [[text(model, f"{model} {n}") for n in range(6)] for model in ("a", "b")]
    votes = [by_texts(one, other, external_id=f"{n}-{m}") for n, one in enumerate(sides[0])
             for m, other in enumerate(sides[1])]  # fmt: skip
    votes += [by_texts(sides[0][n], sides[0][n - 1], tied=n % 2 == 0) for n in range(6)]
    assert not any(one.error for one in take_preferences(project=asked, records=votes, by=by))
    ids = list(Interaction.objects.order_by("?").values_list("pk", flat=True))
    start, told, faults = threading.Barrier(8), [], []

    def delete(number):
        start.wait()
        try:
            told.append(delete_interactions(project=project, ids=ids[number % 4 :: 4][: 3 - number // 4]))
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    run([threading.Thread(target=delete, args=[number]) for number in range(8)])
    assert (faults, sum(told)) == ([], 12)
    assert (Preference.objects.count(), Claim.objects.count(), pairs(project, key)) == (0, 0, {})


# -- read -----------------------------------------------------------------------------------------
def test_the_pairs_behind_a_count_come_newest_first_page_by_page(api, project, key):
    given = [give(api, by_texts(text("a", str(n)), text("b", "x"), project=project.key)) for n in range(5)]
    tie = give(api, by_texts(text("a", "0"), text("b", "x"), tied="good", project=project.key))
    give(api, by_texts(text("a", "0"), text("c", "x"), project=project.key))
    a, b = (Interaction.objects.filter(model__key=model).first().model_id for model in "ab")
    first = pairs_behind(project, key, a, b, limit=4)
    rest = pairs_behind(project, key, a, b, cursor=first.next, limit=4)
    assert [row.id for row in [*first.rows, *rest.rows]] == [tie, *given[::-1]]
    assert rest.next is None
    assert {row.model_id for row in first.rows} == {a}
    assert [row.id for row in pairs_behind(project, key, a, b, Outcome.WON).rows] == given[::-1]
    assert [row.id for row in pairs_behind(project, key, b, a, Outcome.LOST).rows] == given[::-1]
    assert pairs_behind(project, key, a, b, Outcome.LOST).rows == []
    ties = [Outcome.TIED, Outcome.TIED_GOOD, Outcome.TIED_BAD]
    assert [row.id for row in pairs_behind(project, key, b, a, ties).rows] == [tie]
    with pytest.raises(ValueError, match="cursor"):
        pairs_behind(project, key, a, b, cursor="x")


def test_the_pairs_within_a_model_come_once(api, project, key):
    won = give(api, by_texts(text("a", "1"), text("a", "2"), project=project.key))
    lost = give(api, by_texts(text("a", "2"), text("a", "1"), project=project.key))
    tied = give(api, by_texts(text("a", "2"), text("a", "1"), tied=True, project=project.key))
    a = Interaction.objects.first().model_id
    page = pairs_behind(project, key, a, a)
    assert [(row.id, row.outcome) for row in page.rows] == [(tied, "tied"), (lost, "won"), (won, "won")]
    assert [row.id for row in pairs_behind(project, key, a, a, Outcome.WON).rows] == [lost, won]
    assert [row.id for row in pairs_behind(project, key, a, a, Outcome.TIED).rows] == [tied]


def test_completions_of_no_model_are_compared_too(api, project, key):
    bare = [api.log(project, completion=str(n)).json()["completion_id"] for n in range(2)]
    named = make_interaction(project, model="a")
    give(api, by_ids(bare[0], named.pk))
    within = give(api, by_ids(bare[0], bare[1]))
    assert_counted(project, key)
    told = matrix_of(api, project)
    assert [(pair["a"], pair["b"], pair["a_wins"], pair["b_wins"]) for pair in told["pairs"]] == [("a", None, 0, 1)]
    assert [one["model"] for one in told["within"]] == [None]
    assert [row.id for row in pairs_behind(project, key, 0, 0).rows] == [within]
    assert len(pairs_behind(project, key, 0, named.model_id).rows) == 1


def test_folding_changes_no_number(api, project, key, logged):
    for preference in (by_ids(logged[0].pk, logged[1].pk), by_texts(ONE, text("c", "x"), project=project.key)):
        give(api, preference)
    before = matrix_of(api, project)
    assert fold() > 0
    assert matrix_of(api, project) == before
    delete_interactions(project=project, ids=[logged[1].pk])
    after = matrix_of(api, project)
    fold()
    assert matrix_of(api, project) == after != before
    assert_counted(project, key)
