"""No page breaks WCAG 2.2 AA, as far as axe-core can tell, at three sizes and in both themes."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests.browser.conftest import SIZES, settle
from tests.factories import make_interaction, make_project, make_team, owner_of

AXE = Path(settings.BASE_DIR / "node_modules/axe-core/axe.min.js").read_text()
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"heading-order": {"enabled": False}},  # the headings of a completion are as its model wrote them
    "resultTypes": ["violations"],
}


COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"], "resultTypes": ["violations"]}
MEASURES = {"runOnly": ["target-size", "scrollable-region-focusable"], "resultTypes": ["violations"]}
# what a size adds: desk and phone are laid out and worded each in a way of its own, the tablet's is the desk's but for
# its room; colours come from the theme, so dark is looked at once, at desk size
LIGHT = {"desk": OPTIONS, "tablet": MEASURES, "phone": OPTIONS}
SETTLED = """() => Promise.allSettled(document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().endTime < 5000).map((one) => one.finished))"""
RUN = "([within, options]) => axe.run(within ?? document, options)"


def themes(page):
    """Shows the page in one theme after the other, each once its colours have settled; then in the first again."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.evaluate(SETTLED)
        yield theme
    page.emulate_media(color_scheme="light")


def settled(page):
    """The first theme alone."""
    page.evaluate(SETTLED)
    yield "light"


def violations(page, within=None, not_at_desk=False):
    """[(theme, rule, targets)] that axe-core finds in the page, or in the first element of the selector `within`: all
    in light, the colours in dark. `not_at_desk`: a state that the desk's size never has; all of it is looked at."""
    # run in an isolated world: the page's own policy lets no script in but those of our server
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    size = next(name for name, (width, _) in SIZES.items() if width == page.viewport_size["width"])
    in_both = size == "desk" or not_at_desk
    rules = {"light": OPTIONS if in_both else LIGHT[size], "dark": COLOURS}
    found = []
    for theme in themes(page) if in_both else settled(page):
        found += [(theme, one) for one in page.evaluate(RUN, [within, rules[theme]])["violations"]]
    return [(theme, one["id"], [node["target"] for node in one["nodes"]][:4]) for theme, one in found]


@pytest.fixture(params=SIZES)
def page(request, open_page):
    return open_page(request.param)


def test_no_page_breaks_wcag(page, project):
    detail = f"{project.address}/{project.made[0]}"
    found = {}

    def check(name, **where):
        settle(page)
        if faults := violations(page, **where):
            found[name] = faults

    page.goto(project.short)
    check("table")
    page.goto(f"{project.short}&q=leak&label=intent:refund&not_label=lang:de&latency=1..9000&feedback=csat:2..4")
    for box in page.locator("tbody input").all()[:2]:
        box.check()
    check("filtered and selected")
    page.locator("#bulk-label").fill("in")
    page.locator("#bulk-label-options [role=option]").first.wait_for()
    check("bulk labels", within="#bulk")
    page.goto(project.short)
    page.get_by_role("button", name="All time").click()
    check("time menu", within="#time-menu")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Columns").click()
    check("columns menu", within="#columns-menu")
    page.goto(project.short)
    page.locator("tbody tr a").first.click()
    page.locator("#drawer h1").wait_for()
    check("drawer", within="#drawer")
    page.locator("#label").fill("in")
    page.locator("#label-options [role=option]").first.wait_for()
    check("label suggestions", within="#drawer")
    page.locator("#label").fill("tone:kind")
    page.locator("#label").press("Enter")
    page.get_by_role("button", name="Undo").wait_for()
    check("toast", within="#told")
    page.goto(detail)
    check("page")
    page.get_by_role("button", name="More actions").click()
    check("menu", within="#more")
    page.goto(detail)
    page.locator(".imgs a").first.click()
    check("lightbox", within="#lightbox")
    page.goto(f"{project.address}/{project.made[1]}")
    check("hostile")
    page.goto(f"{detail}/payload")
    check("payload")
    page.goto(f"{detail}/delete")
    check("question")
    page.goto(f"/p/{project.key}/sessions/chat-2")
    check("session")
    page.goto(f"{project.address}?q=unheardof")
    check("nothing found")
    if page.locator(".filters-btn").is_visible():
        page.goto(project.short)
        page.locator(".filters-btn").click()
        check("facets as a sheet", not_at_desk=True)
    assert found == {}


def test_no_state_of_the_counts_breaks_wcag(page, project, open_page):
    open_page.expected = "status of 500"  # Chromium itself notes it
    found, held, counts = {}, [], re.compile("/interactions/(facets|histogram)")

    def check(name):
        if page.locator(".filters-btn").is_visible() and page.locator("#filters").is_hidden():
            page.locator(".filters-btn").click()
        settle(page)
        if faults := violations(page):
            found[name] = faults

    page.route(counts, lambda route: held.append(route))
    page.goto(f"{project.short}&label=intent:claim&model=lake-8b")
    check("counts awaited")
    for route in held:
        route.fulfill(status=500, body="no")
    page.locator("#counting .lost").wait_for(state="attached")
    check("counts lost")
    page.unroute(counts)
    page.goto(project.short)
    page.locator("time-brush").wait_for()
    make_interaction(project)
    page.evaluate("() => { document.dispatchEvent(new Event('visibilitychange')) }")
    page.locator(".newpill").wait_for()
    settle(page)
    if faults := violations(page):
        found["something new"] = faults
    page.goto(f"{project.address}/facets?label=intent:claim")
    settle(page)
    if faults := violations(page):
        found["filters as a page"] = faults
    assert found == {}


def test_no_page_around_the_table_breaks_wcag(page, project, open_page):
    open_page.expected = "Failed to load resource"  # Chromium itself notes what is refused or not there
    empty = make_project(team=project.team)
    frame = f"/p/{project.key}"
    addresses = ["/projects", "/projects/new", f"{frame}/settings", f"/p/{empty.key}/interactions"]
    addresses += ["/account", "/account/password", "/api-keys", "/teams", f"/teams/{project.team.key}"]
    addresses += [f"/teams/{project.team.key}/audit", f"{frame}/nowhere"]
    invited = make_team().invitations
    invited.create(user=owner_of(project), role=invited.instance.roles.first())
    found = {}

    def check(address):
        page.goto(address)
        settle(page)
        if faults := violations(page):
            found[address] = faults

    for address in addresses:
        check(address)
    page.goto(f"{frame}/settings")
    page.locator(".grave input.input").fill("not the key")
    page.get_by_role("button", name="Delete this project").click()
    expect(page.locator(".grave input.input")).to_be_focused()
    page.evaluate("scrollTo(0, 0)")  # a button that the bar half covers while scrolling is not too small
    settle(page)
    if faults := violations(page):
        found["a refused deletion"] = faults
    page.context.clear_cookies()
    check("/login")
    assert found == {}
