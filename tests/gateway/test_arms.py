"""Traffic for a project is shared out among the arms of its A/B test, each unit always to the same one."""

import openai
import pytest

from experiments.models import ABTest, Arm
from feedback.services import create_feedback_key
from registry.services import detach
from tests.gateway.conftest import said, told


@pytest.fixture
def arms(desk):
    """A test of echo against fair over all of the traffic; the project's default is good."""
    key, _ = create_feedback_key(team=desk.project.team, key="helpful", kind="bool", projects=[desk.project])
    test = ABTest.objects.create(
        project=desk.project, key="trial", name="Trial", feedback_key=key, buckets=[[0, 10_000]], created_by=desk.owner
    )
    models = [desk.models["echo"], desk.add("fair")]
    return [Arm.objects.create(test=test, position=place, model=model) for place, model in enumerate(models)]


def test_a_unit_meets_one_arm_and_the_interaction_says_which(client, desk, arms, logged):
    for number in range(24):
        client.chat.completions.create(model="desk", messages=said(), user=f"u-{number % 12}")
    rows, of = logged(24), {arm.pk: arm.model.key for arm in arms}
    met = {row.user: row.arm for row in rows}
    assert set(met.values()) == set(of)
    assert all((row.arm, row.model.key) == (met[row.user], of[row.arm]) for row in rows)
    client.chat.completions.create(model="desk/good", messages=said(), user="u-1")
    assert logged(25)[-1].arm is None


def test_a_campaign_takes_the_arm_that_is_named_or_the_units_own(client, desk, arms, logged):
    forced = {"ab_campaign": "trial"}
    client.chat.completions.create(model="desk/fair", messages=said(), user="u", extra_body=forced)
    for stream in (False, True):
        list(client.chat.completions.create(model="desk", messages=said(), user="u", extra_body=forced, stream=stream))
    rows = logged(3)
    assert (rows[0].arm, told(rows[0])["ab_campaign"]) == (arms[1].pk, "trial")
    assert rows[1].arm == rows[2].arm != None  # noqa: E711  both compared at once
    with pytest.raises(openai.BadRequestError, match="good is no arm of the A/B test trial"):
        client.chat.completions.create(model="desk/good", messages=said(), extra_body=forced)


def test_an_arm_that_was_detached_leaves_its_traffic_to_the_default(client, desk, arms, logged):
    for model in (desk.models["echo"], arms[1].model):
        detach(project=desk.project, model=model, by=desk.owner)
    client.chat.completions.create(model="desk", messages=said(), user="u")
    assert (logged(1)[0].model.key, logged(1)[0].arm) == ("good", None)
