"""The main job by mouse and by keyboard alone: filter, open, label, undo, next, back; nothing is lost on the way."""

import re

import pytest
from playwright.sync_api import expect

from interactions.labels import labels_of
from interactions.models import Interaction
from tests.factories import make_interaction


def labels(interaction_id):
    (row,) = labels_of([Interaction.objects.get(pk=interaction_id)])
    return {label.key: label.value for label in row.labels}


def focused(page):
    return page.evaluate("() => { const e = document.activeElement; return e.closest('tr')?.id || e.id || e.tagName }")


def shown(page):
    return page.locator("#drawer .drawer").get_attribute("data-id")


def test_by_mouse(open_page, project):
    page = open_page()
    page.goto(project.address)
    page.get_by_role("checkbox", name="lang:en").check()
    expect(page).to_have_url(re.compile(r"\?label=lang%3Aen$"))
    expect(page.locator(".chip")).to_contain_text("lang:en")
    page.get_by_role("link", name="Older").click()
    expect(page).to_have_url(re.compile("cursor="))
    filtered = page.url
    row = page.locator("tbody tr").nth(2)
    first = row.get_attribute("data-id")
    row.locator("a").click()
    expect(page.locator("#drawer .talk")).to_be_focused()
    assert shown(page) == first

    page.get_by_label("Add a label").fill("tone:kind")
    page.get_by_role("option", name="Create “tone:kind”").click()
    expect(page.locator("#drawer .tags")).to_contain_text("kind")
    expect(page.locator(f"#i-{first}")).to_contain_text("kind")
    expect(page.locator("#filters")).to_contain_text("tone:kind")
    assert labels(first)["tone"] == "kind"
    assert focused(page) != "BODY"

    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#drawer .tags")).not_to_contain_text("kind")
    expect(page.locator(f"#i-{first}")).not_to_contain_text("kind")
    assert "tone" not in labels(first)
    assert focused(page) != "BODY"

    page.get_by_role("link", name="Next interaction").click()
    expect(page.locator("#drawer .drawer")).not_to_have_attribute("data-id", first)
    second = shown(page)
    assert "label=lang%3Aen&cursor=" in page.url
    page.go_back()
    expect(page.locator("#drawer .drawer")).to_have_count(0)
    assert page.url == filtered
    assert focused(page) == f"i-{second}"
    expect(page.get_by_role("checkbox", name="lang:en")).to_be_checked()
    page.go_forward()
    expect(page.locator("#drawer .drawer")).to_have_attribute("data-id", second)
    page.get_by_role("link", name="Close").click()
    expect(page.locator("#drawer .drawer")).to_have_count(0)
    assert page.url == filtered


