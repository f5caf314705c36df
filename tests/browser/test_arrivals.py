"""What arrives while the table stands open: the pill by mouse and by keyboard, and where nothing is asked."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories import make_interaction

POLL = re.compile(r"/interactions/arrivals")
SECOND = 1_000  # of the page's own clock, which is moved on in place of waiting


@pytest.fixture
def page(open_page):
    page = open_page()
    page.polls = []
    page.on("request", lambda request: POLL.search(request.url) and page.polls.append(request.url))
    page.clock.install()
    return page


def later(page, seconds):
    page.clock.run_for(seconds * SECOND)
    page.wait_for_timeout(100)  # what was sent then is known by now


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
def test_the_newest_are_brought_on_top(page, project, way):
    page.goto(project.address)
    page.keyboard.press("j")
    page.keyboard.press("x")
    ticked = page.locator("tr.sel").get_attribute("data-id")
    made = [make_interaction(project, messages=[{"role": "user", "content": f"New {n}"}]) for n in range(2)]
    pill = page.locator(".newpill")
    later(page, 5)
    expect(pill).to_have_text(re.compile("^2 new"))
    expect(page.locator("#say")).to_have_text("2 new interactions")
    expect(page.locator(f"#i-{made[0].pk}")).to_have_count(0)  # nothing moves by itself
    pill.click() if way == "mouse" else page.keyboard.press("n")
    expect(page.locator("tbody tr").first).to_have_attribute("data-id", str(made[1].pk))
    expect(page.locator("tbody tr a").first).to_be_focused()
    expect(pill).to_have_count(0)
    expect(page.locator("tr.sel")).to_have_attribute("data-id", ticked)
    expect(page.locator("#count")).to_have_text("74")
    assert page.url.endswith(project.address)


def test_the_pill_counts_on_without_saying_it_again_and_keeps_the_focus(page, project):
    page.goto(project.address)
    make_interaction(project)
    later(page, 5)
    expect(page.locator(".newpill")).to_have_text(re.compile("^1 new"))
    page.locator(".newpill").focus()
    page.evaluate("document.querySelector('#say').textContent = ''")
    make_interaction(project)
    later(page, 5)
    expect(page.locator(".newpill")).to_have_text(re.compile("^2 new"))
    expect(page.locator(".newpill")).to_be_focused()
    assert page.locator("#say").text_content() == ""


def test_deeper_pages_and_hidden_ones_ask_nothing(page, project):
    page.goto(project.address)
    page.get_by_role("link", name="Older").click()
    expect(page).to_have_url(re.compile("cursor="))
    page.polls.clear()
    later(page, 60)
    assert page.polls == []
    page.goto(project.address)
    hide = "Object.defineProperty(document, 'hidden', {get: () => true, configurable: true});"
    page.evaluate(f"() => {{ {hide} document.dispatchEvent(new Event('visibilitychange')) }}")
    later(page, 60)
    assert page.polls == []
    page.evaluate("() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')) }")
    later(page, 1)
    assert len(page.polls) == 1


def test_a_server_that_fails_is_asked_less_and_less_and_nobody_is_told(open_page, page, project):
    open_page.expected = "status of 500"  # Chromium itself notes it
    page.route(POLL, lambda route: route.fulfill(status=500, body="no"))
    page.goto(project.address)
    for seconds, asked in ((4, 0), (2, 1), (8, 1), (3, 2), (16, 2), (5, 3)):  # 5 s, 10 s and 20 s after each other
        later(page, seconds)
        assert len(page.polls) == asked
    expect(page.locator("#toasts .toast")).to_have_count(0)
