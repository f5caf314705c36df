"""Legal holds and retention in Chromium: by keyboard, over ticked rows, with and without scripts, axe clean."""

import datetime
import os

import pytest

from interactions import ids
from interactions.models import Departure, Hold
from interactions.retention.holds import hold
from projects.services import keep_for
from tests.browser.conftest import SIZES, settle
from tests.browser.test_axe import themes, violations
from tests.factories import make_interaction, owner_of

PICTURES = os.environ.get("PICTURES")


def held(project):
    return set(
        map(str, Hold.objects.filter(project=project, released_at=None).values_list("interaction_id", flat=True))
    )


def test_the_open_interaction_is_held_and_released_by_keyboard(open_page, project):
    page = open_page()
    page.goto(project.address)
    page.locator("tbody tr a").first.click()
    page.locator("#drawer h1").wait_for()
    page.keyboard.press("h")
    page.keyboard.type("Case 7")
    page.keyboard.press("Enter")
    page.locator("#drawer .note", has_text="Case 7").wait_for()
    assert len(held(project)) == 1
    page.locator("#release-reason:focus").wait_for()
    page.keyboard.type("Settled")
    page.keyboard.press("Enter")
    page.locator("#drawer .feed p", has_text="released: Settled").wait_for()
    assert held(project) == set()


def test_ticked_rows_are_held_after_a_question(open_page, project):
    page = open_page()
    page.goto(project.address)
    for box in page.locator("tbody input").all()[:2]:
        box.check()
    page.locator("#bulk").get_by_role("button", name="Hold").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("Case 7")
    page.keyboard.press("Enter")
    page.locator("#toasts .toast", has_text="Held 2 interactions").wait_for()
    page.locator("#ask").wait_for(state="detached")
    assert len(held(project)) == 2


def test_without_scripts_it_is_held_and_released_too(open_page, project):
    page = open_page(scripts=False)
    page.goto(f"{project.address}/{project.made[0]}")
    page.get_by_label("Why it is held").fill("Case 7")
    page.get_by_role("button", name="Hold", exact=True).click()
    assert held(project) == {str(project.made[0])}
    page.get_by_role("button", name="Release").click()
    assert held(project) == set()


@pytest.mark.parametrize("size", SIZES)
def test_holds_and_retention_break_no_wcag(open_page, project, size):
    owner, now, found = owner_of(project), ids.now(), {}
    for n in range(3):
        make_interaction(project, created_at=(now - datetime.timedelta(days=400)).isoformat(), completion=str(n))
    hold(project=project, ids=[project.made[0]], reason="Case 7, " + "counsel's letter of 3 May " * 4, by=owner)
    keep_for(project=project, days=365)
    for way, n in (("month", 1_512_404), ("slice", 1)):
        Departure.objects.create(project=project, start=now, end=now, n=n, held=12, way=way)
    page = open_page(size)

    def check(name, **where):
        settle(page)
        for theme in themes(page) if PICTURES else ():
            page.screenshot(path=f"{PICTURES}/{name}-{size}-{theme}.png", full_page=True)
        if faults := violations(page, **where):
            found[name] = faults
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than its window"

    page.goto(f"/p/{project.key}/settings")
    check("settings")
    page.goto(f"{project.address}/{project.made[0]}")
    check("held")
    page.goto(f"{project.address}/{project.made[1]}")
    check("not-held")
    page.goto(project.short)
    for box in page.locator("tbody input").all()[:2]:
        box.check()
    page.locator("#bulk").get_by_role("button", name="Hold").click()
    page.get_by_role("dialog").wait_for()
    check("question", within="dialog[open]")
    assert found == {}


def test_days_are_set_and_what_goes_is_told(open_page, project):
    make_interaction(project, created_at=(ids.now() - datetime.timedelta(days=400)).isoformat())
    open_page.expected = "status of 422"  # Chromium itself notes what is refused
    page = open_page()
    page.goto(f"/p/{project.key}/settings")
    page.get_by_text("Everything is kept for ever.").wait_for()
    page.get_by_label("Days").fill("365")
    page.locator("#retention").get_by_role("button", name="Save").click()
    page.get_by_text("Kept for 365 days.").wait_for()
    assert "1 interaction goes" in page.locator("#retention").inner_text()
    page.get_by_label("Days").fill("0")
    page.locator("#retention").get_by_role("button", name="Save").click()
    page.get_by_text("greater than or equal to 1").wait_for()
    project.refresh_from_db()
    assert project.keep_days == 365
