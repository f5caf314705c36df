"""The desk in Chromium: by keyboard alone, by touch, without scripts, and while the server does not answer."""

import re
import threading
import time
from uuid import UUID

import pytest
from django.core.signals import request_finished, request_started
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Membership
from interactions.ingest import ingest
from projects.access import project_or_404
from reviews.contents import set_gold
from reviews.desk import next_review, submit
from reviews.models import Remap, Review, State
from reviews.versions import write_questions
from tests.browser.conftest import SIZES, picture, settle
from tests.browser.test_axe import violations
from tests.factories import make_user, owner_of
from tests.reviews.desks import THREE, items_of, make_pairs, make_queue

YES_NO = [{"key": "good", "kind": "yes_no", "text": "Is this a good answer?"}]
TEXTS = [
    {"key": "why", "kind": "text", "text": "Why?"},
    {"key": "better", "kind": "correction", "text": "A better answer", "required": False},
]


@pytest.fixture(autouse=True)
def served_out(transactional_db, live_server):
    """The desk asks for items ahead: what the server is still at when the page is gone ends before its tables go."""
    going = set()

    def began(sender, environ, **more):
        going.add(threading.get_ident())

    def ended(sender, **more):
        going.discard(threading.get_ident())

    request_started.connect(began)
    request_finished.connect(ended)
    yield
    end = time.monotonic() + 10
    time.sleep(0.1)
    while going and time.monotonic() < end:
        time.sleep(0.02)
    request_started.disconnect(began)
    request_finished.disconnect(ended)


@pytest.fixture
def ordinary():
    return 30


@pytest.fixture
def project(project):
    gated = project_or_404(owner_of(project), project.key)
    gated.made, gated.address = project.made, project.address
    return gated


@pytest.fixture
def queue(project):
    """Ten ordinary interactions; the first desk item is the oldest."""
    return make_queue(project, query="label=lang:en&label=intent:refund")


def desk(page, queue):
    page.goto(f"/p/claims/reviews/{queue.key}/desk")
    page.locator(".item:not([data-ahead])").wait_for()
    return page


def until(page, script, arg=None, patience=10):
    """Poll: the page's policy lets nothing be evaluated inside of it."""
    end = time.monotonic() + patience
    while not page.evaluate(script, arg):
        assert time.monotonic() < end, script
        page.wait_for_timeout(15)


def gone_on(page, review):
    until(page, "(id) => (document.querySelector('.item:not([data-ahead])')?.dataset.review ?? id) !== id", review)


def back_at(page, review):
    until(page, "(id) => document.querySelector('.item:not([data-ahead])')?.dataset.review === id", review)


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def shown(page):
    """The id of the review that is on the screen."""
    return page.locator(".item:not([data-ahead])").get_attribute("data-review")


def ready(page):
    """Wait until what is shown was painted and the next one lies ready."""
    until(
        page,
        "Boolean(document.querySelector('.item:not([data-ahead])')?.seenAt)"
        " && document.querySelector('.item[data-ahead]') !== null",
    )


def settled(page):
    """Wait until all answers were acknowledged."""
    until(
        page, "Object.keys(localStorage).filter((name) => name.startsWith('desk ') && name.includes('-')).length === 0"
    )


def submitted(queue):
    return Review.objects.filter(queue=queue, state=State.SUBMITTED)


def test_by_keyboard_alone(open_page, queue):
    page = desk(open_page(), queue)
    ready(page)
    one = shown(page)
    assert page.locator(".item:not([data-ahead]) .q.active legend").inner_text().startswith("Accurate")
    press(page, "2")
    assert page.locator(".item:not([data-ahead]) .q.active legend").inner_text().startswith("Tone")
    press(page, "4", "1", "2", "2")
    press(page, "c")
    page.keyboard.type("s1 is a limit")
    press(page, "Control+Enter")
    gone_on(page, one)
    settled(page)
    kept = Review.objects.get(pk=one)
    assert kept.state == State.SUBMITTED
    assert kept.answers == {"accurate": "slip", "tone": 4, "flags": ["promises payment"]}
    assert kept.comment == "s1 is a limit" and 0 < kept.seconds < 30
    expect(page.locator("[data-at]")).to_have_text("2")


def test_what_is_missing_is_marked_and_not_sent(open_page, queue):
    page = desk(open_page(), queue)
    ready(page)
    one = shown(page)
    press(page, "1", "Enter")
    assert shown(page) == one
    assert page.locator(".item:not([data-ahead]) .q.active legend").inner_text().startswith("Tone")
    page.locator(".fault:visible", has_text="asks for an answer").wait_for()
    press(page, "5", "Enter")
    gone_on(page, one)
    settled(page)
    assert submitted(queue).count() == 1


