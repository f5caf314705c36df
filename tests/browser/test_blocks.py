"""Tables on a phone: a row is a block in which each figure stands beside its head, and nothing lies outside."""

import os

from tests.browser.conftest import settle
from tests.browser.test_axe import violations
from tests.browser.test_feedback_pages import compared
from tests.factories import make_api_key, make_user, owner_of

__all__ = ["compared"]  # a fixture of the pages of feedback

SHOTS = os.environ.get("SHOTS")  # a folder for pictures of what was looked at
OUTSIDE = """() => [...document.querySelectorAll('.scroll-x:has(> .blocks)')]
    .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.getAttribute('aria-label'))"""
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
