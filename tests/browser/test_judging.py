"""Giving, correcting and undoing feedback, and writing a better answer, by keyboard alone; and without scripts."""

import re

import pytest
from playwright.sync_api import expect

from feedback.models import Feedback
from tests.browser.conftest import SIZES, settle
from tests.browser.test_axe import violations


def current(project):
    rows = Feedback.objects.current().filter(interaction_id=project.made[0]).select_related("feedback_key")
    return [(row.feedback_key.key, row.value, row.details) for row in rows.order_by("id")]


def said(page, text):
    page.get_by_text(text, exact=False).first.wait_for()


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def open_first(page, project):
    """The newest interaction in the drawer; until the scripts have taken the page over, its link leads to the page."""
    page.goto(project.address)
    page.get_by_text("Counts are").wait_for(state="attached")
    press(page, "j", "Enter")
    page.locator("#drawer h1").wait_for()


def focused(page):
    return page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name")


def walk(page):
    """Give yes, then no instead, undo; give a number, correct it with a note, take it back."""
    press(page, "g")
    assert focused(page) == "Yes"
    press(page, "Enter")
    page.locator(".toast", has_text="Helpful: yes").wait_for()
    assert focused(page) == "Yes"
    press(page, "Tab", "Space")
    page.locator(".toast", has_text="Helpful: no").wait_for()
    press(page, "u")
    page.locator(".toast", has_text="Undone").wait_for()
    page.locator(".btngroup [aria-pressed=true]", has_text="Yes").wait_for()
    press(page, "g", "Tab", "Tab")
    assert focused(page) == "value"
    page.keyboard.type("4")
    press(page, "Enter")
    page.locator(".toast", has_text="CSAT: 4").wait_for()
    page.get_by_label("Correct CSAT").focus()
    press(page, "Enter")
    page.locator("[name=value]:focus").wait_for()
    press(page, "Control+a")
    page.keyboard.type("2.5")
    press(page, "Tab")
    page.keyboard.type("slow")
    press(page, "Tab", "Enter")
    page.locator(".toast", has_text="CSAT corrected: 2.5").wait_for()
    page.locator("[id^=feedback-] bdi", has_text="slow").wait_for()


def test_on_the_page_by_keyboard(open_page, project):
    page = open_page()
    page.goto(f"{project.address}/{project.made[0]}")
    walk(page)
    assert current(project) == [("helpful", 1.0, ""), ("csat", 2.5, "slow")]


def test_in_the_drawer_by_keyboard_and_the_row_follows(open_page, project):
    page = open_page()
    open_first(page, project)
    walk(page)
    page.locator(f"#i-{project.made[0]} .mark, #i-{project.made[0]}", has_text="2.5").first.wait_for()
    assert current(project) == [("helpful", 1.0, ""), ("csat", 2.5, "slow")]


def test_a_value_that_is_refused_is_said_and_the_field_keeps_the_focus(open_page, project):
    open_page.expected = "422"
    page = open_page()
    page.goto(f"{project.address}/{project.made[0]}")
    page.locator("[name=value].num").first.focus()
    page.keyboard.type("9")
    press(page, "Enter")
    page.locator(".toast.error", has_text="at most 5").wait_for()
    assert focused(page) == "value"
    assert current(project) == []


def test_a_better_answer_is_written_by_keyboard(open_page, project):
    page = open_page()
    page.goto(f"{project.address}/{project.made[5]}")
    press(page, "c")
    page.locator("[name=completion]:focus").wait_for()
    press(page, "Control+End")
    page.keyboard.type(" And more.")
    press(page, "Tab", "Enter")
    page.locator(".better ins", has_text="And more.").wait_for()
    page.get_by_text("wrote a better answer").wait_for()


def test_a_better_answer_that_is_not_kept_yet_outlives_the_drawer(open_page, project):
    page = open_page()
    open_first(page, project)
    press(page, "c")
    page.locator("[name=completion]:focus").wait_for()
    page.keyboard.type("Half a thought. ")
    press(page, "Escape", "j")
    page.locator(f"#drawer .drawer:not([data-id='{project.made[0]}'])").wait_for()
    press(page, "k")
    page.locator(f"#drawer .drawer[data-id='{project.made[0]}']").wait_for()
    press(page, "c")
    page.locator("[name=completion]:focus").wait_for()
    assert "Half a thought." in page.locator("textarea[name=completion]").input_value()
    press(page, "Control+Enter")
    page.locator(".better ins", has_text="Half a thought.").wait_for()
    assert page.evaluate("sessionStorage.length") == 0