def test_tab_and_arrows_move_the_mark_and_escape_leaves_a_text(open_page, queue):
    page = desk(open_page(), queue)
    ready(page)
    marked = page.locator(".item:not([data-ahead]) .q.active legend")
    press(page, "Tab")
    expect(marked).to_contain_text("Tone")
    press(page, "Tab")
    expect(marked).to_contain_text("Flags")
    press(page, "Shift+Tab", "Shift+Tab")
    expect(marked).to_contain_text("Accurate")
    press(page, "Tab", "3")
    expect(marked).to_contain_text("Flags")
    press(page, "c", "Escape", "ArrowUp")
    expect(marked).to_contain_text("Tone")
    assert page.locator(".item:not([data-ahead]) input[name='a.tone']:checked").get_attribute("value") == "3"


def test_a_held_key_never_completes_an_item_that_nobody_saw(open_page, project):
    queue = make_queue(project, "yes", query="label=lang:en&label=intent:refund", questions=YES_NO)
    page = desk(open_page(), queue)
    ready(page)
    page.keyboard.down("1")
    for _ in range(20):  # a key that is down already repeats
        page.keyboard.down("1")
    page.keyboard.up("1")
    settled(page)
    assert submitted(queue).count() == 1  # and one yes or no sends itself


def test_keys_are_ignored_while_the_next_item_loads_and_in_a_dialog(open_page, project):
    queue = make_queue(project, "yes", query="label=lang:en&label=intent:refund", questions=YES_NO)
    page = open_page()
    held = []
    page.route(re.compile("/desk/next"), lambda route: held.append(route))
    desk(page, queue)
    until(page, "document.querySelector('.item').seenAt")
    press(page, "?", "1")
    assert submitted(queue).count() == 0
    press(page, "Escape", "1")
    page.locator("#desk.loading").wait_for()
    press(page, "1", "2", "s", "Enter")
    while held:
        held.pop().continue_()
    page.unroute(re.compile("/desk/next"))
    ready(page)
    settled(page)
    assert Review.objects.filter(queue=queue).exclude(state=State.PENDING).count() == 1


def test_undo_goes_back_one_by_one_and_the_answers_are_still_there(open_page, queue):
    page = desk(open_page(), queue)
    seen = []
    for key in ("1", "2", "3"):
        ready(page)
        seen.append(shown(page))
        press(page, key, key, "Enter")
    ready(page)
    last = shown(page)
    press(page, "s")
    ready(page)
    press(page, "u")
    back_at(page, last)
    for place in (2, 1):
        ready(page)
        press(page, "u")
        back_at(page, seen[place])
        ready(page)
        chosen = page.locator(".item:not([data-ahead]) input[name='a.tone']:checked").get_attribute("value")
        assert chosen == str(place + 1)
    assert submitted(queue).count() == 1
    expect(page.locator("[data-at]")).to_have_text("2")
    press(page, "Enter")
    back_at(page, seen[2])
    settled(page)
    assert submitted(queue).count() == 2


def test_going_back_and_on_again(open_page, queue):
    page = desk(open_page(), queue)
    ready(page)
    one = shown(page)
    press(page, "1", "1", "Enter")
    ready(page)
    two = shown(page)
    press(page, "ArrowLeft")
    back_at(page, one)
    ready(page)
    press(page, "ArrowRight")
    back_at(page, two)
    settled(page)
    assert submitted(queue).count() == 1


def test_the_last_one_can_be_looked_at_from_the_end(open_page, project):
    page = open_page()
    desk(page, make_queue(project, "few", query="q=%22Question+3%22", questions=YES_NO))
    until(page, "Boolean(document.querySelector('.item:not([data-ahead])').seenAt)")
    one = shown(page)
    press(page, "1")
    page.get_by_text("Nothing is left for you here").wait_for()
    settled(page)
    press(page, "ArrowLeft")
    back_at(page, one)
    page.get_by_text("Submitting again changes what you said").wait_for()


def test_a_long_chat_is_read_by_keys_and_found_again_where_it_was(open_page, project):
    messages = [{"role": "user", "content": f"Part {place}. " + "word " * 200} for place in range(40)]
    ingest(project=project, records=[{"messages": messages, "completion": "z"}], by=owner_of(project))
    queue = make_queue(project, "long", query="q=%22Part+39%22", questions=[*YES_NO, *TEXTS])
    page = desk(open_page(), queue)
    until(page, "Boolean(document.querySelector('.item').seenAt)")
    at = "document.querySelector('.item:not([data-ahead]) .talk').scrollTop"
    press(page, "Space")
    until(page, f"{at} > 400")
    press(page, "End")
    expect(page.locator(".turn.done")).to_be_in_viewport()
    press(page, "Home")
    until(page, f"{at} === 0")
    press(page, "PageDown", "PageDown")
    until(page, f"{at} > 900")
    until(page, "Object.keys(sessionStorage).some((name) => name.startsWith('desk places'))")
    page.reload()
    until(page, f"document.querySelector('.item')?.seenAt && {at} > 900")
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("link", name="To the completion").click()
    expect(page.locator(".turn.done")).to_be_in_viewport()
    page.get_by_role("link", name="To the questions").click()
    expect(page.locator(".q.active")).to_be_in_viewport()
    page.evaluate("scrollTo(0, 0)")
    page.get_by_role("button", name="Submit and next").click()
    fault, bars = page.locator(".fault:visible").bounding_box(), page.locator(".actionbar").bounding_box()
    assert fault["y"] + fault["height"] <= bars["y"]  # it is told above the bar, not behind it