def test_by_keyboard_alone(open_page, project):
    page = open_page()
    page.goto(project.address)
    page.keyboard.press("/")
    assert focused(page) == "q"
    page.keyboard.type("question 1*")
    expect(page).to_have_url(re.compile(r"q=question\+1"))
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    assert page.evaluate("document.activeElement.closest('#filters') !== null")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("label="))
    filtered = page.url
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    first = page.locator("tr.cur").get_attribute("data-id")
    assert focused(page) == f"i-{first}"
    page.keyboard.press("Enter")
    expect(page.locator("#drawer .talk")).to_be_focused()

    page.keyboard.press("l")
    assert focused(page) == "label"
    page.keyboard.type("checked")
    expect(page.get_by_role("option", name="Create “checked:yes”")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#drawer .tags")).to_contain_text("checked")
    expect(page.locator("#drawer .talk")).to_be_focused()
    assert labels(first)["checked"] == "yes"
    page.keyboard.press("u")
    expect(page.locator("#drawer .tags")).not_to_contain_text("checked")
    assert "checked" not in labels(first)
    assert focused(page) != "BODY"

    page.keyboard.press("j")
    expect(page.locator("#drawer .drawer")).not_to_have_attribute("data-id", first)
    second = shown(page)
    page.keyboard.press("k")
    expect(page.locator("#drawer .drawer")).to_have_attribute("data-id", first)
    page.keyboard.press("j")
    expect(page.locator("#drawer .drawer")).to_have_attribute("data-id", second)
    page.keyboard.press("Escape")
    expect(page.locator("#drawer .drawer")).to_have_count(0)
    assert page.url == filtered
    assert focused(page) == f"i-{second}"
    page.keyboard.press("x")
    expect(page.locator(".bulk")).to_contain_text("1 selected")
    page.keyboard.press("Escape")
    expect(page.locator(".bulk")).to_be_hidden()


def test_ticked_rows_are_labelled_and_it_can_be_undone(open_page, project):
    page = open_page()
    page.goto(project.address)
    for _ in range(3):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(page.locator(".bulk")).to_contain_text("3 selected")
    page.keyboard.press("l")
    assert focused(page) == "bulk-label"
    page.keyboard.type("gold")
    expect(page.get_by_role("option", name="Create “gold:yes”")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Labelled 3 interactions gold:yes")
    assert [labels(one).get("gold") for one in project.made[:4]] == ["yes"] * 3 + [None]
    expect(page.locator(".bulk")).to_contain_text("3 selected")
    expect(page.locator("tr.cur a")).to_be_focused()
    page.keyboard.press("l")
    page.keyboard.type("checked")
    expect(page.get_by_role("option", name="Create “checked:yes”")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Labelled 3 interactions checked:yes")
    page.keyboard.press("u")
    expect(page.locator("#toasts")).to_contain_text("Undone")
    assert not any("checked" in labels(one) for one in project.made[:3])
    assert [labels(one).get("gold") for one in project.made[:3]] == ["yes"] * 3


def test_ticked_rows_are_deleted_after_a_question(open_page, project):
    page = open_page()
    page.goto(project.address)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete 1 interaction?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert Interaction.objects.filter(pk=project.made[0]).exists()
    assert focused(page) != "BODY"
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#toasts")).to_contain_text("Deleted 1 interaction")
    expect(page.locator(f"#i-{project.made[0]}")).to_have_count(0)
    assert not Interaction.objects.filter(pk=project.made[0]).exists()
    assert focused(page) != "BODY"


def test_the_open_interaction_is_deleted_from_its_menu(open_page, project):
    page = open_page()
    page.goto(project.address)
    page.locator("tbody tr a").first.click()
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("dialog", name=re.compile("Delete 1")).get_by_role("button", name="Delete").click()
    expect(page.locator("#drawer .drawer")).to_have_count(0)
    expect(page.locator(f"#i-{project.made[0]}")).to_have_count(0)
    assert page.url.endswith(project.address)


@pytest.mark.parametrize("onward", ["reload", "session"])
def test_back_from_the_full_page_is_the_table_with_all_that_it_does(open_page, project, onward):
    page = open_page()
    page.goto(project.address)
    page.get_by_role("checkbox", name="lang:en").check()
    expect(page).to_have_url(re.compile(r"\?label=lang%3Aen$"))
    filtered = page.url
    page.locator("tbody tr a").first.click()
    expect(page.locator("#drawer .drawer")).to_have_count(1)
    page.reload()
    expect(page.locator(".detail")).to_have_count(1)
    if onward == "session":
        page.get_by_role("link", name="chat-0").click()
        expect(page.get_by_role("heading", name="Session chat-0")).to_be_visible()
        page.go_back()
        expect(page.locator(".detail")).to_have_count(1)
    page.go_back()
    expect(page.locator("#count b")).to_have_text("70")
    assert page.url == filtered
    expect(page.locator("#filters")).to_contain_text("Counts are exact")
    page.locator("tbody input").first.check()
    expect(page.locator(".bulk .whole")).to_be_hidden()


def test_the_key_that_takes_a_label_back_is_no_letter_of_the_next(open_page, project):
    page = open_page()
    page.goto(project.address)
    page.locator(f"#i-{project.made[0]} a").click()
    expect(page.locator("#drawer .talk")).to_be_focused()
    page.keyboard.press("l")
    page.keyboard.type("verdict:bad")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Labelled verdict:bad")
    page.keyboard.press("u")
    expect(page.locator("#toasts")).to_contain_text("Undone")
    page.get_by_role("button", name="Remove intent:claim").click()
    expect(page.locator("#labels")).to_be_focused()
    page.keyboard.press("u")
    expect(page.get_by_role("button", name="Remove intent:claim")).to_be_visible()
    assert labels(project.made[0]) == {"intent": "claim"}


@pytest.mark.parametrize("where", ["page", "drawer", "session"])
def test_the_keys_that_scroll_are_for_what_is_read(open_page, project, where):
    long = make_interaction(project, completion="A line.\n\n" * 200, session_id="long")
    page = open_page()
    if where == "drawer":
        page.goto(project.address)
        page.keyboard.press("j")
        page.keyboard.press("Enter")
    else:
        page.goto(f"{project.address}/{long.pk}" if where == "page" else f"/p/{project.key}/sessions/long")
    talk = page.locator(".talk")
    expect(talk).to_be_focused()
    for key in ("ArrowDown", "PageDown", "Space", "End"):
        before = talk.evaluate("(one) => one.scrollTop")
        page.keyboard.press(key)
        page.wait_for_function("(before) => document.querySelector('.talk').scrollTop > before", arg=before)
    if where != "session":
        page.keyboard.press("j")
        expect(page.locator(".talk")).to_contain_text("Photos of the leak")