def test_a_better_answer_that_the_server_did_not_take_is_there_again(open_page, project):
    open_page.expected = "Failed to load resource"
    page = open_page()
    page.goto(f"{project.address}/{project.made[5]}")
    write, kept = page.locator("[name=completion]"), re.compile("Half a thought")
    cookies = page.context.cookies()
    for gone in ("session", "server"):
        press(page, "c")
        page.locator("[name=completion]:focus").wait_for()
        page.keyboard.type("Half a thought. ")
        if gone == "session":
            page.context.clear_cookies(name="sessionid")
            press(page, "Control+Enter")
            page.wait_for_url(re.compile("/login"))
            page.context.add_cookies(cookies)
        else:
            page.route(re.compile("/correction"), lambda route: route.fulfill(status=503))
            press(page, "Control+Enter")
            page.locator(".toast.error", has_text="503").wait_for()
            page.unroute(re.compile("/correction"))
        page.goto(f"{project.address}/{project.made[5]}")
        press(page, "c")
        expect(write).to_have_value(kept)
        press(page, "Escape")
    press(page, "c")
    page.locator("[name=completion]:focus").wait_for()
    press(page, "Control+Enter")
    page.locator(".better ins", has_text="Half a thought.").first.wait_for()
    assert page.evaluate("sessionStorage.length") == 0


def test_without_scripts_buttons_post_and_the_page_comes_back(open_page, project):
    page = open_page(scripts=False)
    page.goto(f"{project.address}/{project.made[0]}")
    page.get_by_role("group", name="Helpful").get_by_role("button", name="No").click()
    page.get_by_text("Helpful: no").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Undone").wait_for()
    assert current(project) == []


def test_escape_folds_what_was_unfolded_and_keeps_what_is_written(open_page, project):
    page = open_page()
    open_first(page, project)
    press(page, "c")
    page.locator("[name=completion]:focus").wait_for()
    page.keyboard.type("Half a thought. ")
    press(page, "Escape")
    expect(page.locator("[name=completion]")).to_be_hidden()
    assert focused(page).startswith("Write a better answer")
    press(page, "c")
    page.locator("[name=completion]:focus").wait_for()
    expect(page.locator("[name=completion]")).to_have_value(re.compile("Half a thought"))
    press(page, "Control+Enter")
    page.locator(".better ins", has_text="Half").wait_for()
    assert focused(page).startswith("Change it")
    press(page, "Escape")
    expect(page.locator("#drawer h1")).to_have_count(0)


def test_after_a_correction_the_focus_is_on_the_value_and_after_taking_it_back_beside_it(open_page, project):
    page = open_page()
    page.goto(f"{project.address}/{project.made[0]}")
    press(page, "g", "Enter")
    page.locator(".toast", has_text="Helpful: yes").wait_for()
    page.locator(".num[name=value]").focus()
    page.keyboard.type("4")
    press(page, "Enter")
    page.get_by_label("Correct CSAT").press("Enter")
    page.locator("[name=value]:focus").wait_for()
    press(page, "Control+a")
    page.keyboard.type("3")
    press(page, "Tab")
    page.keyboard.type("slow")
    press(page, "Control+Enter")
    page.locator(".toast", has_text="CSAT corrected: 3").wait_for()
    page.locator("[aria-label='Correct CSAT']:focus").wait_for()
    press(page, "Enter")
    page.locator("[name=value]:focus").wait_for()
    page.locator("details.mend[open]").get_by_role("button", name="Take back").press("Enter")
    page.locator(".toast", has_text="Took CSAT back").wait_for()
    page.locator("#give:focus").wait_for()
    assert current(project) == [("helpful", 1.0, "")]


@pytest.mark.parametrize("size", SIZES)
def test_no_state_of_judging_breaks_wcag(open_page, project, size):
    page, found = open_page(size), {}

    def check(name, within=None):
        settle(page)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if faults := violations(page, within) + ([("wider than the screen", wide)] if wide > 0 else []):
            found[name] = faults

    def judge(where, within):
        page.get_by_role("group", name="Helpful").get_by_role("button", name="No").click()
        page.locator(".toast", has_text="Helpful: no").wait_for()
        check(f"{where}: given")
        for form in page.locator(".feed .mend summary").all():
            form.click()
        page.locator(".better .mend summary").click()
        check(f"{where}: forms", within)
        page.locator("[name=completion]").fill("Another **answer**.")
        page.get_by_role("button", name="Keep it").click()
        page.locator(".better ins").first.wait_for()
        for summary in page.locator(".better summary").all():
            summary.click()
        check(f"{where}: better answer", within)

    page.goto(project.short)
    page.locator("tbody tr a").nth(4).click()
    page.locator("#drawer h1").wait_for()
    judge("drawer", "#drawer")
    page.goto(f"{project.address}/{project.made[5]}")
    judge("page", "main")
    assert found == {}