def went_back(page, queue):
    """(the item that is shown again after it was answered, the one that comes after it)."""
    desk(page, queue)
    ready(page)
    one = shown(page)
    press(page, "1", "1", "Enter")
    ready(page)
    two = shown(page)
    back_to(page, one)
    return one, two


def back_to(page, review):
    settled(page)
    press(page, "ArrowLeft")
    back_at(page, review)
    ready(page)


def accurate(review):
    return Review.objects.get(pk=review).answers["accurate"]


@pytest.mark.parametrize("key", ["ArrowRight", "j", "s", "l"])
def test_who_changed_an_answer_and_goes_on_is_asked_whether_to_send_it(open_page, queue, key):
    page = open_page()
    one, two = went_back(page, queue)
    dialog = page.get_by_role("dialog", name="Send what you changed?")
    press(page, "2", key)
    dialog.wait_for()
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    assert shown(page) == one
    press(page, key)
    dialog.wait_for()
    press(page, "Enter")
    back_at(page, two)
    settled(page)
    assert accurate(one) == "slip" and Review.objects.get(pk=two).state == State.PENDING
    ready(page)
    back_to(page, one)
    press(page, "3", key)
    dialog.get_by_role("button", name="Leave it as it was").click()
    back_at(page, two)
    settled(page)
    assert accurate(one) == "slip"


@pytest.mark.parametrize("back", ["ArrowLeft", "u"])
def test_who_changed_an_answer_and_goes_further_back_is_asked_too(open_page, queue, back):
    page = open_page()
    one, _ = went_back(page, queue)
    press(page, "2", back)
    page.get_by_role("dialog", name="Send what you changed?").wait_for()
    assert shown(page) == one and not violations(page, "dialog[open]")


@pytest.mark.parametrize(("link", "address"), [("Leave", "/reviews$"), ("Go on", "/desk$")])
def test_who_changed_an_answer_and_leaves_is_asked_and_then_goes(open_page, queue, link, address):
    page = open_page()
    one, _ = went_back(page, queue)
    press(page, "2")
    page.locator("#desk").get_by_role("link", name=link, exact=True).locator("visible=true").click()
    page.get_by_role("dialog", name="Send what you changed?").wait_for()
    with page.expect_navigation(url=re.compile(address)):
        press(page, "Enter")
    assert accurate(one) == "slip"


def test_what_is_typed_into_a_skipped_item_stays_as_a_draft(open_page, queue):
    page = desk(open_page(), queue)
    ready(page)
    one = shown(page)
    press(page, "s")
    ready(page)
    two = shown(page)
    back_to(page, one)
    press(page, "3", "ArrowRight")
    back_at(page, two)
    settled(page)
    assert (Review.objects.get(pk=one).state, accurate(one)) == (State.SKIPPED, "wrong")
    ready(page)
    back_to(page, one)
    with page.expect_response(re.compile("/draft$")):
        press(page, "ArrowUp", "ArrowUp", "2")
    assert (Review.objects.get(pk=one).state, accurate(one)) == (State.SKIPPED, "slip")


def test_a_draft_is_saved_on_change_and_there_again(open_page, queue):
    page = desk(open_page(), queue)
    ready(page)
    with page.expect_response(re.compile("/draft$")):
        press(page, "3")
    page.reload()
    page.locator(".item:not([data-ahead])").wait_for()
    assert page.locator(".item:not([data-ahead]) input[name='a.accurate']:checked").get_attribute("value") == "wrong"


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        ("login", "You are logged out"),
        (403, "You do not review in this queue"),
        (503, "does not answer"),
        ("network", "does not answer"),
    ],
)
def test_a_draft_that_the_server_did_not_take_is_told_and_sent_again(open_page, queue, gone, told):
    open_page.expected = "Failed to load resource"
    page = desk(open_page(), queue)
    ready(page)
    one, cookies, drafts = shown(page), page.context.cookies(), re.compile("/draft$")
    if gone == "login":
        page.context.clear_cookies(name="sessionid")
    else:
        page.route(drafts, lambda route: route.abort() if gone == "network" else route.fulfill(status=gone))
    press(page, "3")
    page.locator("[data-unsent]", has_text=told).wait_for()
    press(page, "ArrowLeft")  # an item whose draft is not kept is not left
    page.locator(".toast", has_text="nothing was changed").wait_for()
    assert shown(page) == one and Review.objects.get(pk=one).state == State.PENDING
    page.context.add_cookies(cookies)
    page.unroute(drafts)
    expect(page.locator("[data-unsent]")).to_be_hidden()
    assert Review.objects.get(pk=one).answers["accurate"] == "wrong"


