"""Every address there is: login is asked, and nothing of a project is shown to those outside it."""

import re
from typing import NamedTuple

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from accounts.models import Membership
from accounts.permissions import MANAGE_PROJECT, ROLES
from accounts.services import create_api_key
from experiments.services import create_test
from exports.places import file_of, make_folder
from exports.saved import create_view
from exports.services import begin_export
from exports.services import clear as clear_exports
from feedback.giving import give_feedback
from feedback.services import create_feedback_key
from interactions.ingest.preferences import take_preferences
from interactions.models import Blob
from interactions.notes import write_note
from jobs.models import Job, State
from jobs.services import begin
from projects.access import project_or_404
from projects.models import Project
from projects.services import delete_project
from projects.tasks import delete_content
from registry.models import Model
from registry.providers import create_provider
from registry.services import attach, register_model
from reviews.desk import next_review, submit
from reviews.filling import fill
from reviews.placing import put_in
from reviews.services import create_queue
from tests.factories import make_interaction, make_project, make_team, make_user, owner_of

# these alone answer without a login: they show nothing of anybody
OPEN = {"/login", "/ready", "/api/schema/", "/api/docs", "/api/graphql"}
# what these answer comes from the gateway; here they only say that it is not there
GATEWAY = {"/openai/v1/<rest>", "/api/v1/chat/completions", "/api/v1/embeddings", "/health"}
OPEN |= GATEWAY
# these name no project and answer each with what is her own
OWN = {
    "/",
    "/account",
    "/account/password",
    "/api-keys",
    "/logout",
    "/projects",
    "/projects/new",
    "/teams",
    "/api/v1/projects",
}
# what an address cannot be asked without
ASKED = {"interaction_arrivals": {"since": "2026-01-01T00:00:00Z"}}
# what is its owner's: to teammates who do not manage the project it is as unknown as to strangers
PERSONAL = ("<job_id>", "<export_id>")
METHODS = ("get", "post", "put", "patch", "delete")
SECRET = "zebrafinch"
DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Address(NamedTuple):
    """An address as the URL tables have it: /p/<project>/settings, and its view's name if it has one."""

    route: str
    name: str | None

    def fill(self, values):
        return re.sub(r"<(\w+)>", lambda found: str(values[found[1]]), self.route)


def walk(patterns, before=""):
    for pattern in patterns:
        route = before + plain(str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield Address("/" + route, pattern.name)
        else:
            yield from walk(pattern.url_patterns, route)


def plain(route):
    """<str:project> and (?P<project>[^/]+) alike as <project>, without anchors."""
    route = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route)
    return re.sub(r"<\w+:(\w+)>", r"<\1>", route).lstrip("^").removesuffix("$").removesuffix("\\Z")


ADDRESSES = sorted(set(walk(get_resolver().url_patterns)), key=lambda address: address.route)
CLOSED = [address for address in ADDRESSES if address.route not in OPEN]
GUARDED = [address for address in CLOSED if address.route not in OWN]


def each(addresses):
    return pytest.mark.parametrize("address", addresses, ids=lambda address: address.route)


