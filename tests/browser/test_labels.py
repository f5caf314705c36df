"""Labels in Chromium: over all in the filter, what is alike in one row, the filters' label box, and the keys' pages."""

import os
import threading
import time

import pytest
from django.db import connection
from playwright.sync_api import expect

from interactions.labels.keys import describe_key
from interactions.models import Interaction, Label
from interactions.tasks import label_all, undo_labelling
from jobs.models import Job, State
from jobs.work import run_job
from tests.browser.conftest import SIZES, settle
from tests.browser.test_axe import themes, violations
from tests.factories import make_interaction

PICTURES = os.environ.get("PICTURES")
DO = {"interactions.label": label_all, "interactions.label_undo": undo_labelling}


@pytest.fixture
def worker(monkeypatch):
    """Does what is asked for, slice by slice, as the worker would."""
    monkeypatch.setattr("interactions.tasks.SLICE", 10)
    stopped = threading.Event()

    def run():
        while not stopped.is_set():
            for job in Job.objects.filter(state=State.WAITING, kind__in=DO):
                run_job(DO[job.kind].func.__wrapped__, job.pk)
            time.sleep(0.1)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    stopped.set()
    thread.join()


def labelled(project, key, value):
    label = Label.objects.filter(project=project, key=key, value=value).first()
    return Interaction.objects.filter(project=project, label_ids__contains=[label.pk]).count() if label else 0


def test_all_in_the_filter_is_labelled_by_keyboard_and_undone(open_page, project, worker):
    page = open_page()
    page.goto(f"{project.address}?label=intent:refund")
    page.locator("#count b", has_text="24").wait_for()
    page.get_by_label("Select all on this page").focus()
    page.keyboard.press("Space")
    offer = page.get_by_label("All 24 in this filter")
    offer.focus()
    page.keyboard.press("Space")
    page.locator("#bulk b", has_text="All selected").wait_for()
    assert not page.locator("#bulk").get_by_role("button", name="Delete").is_visible()
    page.keyboard.press("l")
    page.keyboard.type("tone:kind")
    page.keyboard.press("Enter")
    card = page.locator("#toasts .job")
    card.get_by_text("24 interactions labelled.").wait_for()
    assert labelled(project, "tone", "kind") == 24
    page.locator("tbody .tag", has_text="kind").first.wait_for()  # the table was asked for again
    card.get_by_role("button", name="Undo").click()
    page.get_by_text("24 interactions as before.").wait_for()
    assert labelled(project, "tone", "kind") == 0


def test_it_is_offered_where_the_whole_page_is_ticked_alone(open_page, project):
    page = open_page()
    page.goto(project.address)
    boxes = page.locator("tbody input")
    boxes.first.check()
    assert not page.locator("#bulk-all").is_visible()
    page.get_by_label("Select all on this page").check()
    page.locator("#bulk-all").check()
    boxes.first.uncheck()
    assert not page.locator("#bulk-all").is_visible()
    assert not page.locator("#bulk-all").is_checked()
    assert page.locator("#bulk b").inner_text() == f"{boxes.count() - 1} selected"


def test_on_a_phone_where_no_box_ticks_the_page_one_row_is_enough(open_page, project):
    page = open_page("phone")
    page.goto(project.address)
    page.locator("tbody input").first.check()
    page.get_by_label("All 72 in this filter").check()
    page.locator("#bulk-label").fill("tone:kind")
    page.locator("#bulk-label").press("Enter")
    page.locator("#toasts .job", has_text="Label tone:kind").wait_for()
    assert Job.objects.get().parameters["query"] == ""


def test_without_scripts_all_in_the_filter_leads_to_the_work(open_page, project):
    page = open_page(scripts=False)
    page.goto(f"{project.address}?label=intent:claim")
    page.get_by_label("All in this filter").check()
    page.locator("#bulk-label").fill("tone:kind")
    page.locator("#bulk").get_by_role("button", name="Label").click()
    page.get_by_role("heading", name="Label tone:kind").wait_for()
    assert Job.objects.get().parameters["query"] == "label=intent%3Aclaim"


def test_what_is_alike_is_folded_opened_and_labelled_as_one(open_page, project):
    for text in ("Hello there!", "hello there", "HELLO, there"):
        make_interaction(project, messages=[{"role": "user", "content": text}], completion="Hi")
    page = open_page()
    page.goto(project.address)
    page.get_by_label("Fold what is alike").check()
    alike = page.locator("tbody tr").first.get_by_role("link", name="3 alike")
    alike.wait_for()
    assert "fold=near" in page.url
    page.locator("tbody input").first.check()
    page.locator("#bulk-label").fill("greeting")
    page.locator('#bulk-label-options[data-for="greeting"]').wait_for()
    page.locator("#bulk-label").press("Enter")
    page.locator("#toasts .toast", has_text="Labelled 3 interactions greeting:yes").wait_for()
    assert labelled(project, "greeting", "yes") == 3
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").click()
    page.locator("#toasts .toast", has_text="Undone").wait_for()
    assert labelled(project, "greeting", "yes") == 0
    alike.click()
    expect(page.locator("tbody tr")).to_have_count(3)


