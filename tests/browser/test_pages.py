"""What each page does in Chromium: filters, brush, pictures, copying, hostile text; and all of it without scripts."""

import re

import pytest
from playwright.sync_api import expect

from interactions.labels import labels_of
from interactions.models import Interaction
from tests.browser.conftest import settle


def test_typing_searches_and_keeps_the_field(open_page, project):
    page = open_page()
    page.goto(project.address)
    page.locator("#q").press_sequentially("question 5*", delay=30)
    expect(page.locator("#count")).to_contain_text("of 72")
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#q")).to_have_value("question 5*")
    expect(page.locator("tbody mark").first).to_be_visible()
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator("#q")).to_have_value("")
    assert page.url.endswith(project.address)


def test_an_id_pasted_into_the_search_goes_there(open_page, project):
    page = open_page()
    page.goto(project.address)
    page.locator("#q").fill(str(project.made[5]))
    expect(page).to_have_url(re.compile(str(project.made[5])))
    page.goto(project.address)
    page.locator("#q").fill("chat-2")
    expect(page.get_by_role("link", name="Open the session chat-2")).to_be_visible()
    page.locator("#q").press("Enter")
    expect(page).to_have_url(re.compile("/sessions/chat-2$"))


def test_the_facets_of_feedback_speak_the_one_language(open_page, project):
    page = open_page()
    page.goto(project.address)
    page.locator("label", has=page.get_by_role("radio", name=re.compile("^No "))).click()
    expect(page).to_have_url(re.compile(r"feedback=helpful%3Afalse$"))
    page.get_by_label("CSAT from").fill("2")
    page.get_by_label("CSAT from").press("Enter")
    expect(page).to_have_url(re.compile(r"feedback=helpful%3Afalse&feedback=csat%3A2\.\.$"))
    expect(page.locator(".chip")).to_have_count(2)
    page.locator("label", has=page.get_by_role("radio", name=re.compile("^No "))).click()
    expect(page).to_have_url(re.compile(r"\?feedback=csat%3A2\.\.$"))
    page.get_by_role("link", name=re.compile("Remove the filter csat")).click()
    expect(page.get_by_label("CSAT from")).to_have_value("")


def test_a_label_can_be_left_out_and_any_label_asked_for(open_page, project):
    page = open_page()
    page.goto(project.address)
    page.get_by_role("link", name="Without intent:refund").click()
    expect(page).to_have_url(re.compile("not_label=intent%3Arefund"))
    page.get_by_label("Filter by another label").fill("lang:en|de")
    page.get_by_label("Filter by another label").press("Enter")
    expect(page.locator(".chip")).to_have_text([re.compile("lang:en or de"), re.compile("without label intent:refund")])
    expect(page.get_by_label("Filter by another label")).to_have_value("")