def test_a_draft_that_the_server_did_not_take_outlives_the_page(open_page, queue):
    open_page.expected = "Failed to load resource"
    page = desk(open_page(), queue)
    ready(page)
    one, cookies = shown(page), page.context.cookies()
    page.context.clear_cookies(name="sessionid")
    press(page, "3", "c")
    page.keyboard.type("half a thought")
    page.locator("[data-unsent]", has_text="You are logged out").wait_for()
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.get_by_label("Password").wait_for()
    assert Review.objects.get(pk=one).state == State.PENDING
    page.context.add_cookies(cookies)
    desk(page, queue)
    ready(page)
    assert shown(page) == one
    expect(page.locator(".item:not([data-ahead]) textarea")).to_have_value("half a thought")
    until(page, "!Object.keys(sessionStorage).some((name) => name.startsWith('desk draft'))")
    kept = Review.objects.get(pk=one)
    assert kept.answers["accurate"] == "wrong" and kept.comment == "half a thought"


def test_a_draft_that_was_not_taken_begins_nothing_in_the_next_item(open_page, queue):
    open_page.expected = "Failed to load resource"
    page = open_page()
    page.clock.install()
    desk(page, queue)
    ready(page)
    one = shown(page)
    page.route(re.compile("/draft$"), lambda route: route.fulfill(status=503))
    press(page, "3")
    page.locator("[data-unsent]", has_text="does not answer").wait_for()
    press(page, "s")
    gone_on(page, one)
    settled(page)
    page.unroute(re.compile("/draft$"))
    page.clock.run_for(2_500)  # after which it would be sent again
    settle(page)
    assert Review.objects.get(pk=one).answers["accurate"] == "wrong"
    assert Review.objects.get(pk=shown(page)).state == State.PENDING


@pytest.mark.parametrize("key", ["s", "l"])
def test_what_was_typed_a_moment_before_skipping_or_putting_off_is_a_draft(open_page, queue, key):
    page = desk(open_page(), queue)
    ready(page)
    one = shown(page)
    press(page, "3", "c")
    page.keyboard.type("a minute longer")
    press(page, "Escape", key)
    gone_on(page, one)
    settled(page)
    kept = Review.objects.get(pk=one)
    assert kept.answers["accurate"] == "wrong" and kept.comment == "a minute longer" and kept.locked_until is None


def test_an_answer_that_was_not_acknowledged_is_kept_told_and_sent_again(open_page, queue):
    open_page.expected = "Failed to load resource"  # Chromium itself notes it
    page = desk(open_page(), queue)
    ready(page)
    until(page, "document.querySelectorAll('.item[data-ahead]').length === 2")
    dead = re.compile("/desk/")
    page.route(dead, lambda route: route.abort())
    seen = []
    for key in ("1", "2"):
        seen.append(shown(page))
        press(page, key, key, "Enter")
        gone_on(page, seen[-1])
        until(page, "document.querySelector('.item:not([data-ahead])').seenAt")
    page.locator("[data-unsent]", has_text="2 answers wait to be sent").wait_for()
    assert submitted(queue).count() == 0
    page.on("dialog", lambda dialog: dialog.accept())  # it warns
    page.reload()  # even the page may go
    page.locator(".item:not([data-ahead])").or_(page.locator("#desk.loading")).wait_for()
    page.goto("/p/claims/reviews")  # and any other page sends it
    page.locator(".toast", has_text="2 answers wait to be sent: the server does not answer").wait_for()
    page.unroute(dead)
    settled(page)
    page.locator(".toast", has_text="was sent").wait_for()
    desk(page, queue)
    answers = {str(one.pk): one.answers["tone"] for one in submitted(queue)}
    assert answers == {seen[0]: 1, seen[1]: 2}
    ready(page)
    assert shown(page) not in seen


