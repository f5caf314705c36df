"""The question whether the web server is up, as the supervisor asks it."""

from types import SimpleNamespace

import pytest
from django.test import RequestFactory

from config import welcome


@pytest.mark.parametrize(
    "allowed", [["marginalia.example.org"], [".example.org"], ["*"], ["localhost", "127.0.0.1"], ["[::1]", "::1"]]
)
def test_it_is_asked_by_a_host_name_that_is_allowed(allowed, settings, monkeypatch):
    settings.ALLOWED_HOSTS = allowed
    monkeypatch.setattr(welcome.settings, "ALLOWED_HOSTS", allowed)
    asked = []
    monkeypatch.setattr(welcome.http.client.HTTPConnection, "request", lambda *args, headers: asked.append(headers))
    monkeypatch.setattr(welcome.http.client.HTTPConnection, "getresponse", lambda self: SimpleNamespace(status=200))
    assert welcome.is_ready()
    assert RequestFactory().get("/ready", headers=asked[0]).get_host() == asked[0]["Host"]
