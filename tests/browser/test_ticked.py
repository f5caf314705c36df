"""What is ticked in the table stays so over pages, details and reloads, and what is done is done to all of it."""

import pytest
from playwright.sync_api import expect

from interactions.models import Interaction, Label
from tests.browser.conftest import settle

BAR = "#bulk b"


def ids_with(project, key):
    label = Label.objects.get(project=project, key=key)
    return set(Interaction.objects.filter(project=project, label_ids__contains=[label.pk]).values_list("pk", flat=True))


def turn(page, to):
    page.locator(f".pager a[rel={to}]").click()
    settle(page)


def test_ticks_stay_over_pages_and_belong_to_their_filter(open_page, project):
    page = open_page()
    page.goto(project.short)
    for _ in range(2):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(page.locator(BAR)).to_have_text("2 selected")
    turn(page, "next")
    expect(page.locator(BAR)).to_have_text("2 selected (2 not on this page)")
    page.locator("tbody input").first.check()
    expect(page.locator(BAR)).to_have_text("3 selected (2 not on this page)")
    page.keyboard.press("Escape")  # takes nothing away that is not seen
    expect(page.locator(BAR)).to_have_text("3 selected (2 not on this page)")
    # a detail as a page of its own, and back; the page anew
    page.goto(f"{project.address}/{project.made[0]}")
    page.go_back()
    expect(page.locator(BAR)).to_have_text("3 selected (2 not on this page)")
    expect(page.locator("tr.sel")).to_have_count(1)
    turn(page, "prev")
    page.reload()
    expect(page.locator(BAR)).to_have_text("3 selected (1 not on this page)")
    expect(page.locator("tr.sel")).to_have_count(2)
    # another filter has others, and says so
    page.get_by_role("checkbox", name="intent:refund").check()
    expect(page.locator("#toasts")).to_contain_text("3 rows stay selected under the filter of before")
    expect(page.locator("#bulk")).to_be_hidden()
    page.go_back()
    expect(page.locator(BAR)).to_have_text("3 selected (1 not on this page)")
    # what is done, is done to all of them
    page.keyboard.press("l")
    page.keyboard.type("kept")
    expect(page.get_by_role("option", name="Create “kept:yes”")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Labelled 3 interactions kept:yes")
    assert ids_with(project, "kept") == {project.made[place] for place in (0, 1, 10)}
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.locator("main")).to_contain_text("3 ticked in the table")
    page.go_back()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#ask h2")).to_have_text("Delete 3 interactions?")
    page.get_by_role("button", name="Delete").last.click()
    expect(page.locator("#toasts")).to_contain_text("Deleted 3 interactions")
    expect(page.locator("#bulk")).to_be_hidden()
    assert page.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize("ordinary", [20])
def test_no_more_are_ticked_than_the_server_takes_and_none_are_left_to_the_next_person(open_page, project, monkeypatch):
    monkeypatch.setattr("interactions.views.table.MOST", 12)
    page = open_page("phone")
    page.goto(project.short)
    for box in page.locator("tbody input").all():
        box.check()
    turn(page, "next")
    for box in page.locator("tbody input").all()[:3]:
        box.click()
    expect(page.locator("#toasts")).to_contain_text("At most 12 rows can be selected at a time.")
    expect(page.locator(BAR)).to_have_text("12 selected (10 not on this page)")
    expect(page.locator("tbody input:checked")).to_have_count(2)
    page.get_by_label("Clear selection").click()
    expect(page.locator("#bulk")).to_be_hidden()
    page.locator("tbody input").first.check()
    assert page.evaluate("sessionStorage.length") == 1
    page.locator("[popovertarget=user-menu]").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login**")
    assert page.evaluate("sessionStorage.length") == 0


def test_columns_are_chosen_by_keyboard_and_the_row_keeps_the_focus(open_page, project):
    page = open_page()
    page.goto(project.short)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("o")
    expect(page.get_by_role("checkbox", name="Completion")).to_be_focused()
    page.keyboard.press("Space")
    page.get_by_role("checkbox", name="Latency").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("thead")).to_contain_text("Latency")
    expect(page.locator("thead")).not_to_contain_text("Completion")
    expect(page.locator("#columns-menu")).to_be_hidden()
    expect(page.locator("tr.cur a")).to_be_focused()
    expect(page.locator(BAR)).to_have_text("1 selected")
    page.keyboard.press("o")
    page.get_by_role("button", name="As usual").press("Enter")
    expect(page.locator("thead")).to_contain_text("Completion")
    expect(page.get_by_role("checkbox", name="Latency", include_hidden=True)).not_to_be_checked()
