"""Labels: one value a key, set, replaced, removed and undone, with who did it; counted right at every moment."""

import threading
import time
from collections import Counter

import pytest
from django.db import connection, transaction

from interactions import rollups
from interactions.ingest.removal import delete_interactions
from interactions.labels import history, labels_of, remove_labels, set_label, set_labels, suggest_labels, undo
from interactions.models import Dimension, Interaction, Label, LabelEvent, LabelPosting
from tests.conftest import Api
from tests.factories import make_interaction, make_project, make_user, owner_of


def labels(interaction):
    row = Interaction.objects.get(pk=interaction.pk)
    return {label.key: label.value for label in labels_of([row])[0].labels}


def assert_counts_are_true(project):
    """Postings and roll-ups, before and after folding, tell what the rows do."""
    rows = Interaction.objects.filter(project=project)
    on_rows = [(label_id, row.pk) for row in rows for label_id in row.label_ids]
    postings = LabelPosting.objects.filter(label_id__in=Label.objects.filter(project=project).values("pk"))
    assert sorted(postings.values_list("label_id", "interaction_id")) == sorted(on_rows)
    real = [row for row in rows if row.source != "simulation"]
    by_label = Counter(label_id for row in real for label_id in row.label_ids)
    by_hour = Counter(rollups.hour_of(row.created_at) for row in real)
    by_model = Counter(row.model_id for row in real if row.model_id)
    for _ in range(2):
        assert rollups.totals(project, Dimension.LABEL) == by_label
        assert rollups.totals(project, Dimension.MODEL) == by_model
        assert rollups.by_hour(project, Dimension.ALL) == by_hour
        rollups.fold()
    assert {label.pk: label.uses for label in Label.objects.filter(project=project) if label.uses} == by_label


def test_a_label_is_set_replaced_and_removed_over_rest(api, project):
    interaction = make_interaction(project, labels={"intent": "cover", "lang": "en"})
    path = f"interactions/{interaction.pk}/labels"
    assert api.put(f"{path}/tone", {"value": "kind"}).json()["labels"] == {
        "intent": "cover", "lang": "en", "tone": "kind",
    }  # fmt: skip
    assert api.put(f"{path}/intent", {"value": "refund"}).json()["labels"]["intent"] == "refund"
    answer = api.delete(f"{path}/lang")
    assert (answer.status_code, answer.json()["labels"]) == (200, {"intent": "refund", "tone": "kind"})
    assert api.get(f"interactions/{interaction.pk}").json()["labels"] == {"intent": "refund", "tone": "kind"}
    assert api.delete(f"{path}/lang").status_code == 404
    assert_counts_are_true(project)


@pytest.mark.parametrize("key", ["a b", "a/b", "a:b|c", "é", "%", "#?"])
def test_any_key_can_be_named_in_the_address(api, project, key):
    interaction = make_interaction(project)
    path = f"interactions/{interaction.pk}/labels/" + "".join(f"%{byte:02x}" for byte in key.encode())
    assert api.put(path, {"value": "v"}).json()["labels"] == {key: "v"}
    assert api.delete(path).json()["labels"] == {}


def test_a_key_of_two_lines_is_not_made_and_one_that_is_there_can_be_reached(api, project):
    Label.objects.create(project=project, key="nl\n", value="v")
    logged = api.log(project, labels={"nl\n": "v"})
    assert logged.status_code == 201
    path = f"interactions/{logged.json()['completion_id']}/labels/"
    assert api.put(f"{path}nl%0A", {"value": "w"}).json()["labels"] == {"nl\n": "w"}
    assert api.get(f"projects/{project.key}/labels/nl%0A").json()["key"] == "nl\n"
    assert api.delete(f"{path}nl%0A").json()["labels"] == {}
    told = api.put(f"{path}a%0Ab", {"value": "w"})
    assert (told.status_code, "U+000A" in told.json()["error"]) == (400, True)
    for call, body in (
        ("label-jobs", {"key": "a\nb", "value": "v"}),
        ("label-renames", {"key": "nl\n", "to": "n\u202el"}),
        ("labels/a%0Ab", {"description": "d"}),
    ):
        method = "patch" if call.startswith("labels/") else "post"
        assert api.send(method, f"projects/{project.key}/{call}", body).status_code == 400, call


def test_an_interaction_takes_no_more_than_64_labels(api, project):
    interaction = make_interaction(project, labels={f"k{n}": "v" for n in range(64)})
    answer = api.put(f"interactions/{interaction.pk}/labels/another", {"value": "v"})
    assert (answer.status_code, "64" in answer.json()["error"]) == (400, True)
    assert api.put(f"interactions/{interaction.pk}/labels/k0", {"value": "new"}).status_code == 200
    assert len(labels(interaction)) == 64
    assert_counts_are_true(project)


def test_history_tells_who_did_what_and_not_what_came_with_the_record(project, owner):
    mate = make_user(team=project.team, role="annotator")
    interaction = make_interaction(project, labels={"intent": "cover"})
    set_label(interaction=interaction, key="intent", value="refund", by=mate)
    set_label(interaction=interaction, key="intent", value="refund", by=owner)  # nothing changes
    remove_labels(project=project, ids=[interaction.pk], key="intent", by=owner)
    told = [
        (event.label and event.label.value, event.former and event.former.value, event.by)
        for event in history(interaction)
    ]
    assert told == [(None, "refund", owner), ("refund", "cover", mate)]


