"""A program's call goes past what is for people alone; whatever a session tells goes through all of it."""

import io
import json

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import RequestFactory

from config.wsgi import application
from tests.factories import bearer, make_project, owner_of

pytestmark = pytest.mark.django_db


def called(method, path, body=None, *, stream=io.BytesIO, **headers):
    """(status, headers, text) of a call through the door that the web server knocks at."""
    data = b"" if body is None else json.dumps(body).encode()
    request = RequestFactory().generic(method, path, data, content_type="application/json", headers=headers)
    told, environ = {}, request.environ | {"wsgi.input": stream(data)}

    def start_response(status, pairs, error=None):
        told.update(status=int(status[:3]), headers=dict(pairs))

    response = application(environ, start_response)
    text = b"".join(response).decode()
    response.close()
    return told["status"], told["headers"], text


@pytest.fixture(autouse=True)
def one_connection():
    """What a request begins and ends with would close the test's own."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def project():
    return make_project()


RECORD = {"messages": [{"role": "user", "content": "Am I covered?"}], "completion": "Yes."}


def test_a_call_by_a_key_is_answered_with_what_guards_every_answer(project):
    key = bearer(owner_of(project))
    status, headers, text = called("GET", f"/api/v1/interactions?project={project.key}", **key)
    assert (status, json.loads(text)["results"]) == (200, [])
    assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")
    assert headers["Content-Length"] == str(len(text))
    assert called("POST", "/api/v1/interactions", {"project": project.key, **RECORD}, **key)[0] == 201
    assert called("GET", f"/api/v1/interactions?project={project.key}", **key)[2].count('"Yes."') == 1


@pytest.mark.parametrize("path", ["/api/v1/none", "/api/v1/interactions/none"])
def test_what_is_not_there_is_told_in_the_shape_of_the_api(project, path):
    status, _, text = called("GET", path, **bearer(owner_of(project)))
    assert (status, set(json.loads(text))) == (404, {"error", "fields"})


@pytest.mark.parametrize("key", ["Bearer", "Bearer ", "Bearer none", "bearer x y"])
def test_a_key_that_is_none_is_401(project, key):
    status, _, _ = called("GET", f"/api/v1/interactions?project={project.key}", Authorization=key)
    assert status == 401


def test_a_key_opens_no_page_and_does_not_break_one(project):
    key = bearer(owner_of(project))
    status, headers, _ = called("GET", f"/p/{project.key}/interactions", **key)
    assert (status, headers["Location"].partition("?")[0]) == (302, "/login")
    assert called("GET", "/api/docs", **key)[0] in {200, 302}


def test_a_session_still_needs_its_token_to_change_anything(client, project):
    client.force_login(owner_of(project))
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    path = f"/api/v1/interactions?project={project.key}"
    status, headers, _ = called("GET", path, Cookie=cookie)
    assert (status, "Content-Security-Policy" in headers) == (200, True)
    assert called("POST", "/api/v1/interactions", {"project": project.key, **RECORD}, Cookie=cookie)[0] == 403


def test_a_host_that_is_not_ours_is_refused_whoever_asks(project):
    status, _, _ = called("GET", "/api/v1/projects", **bearer(owner_of(project)), Host="elsewhere.example")
    assert status == 400


class Stalled(io.BytesIO):
    """A body of which nothing comes for too long."""

    def read(self, size=-1):
        raise TimeoutError


@pytest.mark.parametrize("path", ["", "/batch?project={key}"])
def test_a_body_that_does_not_come_on_is_told_so(project, path):
    path = f"/api/v1/interactions{path.format(key=project.key)}"
    status, _, text = called("POST", path, RECORD, stream=Stalled, **bearer(owner_of(project)))
    assert (status, "did not come on" in json.loads(text)["error"]) == (408, True)
