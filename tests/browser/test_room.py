"""What the pages of interactions do with the room they have: nothing lies across another, nothing ends in blank."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import settle
from tests.factories import make_interaction

EXCESS = "document.documentElement.scrollHeight - innerHeight"


def call(place):
    function = {"name": "policy.lookup", "arguments": '{"policy": "HP-1"}'}
    return {"id": f"c{place}", "type": "function", "function": function}


def answered(place):
    return {"role": "tool", "tool_call_id": f"c{place}", "content": '{"covered": true}'}


@pytest.mark.parametrize("size", ["desk", "tablet"])
def test_a_page_that_scrolls_inside_itself_is_no_longer_than_its_window(open_page, project, size):
    calls = [{"role": "assistant", "content": None, "tool_calls": [call(place)]} for place in range(12)]
    messages = [message for place, one in enumerate(calls) for message in (one, answered(place))]
    asked = {"role": "user", "content": "Which of these policies cover a leak?"}
    long = make_interaction(project, messages=[asked, *messages], completion="All.", session_id="calls")
    page = open_page(size)
    for path in (f"{project.address}/{long.pk}", f"/p/{project.key}/sessions/calls", project.address):
        page.goto(path)
        settle(page)
        assert page.evaluate(EXCESS) == 0, path
    page.locator("tbody tr a").first.click()
    page.locator("#drawer .talk").wait_for()
    assert page.evaluate(EXCESS) == 0


@pytest.mark.parametrize("width", [721, 768, 820, 844, 900, 901])
def test_where_a_page_does_not_scroll_inside_itself_it_scrolls_as_a_whole(open_page, project, width):
    page = open_page()
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(project.address)
    last = page.locator("tbody tr").last
    last.scroll_into_view_if_needed()
    assert last.bounding_box()["y"] + last.bounding_box()["height"] <= page.locator(".hints").bounding_box()["y"] + 1
    assert page.locator(".topbar").bounding_box()["y"] == 0
    page.goto(f"{project.address}/{project.made[1]}")
    page.locator(".panel section").last.scroll_into_view_if_needed()
    assert page.locator(".topbar").bounding_box()["y"] == 0


@pytest.mark.parametrize("width", [390, 720, 768, 820, 821, 1440])
def test_the_bar_of_what_is_ticked_is_in_sight(open_page, project, width):
    page = open_page()
    page.set_viewport_size({"width": width, "height": 450})
    page.goto(project.address)
    page.locator("tbody input").first.check()
    box, window = page.locator(".bulk").bounding_box(), page.viewport_size
    assert box["x"] >= 0 and box["x"] + box["width"] <= window["width"]
    assert box["y"] >= 0 and box["y"] + box["height"] <= window["height"]
    for control in page.locator(".bulk :is(input:not([type=hidden]), button)").all():
        if control.is_visible():
            control.click(trial=True)


def test_on_a_phone_the_bar_tells_how_many_are_ticked_and_has_room_for_a_label(open_page, project):
    page = open_page("phone")
    page.goto(project.address)
    page.locator("tbody input").first.check()
    expect(page.locator(".bulk b")).to_have_text("1 selected")
    expect(page.locator(".bulk b")).to_be_visible()
    expect(page.get_by_label("All 72 in this filter")).to_be_visible()
    assert page.locator("#bulk-label").bounding_box()["width"] > 150


def test_a_card_has_one_colour(open_page, project):
    page = open_page("phone")
    page.goto(project.address)
    page.keyboard.press("j")
    page.keyboard.press("x")
    cells = page.locator("tr.sel.cur td").evaluate_all(
        "(all) => all.map((one) => getComputedStyle(one).backgroundColor)"
    )
    assert set(cells) == {"rgba(0, 0, 0, 0)"}


def test_a_card_shows_the_marks_that_it_has_and_that_of_the_filter(open_page, project):
    page = open_page("phone")
    page.goto(f"{project.address}?feedback=helpful:false")
    card = page.locator("tbody tr").nth(1)
    expect(card.locator(".fb.bad:has(svg.i)")).to_be_visible()
    expect(card.get_by_text("5.0")).to_be_visible()
    page.goto(project.address)
    bare = page.locator(f"#i-{project.made[0]}")
    expect(bare.locator(".d-pc")).to_be_visible()
    for mark in bare.locator(".d-fb").all():
        expect(mark).to_be_hidden()


def test_a_text_from_right_to_left_is_cut_at_its_end(open_page, project):
    text = "התשובה " + "ארוכה מאוד " * 40
    made = make_interaction(project, messages=[{"role": "user", "content": text}], completion=text)
    page = open_page()
    page.goto(project.address)
    first = """(box) => {
      const range = document.createRange(), text = document.createTreeWalker(box, NodeFilter.SHOW_TEXT).nextNode();
      range.setStart(text, 0); range.setEnd(text, 6);
      const word = range.getBoundingClientRect(), all = box.getBoundingClientRect();
      return word.left >= all.left && word.right <= all.right + 1;
    }"""
    for box in (".pc .t", ".pc p"):
        assert page.locator(f"#i-{made.pk} {box}").evaluate(first), box


def test_what_is_long_without_a_blank_is_cut_or_wrapped(open_page, project):
    named = {"id": "c", "type": "function", "function": {"name": "mcp__github__create_pull_request_review_comment"}}
    named["function"]["arguments"] = "{}"
    made = make_interaction(
        project,
        messages=[
            {"role": "user", "content": "Review it"},
            {"role": "assistant", "content": "", "tool_calls": [named]},
        ],
        labels={"prompt_template": "customer-support/refunds/v2026-11-30-with-tools-and-a-policy", "k" * 60: "on"},
        feedbacks=[{"feedback_key": "csat", "value": 4, "user": "u" * 150}],
    )
    page = open_page("phone")
    for path in (f"{project.address}/{made.pk}", project.address):
        page.goto(path)
        if path == project.address:
            page.locator(f"#i-{made.pk} a").tap()
            page.locator("#drawer .talk").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        panel = page.locator(".panel").last
        assert panel.evaluate("(one) => one.scrollWidth <= one.clientWidth")
        for button in page.get_by_role("button", name=re.compile("^Remove ")).all():
            assert button.bounding_box()["width"] == 18
            assert button.evaluate(
                "(one) => one.getBoundingClientRect().right <= one.closest('.tags').getBoundingClientRect().right"
            )
        for part in page.locator(".tags.wrap .tag :is(.k, .v)").all():
            assert part.bounding_box()["width"] > 10
