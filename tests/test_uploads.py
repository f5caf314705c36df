"""No page takes files: nothing of one gets to the disk, whoever sends it."""

import tempfile
from io import BytesIO

import pytest
from django.test import Client

from tests.factories import make_project, owner_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("size", [1, 8 * 1024 * 1024])
@pytest.mark.parametrize("path", ["/login", "/", "/account"])
def test_a_form_with_a_file_is_refused_and_leaves_nothing(monkeypatch, path, size):
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", None)
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32  # then the form is looked through for its token, before anything else
    assert client.post(path, {"file": BytesIO(b"x" * size), "username": "mara@example.org"}).status_code == 400


def test_a_form_without_a_file_is_read_as_ever(client):
    project = make_project()
    client.force_login(owner_of(project))
    assert client.post("/account", {"name": "Mara", "timezone": "UTC"}).status_code == 302


def test_the_api_takes_no_form_with_a_file(api, project):
    answer = api.client.post("/api/v1/interactions", {"file": BytesIO(b"x")}, headers=api.headers)
    assert answer.status_code == 415
