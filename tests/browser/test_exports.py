"""Saved views and exports in Chromium: by keyboard, without scripts, and as axe sees them."""

import pytest
from playwright.sync_api import expect

from exports.models import Export, SavedView
from exports.saved import create_view
from jobs.work import run_job
from tests.browser.conftest import SIZES, settle
from tests.browser.test_axe import violations
from tests.exports.exporting import WRITE
from tests.factories import make_interaction, owner_of
from tests.reviews.queues import make_queue


@pytest.fixture
def views(project):
    owner = owner_of(project)
    names = {"Refunds": "label=intent%3Arefund", "Good answers": "feedback=helpful%3Atrue", "Claims": "q=claim"}
    return [create_view(project=project, by=owner, name=name, query=query) for name, query in names.items()]


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def count(page, name):
    return page.locator("#views a", has_text=name).locator(".n")


def test_by_keyboard_alone_a_view_is_saved_found_again_and_exported(open_page, project):
    page = open_page()
    page.goto(f"{project.address}?label=intent:refund")
    page.keyboard.press("s")
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    page.keyboard.type("Refunds")
    page.keyboard.press("Enter")
    expect(page.locator("#views [aria-current]")).to_contain_text("Refunds")
    expect(count(page, "Refunds")).to_have_text("24")
    page.goto(project.address)
    page.keyboard.press("v")
    expect(page.locator("#views a").first).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".chip").first).to_contain_text("intent:refund")
    expect(page.locator("#views [aria-current]")).to_contain_text("Refunds")
    page.locator("#main").focus()
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="Export Refunds")).to_be_visible()
    page.get_by_role("radio", name="CSV").check()
    page.get_by_role("button", name="Export").press("Enter")
    expect(page.locator("#exports")).to_contain_text("Waiting")
    row = Export.objects.get()
    assert (row.view, row.query, row.format) == ("Refunds", "label=intent%3Arefund", "csv")
    run_job(WRITE, row.job_id)
    expect(page.locator("#exports .status")).to_have_text("Done")
    with page.expect_download() as fetched:
        page.locator("#exports a", has_text=row.file_name).press("Enter")
    with open(fetched.value.path(), "rb") as file:
        assert file.read().count(b"\r\n") == 25
    page.get_by_role("button", name="Delete").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Delete").press("Enter")
    expect(page.locator("#exports")).to_contain_text("Nothing was exported yet")


def test_ticked_rows_are_put_into_a_queue_by_key_and_exported(open_page, project):
    queue = make_queue(project)
    page = open_page()
    page.goto(project.address)
    page.locator("tbody input").nth(0).check()
    page.locator("tbody input").nth(1).check()
    page.keyboard.press("r")
    expect(page.get_by_role("dialog")).to_contain_text("Have 2 interactions reviewed?")
    expect(page.get_by_label("Queue")).to_be_focused()
    assert violations(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Review").press("Enter")
    expect(page.locator("#toasts")).to_contain_text("2 interactions put into Audit")
    assert queue.items.count() == 2
    expect(page.locator("#bulk b")).to_have_text("2 selected")  # for whatever else is to be done with them
    page.locator("tbody input").nth(0).uncheck()
    page.locator("#bulk").get_by_role("button", name="Export").press("Enter")
    expect(page.get_by_text("1 ticked in the table")).to_be_visible()
    page.get_by_role("button", name="Export").press("Enter")
    expect(page.locator("#exports")).to_contain_text("1 ticked")
    assert len(Export.objects.get().ids) == 1


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_the_bar_stands_over_what_was_there_before(open_page, project, views, size):
    page = open_page(size)
    page.goto(f"{project.address}?label=intent:refund")
    expect(count(page, "Refunds")).to_have_text("24")
    tops = [page.locator(one).bounding_box()["y"] for one in ("#views", ".toolbar", ".chips", "#timeline", "#results")]
    assert tops == sorted(tops) and page.locator(".chip").first.is_visible()
    if size == "desk":
        assert page.locator(".hints").bounding_box()["y"] > page.locator("#results").bounding_box()["y"]


def test_counts_come_after_the_rows_and_follow_what_is_logged(open_page, project, views):
    page, held = open_page(), []
    page.route("**/views/counts*", lambda route: held.append(route))
    page.goto(project.address)
    expect(page.locator("[data-rows] tbody tr")).to_have_count(50)
    expect(count(page, "Refunds")).to_have_text("")
    for route in held:
        route.continue_()
    expect(count(page, "Refunds")).to_have_text("24")
    expect(count(page, "All")).to_have_text("72")
    page.unroute("**/views/counts*")
    make_interaction(project, labels={"intent": "refund"})
    page.locator("#views a", has_text="Refunds").click()
    expect(count(page, "Refunds")).to_have_text("25")
    expect(page.locator("#views [aria-current]")).to_contain_text("Refunds")


def test_counts_that_do_not_come_are_asked_for_again(open_page, project, views):
    open_page.expected = "status of 500"
    page = open_page()
    page.route("**/views/counts*", lambda route: route.fulfill(status=500, body="no"))
    page.goto(project.address)
    lost = page.locator("#views .lost")
    expect(lost).to_be_visible()
    page.unroute("**/views/counts*")
    lost.get_by_role("button").click()
    expect(count(page, "Refunds")).to_have_text("24")


def test_without_scripts_views_and_exports_work(open_page, project, views):
    page = open_page(scripts=False)
    page.goto(project.address)
    page.locator("#views a", has_text="Refunds").click()
    expect(page.locator(".chip").first).to_contain_text("intent:refund")
    page.get_by_role("link", name="Export what is shown").click()
    page.get_by_role("radio", name="JSON Lines").check()
    page.get_by_role("button", name="Export").click()
    expect(page.locator("#exports")).to_contain_text("Refunds")
    page.get_by_role("link", name="Saved views").click()
    page.get_by_role("link", name="Change Refunds").click()
    page.get_by_role("textbox", name="Name").fill("Money back")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Delete Money back").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    assert not SavedView.objects.filter(name="Money back").exists()


@pytest.mark.parametrize("size", SIZES)
def test_no_page_of_theirs_breaks_wcag(open_page, project, views, size):
    page, base, found = open_page(size), f"/p/{project.key}", {}
    page.goto(f"{base}/exports/new?label=intent:refund")
    page.get_by_role("button", name="Export").click()
    run_job(WRITE, Export.objects.get().job_id)
    page.goto(f"{base}/exports/new?label=intent:refund&view=refunds")
    page.get_by_role("button", name="Export").click()
    addresses = {
        "table": f"{project.short}&label=intent:refund",
        "views": f"{base}/views",
        "new view": f"{base}/views/new?label=intent:refund&q=leak",
        "view": f"{base}/views/refunds",
        "exports": f"{base}/exports",
        "new export": f"{base}/exports/new?label=intent:refund",
    }
    for name, address in addresses.items():
        page.goto(address)
        settle(page)
        if name == "new export":
            page.get_by_role("radio", name="CSV").check()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        if faults := violations(page):
            found[name] = faults
    assert found == {}
