"""Tables on a phone: a row is a block in which each figure stands beside its head, and nothing lies outside."""

import os

import pytest

from exports.saved import create_view
from exports.services import begin_export
from interactions.retention.holds import hold
from projects.services import share_project
from registry.providers import create_provider
from registry.services import attach, detach, register_model
from tests.browser.conftest import settle
from tests.browser.test_axe import violations
from tests.browser.test_feedback_pages import compared
from tests.factories import make_api_key, make_interaction, make_team, make_user, owner_of
from tests.reviews.queues import Desk, make_queue

__all__ = ["compared"]  # a fixture of the pages of feedback

SHOTS = os.environ.get("SHOTS")  # a folder for pictures of what was looked at
OUTSIDE = """() => [document.documentElement, ...document.querySelectorAll('.scroll-x:has(> .blocks)')]
    .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.ariaLabel ?? 'the page')"""
BLOCKS = """() => [...document.querySelectorAll('.blocks tbody tr')]
    .filter((row) => getComputedStyle(row).display === 'grid').length"""


def faults_of(page, addresses):
    """{address: what lies outside or breaks WCAG} of those where something does."""
    found = {}
    for address in addresses:
        page.goto(address)
        settle(page)
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/blocks{address.split('?')[0].replace('/', '-')}.png", full_page=True)
        if faults := [*page.evaluate(OUTSIDE), *violations(page)]:
            found[address] = faults
    return found


def test_people_keys_and_figures_of_feedback(open_page, compared):
    make_user("a-rather-long-name-of-a-person@somewhere.example.org", name="Wilhelmina " * 6, team=compared.team)
    make_api_key(owner_of(compared))
    team, place = f"/teams/{compared.team.key}", f"/p/{compared.key}"
    page = open_page(size="phone")
    addresses = [team, "/teams", f"{team}/audit", "/api-keys", f"{place}/overview", f"{place}/feedback/keys/helpful"]
    addresses += [f"{place}/feedback/keys/csat", f"{place}/feedback/keys/better/comparisons"]
    assert faults_of(page, addresses) == {}
    page.goto(team)
    assert page.evaluate(BLOCKS) == 2
    for name in ("Set role of Mara Lindqvist", "Remove Mara Lindqvist"):
        assert 0 < page.get_by_role("row").get_by_role("button", name=name).bounding_box()["x"] < 360
    assert page.get_by_role("columnheader").all_inner_texts()[:2] == ["Member", "Role"]


@pytest.fixture
def long_names(project):
    """The project with a thing of each kind that is listed, each with a long name without a blank."""
    by, long = owner_of(project), "x" * 80
    share_project(project=project, team=make_team("t" * 60), role=project.team.roles.get(key="auditor"), by=by)
    hold(project=project, ids=[project.made[0]], reason=f"Case {long}", by=by)
    pool = create_provider(
        team=project.team, key="pool", name=long, kind="vllm", address="http://192.0.2.1/v1", is_pool=True, by=by
    )
    for key in ("stays", "goes"):
        model = register_model(
            team=project.team, key=f"{key}-{long}", name=long, provider=pool, external_id=f"org/{long}", by=by
        )
        attach(project=project, model=model, by=by)
    detach(project=project, model=model, by=by)
    make_interaction(project, model="m" * 200, labels={"k" * 60: "v" * 200}, user="u" * 200, session_id="s" * 200)
    create_view(project=project, by=by, name="v" * 60, query=f"label=intent%3A{long}", is_shared=True)
    begin_export(project=project, by=by, format="csv", query=f"model={'m' * 200}")
    make_user(name="n" * 100, team=project.team, role="reviewer")
    queue = make_queue(project, name=long, n=1)
    Desk(queue, by).answer()
    project.lists = [
        "/projects",
        *(f"/teams/{project.team.key}/{name}" for name in ("models", "providers", "providers/pool")),
        *(f"/p/{project.key}/{name}" for name in ("settings", "models", "labels", "views", "exports", "ab-tests")),
        *(f"/p/{project.key}/reviews{name}" for name in ("", "/new", "/mine", "/coverage")),
        *(f"/p/{project.key}/reviews/{queue.key}{name}" for name in ("", "/report")),
    ]
    return project


def test_lists_of_what_has_long_names(open_page, long_names):
    assert faults_of(open_page(size="phone"), long_names.lists) == {}
