"""A batch under way ends where its sender may not go on or its project takes no more; what was accepted stays."""

import threading

import pytest
from django.db import connections

from accounts.models import ApiKey, Membership
from accounts.services import add_member, deactivate, remove_member, revoke_api_key
from feedback.models import Preference
from interactions.ingest import PIECE, ingest
from interactions.ingest.preferences import PIECE as PREFERENCES
from interactions.models import Interaction
from projects.services import archive_project, create_project, delete_project
from tests.conftest import Api
from tests.factories import make_project, make_user, owner_of
from tests.feedback.compared import by_texts, make_key, text
from tests.interactions.batch import ndjson, send_slowly

ARCHIVED = "The project {} is archived and takes no interactions."


def lines(start, count):
    return ndjson(
        [{"prompt": "Am I covered?", "completion": "Yes.", "external_id": str(start + n)} for n in range(count)]
    )


def votes(start, count):
    numbers = range(start, start + count)
    return ndjson([by_texts(text("a", f"Yes {n}."), text("b", f"No {n}."), external_id=str(n)) for n in numbers])


@pytest.fixture
def sender(client, project):
    return Api(client, make_user(team=project.team, role="program"))


def revoked(project, user):
    revoke_api_key(key=ApiKey.objects.get(user=user))
    return 401, "This API key is not known, was revoked, or its time is over."


def ended(project, user):
    deactivate(user=user)
    return 401, "This API key is not known, was revoked, or its time is over."


def demoted(project, user):
    add_member(team=project.team, user=user, role="auditor")
    return 403, f"You may not do this in {project.key}"


def removed(project, user):
    remove_member(member=Membership.objects.get(user=user))
    return 404, f"EntityNotFound: Project '{project.key}'"


def archived(project, user):
    archive_project(project=project)
    return 409, ARCHIVED.format(project.key)


def deleted(project, user):
    delete_project(project=project)
    return 404, f"EntityNotFound: Project '{project.key}'"


@pytest.mark.parametrize("happens", [revoked, ended, demoted, removed, archived, deleted])
def test_a_batch_of_interactions_ends_with_the_right_to_send_it(sender, project, happens):
    due = []
    status, told = send_slowly(
        sender,
        f"interactions/batch?project={project.key}",
        lines(0, PIECE), lines(PIECE, 10),
        between=lambda: due.append(happens(project, sender.user)),
    )  # fmt: skip
    [(code, error)] = due
    assert (status, told["accepted"], len(told["ids"])) == (code, PIECE, PIECE)
    assert told["error"].startswith(error)
    assert Interaction.objects.filter(project=project).count() == PIECE


@pytest.mark.parametrize("happens", [revoked, demoted, removed, deleted])
def test_a_batch_of_comparisons_does_too(sender, project, happens):
    make_key(project)
    due = []
    status, told = send_slowly(
        sender,
        f"comparison/batch?project={project.key}",
        votes(0, PREFERENCES), votes(PREFERENCES, 10),
        between=lambda: due.append(happens(project, sender.user)),
    )  # fmt: skip
    [(code, error)] = due
    assert (status, told["accepted"]) == (code, PREFERENCES)
    assert told["error"].startswith(error)
    assert Preference.objects.count() == 2 * PREFERENCES


def test_a_first_piece_that_may_not_be_stored_is_refused_as_any_call(sender, project):
    path = f"interactions/batch?project={project.key}"
    status, told = send_slowly(sender, path, b"\n", lines(0, 1), between=lambda: archived(project, sender.user))
    assert (status, told) == (409, {"error": ARCHIVED.format(project.key), "fields": {}})


def test_the_rest_of_a_batch_does_not_go_to_another_project_of_the_same_key(client, db):
    project = make_project("helpdesk")
    other = create_project(team=make_project().team, key="elsewhere", name="Elsewhere", by=owner_of(project))
    sender = Api(client, make_user(team=project.team))
    add_member(team=other.team, user=sender.user, role="program")

    def change():
        delete_project(project=project)
        create_project(team=other.team, key="helpdesk", name="Another", by=sender.user)

    path = f"interactions/batch?project={project.key}"
    status, told = send_slowly(sender, path, lines(0, PIECE), lines(PIECE, 10), between=change)
    assert (status, told["error"]) == (404, "EntityNotFound: Project 'helpdesk'")
    assert set(Interaction.objects.values_list("project", flat=True)) == {project.pk}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("close", [archive_project, delete_project])
def test_who_closes_a_project_waits_for_the_piece_that_is_being_stored(close):
    project = make_project()
    by = owner_of(project)
    stored, go_on, seen = threading.Event(), threading.Event(), []

    def hold(outcomes):
        stored.set()
        go_on.wait(10)

    def shut():
        close(project=type(project).objects.get(pk=project.pk), by=by)
        seen.append(Interaction.objects.filter(project=project.pk).count())

    records = [{"prompt": "Am I covered?", "completion": "Yes."}] * 2
    threads = [
        in_thread(lambda: ingest(project=project, records=records, by=by, also=hold)),
        stored.wait(10) and in_thread(shut),
    ]
    threads[1].join(0.3)
    assert threads[1].is_alive()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert seen == [2]


def in_thread(work):
    def run():
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread
