"""Counts that come after the rows, in Chromium: what is there before them, what outlives them, and when they fail."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import settle

FACETS, HISTOGRAM = re.compile(r"/interactions/facets"), re.compile(r"/interactions/histogram")


@pytest.fixture
def held(open_page):
    """A page whose counts are held back, and the list of what is held: `.continue_()` lets one go."""
    page, routes = open_page(), []
    page.route(FACETS, lambda route: routes.append(route))
    page.held = routes
    return page


def wait_for_held(page, n=1):
    for _ in range(100):
        if len(page.held) >= n:
            return
        page.wait_for_timeout(50)
    raise AssertionError("nothing was asked for")


def let_go(page, route):
    """The answer goes on its way; waits until it is there, or the page has hung up, and what it does is done."""
    route.continue_()
    for _ in range(200):
        if route.request not in page.under_way:
            break
        page.wait_for_timeout(50)
    assert route.request not in page.under_way
    settle(page)


def test_the_rows_wait_for_no_count_and_the_form_works_before_them(held, project):
    held.goto(f"{project.address}?label=intent:claim")
    expect(held.locator("tbody tr")).to_have_count(24)
    expect(held.locator("#labels-rest .ghost").first).to_be_visible()
    expect(held.get_by_role("checkbox", name="intent:claim")).to_be_checked()
    held.locator("label", has=held.get_by_role("radio", name="No", exact=True)).click()
    expect(held).to_have_url(re.compile(r"label=intent%3Aclaim&feedback=helpful%3Afalse$"))
    expect(held.locator(".chip")).to_have_count(2)
    held.get_by_role("checkbox", name="intent:claim").uncheck()
    expect(held).to_have_url(re.compile(r"\?feedback=helpful%3Afalse$"))


def test_what_is_typed_and_where_the_focus_is_outlive_the_arrival_of_the_counts(held, project):
    held.goto(project.address)
    wait_for_held(held)
    field = held.get_by_label("Latency from")
    field.press_sequentially("12")
    top = field.bounding_box()["y"]
    held.held[0].continue_()
    expect(held.get_by_role("checkbox", name="lake-8b")).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_value("12")
    field.press_sequentially("00")
    expect(field).to_have_value("1200")
    assert abs(field.bounding_box()["y"] - top) < 30


def test_an_answer_for_a_filter_that_was_left_is_not_shown(held, project):
    held.goto(f"{project.address}?label=intent:claim")
    wait_for_held(held)
    held.get_by_role("link", name=re.compile("Remove the filter")).click()
    expect(held).to_have_url(re.compile(r"/interactions$"))
    wait_for_held(held, 2)
    held.held[1].continue_()
    expect(held.get_by_role("checkbox", name="intent:refund")).to_be_visible()
    let_go(held, held.held[0])
    expect(held.get_by_role("checkbox", name="intent:claim")).not_to_be_checked()
    expect(held.locator("#count")).to_have_text("72")


def test_an_answer_under_way_does_not_take_away_what_is_said_of_a_filter_that_cannot_be_read(held, open_page, project):
    open_page.expected = "status of 400"  # Chromium itself notes it
    held.goto(project.address)
    wait_for_held(held)
    held.get_by_label("Latency from").fill("soon")
    held.get_by_label("Latency from").press("Enter")
    expect(held.locator("#latency-fault")).to_be_visible()
    let_go(held, held.held[0])
    expect(held.locator("#latency-fault")).to_be_visible()
    expect(held.get_by_label("Latency from")).to_have_attribute("aria-invalid", "true")


def test_what_was_known_stays_until_the_new_counts_are_there(open_page, project):
    page = open_page()
    page.goto(project.address)
    box = page.get_by_role("checkbox", name="intent:claim")
    expect(box).to_be_visible()
    held = []
    page.route(FACETS, lambda route: held.append(route))
    box.focus()
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("label=intent%3Aclaim"))
    expect(page.get_by_role("checkbox", name="intent:refund")).to_be_visible()
    expect(page.locator("#labels-rest .ghost")).to_have_count(0)
    expect(page.locator("#labels-rest .not").first).to_be_hidden()  # its address belongs to the filter before
    expect(box).to_be_focused()
    page.keyboard.press("Space")  # once more, before anything was counted
    expect(page).to_have_url(re.compile(r"/interactions$"))
    expect(box).to_be_focused()
    expect(box).not_to_be_checked()
    held[-1].continue_()
    expect(page.locator(".stale")).to_have_count(0)
    expect(box).to_be_focused()


def test_counts_that_do_not_come_are_told_and_asked_for_again(open_page, project):
    open_page.expected = "status of 500"  # Chromium itself notes it
    page = open_page()
    for part in (FACETS, HISTOGRAM):
        page.route(part, lambda route: route.fulfill(status=500, body="no"))
    page.goto(project.address)
    expect(page.locator("#counting")).to_contain_text("No counts came")
    expect(page.locator("#timeline .lost")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(50)
    expect(page.locator("#toasts .toast")).to_have_count(0)
    for part in (FACETS, HISTOGRAM):
        page.unroute(part)
    page.locator("#counting").get_by_role("button", name="Try again").click()
    expect(page.get_by_role("checkbox", name="lake-8b")).to_be_visible()
    assert page.evaluate("document.activeElement !== document.body")
    page.locator("#timeline").get_by_role("button", name="Try again").click()
    expect(page.locator("time-brush")).to_be_visible()
    expect(page.locator(".lost:visible")).to_have_count(0)


def test_what_is_found_is_said_once_it_is_counted(held, project):
    held.goto(f"{project.address}?label=lang:en")
    held.locator("[name=has_images]").evaluate("box => box.click()")
    expect(held).to_have_url(re.compile("has_images=true"))
    assert held.locator("#say").text_content() == ""
    wait_for_held(held, 2)
    held.held[-1].continue_()
    expect(held.locator("#say")).to_have_text("0 of 72 interactions")


def test_on_a_phone_the_number_stays_beside_however_many_filters(open_page, project):
    page = open_page("phone")
    page.goto(f"{project.short}&label=intent:refund&has_feedback=true&not_label=lang:de")
    number = page.locator("#count")
    expect(number).to_contain_text("of")
    box = number.bounding_box()
    assert box["x"] + box["width"] <= page.viewport_size["width"]
    seen = "([x, y]) => document.elementFromPoint(x, y).closest('#count') !== null"
    assert page.evaluate(seen, [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    clear = page.get_by_role("link", name="Clear all")
    clear.focus()
    assert clear.bounding_box()["x"] + clear.bounding_box()["width"] <= number.bounding_box()["x"]