def test_the_brush_sets_the_time(open_page, project):
    page = open_page()
    page.goto(project.address)
    box = page.locator("time-brush svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 20, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"after=.*Z&before=.*Z$"))
    expect(page.locator(".chip")).to_contain_text("time")
    assert page.locator("time-brush rect.on").count() > 0
    page.get_by_role("button", name=re.compile("–")).click()
    expect(page.get_by_label("From", exact=True)).not_to_have_value("")
    expect(page.locator("#time-menu")).to_contain_text("Europe/Berlin")
    page.get_by_role("link", name="Last 7 days").click()
    expect(page).to_have_url(re.compile(r"\?after=[^&]*$"))
    expect(page.locator("#time-menu")).to_be_hidden()


def test_open_facets_and_density_are_kept(open_page, project):
    page = open_page()
    page.goto(project.address)
    page.locator("summary", has_text="Latency").click()
    page.get_by_role("checkbox", name="lake-8b").check()
    expect(page).to_have_url(re.compile("model=lake-8b"))
    expect(page.get_by_label("Latency from")).to_be_hidden()
    page.get_by_role("button", name="Comfortable rows").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.density") == "comfortable"
    expect(page.get_by_role("button", name="Comfortable rows")).to_have_attribute("aria-pressed", "true")


def test_pages_lead_on_and_back(open_page, project):
    page = open_page()
    page.goto(project.address)
    page.get_by_role("link", name="Older").click()
    expect(page).to_have_url(re.compile("cursor="))
    expect(page.locator("tbody tr")).to_have_count(22)
    page.go_back()
    expect(page.locator("tbody tr")).to_have_count(50)
    page.go_forward()
    expect(page.locator("tbody tr")).to_have_count(22)
    page.get_by_role("link", name="Newer").click()
    expect(page.locator("tbody tr")).to_have_count(50)


def test_pictures_load_and_the_lightbox_steps_through_them(open_page, project):
    page = open_page()
    page.goto(f"{project.address}/{project.made[0]}")
    images = page.locator(".imgs img")
    expect(images).to_have_count(3)
    loaded = "() => [...document.querySelectorAll('.imgs img')].every((img) => img.complete && img.naturalWidth > 0)"
    page.wait_for_function(loaded)
    page.locator(".imgs a").nth(1).click()
    box = page.get_by_role("dialog")
    expect(box).to_contain_text("2 of 3")
    page.keyboard.press("ArrowRight")
    expect(box).to_contain_text("3 of 3")
    page.keyboard.press("ArrowRight")
    expect(box).to_contain_text("1 of 3")
    page.wait_for_function("() => document.querySelector('#lightbox img').naturalWidth > 0")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    assert page.evaluate("document.activeElement.closest('.imgs') !== null")


@pytest.mark.parametrize("way", ["page", "drawer", "raw"])
def test_hostile_text_fires_nothing_and_fetches_nothing(open_page, project, way):
    page = open_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    if way == "drawer":
        page.goto(project.address)
        page.locator(f"#i-{project.made[1]} a").click()
        expect(page.locator("#drawer .talk")).to_be_focused()
    else:
        page.goto(f"{project.address}/{project.made[1]}{'?raw=1' if way == 'raw' else ''}")
    expect(page.locator(".talk")).to_contain_text("window.fired = 1")
    settle(page)
    assert page.evaluate("window.fired") is None
    assert not [url for url in asked if "tracker.invalid" in url]
    assert page.locator(".talk a[href^=javascript], .talk img, .talk script").count() == 0
    expect(page.locator(".talk .control").first).to_have_text("RLO")
    # a word of 10,000 characters wraps
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(
        "(() => { const t = document.querySelector('.talk'); return t.scrollWidth <= t.clientWidth })()"
    )


def test_copying_gives_the_record_and_a_call(open_page, project):
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{project.address}/{project.made[4]}")
    copies = {"Copy as JSON": '{"model":"lake-8b"', "Copy as curl": "curl ", "Copy id": str(project.made[4])}
    for name, begins in copies.items():
        page.get_by_role("button", name="More actions").click()
        page.get_by_role("button", name=name).click()
        expect(page.locator("#say")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()").startswith(begins)
        page.evaluate("document.querySelector('#say').textContent = ''")
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Copy the completion").click()
    expect(page.locator("#say")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("Answer 2.")


def test_who_was_logged_out_meanwhile_copies_nothing(open_page, project):
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{project.address}/{project.made[4]}")
    page.context.clear_cookies()
    page.get_by_role("button", name="Copy the completion").click()
    expect(page.locator("#say")).to_have_text("The browser did not let it be copied.")


def test_plain_letters_can_be_turned_off(open_page, project):
    page = open_page()
    page.goto(project.address)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.get_by_label("Plain letters work as keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("tr.cur")).to_have_count(0)


def test_a_question_keeps_the_focus_a_menu_that_it_left_closes_and_a_toast_gives_it_back(open_page, project):
    page = open_page()
    focused = "document.activeElement.{}"
    page.goto("/p/claims/settings")
    opener = page.locator("[popovertarget^=archive-]").first
    opener.focus()
    page.keyboard.press("Enter")
    question = page.get_by_role("dialog")
    expect(question).to_have_attribute("aria-modal", "true")
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate(focused.format("matches('.ask *, body')"))
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    page.locator("[popovertarget=user-menu]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#user-menu")).to_be_visible()
    page.locator("#user-menu a, #user-menu button").last.focus()
    page.keyboard.press("Tab")
    expect(page.locator("#user-menu")).to_be_hidden()
    page.goto("/account")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Dismiss").press("Enter")
    expect(page.locator(".toast")).to_have_count(0)
    assert page.evaluate(focused.format("id")) == "main"


@pytest.mark.parametrize("status", [500, None])
def test_a_search_without_an_answer_says_so_and_is_asked_again(open_page, project, status):
    open_page.expected = "Failed to "  # Chromium itself notes it
    page = open_page()
    page.goto(project.address)
    page.locator("#count b", has_text="72").wait_for()
    page.route("**/interactions?*", lambda route: route.fulfill(status=500, body="no") if status else route.abort())
    page.get_by_role("checkbox", name="lake-8b").click()
    page.get_by_role("heading", name="No answer came").wait_for()
    expect(page.get_by_role("checkbox", name="lake-8b")).to_be_checked()
    expect(page.locator("tbody tr").first).to_be_hidden()  # they answer another question
    expect(page.locator("#count")).to_be_hidden()
    page.unroute("**/interactions?*")
    page.get_by_role("button", name="Try again").click()
    page.locator(".chips .chip", has_text="lake-8b").wait_for()
    expect(page.locator("tbody tr").first).to_be_visible()
    expect(page.get_by_role("heading", name="No answer came")).to_be_hidden()
    assert page.url.endswith("?model=lake-8b")


def test_what_is_chosen_is_seen_in_forced_colours_and_paper_has_no_bars(open_page, project):
    page = open_page()
    page.goto("/p/claims/exports/new")
    page.emulate_media(forced_colors="active")
    expect(page.get_by_role("radio").first).to_have_css("appearance", "auto")
    page.goto("/p/claims/overview")
    expect(page.locator(".btngroup [aria-current]").first).to_have_css("forced-color-adjust", "none")
    page.emulate_media(media="print", forced_colors="none")
    expect(page.locator(".topbar")).to_be_hidden()
    expect(page.locator(".tile").first).to_be_visible()


def test_a_filter_that_cannot_be_read_is_told_beside_its_field(open_page, project):
    open_page.expected = "status of 400"  # Chromium itself notes it
    page = open_page()
    page.goto(project.address)
    page.get_by_label("Latency from").fill("soon")
    page.get_by_label("Latency from").press("Enter")
    expect(page.locator("#latency-fault")).to_be_visible()
    expect(page.get_by_label("Latency from")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("link", name="Leave it out").click()
    expect(page.locator("tbody tr")).to_have_count(50)


def test_without_scripts_everything_works_by_links_and_forms(open_page, project):
    page = open_page(scripts=False)
    page.goto(project.address)
    page.get_by_label("CSAT to").fill("2")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile(r"\?feedback=csat%3A\.\.2$"))
    page.get_by_role("link", name="All filters, with their counts").click()
    expect(page.get_by_label("CSAT to")).to_have_value("2")
    expect(page.get_by_role("img", name=re.compile("interactions from"))).to_be_visible()
    page.get_by_role("checkbox", name=re.compile("intent:claim")).check()
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile(r"\?label=intent%3Aclaim&feedback=csat%3A\.\.2$"))
    row = page.locator("tbody tr").first
    made = row.get_attribute("data-id")
    row.locator("a").click()
    page.get_by_label("Add a label").fill("tone:kind")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Labelled tone:kind")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_contain_text("Undone")
    page.get_by_role("link", name="Interactions").last.click()
    page.locator("tbody input").first.check()
    page.locator("#bulk-label").fill("gold")
    page.get_by_role("button", name="Label").click()
    (row,) = labels_of([Interaction.objects.get(pk=made)])
    assert {label.key for label in row.labels} >= {"gold"}
    page.locator("tbody input").first.check()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".toast")).to_contain_text("Deleted 1 interaction")


def test_on_a_phone_the_facets_are_a_sheet_and_rows_are_cards(open_page, project):
    page = open_page("phone")
    page.goto(project.address)
    expect(page.get_by_role("checkbox", name="lake-8b")).to_be_hidden()
    page.get_by_role("button", name=re.compile("Filters")).tap()
    page.get_by_role("checkbox", name="lake-8b").check()
    expect(page).to_have_url(re.compile("model=lake-8b"))
    page.get_by_role("button", name=re.compile(r"^Show")).tap()
    expect(page.get_by_role("checkbox", name="lake-8b")).to_be_hidden()
    page.locator("tbody a").first.tap()
    expect(page.locator("#drawer .talk")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Close").tap()
    expect(page.locator("#drawer .drawer")).to_have_count(0)
