"""The pages of feedback in Chromium: axe at three sizes in both themes, nothing wider than the screen, a key made and
unlinked by keyboard, bars and cells that open their rows, all of it without scripts too."""

import itertools
import os
import re

import pytest
from playwright.sync_api import expect

from feedback.models import FeedbackKey
from interactions.ingest.preferences import take_preferences
from projects.access import project_or_404
from tests.browser.conftest import SIZES, settle
from tests.browser.test_axe import violations
from tests.factories import make_project, owner_of
from tests.feedback.compared import make_key

SHOTS = os.environ.get("SHOTS")  # a folder for pictures of what was looked at
MODELS = [f"model-{n}-of-many" for n in range(8)]


@pytest.fixture
def compared(project):
    """The project with a key under which eight models met; `pair` is the address of one comparison."""
    make_key(project, "better")
    records = []
    for n, (a, b) in enumerate(itertools.combinations(MODELS, 2)):
        for one, other, tied in ((a, b, False), (b, a, False), (a, b, "good"), (a, b, False)):
            sides = [{"model": model, "text": f"Yes, **{model}** says {n}."} for model in (one, other)]
            records.append(
                {
                    "feedback_key": "better",
                    "prompt": f"Question {n}?",
                    "preferred_completion": sides[0],
                    "other_completion": sides[1],
                    "tied": tied,
                }
            )
    owner = owner_of(project)
    outcomes = take_preferences(project=project_or_404(owner, project.key), records=records, by=owner)
    assert not [outcome.error for outcome in outcomes if outcome.error]
    project.feedback = f"/p/{project.key}/feedback"
    return project


@pytest.fixture(params=SIZES)
def shown(request, open_page):
    """A page, and its size as a word."""
    page = open_page(request.param)
    page.word = request.param
    return page


def test_no_page_of_feedback_breaks_wcag_or_is_wider_than_the_screen(shown, compared, open_page):
    open_page.expected = "Failed to load resource"  # Chromium itself notes what is refused
    page, root = shown, compared.feedback
    make_project("bare", team=compared.team)
    found = {}

    def check(name, address=None):
        if address:
            page.goto(address)
        settle(page)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if faults := violations(page) + ([("wider than the screen", wide)] if wide > 0 else []):
            found[name] = faults
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/feedback-{name}-{page.word}.png", full_page=True)

    check("empty", "/p/bare/feedback")
    check("list", root)
    page.get_by_role("button", name=re.compile("^Unlink")).first.click()
    check("ask")
    check("new", f"{root}/new")
    page.get_by_role("button", name="Make the key").click()
    check("refused")
    check("edit", f"{root}/keys/csat/edit")
    check("number", f"{root}/keys/csat?by=intent&model=lake-8b&label=lang:en")
    for behind in page.locator("details.behind summary").all():
        behind.click()
    check("tables")
    check("thumb", f"{root}/keys/helpful")
    check("wrong", f"{root}/keys/helpful?after=soon")
    check("nothing", f"{root}/keys/better")
    check("matrix", f"{root}/keys/better/comparisons")
    check("pairs", f"{root}/keys/better/pairs?a={MODELS[0]}&b={MODELS[1]}")
    page.locator(".pair a").first.click()
    page.wait_for_url("**/comparisons/**")
    check("pair")
    page.get_by_role("link", name="Differences").click()
    page.wait_for_url("**diff=1")
    check("difference")
    assert found == {}


def test_a_key_is_made_and_unlinked_by_keyboard(open_page, project):
    page = open_page()
    page.goto(f"/p/{project.key}/feedback")
    page.get_by_role("link", name="New key").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/new")
    page.locator("#id_name:focus").wait_for()
    page.keyboard.type("Über the top?")
    expect(page.locator("#id_key")).to_have_value("uber-the-top")
    page.locator("#id_name").press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    for text in ("Ends of a chat", "", "1", "7", "0.5"):
        page.keyboard.press("Tab")
        if text:
            page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_url("**/feedback")
    row = page.get_by_role("row").filter(has_text="Über the top?")
    expect(row).to_contain_text("1 to 7")
    key = FeedbackKey.objects.get(key="uber-the-top")
    assert (key.kind, key.minimum, key.maximum, key.step, key.description) == ("scalar", 1, 7, 0.5, "Ends of a chat")
    row.get_by_role("button", name="Unlink").focus()
    page.keyboard.press("Enter")
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("nothing is deleted")
    page.keyboard.press("Enter")  # the focus is on keeping it
    expect(question).to_be_hidden()
    row.get_by_role("button", name="Unlink").press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("What was given is kept")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Über the top?")).to_have_count(0)
    assert FeedbackKey.objects.filter(key="uber-the-top").exists()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "without"])
def test_bars_and_cells_open_what_they_count(open_page, compared, scripts):
    page = open_page(scripts=scripts)
    page.goto(f"{compared.feedback}/keys/csat")
    bar = page.locator(".bars a").filter(has_text=re.compile(r"[1-9]\d* values?")).first
    n = int(re.search(r": (\d+) value", bar.inner_text())[1])
    bar.click()
    page.wait_for_url("**/interactions?feedback=csat**")
    expect(page.locator("tbody tr")).to_have_count(n)
    page.goto(f"{compared.feedback}/keys/better/comparisons")
    cell = page.locator(".matrix td a").first
    expect(cell).to_contain_text("62.50 %")
    cell.click()
    page.wait_for_url("**/pairs?**")
    expect(page.locator(".pair")).to_have_count(4)
    page.locator(".pair a").first.click()
    page.get_by_role("link", name="Differences").click()
    expect(page.locator("mark.only").first).to_be_visible()


def test_a_label_is_chosen_without_scripts(open_page, project):
    page = open_page(scripts=False)
    page.goto(f"/p/{project.key}/feedback/keys/helpful?model=lake-8b")
    page.get_by_label("By the values of the label").select_option("intent")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**by=intent**")
    assert "model=lake-8b" in page.url
    expect(page.get_by_role("row").filter(has_text="refund")).to_have_count(1)


def test_a_wide_matrix_scrolls_in_its_own_region_by_keyboard(open_page, compared):
    page = open_page("phone")
    page.goto(f"{compared.feedback}/keys/better/comparisons")
    region = page.locator(".matrix-region")
    region.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(80)
    assert region.evaluate("(e) => e.scrollLeft") > 0
    head = region.locator("tbody th").first.bounding_box()
    assert head["x"] >= 0  # the row's model stays in sight
    assert page.evaluate("scrollX") == 0
