"""What the registry's tests share: a provider that answers, people of a team, and what they call."""

import pytest

from registry.providers import create_provider
from registry.services import register_model
from tests.conftest import Api
from tests.factories import make_team, make_user
from tests.registry.serving import open_upstream, upstream  # noqa: F401 - fixtures

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def call(client):
    """call(method, path, body, by=user): the REST API as this person."""

    def call(method, path, body=None, *, by):
        api = Api(client, by)
        return api.get(path) if method == "get" else api.send(method, path, body)

    return call


@pytest.fixture
def people(project):
    """Somebody of each role in the project's team, and a stranger."""
    roles = ("engineer", "reviewer", "annotator", "auditor", "program")
    return {role: make_user(team=project.team, role=role) for role in roles} | {"stranger": make_user(team=make_team())}


@pytest.fixture
def provider(project, owner, open_upstream):  # noqa: F811
    """A runtime that answers."""
    return create_provider(
        team=project.team,
        key="pool",
        name="Pool",
        kind="vllm",
        address=open_upstream.url(),
        api_key=KEY,
        is_pool=True,
        by=owner,
    )


@pytest.fixture
def model(project, owner, provider):
    """A model that the runtime serves."""
    return register_model(
        team=project.team, key="small", name="Small", provider=provider, external_id="small", by=owner
    )
