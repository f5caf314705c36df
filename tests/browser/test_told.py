"""Where what was done is told: over the page and beside its buttons, one below the other, at three sizes."""

import os

import pytest
from playwright.sync_api import expect

from interactions.labels import labels_of
from interactions.models import Interaction
from projects.access import project_or_404
from tests.browser.conftest import SIZES, settle
from tests.factories import owner_of
from tests.reviews.desks import make_queue

SHOTS = os.environ.get("SHOTS")  # a folder for pictures of what was looked at
LONG = "averylongvaluethatsomeprogramsent" * 4
AMID = """(toast) => {
    const { left, right, top, bottom } = toast.getBoundingClientRect();
    return { left, right, top, bottom, middle: (left + right) / 2 };
}"""


def shoot(page, name):
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png")


def lies_over(page, one, other):
    a, b = page.locator(one).first.bounding_box(), page.locator(other).first.bounding_box()
    return all(a[at] < b[at] + b[size] and b[at] < a[at] + a[size] for at, size in (("x", "width"), ("y", "height")))


@pytest.mark.parametrize("size", SIZES)
def test_a_long_toast_has_the_width_of_the_window_and_lies_in_its_middle(open_page, project, size):
    page, (width, _) = open_page(size=size), SIZES[size]
    page.goto(f"{project.address}/{project.made[5]}")
    page.get_by_label("Add a label").fill(f"tone:{LONG}")
    page.get_by_label("Add a label").press("Enter")
    page.locator("#toasts .toast", has_text="Labelled tone").wait_for()
    box = page.evaluate(f"({AMID})(document.querySelector('.toast'))")
    shoot(page, f"toast-{size}")
    assert abs(box["middle"] - width / 2) < 12
    assert box["right"] - box["left"] > min(width - 40, width / 2 + 20)
    assert box["left"] >= 8
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_a_toast_leaves_the_labels_and_the_buttons_of_the_drawer_free(open_page, project):
    page = open_page(size="phone")
    page.goto(project.address)
    page.locator(f"#i-{project.made[3]} a").click()
    page.locator("#drawer [name=label]").fill("tone:kind")
    page.locator("#drawer [name=label]").press("Enter")
    page.locator("#toasts .toast", has_text="Labelled tone:kind").wait_for()
    shoot(page, "toast-drawer")
    for place in ("#drawer .head", "#drawer #labels", "#drawer [name=label]", ".mainnav"):
        assert not lies_over(page, ".toast", place), place
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Undone")


def test_what_goes_wrong_leaves_the_undo_of_what_was_done_before(open_page, project):
    open_page.expected = "Failed to load resource"
    page = open_page()
    page.goto(f"{project.address}/{project.made[5]}")
    box, toasts = page.get_by_label("Add a label"), page.locator("#toasts .toast")
    box.fill("tone:kind")
    box.press("Enter")
    toasts.filter(has_text="Labelled tone:kind").wait_for()
    for _ in range(2):  # refused by the server, which says so itself
        page.get_by_role("textbox", name="CSAT").fill("9")
        page.get_by_role("textbox", name="CSAT").press("Enter")
        expect(page.locator("#toasts .error")).to_have_count(1)
        settle(page)
        expect(toasts).to_have_count(2)
    page.route("**/labels*", lambda route: route.fulfill(status=503))
    box.fill("tone:rude")
    box.press("Enter")
    expect(page.locator("#toasts .error")).to_contain_text("503")
    expect(toasts).to_have_count(2)
    shoot(page, "toast-error")
    assert not lies_over(page, "#toasts .toast:first-child", "#toasts .toast:last-child")
    page.unroute("**/labels*")
    page.locator(".talk").first.focus()
    page.keyboard.press("u")
    expect(page.locator("#toasts")).to_contain_text("Undone")
    assert "tone" not in {label.key for label in labels_of([Interaction.objects.get(pk=project.made[5])])[0].labels}


@pytest.mark.parametrize("height", ["3.25rem", "9rem"])
def test_at_the_desk_a_toast_lies_above_the_bar_however_high_it_is(open_page, project, height):
    open_page.expected = "Failed to load resource"
    page = open_page()
    queue = make_queue(project_or_404(owner_of(project), project.key), query="label=lang:en&label=intent:refund")
    page.goto(f"/p/claims/reviews/{queue.key}/desk")
    page.locator(".item:not([data-ahead])").wait_for()
    page.evaluate(
        "(height) => document.querySelectorAll('.actionbar').forEach((bar) => { bar.style.height = height; })", height
    )
    page.route("**/undo*", lambda route: route.abort())
    page.keyboard.press("Control+z")
    page.locator(".toast", has_text="nothing was changed").wait_for()
    shoot(page, f"toast-desk-{height}")
    assert not lies_over(page, ".toast", ".item:not([data-ahead]) .actionbar")
    toast, bar = (page.locator(one).bounding_box() for one in (".toast", ".item:not([data-ahead]) .actionbar"))
    assert 0 < bar["y"] - toast["y"] - toast["height"] < 40
