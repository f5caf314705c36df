"""Deleting: nothing of an interaction is left, and pictures go when nothing shows them any more."""

from feedback.services import create_feedback_key
from interactions.blobs import sweep_blobs
from interactions.models import Blob, BlobContent, Interaction
from interactions.rollups import activity, extent, fold
from projects.services import delete_project
from projects.tasks import delete_content
from tests.factories import make_interaction, make_project
from tests.interactions.pixels import data_uri, picture, shows, user_says
from tests.interactions.stored import stored

RED, BLUE = (data_uri(picture(colour=colour)) for colour in ("red", "blue"))


def log_whole(api, project, **more):
    """An interaction with everything that one can have; its id."""
    create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    record = {"external_id": "e", "labels": {"a": "b"}, "model": "m", "feedbacks": [{"metric": "good", "value": 1}]}
    pk = api.log(project, **record, **more).json()["completion_id"]
    api.put(f"interactions/{pk}/labels/a", {"value": "c"})
    api.post(f"interactions/{pk}/feedback", {"metric": "good", "value": 0})
    return pk


def test_nothing_of_an_interaction_is_left(api, project):
    pk = log_whole(api, project)
    assert api.delete(f"interactions/{pk}").status_code == 204
    fold()
    left = {table: rows for table, rows in stored().items() if rows}
    dictionaries = {"interactions_label": 2, "registry_model": 1, "registry_attachment": 1}
    assert left.pop("interactions_rollup") > 0  # hours whose count is nought
    assert left == dictionaries
    assert extent(project) is None
    assert activity([project])[project.pk][0] == 0
    for answer in (
        api.get(f"interactions/{pk}"),
        api.delete(f"interactions/{pk}"),
        api.get(f"interactions/{pk}/feedback"),
    ):
        assert answer.status_code == 404
    page = api.get("interactions", {"project": project.key}).json()
    assert (page["results"], page["count"], page["next"]) == ([], 0, None)


def test_the_others_are_left_alone(api, project):
    stay = api.log(project, labels={"a": "b"}).json()["completion_id"]
    before = api.get(f"interactions/{stay}").json()
    api.delete(f"interactions/{log_whole(api, project)}")
    assert api.get(f"interactions/{stay}").json() == before
    assert api.get("interactions", {"project": project.key, "label": "a:b"}).json()["count"] == 1


def test_a_picture_is_swept_only_when_nothing_shows_it(api, project):
    other = make_project(team=project.team)
    first = api.log(project, messages=user_says(shows(RED), shows(BLUE))).json()["completion_id"]
    second = api.log(project, messages=user_says(shows({"url": RED}))).json()["completion_id"]
    third = api.log(other, messages=user_says(shows(BLUE))).json()["completion_id"]
    assert (sweep_blobs(), Blob.objects.count(), BlobContent.objects.count()) == (0, 3, 2)
    api.delete(f"interactions/{first}")
    assert sweep_blobs() == 1  # blue, here; there it is shown
    assert (Blob.objects.count(), BlobContent.objects.count()) == (2, 2)
    assert api.get(f"interactions/{third}", {"images": "inline"}).json()["messages"] == user_says(shows(BLUE))
    api.delete(f"interactions/{third}")
    assert sweep_blobs() == 1
    assert api.get(f"interactions/{second}", {"images": "inline"}).json()["messages"] == user_says(shows({"url": RED}))
    api.delete(f"interactions/{second}")
    assert (sweep_blobs(), Blob.objects.count(), BlobContent.objects.count()) == (1, 0, 0)


def test_a_picture_is_shown_to_those_of_its_project_alone(api, client, project):
    api.log(project, messages=user_says(shows(RED)))
    blob = Blob.objects.get()
    assert client.get(f"/blobs/{project.uid}/{blob.content_id}", headers=api.headers).status_code == 200
    other = make_project(team=project.team)
    for address in (
        f"/blobs/{other.uid}/{blob.content_id}",
        f"/blobs/{project.uid}/{'0' * 64}",
        f"/blobs/{'-' * 36}/{'0' * 64}",
    ):
        assert client.get(address, headers=api.headers).status_code == 404


def test_a_deleted_projects_content_goes_in_slices(api, project, monkeypatch):
    monkeypatch.setattr("projects.tasks.SLICE", 2)
    other = make_interaction(make_project(), labels={"a": "b"})
    for n in range(5):
        api.log(project, labels={"n": str(n)}, messages=user_says(shows(RED)))
    log_whole(api, project)
    delete_project(project=project)
    delete_content(project.pk)
    sweep_blobs()
    assert list(Interaction.objects.all()) == [other]
    left = {table: rows for table, rows in stored().items() if rows}
    assert left == {
        "interactions_interaction": 1, "interactions_interactionbody": 1, "interactions_labelposting": 1,
        "interactions_label": 1, "interactions_rollupdelta": 3, "registry_model": 2, "registry_attachment": 2,
    }  # fmt: skip
