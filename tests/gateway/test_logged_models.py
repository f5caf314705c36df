"""What is logged under a model's name is shown with the project, and is no leave to have the model called."""

import openai
import pytest
from django.test import Client

from registry.services import register_model
from tests.conftest import Api
from tests.factories import make_api_key, make_team, make_user
from tests.gateway.conftest import said


def test_a_model_that_was_only_logged_is_called_once_a_manager_brings_it_online(served, desk, upstream):
    register_model(team=desk.project.team, key="costly", provider=desk.provider, external_id="echo", by=desk.owner)
    guest = make_user(team=make_team())
    desk.project.shares.create(team=guest.teams.get(), role=desk.project.team.roles.get(key="program"))
    client = openai.OpenAI(base_url=f"{served.address}/openai/v1", api_key=make_api_key(guest), max_retries=0)
    used = f"projects/{desk.project.key}/models"

    assert Api(Client(), guest).log(desk.project, model="costly").status_code == 201
    with pytest.raises(openai.BadRequestError, match="costly is switched off in desk") as caught:
        client.chat.completions.create(model="desk/costly", messages=said())
    assert (caught.value.body["code"], upstream.calls) == ("model_offline", [])
    assert Api(Client(), guest).send("patch", f"{used}/costly", {"desired_online": True}).status_code == 403
    assert "desk/costly" not in {one.id for one in client.models.list()}

    shown = Api(Client(), desk.owner).send("patch", f"{used}/costly", {"desired_online": True})
    assert (shown.status_code, shown.json()["desired_online"]) == (200, True)
    assert client.chat.completions.create(model="desk/costly", messages=said("So?")).choices[0].message.content == "So?"