def test_an_answer_to_an_item_that_another_took_is_told_and_kept_as_a_draft(open_page, project):
    open_page.expected = "409"
    queue = make_queue(project, "one", query="label=lang:en&label=intent:refund", questions=YES_NO)
    page = desk(open_page(), queue)
    ready(page)
    one = Review.objects.get(pk=shown(page))
    Review.objects.update(locked_until="2020-01-01T00:00Z")
    other = make_user(team=project.team, role="annotator")
    while next_review(queue, other).item_id != one.item_id:
        submit(review=next_review(queue, other), answers={"good": True})
    submit(review=next_review(queue, other), answers={"good": True})
    press(page, "2")
    told = page.locator(".toast", has_text="kept as a draft")
    told.wait_for()
    one.refresh_from_db()
    assert one.state == State.DRAFT and one.answers == {"good": False}
    settled(page)
    told.get_by_role("link").click()
    page.get_by_text("A draft of yours").wait_for()


def test_each_answer_that_was_refused_is_told_until_it_is_opened_or_closed(open_page, project):
    queue = make_queue(project, "short", query="label=lang:en&label=intent:refund", questions=YES_NO)
    open_page.expected = "Failed to load resource"
    page = open_page()
    page.clock.install()
    desk(page, queue)
    ready(page)
    lost = []
    page.route("**/desk/*-*", lambda route: route.abort())
    for _ in range(2):
        ready(page)
        lost.append(shown(page))
        press(page, "1")
        gone_on(page, lost[-1])
    Review.objects.filter(pk__in=lost).update(locked_until="2020-01-01T00:00Z")
    other = make_user(name="Someone else", team=project.team, role="annotator")
    for _ in range(2):
        submit(review=next_review(queue, other), answers={"good": True})
    page.unroute("**/desk/*-*")
    page.clock.run_for(10_000)
    told = page.locator(".toast", has_text="kept as a draft")
    expect(told).to_have_count(2)
    page.clock.run_for(60_000)
    expect(told).to_have_count(2)
    one, two = told.first.bounding_box(), told.last.bounding_box()
    assert one["y"] + one["height"] <= two["y"]
    told.first.get_by_role("link", name="Open it").click()
    back_at(page, lost[0])
    expect(told).to_have_count(1)
    told.get_by_role("button", name="Close").click()
    expect(told).to_have_count(0)


def test_who_reads_for_long_keeps_the_item_that_she_reads(open_page, queue):
    page = open_page()
    page.clock.install()
    desk(page, queue)
    ready(page)
    one = Review.objects.get(pk=shown(page))
    write_questions(queue=queue, questions=YES_NO, by=owner_of(queue.project))
    Review.objects.filter(pk=one.pk).update(locked_until="2020-01-01T00:00Z")
    page.clock.fast_forward(90_000)
    page.mouse.move(200, 200)
    page.mouse.move(300, 300)
    with page.expect_response(re.compile("/hold$")) as held:
        page.clock.fast_forward(31_000)
    assert held.value.status == 204 and one.pk == UUID(shown(page))
    one.refresh_from_db()
    assert one.locked_until > timezone.now() and one.form.version == 1


def test_conflicts_are_decided_one_after_the_other(open_page, project):
    queue = make_queue(project, "two", query="q=%22Question+3%22", questions=YES_NO, reviewers=2)
    make_queue(project, "other", query=None)
    for name, good in (("Ada Ek", True), ("Bo Yu", False)):
        person = make_user(name=name, team=project.team, role="annotator")
        while review := next_review(queue, person):
            submit(review=review, answers={"good": good})
    page = open_page()
    page.goto("/p/claims/reviews/two")
    number = page.get_by_role("button", name="Decide").count()
    assert number == len(items_of(queue)) > 0
    page.get_by_role("button", name="Decide").first.click()
    for _ in range(number):
        page.get_by_text("They differ: you decide").wait_for()
        until(page, "Boolean(document.querySelector('.item:not([data-ahead])')?.seenAt)")
        one = shown(page)
        assert page.locator(".said", has_text="Ada Ek").inner_text().count("Yes") == 1
        press(page, "1")
        until(page, "(id) => document.querySelector('.item:not([data-ahead])')?.dataset.review !== id", one)
        page.locator(f".item:not([data-review='{one}'])").wait_for()
    page.get_by_text("Nothing is left for you here").wait_for()
    settled(page)
    assert {item.decided for item in items_of(queue)} == {True}


def test_who_is_logged_out_meanwhile_loses_nothing(open_page, queue):
    page = desk(open_page(), queue)
    ready(page)
    one = shown(page)
    cookies = page.context.cookies()
    page.context.clear_cookies(name="sessionid")
    press(page, "1", "1", "Enter")
    told = page.locator("[data-unsent]", has_text="1 answer waits to be sent: you are logged out")
    told.wait_for()
    page.context.clear_cookies()
    settle(page)
    expect(told.get_by_role("link", name="Log in on another page")).to_be_visible()
    renewed = {"csrftoken": "a" * 32}  # as a login does
    page.context.add_cookies([{**one, "value": renewed.get(one["name"], one["value"])} for one in cookies])
    settled(page)
    assert Review.objects.get(pk=one).state == State.SUBMITTED


