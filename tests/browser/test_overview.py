"""The overview in Chromium: at three sizes in both themes, by mouse, by keyboard, without scripts; axe clean."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SIZES, settle
from tests.browser.test_axe import violations
from tests.factories import make_interaction, make_project

STICKING_OUT = """() => {
  const wide = [...document.querySelectorAll('main *')].filter((e) => {
    if (e.closest('.scroll-x, pre, .vh, svg, [popover]:not(:popover-open)')) return false
    const box = e.getBoundingClientRect()
    return box.width && (box.right > innerWidth + 0.5 || box.left < -0.5)
  })
  return [document.documentElement.scrollWidth - innerWidth, wide.map((e) => e.outerHTML.slice(0, 80))]
}"""
WORDS_OVER_EACH_OTHER = """() => [...document.querySelectorAll('.plot')].filter((plot) => {
  const boxes = [...plot.querySelectorAll('text')].map((e) => e.getBoundingClientRect())
  return boxes.slice(1).some((box, place) => box.left < boxes[place].right + 2)
}).length"""


@pytest.fixture
def address(project):
    return f"/p/{project.key}/overview"


@pytest.mark.parametrize("size", SIZES)
def test_no_state_breaks_wcag_or_sticks_out(open_page, project, address, size):
    open_page.expected = "Failed to load resource"  # Chromium itself notes the refused span
    empty, bare = make_project(team=project.team), make_project(team=project.team)
    make_interaction(bare, created_at="2026-01-05T10:00:00Z", model="a-model-with-a-very-long-name-" + "x" * 80)
    page, found = open_page(size), {}

    def check(name, **where):
        settle(page)
        faults = violations(page, **where)
        over, wide = page.evaluate(STICKING_OUT)
        if faults or over > 0 or wide:
            found[name] = faults, over, wide[:4]

    for query in ("", "?period=24h&bad=csat", "?period=90d", "?after=soon"):
        page.goto(address + query)
        check(query)
        assert page.evaluate(WORDS_OVER_EACH_OTHER) == 0, query
    for summary in page.locator(".as-table summary").all():
        summary.click()
    check("tables", within="main")
    page.locator(".own-span").click()
    expect(page.get_by_label("From")).to_be_visible()
    check("another span", within="#own-span")
    for other in (empty, bare):
        page.goto(f"/p/{other.key}/overview")
        check(other.key)
    page.get_by_role("link", name="Show the 28 days up to the newest").click()
    expect(page.locator(".ov-models")).to_contain_text("a-model-with")
    check("a long name")
    assert found == {}


def test_a_bar_leads_to_its_day_and_model(open_page, address):
    page = open_page()
    page.goto(address)
    bar = page.locator(".ov-volume a:has(.seg)").nth(2)
    n = int(bar.get_attribute("data-count"))
    bar.click()
    expect(page).to_have_url(re.compile(r"/interactions\?after=.*&before=.*&model=(lake|ridge)"))
    expect(page.locator("tbody tr")).to_have_count(n)
    page.go_back()
    point = page.locator(".trend").first.locator(".plot a").last
    n = int(point.get_attribute("data-count"))
    point.click(force=True)
    expect(page).to_have_url(re.compile(r"feedback=helpful%3Atrue"))
    expect(page.locator("tbody tr")).to_have_count(n)


def test_by_keyboard_the_table_under_a_chart_has_all_its_links(open_page, address):
    page = open_page()
    page.goto(address)
    page.locator(".ov-volume summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")  # the region that scrolls
    page.keyboard.press("Tab")
    link = page.evaluate("document.activeElement.dataset.count")
    assert link is not None
    in_chart = {e.get_attribute("href") for e in page.locator(".ov-volume .plot a").all()}
    assert in_chart <= {e.get_attribute("href") for e in page.locator(".ov-volume td a").all()}
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/interactions\?after="))
    # nothing of a chart itself is on the way of the tabulator
    page.go_back()
    assert page.locator(".chart a:not([tabindex='-1'])").count() == 0


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_span_of_ones_own_and_the_judging_key_are_kept(open_page, address, scripts):
    page = open_page(scripts=scripts)
    page.goto(address)
    page.get_by_role("navigation", name="Judged by").get_by_role("link", name="CSAT").click()
    expect(page.locator("#ov-bad + a")).to_contain_text("CSAT at most 2")
    page.locator(".own-span").click()
    page.get_by_label("From").fill("2026-01-01T00:00")
    page.get_by_label("To, not included").fill("2026-01-08T00:00")
    page.get_by_role("button", name="Show this span").click()
    expect(page).to_have_url(re.compile("bad=csat&after=2026-01-01T00%3A00&before=2026-01-08T00%3A00"))
    expect(page.locator(".pagehead .sub")).to_have_text("1 Jan – 7 Jan 2026")
    page.get_by_role("link", name="7 d", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?period=7d&bad=csat$"))
    row = page.locator(".latest .t").first
    row.click()
    expect(page).to_have_url(re.compile(r"/interactions/[0-9a-f-]{36}\?after=.*feedback=csat%3A\.\.2$"))