def test_undo_brings_back_what_was_unless_somebody_changed_it_since(project, owner):
    rows = [make_interaction(project, labels={"intent": value}) for value in ("cover", "refund", "cancel")]
    rows.append(make_interaction(project))
    change = set_labels(project=project, ids=[row.pk for row in rows], key="intent", value="refund", by=owner)
    assert len(change.events) == 3
    set_label(interaction=rows[2], key="intent", value="later", by=owner)
    undone = undo(project=project, token=change.undo_token, by=owner)
    assert [labels(row) for row in rows] == [{"intent": "cover"}, {"intent": "refund"}, {"intent": "later"}, {}]
    undo(project=project, token=undone.undo_token, by=owner)
    assert [labels(row).get("intent") for row in rows] == ["refund", "refund", "later", "refund"]
    assert_counts_are_true(project)


def test_undo_of_a_removal_and_of_a_forged_token(project, owner):
    interaction = make_interaction(project, labels={"intent": "cover"})
    change = remove_labels(project=project, ids=[interaction.pk], key="intent", by=owner)
    with pytest.raises(ValueError, match="no longer"):
        undo(project=project, token=change.undo_token[:-1] + "~", by=owner)
    undo(project=make_project(team=project.team), token=change.undo_token, by=owner)
    assert labels(interaction) == {}
    undo(project=project, token=change.undo_token, by=owner)
    assert labels(interaction) == {"intent": "cover"}


def test_labelling_many_leaves_other_projects_alone(project, owner):
    other = make_interaction(make_project(team=project.team))
    mine = [make_interaction(project) for _ in range(3)]
    change = set_labels(project=project, ids=[row.pk for row in [*mine, other]], key="a", value="b", by=owner)
    assert len(change.events) == 3
    assert labels(other) == {}


def test_counts_are_right_after_everything(project, owner):
    rows = []
    for n in range(12):
        source = "simulation" if n % 4 == 3 else "live"
        record = {"labels": {"n": str(n % 3), "all": "x"}, "model": f"m{n % 2}", "source": source}
        rows.append(make_interaction(project, created_at=f"2026-0{n % 6 + 1}-03", **record))
    set_labels(project=project, ids=[row.pk for row in rows[:6]], key="n", value="new", by=owner)
    assert_counts_are_true(project)
    change = remove_labels(project=project, ids=[row.pk for row in rows[3:9]], key="all", by=owner)
    delete_interactions(project=project, ids=[row.pk for row in rows[::4]])
    undo(project=project, token=change.undo_token, by=owner)
    assert_counts_are_true(project)
    delete_interactions(project=project, ids=[row.pk for row in rows])
    assert_counts_are_true(project)
    assert not LabelEvent.objects.exists()


def test_suggestions_come_most_used_first(project):
    for value, times in (("refund", 3), ("cover", 1), ("cancel", 2)):
        for _ in range(times):
            make_interaction(project, labels={"intent": value})
    make_interaction(make_project(team=project.team), labels={"intent": "elsewhere"})
    assert [(label.value, label.n) for label in suggest_labels(project, "int")] == [
        ("refund", 3),
        ("cancel", 2),
        ("cover", 1),
    ]
    rollups.fold()
    assert [label.value for label in suggest_labels(project, "intent", "c")] == ["cancel", "cover"]
    assert suggest_labels(project, "50%_") == []


@pytest.mark.parametrize(
    ("role", "status"), [("engineer", 200), ("annotator", 200), ("auditor", 403), ("program", 403)]
)
def test_who_may_label(client, project, role, status):
    interaction = make_interaction(project)
    api = Api(client, make_user(team=project.team, role=role))
    answer = api.put(f"interactions/{interaction.pk}/labels/a", {"value": "b"})
    assert answer.status_code == status
    assert labels(interaction) == ({"a": "b"} if status == 200 else {})
    stranger = Api(client, make_user())
    assert stranger.put(f"interactions/{interaction.pk}/labels/a", {"value": "c"}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_who_set_a_key_at_the_same_moment_leave_one_value():
    project = make_project()
    by = owner_of(project)
    rows = [make_interaction(project) for _ in range(8)]
    start = threading.Barrier(4)

    def label(number):
        start.wait()
        for row in rows:
            set_label(interaction=row, key="intent", value=f"by {number} on {row.pk}", by=by)
        connection.close()

    threads = [threading.Thread(target=label, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {len(Interaction.objects.get(pk=row.pk).label_ids) for row in rows} == {1}
    assert LabelEvent.objects.count() == 32
    assert_counts_are_true(project)


@pytest.mark.django_db(transaction=True)
def test_a_value_that_was_new_while_another_waited_is_replaced_and_not_joined():
    project = make_project()
    by, interaction = owner_of(project), make_interaction(project)

    def label():
        set_label(interaction=interaction, key="intent", value="second", by=by)
        connection.close()

    second = threading.Thread(target=label)
    with transaction.atomic():
        Interaction.objects.select_for_update().get(pk=interaction.pk)
        second.start()
        wait_until_somebody_waits()
        set_label(interaction=interaction, key="intent", value="first", by=by)
    second.join()
    assert [label.value for label in labels_of([Interaction.objects.get()])[0].labels] == ["second"]
    assert_counts_are_true(project)


def wait_until_somebody_waits():
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("Nobody waited.")
