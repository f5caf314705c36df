"""The gateway as programs reach it: over HTTP, on a thread of the test's process, with its database."""

import socket
import threading
import time
from types import SimpleNamespace

import httpx
import openai
import pytest
from django.conf import settings as django_settings

from gateway.api import application
from gateway.door import Server
from gateway.providers import TRIES  # noqa: F401  the module is loaded before its bounds are changed
from interactions.models import Interaction
from registry.providers import create_provider
from registry.services import attach, register_model, set_default
from tests.factories import make_api_key, make_project, owner_of
from tests.upstream import Running

PATIENCE = 0.5  # seconds that the gateway under test waits for a provider
MODELS = {"good": ["text"], "echo": ["text"], "tools": ["text"], "embed": ["embedding"]}


@pytest.fixture(scope="session")
def upstream():
    with Running(tokens=5) as app:
        yield app


@pytest.fixture(scope="session")
def served(django_db_setup, django_db_blocker, tmp_path_factory):
    """(address, data folder) of a gateway for all tests of this folder."""
    folder = tmp_path_factory.mktemp("gateway")
    listener = socket.create_server(("127.0.0.1", 0))
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setattr(django_settings, "DATA_DIR", folder)
        patch.setattr(django_settings, "GATEWAY_TIMEOUT", PATIENCE)
        server = Server(application())
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
    yield SimpleNamespace(address=f"http://127.0.0.1:{listener.getsockname()[1]}", folder=folder)
    with django_db_blocker.unblock():
        server.should_exit = True
        thread.join(10)


@pytest.fixture(autouse=True)
def inside(settings):
    """The provider of the tests stands on this machine."""
    settings.ALLOWED_UPSTREAMS = ["127.0.0.1"]
    settings.GATEWAY_TIMEOUT = PATIENCE


@pytest.fixture
def desk(transactional_db, upstream):
    """A project with a provider's models, the first of which is its default; `.add(name)` attaches one more."""
    upstream.calls = []
    project = make_project("desk")
    owner = owner_of(project)
    provider = create_provider(
        team=project.team, key="local", kind="other", by=owner, address=upstream.address, api_key="sk-secret"
    )

    def add(external_id, capabilities=("text",), **more):
        named = {"key": external_id.replace(":", "-"), "external_id": external_id, "capabilities": capabilities}
        model = register_model(team=project.team, provider=provider, by=owner, **named, **more)
        attach(project=project, model=model, by=owner)
        return model

    models = {name: add(name, capabilities) for name, capabilities in MODELS.items()}
    set_default(project=project, model=models["good"], by=owner)
    return SimpleNamespace(project=project, owner=owner, provider=provider, models=models, add=add)


@pytest.fixture
def key(desk):
    return make_api_key(desk.owner)


@pytest.fixture
def client(served, key):
    """The published openai package, which tries nothing again by itself."""
    with openai.OpenAI(base_url=f"{served.address}/openai/v1", api_key=key, max_retries=0) as client:
        yield client


@pytest.fixture
def http(served, key):
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=served.address, headers=headers, timeout=20) as client:
        yield client


@pytest.fixture
def logged(desk):
    """The project's interactions, oldest first, with their bodies; waits until there are so many."""

    def logged(number):
        end = time.monotonic() + 5
        while True:
            rows = list(Interaction.objects.filter(project=desk.project).select_related("model", "body").order_by("pk"))
            if len(rows) >= number or time.monotonic() > end:
                assert len(rows) == number
                return rows
            time.sleep(0.02)

    return logged


def said(text="Am I covered?"):
    return [{"role": "user", "content": text}]


def told(row):
    """The metadata that was kept."""
    return row.body.envelope["metadata"]