def test_who_is_out_of_the_team_for_a_while_loses_nothing_and_is_told(open_page, project, queue):
    open_page.expected = "Failed to load resource"
    page = desk(open_page(), queue)
    ready(page)
    one = shown(page)
    membership = Membership.objects.get(user=owner_of(project), team=project.team)
    Membership.objects.filter(pk=membership.pk).delete()
    press(page, "1", "1", "Enter")
    page.locator("[data-unsent]", has_text="1 answer waits to be sent: this queue is not open to you").wait_for()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"/p/claims/reviews/{queue.key}/desk")
    told = page.locator(".toast", has_text="1 answer waits to be sent: this queue is not open to you")
    expect(told.get_by_role("button", name="Throw away")).to_be_visible()
    membership.save(force_insert=True)
    page.goto("/p/claims/reviews")
    settled(page)
    assert Review.objects.get(pk=one).state == State.SUBMITTED


def test_ctrl_z_undoes_and_the_guideline_stays_folded(open_page, queue):
    page = desk(open_page(), queue)
    ready(page)
    one = shown(page)
    press(page, "g", "s")
    gone_on(page, one)
    ready(page)
    expect(page.locator(".item:not([data-ahead]) .guide .prose")).to_be_hidden()
    press(page, "Control+z")
    back_at(page, one)
    assert Review.objects.get(pk=one).state == State.PENDING


def test_letters_off_leave_only_named_keys_and_keys_can_be_remapped(open_page, project, queue):
    owner = owner_of(project)
    Remap.objects.create(user=owner, letters=False)
    page = desk(open_page(), queue)
    ready(page)
    one = shown(page)
    press(page, "1", "s", "c")
    assert shown(page) == one and page.locator(".item:not([data-ahead]) input:checked").count() == 0
    press(page, "Space", "Tab", "ArrowRight", "Enter")
    gone_on(page, one)
    settled(page)
    assert Review.objects.get(pk=one).answers["accurate"] == "yes"
    Remap.objects.filter(user=owner).update(letters=True, keys={"skip": "q"})
    desk(page, queue)
    ready(page)
    one = shown(page)
    press(page, "s")
    assert shown(page) == one
    press(page, "q")
    gone_on(page, one)


def test_texts_and_a_correction_by_keyboard(open_page, project):
    queue = make_queue(project, "texts", query="label=lang:en&label=intent:refund", questions=TEXTS)
    page = desk(open_page(), queue)
    ready(page)
    one = shown(page)
    press(page, "Tab")
    page.keyboard.type("Because s 1 u.")
    press(page, "Tab")
    assert "Answer" in page.evaluate("document.activeElement.value")
    press(page, "Control+End")
    page.keyboard.type(" And so.")
    press(page, "Control+Enter")
    gone_on(page, one)
    ready(page)
    press(page, "Tab")
    page.keyboard.type("Plain.")
    two = shown(page)
    press(page, "Control+Enter")
    gone_on(page, two)
    settled(page)
    kept = Review.objects.get(pk=one)
    assert kept.answers["why"] == "Because s 1 u." and kept.answers["better"].endswith(" And so.")
    assert "better" not in Review.objects.get(pk=two).answers  # left as it stood


def test_a_required_correction_left_as_it_stands_is_an_answer(open_page, project):
    asked = [{**TEXTS[1], "required": True}]
    queue = make_queue(project, "texts", query="label=lang:en&label=intent:refund", questions=asked)
    page = desk(open_page(), queue)
    ready(page)
    one = shown(page)
    press(page, "Tab", "Control+Enter")
    gone_on(page, one)
    settled(page)
    kept = Review.objects.get(pk=one)
    assert kept.state == State.SUBMITTED and "Answer" in kept.answers["better"]
    expect(page.locator(".toast")).to_have_count(0)


@pytest.mark.parametrize("required", [True, False])
def test_a_typed_number_that_is_no_step_of_the_scale_is_told_on_the_spot(open_page, project, required):
    asked = [{"key": "share", "kind": "scale", "text": "Share", "least": 0, "most": 100, "required": required}]
    queue = make_queue(project, "share", query="label=lang:en&label=intent:refund", questions=asked)
    page = desk(open_page(), queue)
    ready(page)
    one = shown(page)
    press(page, "Tab")
    page.keyboard.type("2.5")
    press(page, "Control+Enter")
    fault = page.locator(".item:not([data-ahead]) .fault")
    expect(fault).to_contain_text("3")  # Chromium names the two numbers around it
    assert shown(page) == one
    page.locator(".item:not([data-ahead]) [type=number]").fill("2")
    press(page, "Control+Enter")
    gone_on(page, one)
    settled(page)
    assert Review.objects.get(pk=one).answers == {"share": 2}