def test_a_folded_row_of_very_many_shows_its_new_label(open_page, project):
    for _ in range(202):
        make_interaction(project, messages=[{"role": "user", "content": "Hello there!"}], completion="Hi")
    page = open_page()
    page.goto(f"{project.address}?fold=near")
    row = page.locator("tbody tr").first
    row.get_by_role("link", name="100+ alike").wait_for()
    row.get_by_role("checkbox").check()
    page.locator("#bulk-label").fill("greeting:warm")
    page.locator("#bulk-label").press("Enter")
    page.locator("#toasts .toast", has_text="Labelled 202 interactions greeting:warm").wait_for()
    row.locator(".tag", has_text="warm").wait_for()


def test_the_filters_box_completes_by_keyboard(open_page, project):
    page = open_page()
    page.goto(project.address)
    page.locator("#count b").wait_for()
    box = page.locator("#label-add")
    box.focus()
    box.press_sequentially("refu", delay=30)
    page.locator('#label-add-options[data-for="refu"] [role=option]', has_text="intent:refund").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator(".chips .chip", has_text="intent:refund").wait_for()
    assert "label=intent%3Arefund" in page.url
    assert box.input_value() == ""


@pytest.mark.parametrize("arrow", [False, True])
def test_what_is_typed_into_a_label_box_is_meant_unless_an_arrow_chose_another(open_page, project, arrow):
    page = open_page()
    page.goto(f"{project.address}?label=intent:claim")
    filters, label = page.locator("#label-add"), page.locator("#bulk-label")
    filters.press_sequentially("-inten")
    page.locator('#label-add-options[data-for="-inten"] [role=option]', has_text="without intentany value").wait_for()
    if arrow:
        filters.press("ArrowDown")
    filters.press("Enter")
    page.wait_for_url(f"**not_label={'intent' if arrow else 'inten'}")
    page.goto(f"{project.address}?label=intent:claim")
    page.locator("tbody input").first.check()
    label.press_sequentially("inten")
    page.locator('#bulk-label-options[data-for="inten"] [role=option]', has_text="intent:claim").wait_for()
    if arrow:
        label.press("ArrowUp")  # the last of them: what is new
    label.press("Enter")
    page.locator("#toasts .toast", has_text="Labelled 1 interaction inten:yes").wait_for()
    assert labelled(project, "inten", "yes") == 1


def test_a_key_is_described_and_its_colour_shows(open_page, project):
    open_page.expected = "status of 422"  # Chromium itself notes what is refused
    page = open_page()
    page.goto(f"/p/{project.key}/labels")
    page.get_by_role("link", name="intent").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Description").fill("Why they write")
    page.get_by_label("Allowed values").fill("refund\nclaim")
    page.get_by_label("Colour 5").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Why they write").wait_for()
    page.get_by_text("not allowed").wait_for()  # status, which is in use
    page.goto(project.address)
    page.locator("tbody .tag.hue-4").first.wait_for()
    page.locator("tbody tr a").first.click()
    page.locator("#label").fill("intent:other")
    page.locator("#label").press("Enter")
    page.locator("#toasts .toast.error", has_text="it takes refund, claim").wait_for()


@pytest.mark.parametrize("size", SIZES)
def test_labels_break_no_wcag(open_page, project, worker, size):
    describe_key(project=project, key="intent", description="Why they write. " * 12, values=["refund", "claim"], hue=3)
    for text in ("Hello there!", "hello there"):
        make_interaction(project, messages=[{"role": "user", "content": text}], completion="Hi")
    page, found = open_page(size), {}

    def check(name):
        settle(page)
        for theme in themes(page) if PICTURES else ():
            page.screenshot(path=f"{PICTURES}/labels-{name}-{size}-{theme}.png")
        if faults := violations(page):
            found[name] = faults
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than its window"

    for name, path in (("keys", ""), ("key", "/keys/intent"), ("form", "/edit/intent"), ("new", "/new")):
        page.goto(f"/p/{project.key}/labels{path}")
        check(name)
    page.goto(f"{project.short}&fold=near")
    page.locator("tbody .alike").wait_for()
    check("folded")
    page.goto(project.short)
    if size == "phone":
        for box in page.locator("tbody input").all():
            box.check()
    else:
        page.get_by_label("Select all on this page").check()
    page.locator("#bulk-all").check()
    check("all")
    page.locator("#bulk-label").fill("tone:kind")
    page.locator("#bulk-label").press("Enter")
    page.locator("#toasts .job", has_text="interactions labelled").wait_for()
    check("labelled")
    if size != "phone":
        page.locator("#label-add").fill("ref")
        page.locator("#label-add-options [role=option]").first.wait_for()
        check("filters box")
    assert found == {}
