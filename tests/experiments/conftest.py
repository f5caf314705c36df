"""A project with models and keys, and its owner's program."""

import pytest

from tests.conftest import Api
from tests.experiments.running import make_place
from tests.factories import owner_of


@pytest.fixture
def place(db):
    """The project as its owner sees it, with her permissions."""
    return make_place()


@pytest.fixture
def program(client, place):
    """The API as the owner's program calls it."""
    return Api(client, owner_of(place))


@pytest.fixture
def address(place):
    return f"projects/{place.key}/ab-tests"