def test_an_optional_choice_is_emptied_by_choosing_it_again(open_page, project):
    asked = [THREE[0], {**THREE[1], "required": False}]
    queue = make_queue(project, "maybe", query="label=lang:en&label=intent:refund", questions=asked)
    page = desk(open_page(), queue)
    ready(page)
    one = shown(page)
    item = page.locator(".item:not([data-ahead])")
    chosen, tone = item.locator("input:checked"), item.locator("label.key", has_text=re.compile("^4$"))

    def drafted(answers):
        end = time.monotonic() + 10
        while Review.objects.get(pk=one).answers != answers:
            assert time.monotonic() < end
            page.wait_for_timeout(50)

    press(page, "1", "4")
    drafted({"accurate": "yes", "tone": 4})
    press(page, "4")
    drafted({"accurate": "yes"})
    tone.click()
    expect(chosen).to_have_count(2)
    tone.click()
    expect(chosen).to_have_count(1)
    tone.click()
    tone.locator("input").press("Space")
    expect(chosen).to_have_count(1)
    item.locator("label.key", has_text="Accurate").click()  # a required one stays
    expect(chosen).to_have_count(1)
    press(page, "Enter")
    gone_on(page, one)
    settled(page)
    kept = Review.objects.get(pk=one)
    assert (kept.state, kept.answers) == (State.SUBMITTED, {"accurate": "yes"})


@pytest.fixture
def pairs(project):
    records = []
    for place in range(4):
        prompt = [
            {"role": "system", "content": "Answer from the policy."},
            {"role": "user", "content": f"Does policy {place} cover a hotel while the ceiling dries?"},
        ]
        for model, text in (
            ("lake-8b", "up to **20 %** of the sum insured, for 12 months"),
            ("ridge-70b", "up to 20 %"),
        ):
            completion = f"Yes, accommodation {place} is covered {text}.\n\n1. Keep all receipts\n2. Send the invoice"
            records.append({"messages": prompt, "completion": completion, "model": model, "labels": {"kind": "pair"}})
    assert not [one.error for one in ingest(project=project, records=records, by=owner_of(project)) if one.error]
    return make_pairs(project, query="label=kind:pair")


def test_a_pair_by_keyboard(open_page, pairs):
    page = desk(open_page(), pairs)
    ready(page)
    one = shown(page)
    assert page.locator("mark.only:visible").count() == 0
    press(page, "d")
    page.locator("mark.only").first.wait_for()
    press(page, "a")
    expect(page.locator(".item:not([data-ahead]) .side-a")).to_have_css("box-shadow", re.compile("rgb|oklch"))
    press(page, "1", "ArrowUp", "3", "Enter")
    gone_on(page, one)
    page.locator("mark.only:visible").first.wait_for()  # it stays as it was
    settled(page)
    kept = Review.objects.get(pk=one)
    assert kept.answers == {"better": "b", "why": ["more accurate"]}
    ready(page)
    two = shown(page)
    press(page, "e", "Enter")
    gone_on(page, two)
    settled(page)
    assert Review.objects.get(pk=two).answers["better"] == "tie"


def test_by_touch_on_a_phone(open_page, queue):
    page = desk(open_page("phone"), queue)
    ready(page)
    one = shown(page)
    item = page.locator(".item:not([data-ahead])")
    item.locator("label.key", has_text="Wrong").tap()
    item.locator("label.key", has_text=re.compile("^5$")).tap()
    page.get_by_role("button", name="Submit and next").tap()
    gone_on(page, one)
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    settled(page)
    assert Review.objects.get(pk=one).answers == {"accurate": "wrong", "tone": 5, "flags": []}


def test_later_a_lead_and_the_item_before_by_touch(open_page, queue):
    page = desk(open_page("phone"), queue)
    ready(page)
    one = shown(page)
    item = page.locator(".item:not([data-ahead])")
    item.get_by_role("button", name="Later").tap()
    gone_on(page, one)
    settled(page)
    assert Review.objects.get(pk=one).place is not None
    ready(page)
    two = shown(page)
    item.get_by_role("checkbox", name="Ask a lead").tap()
    item.get_by_role("button", name="Skip").tap()
    gone_on(page, two)
    settled(page)
    assert Review.objects.get(pk=two).asks_lead
    ready(page)
    item.get_by_role("link", name="The item before this one").tap()
    back_at(page, two)