@pytest.fixture(scope="module")
def db(django_db_setup, django_db_blocker):
    """One transaction for all that is asked here."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def values(db):
    """What stands in the addresses."""
    return made(make_secret())


@pytest.fixture(scope="module")
def stranger(values, handler):
    """The client of a person in another team, logged in once for all addresses."""
    return logged_in(handler, make_user(team=make_team()))


@pytest.fixture(scope="module")
def teammates(values, handler):
    """{role: the client of a person who has it in the project's team}."""
    team = Project.objects.get(uid=values["project_id"]).team
    return {role: logged_in(handler, make_user(team=team, role=role)) for role in sorted(ROLES)}


def logged_in(handler, person):
    client = Client()
    client.handler = handler
    client.force_login(person)
    return client


@pytest.fixture(autouse=True)
def as_it_was(values, stranger, teammates):
    """What a test changes goes with it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def project(values):
    return Project.objects.get(uid=values["project_id"])


def make_secret():
    """A project that says one rare word wherever it says anything."""
    project = make_project(f"{SECRET}-desk", team=make_team(f"{SECRET}-team"), name=f"{SECRET} project")
    make_interaction(
        project,
        messages=[
            {
                "role": "user",
                "content": [{"type": "text", "text": SECRET}, {"type": "image_url", "image_url": {"url": DOT}}],
            }
        ],
        completion=SECRET,
        session_id=f"{SECRET}-session",
        labels={SECRET: SECRET},
    )
    return project


def made(project):
    """What stands in the addresses: all of it real, all of it the project's."""
    interaction = make_interaction(project, completion=SECRET, session_id=f"{SECRET}-session")
    other = make_interaction(project, completion=f"Another {SECRET}", model=f"{SECRET}-model")
    owner, guest = owner_of(project), make_team()
    key, _ = create_feedback_key(team=project.team, key=SECRET, kind="bool", projects=[project])
    return {
        "project": project.key,
        "project_id": project.uid,
        "email": owner.email,
        "team": project.team.key,
        "interaction_id": interaction.pk,
        "interaction": interaction.pk,
        "comparison_detail": make_comparison(project, key, interaction, other),
        "other_id": str(other.pk),
        "other": other.pk,
        "feedback_id": give_feedback(interaction=interaction, key=key, value=1, by=owner).id,
        "note_id": write_note(interaction=interaction, text=SECRET, by=owner).note_id,
        "session": f"{SECRET}-session",
        "key": SECRET,
        "view_key": create_view(project=project, by=owner, name=SECRET, query="", is_shared=True).key,
        "export_id": make_export(project, owner).pk,
        "job_id": begin(project=project, by=owner, kind="tests", title=SECRET).pk,
        **reviewed(project, interaction),
        **registered(project, owner),
        **dict.fromkeys(("test", "ab_test"), make_ab_test(project, key, owner).key),
        "sha256": Blob.objects.get(project=project).content_id,
        "api_key_revoke": create_api_key(user=owner, name=SECRET)[0].pk,
        "project_unshare": project.shares.create(team=guest, role=project.team.roles.get(key="auditor")).pk,
        **dict.fromkeys(
            ("member_role", "member_remove", "member_deactivate", "team_leave"),
            Membership.objects.get(user=owner, team=project.team).pk,
        ),
        "member_key_revoke": create_api_key(user=owner, name=SECRET)[0].pk,
        **dict.fromkeys(
            ("team_answer", "invitation_withdraw"),
            project.team.invitations.create(user=make_user(), role=project.team.roles.first()).pk,
        ),
    }


def make_export(project, owner):
    """An export that is finished."""
    export = begin_export(project=project, by=owner, format="jsonl", view=SECRET)
    make_folder(export.pk)
    file_of(export).write_text(SECRET)
    Job.objects.filter(pk=export.job_id).update(state=State.DONE)
    type(export).objects.filter(pk=export.pk).update(finished_at=timezone.now(), number=1, size=len(SECRET))
    return export


def reviewed(project, interaction):
    """A queue, its one item, a review of it and a sample."""
    owner = owner_of(project)
    asked = {"key": "said", "kind": "text", "text": SECRET}
    queue = create_queue(project=project, key=SECRET, name=SECRET, by=owner, questions=[asked], blind=False)
    put_in(queue, [(interaction.pk,)], 0)
    review = next_review(queue, owner)
    submit(review=review, answers={"said": SECRET})
    sample, _ = fill(queue=queue, query=f"label={SECRET}", by=owner)
    there = {"queue": SECRET, "item_id": review.item_id, "review_id": review.pk, "sample_id": sample.pk}
    return there | {"form": "csv"}  # of a report, or its answers, that is downloaded


def registered(project, owner):
    """A provider, and a model that the project uses."""
    address = f"https://10.0.0.1/{SECRET}"
    provider = create_provider(team=project.team, key=SECRET, kind="vllm", address=address, by=owner)
    key = f"{SECRET}-called"
    model = register_model(team=project.team, key=key, provider=provider, external_id=SECRET, by=owner)
    attachment = attach(project=project, model=model, by=owner).pk
    of_project = dict.fromkeys(("model_detach", "model_online", "model_default"), attachment)
    return {"provider": SECRET, "model": key, "model_edit": model.pk, "model_check": model.pk, **of_project}


def make_ab_test(project, key, owner):
    """A test of two models that runs."""
    models = Model.objects.filter(attachments__project=project).order_by("pk")[:2]
    named = {"key": SECRET, "name": SECRET, "feedback_key": key}
    return create_test(project=project_or_404(owner, project.key), by=owner, models=list(models), **named)


def make_comparison(project, key, interaction, other):
    """The id of a comparison of the two."""
    sent = {
        "feedback_key": key.key,
        "preferred_completion": str(interaction.pk),
        "other_completion": str(other.pk),
        "user": SECRET,
    }
    owner = owner_of(project)
    [outcome] = take_preferences(project=project_or_404(owner, project.key), records=[sent], by=owner)
    return outcome.id


def filled(address, values):
    """The address with its values; `pk` is an interaction's unless the name says what else it is."""
    return address.fill({**values, "pk": values.get(address.name, values["interaction_id"])})


def send(client, method, path, values):
    """The call with a body that would do, so that nothing but the gate can refuse it."""
    body = {"project": values["project"], "key": "helpful", "kind": "bool"}
    given = {"completion_id": str(values["interaction_id"]), "metric": SECRET, "value": 1}
    compared = {
        "metric": SECRET,
        "preferred_completion": given["completion_id"],
        "other_completion": values["other_id"],
    }
    body = {"/api/v1/feedback": given, "/api/v1/comparison": compared}.get(path, body)
    options = {"data": {}} if method == "get" else {"data": body, "content_type": "application/json"}
    query = {"project": values["project"]} if _asks_by_word(method, path) else None
    return getattr(client, method)(path, query_params=query, **options)


def _asks_by_word(method, path):
    """Whether the call names its project in the query string; where it does not, it would be refused for that."""
    by_word = {"get": "interactions", "post": "interactions/batch"}
    if path == "/api/v1/comparison/batch":
        return method == "post"
    if path.startswith("/api/v1/feedback-keys"):
        return method != "post"
    return path == f"/api/v1/{by_word.get(method)}"


def test_the_walk_finds_pages_and_calls():
    routes = {address.route for address in ADDRESSES}
    assert {"/login", "/p/<project>/settings", "/p/<project>/interactions/<pk>", "/api/v1/projects/<project>"} <= routes
    assert "/p/<project>/overview" in routes
    assert routes >= OPEN | OWN


@each(CLOSED)
def test_login_is_asked(client, values, address):
    path = filled(address, values)
    for method in METHODS:
        answer = send(client, method, path, values)
        if path.startswith(("/api/", "/blobs/")):
            assert answer.status_code == 401, method
        else:
            assert answer.status_code == 302, method
            assert answer.headers["Location"].startswith("/login?next="), method
        assert SECRET not in answer.content.decode(), method


@each([address for address in ADDRESSES if address.route in OPEN])
def test_what_is_open_answers_anybody(client, address):
    assert client.get(address.route).status_code == (503 if address.route in GATEWAY else 200)


@each(GUARDED)
def test_a_stranger_finds_nothing(stranger, values, address):
    path = filled(address, values)
    codes = set()
    for method in METHODS:
        answer = send(stranger, method, path, values)
        if answer.status_code in {301, 302}:  # to another name of the same, which must be shut as well
            answer = stranger.get(answer.headers["Location"])
        assert answer.status_code in {404, 405}, method
        said = answer.content.decode().replace(path, "").replace(values["project"], "").replace(values["team"], "")
        assert SECRET not in said, method
        codes.add(answer.status_code)
    assert 404 in codes


@each([address for address in CLOSED if address.route in OWN])
def test_a_strangers_own_pages_show_nothing_of_others(client, values, address):
    client.force_login(make_user(team=make_team()))  # one of her own: to look at /logout is to leave
    assert SECRET not in client.get(address.route, {"project": values["project"]}).content.decode()


@each([address for address in GUARDED if "<project>" in address.route])
def test_a_teammate_is_told_what_she_may_not_do_and_never_that_it_is_not_there(teammates, values, address):
    is_personal = any(name in address.route for name in PERSONAL)
    wrong = {}
    for role, client in teammates.items():
        own = is_personal and MANAGE_PROJECT not in ROLES[role][1]
        told = {404} if own else {403} if role != "administrator" else set()
        code = client.get(filled(address, values), ASKED.get(address.name)).status_code
        if code not in {200, 204, 302, 405} | told:
            wrong[role] = code
    assert wrong == {}


def test_a_guest_sees_the_shared_project_in_the_role_it_is_shared_in(client, project, values):
    guest = make_user(team=project.shares.get().team)
    client.force_login(guest)
    assert client.get(f"/p/{project.key}/interactions").status_code == 200
    assert client.get(f"/p/{project.key}/settings").status_code == 403
    assert client.get(f"/teams/{project.team.key}").status_code == 404


OF_THE_TEAM = {
    "accounts_apikey", "accounts_auditentry", "accounts_team", "feedback_feedbackkey", "projects_project",
    "registry_model", "registry_provider",
}  # fmt: skip


def test_a_deleted_project_leaves_nothing_that_was_said_in_it(project):
    """Looked for in every row of every table, so that no new one is forgotten."""
    Job.objects.filter(project=project).update(state=State.DONE)
    delete_project(project=project, by=owner_of(project))
    delete_content(project.pk)
    clear_exports(timezone.now())
    left = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT 1 FROM "{table}" AS one WHERE one::text LIKE %s LIMIT 1', [f"%{SECRET}%"])
            left |= {table} if cursor.fetchone() else set()
    assert left == OF_THE_TEAM
