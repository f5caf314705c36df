"""Notes by keyboard alone: written in the drawer, edited, deleted and undone; the row and the thread follow."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import settle
from tests.browser.test_judging import open_first, press


@pytest.fixture
def drawer(open_page, project):
    page = open_page()
    open_first(page, project)
    return page


def write(page, text):
    press(page, "m")
    page.locator("#drawer textarea[aria-label='A new note']:focus").wait_for()
    page.keyboard.type(text)


def test_a_note_is_written_edited_deleted_and_undone_by_keyboard(drawer, project):
    notes, mark = drawer.locator("[id^=notes-] .feed p"), drawer.locator(f"#i-{project.made[0]} .n", has_text="note")
    write(drawer, "Wrong plan?")
    press(drawer, "Control+Enter")
    expect(notes).to_have_text(["Wrong plan?"])
    expect(mark).to_have_text("1 note")
    expect(drawer.locator("#note")).to_be_focused()
    write(drawer, "See the policy.")
    press(drawer, "Control+Enter")
    expect(notes).to_have_text(["Wrong plan?", "See the policy."])
    drawer.get_by_label("Edit your note").last.focus()
    press(drawer, "Enter")
    drawer.locator("textarea[aria-label='Your note']:focus").wait_for()
    press(drawer, "Control+a")
    drawer.keyboard.type("See May's policy.")
    press(drawer, "Control+Enter")
    expect(notes).to_have_text(["Wrong plan?", "See May's policy."])
    drawer.get_by_label("Edit your note").first.focus()
    press(drawer, "Enter")
    drawer.locator("textarea[aria-label='Your note']:focus").wait_for()
    press(drawer, "Tab", "Tab", "Enter")
    expect(notes).to_have_text(["See May's policy."])
    press(drawer, "u")
    expect(notes).to_have_text(["Wrong plan?", "See May's policy."])
    expect(mark).to_have_text("2 notes")


def test_what_was_not_taken_stays_in_the_form_and_outlives_the_drawer(drawer, open_page):
    open_page.expected = "422"
    write(drawer, " ")
    press(drawer, "Control+Enter")
    drawer.locator(".toast.error", has_text="Send a note of 1 to 10,000 characters").wait_for()
    drawer.keyboard.type("half a thought")
    press(drawer, "Escape", "j")
    settle(drawer)
    press(drawer, "k")
    settle(drawer)
    press(drawer, "m")
    expect(drawer.locator("#drawer textarea:focus")).to_have_value(" half a thought")