@pytest.mark.parametrize("size", SIZES)
def test_a_pair_is_put_off_and_a_lead_asked_by_its_buttons(open_page, pairs, size):
    page = desk(open_page(size), pairs)
    ready(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    one = shown(page)
    item = page.locator(".item:not([data-ahead])")
    item.get_by_role("checkbox", name="Ask a lead").check()
    item.get_by_role("button", name="Later").click()
    gone_on(page, one)
    settled(page)
    kept = Review.objects.get(pk=one)
    assert kept.asks_lead and kept.place is not None
    ready(page)
    two = shown(page)
    press(page, "f", "1", "Enter")
    gone_on(page, two)
    settled(page)
    kept = Review.objects.get(pk=two)
    assert kept.asks_lead and kept.state == State.SUBMITTED


def test_without_scripts(open_page, queue):
    open_page.expected = "422"
    page = open_page(scripts=False)
    page.goto(f"/p/claims/reviews/{queue.key}/desk")
    one = page.locator(".item").get_attribute("data-review")
    page.get_by_role("radio", name="Accurate", exact=True).check(force=True)
    page.get_by_role("button", name="Submit and next").click()
    page.get_by_text("see the questions").or_(page.get_by_text("see the question ")).first.wait_for()
    assert page.locator(".item").get_attribute("data-review") == one
    assert page.get_by_role("radio", name="Accurate", exact=True).is_checked()
    page.get_by_role("radio", name="4").check(force=True)
    page.get_by_role("button", name="Submit and next").click()
    assert page.locator(".item").get_attribute("data-review") != one
    assert Review.objects.get(pk=one).answers["tone"] == 4
    page.get_by_role("button", name="Undo").click()
    assert page.locator(".item").get_attribute("data-review") == one
    page.get_by_role("button", name="Skip").click()
    assert Review.objects.get(pk=one).state == State.SKIPPED


@pytest.fixture(params=SIZES)
def page(request, open_page):
    return open_page(request.param)


def test_no_page_of_the_desk_breaks_wcag(page, open_page, project, queue, pairs):
    open_page.expected = "Failed to load resource"
    rich = make_queue(project, "rich", query="session=photos", questions=[*THREE, *TEXTS], reviewers=2)
    wide = make_queue(project, "two", query="q=%22Question+3%22", questions=YES_NO, reviewers=2)
    empty = make_queue(project, "empty", query=None)
    for person, good in (("Ada Ek", True), ("Bo Yu", False)):
        answer(wide, make_user(name=person, team=project.team, role="annotator"), {"good": good})
    set_gold(item=items_of(queue)[3], answers={"accurate": "slip"})
    found, frame = {}, "/p/claims/reviews"

    def check(name, **where):
        page.evaluate("scrollTo(0, 0)")  # a button that a bar half covers while scrolling is not too small
        settle(page)
        if faults := violations(page, **where):
            found[name] = faults

    for name, address in {
        "list": "",
        "new": "/new",
        "coverage": "/coverage",
        "keys": "/keys",
        "items": f"/{queue.key}",
        "conflict": f"/{wide.key}",
        "empty": f"/{empty.key}",
        "edit": f"/{queue.key}/edit",
        "questions": f"/{queue.key}/questions",
        "fill": f"/{queue.key}/fill",
        "report": f"/{wide.key}/report",
        "empty report": f"/{empty.key}/report",
        "gold": f"/{queue.key}/items/{items_of(queue)[2].pk}",
        "desk": f"/{rich.key}/desk",
        "pair": f"/{pairs.key}/desk?diff=1",
        "finished": f"/{empty.key}/desk",
    }.items():
        page.goto(frame + address)
        check(name)
    desk(page, queue)
    ready(page)
    press(page, "1", "Enter")
    check("a missing answer", within=".item:not([data-ahead])")
    page.goto(f"{frame}/{wide.key}")
    page.get_by_role("button", name="Decide").click()
    check("a decision")
    assert found == {}


def answer(queue, user, answers):
    submit(review=next_review(queue, user), answers=answers)


def test_the_next_item_is_on_the_screen_within_a_tenth_of_a_second_of_the_key(open_page, queue):
    page = desk(open_page(), queue)
    for _ in range(8):
        ready(page)
        one = shown(page)
        press(page, "1", "1", "Enter")
        gone_on(page, one)
    ready(page)
    times = page.evaluate("performance.getEntriesByName('desk:next').map((one) => one.duration)")[1:]
    assert len(times) == 8 and sorted(times)[4] < 100  # the median: other tests run on the same machine


def test_pictures_of_the_next_item_are_there_before_it_is_shown(open_page, project):
    image = {"type": "image_url", "image_url": {"url": picture("olive")}}
    record = {
        "messages": [{"role": "user", "content": [{"type": "text", "text": "late photo"}, image]}],
        "completion": "x",
    }
    plain = {"messages": [{"role": "user", "content": "late words"}], "completion": "y"}
    ingest(project=project, records=[plain, record], by=owner_of(project))
    queue = make_queue(project, "late", query="q=late&order=created_at")
    page = desk(open_page(), queue)
    until(page, "document.querySelectorAll('.item[data-ahead]').length === 2")
    until(page, "[...document.images].every((one) => !one.closest('.item') || one.complete)")
