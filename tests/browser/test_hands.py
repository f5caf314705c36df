"""What is written belongs to who wrote it, and a key to who listens: drafts of two people in one tab, input methods."""

import re

from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import expect

from interactions.models import Label
from tests.browser.conftest import settle
from tests.factories import make_user

# the key with which a word of an input method is taken over, as Chromium tells of it
COMPOSED = """(field, ctrlKey) => field.dispatchEvent(
    new KeyboardEvent("keydown", {key: "Enter", ctrlKey, isComposing: true, bubbles: true, cancelable: true}))"""


def write_better(page, address, text):
    page.goto(address)
    page.keyboard.press("c")
    page.locator("[name=completion]:focus").wait_for()
    page.keyboard.type(text)


def log_in(page, user):
    client = Client()
    client.force_login(user)
    session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": page.evaluate("location.origin")}])


def test_a_draft_is_not_shown_to_the_next_person_of_the_tab(open_page, project):
    other = make_user("other@example.org", team=project.team)
    page, address = open_page(), f"{project.address}/{project.made[5]}"
    write_better(page, address, "Half a thought. ")
    log_in(page, other)
    page.goto("/p/claims/models")
    expect(page.locator("body")).to_have_attribute("data-user", str(other.pk))
    page.goto(address)
    page.keyboard.press("c")
    write = page.locator("[name=completion]")
    expect(write).to_be_focused()
    expect(write).not_to_have_value(re.compile("Half a thought"))


def test_who_logs_out_leaves_no_draft_in_the_tab(open_page, project):
    page, address = open_page(), f"{project.address}/{project.made[5]}"
    write_better(page, address, "Half a thought. ")
    assert page.evaluate("sessionStorage.length") == 1
    page.evaluate("sessionStorage.setItem('draft 0 /of another', 'hers')")
    page.locator("[popovertarget=user-menu]").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(re.compile("/login"))
    assert page.evaluate("Object.keys(sessionStorage)") == ["draft 0 /of another"]


def test_enter_that_ends_a_word_of_an_input_method_sends_nothing(open_page, project):
    page = open_page()
    page.goto(f"{project.address}/{project.made[5]}")
    box = page.get_by_label("Add a label")
    box.fill("tone:にほん")
    box.evaluate(COMPOSED, False)
    settle(page)
    assert not Label.objects.filter(key="tone").exists()
    expect(box).to_have_value("tone:にほん")
    box.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Labelled tone:にほん")
    write_better(page, page.url, "にほん")
    page.locator("[name=completion]").evaluate(COMPOSED, True)
    settle(page)
    expect(page.locator("[name=completion]")).to_be_visible()
    expect(page.locator(".better ins")).to_have_count(0)
