"""The pages of A/B tests in Chromium: at three sizes in both themes, live, without scripts; axe clean."""

import re

import pytest
from playwright.sync_api import expect

from experiments import services
from experiments.models import Decision
from tests.browser.conftest import SIZES, settle
from tests.browser.test_axe import violations
from tests.browser.test_blocks import faults_of
from tests.browser.test_overview import STICKING_OUT
from tests.experiments.running import fill, make_place, make_test, vote
from tests.factories import make_project, owner_of


@pytest.fixture
def project(transactional_db):
    return make_place("claims")


@pytest.fixture
def running(project):
    test = make_test(project, traffic_split=0.2, days_ago=5)
    fill(test, (120, 100, 50), (120, 100, 62))
    return test


@pytest.mark.parametrize("size", SIZES)
def test_no_state_breaks_wcag_or_sticks_out(open_page, project, running, size):
    by = owner_of(project)
    split = make_test(project, "mismatch", traffic_split=0.2, models=3, days_ago=2)
    fill(split, (100, 60, 40), (100, 60, 40), (40, 30, 20))
    over = make_test(project, "over", traffic_split=0.1, days_ago=3)
    fill(over, (60, 60, 20), (60, 60, 50))
    services.decide(test=over, winner=over.arms.get(position=1), reason="Read the pairs.", by=by)
    ranked = make_test(project, "ranked", traffic_split=0.2, models=3, judged_by="preference", days_ago=3)
    vote(ranked, fill(ranked, (20, 0, 0), (20, 0, 0), (20, 0, 0)), (1, 2, 2))
    make_test(project, "waiting", traffic_split=0.1)
    page, found = open_page(size), {}
    all_tests, empty = f"/p/{project.key}/ab-tests", make_project(team=project.team).key
    asked = ("/split", "/crossed")
    parts = ("", f"/{running.key}", "/mismatch", "/over", "/ranked", "/waiting", "/new")
    parts += tuple(f"/{running.key}{part}" for part in asked)
    for address in (*(all_tests + part for part in parts), f"/p/{empty}/ab-tests", f"/p/{empty}/ab-tests/new"):
        page.goto(address)
        if address.endswith((running.key, "mismatch")):
            expect(page.locator("#by-label table")).to_be_visible()
            page.locator("#days summary").click()
        settle(page)
        faults, (over_, wide) = violations(page), page.evaluate(STICKING_OUT)
        if faults or over_ > 0 or wide:
            found[address] = faults, over_, wide[:4]
    assert found == {}


@pytest.mark.parametrize("judged_by", ["feedback", "preference"])
def test_on_a_phone_each_arm_is_a_block_and_none_of_its_figures_lies_outside(open_page, project, judged_by):
    if judged_by == "preference":
        test = make_test(project, models=3, traffic_split=0.2, days_ago=3, judged_by=judged_by)
        vote(test, fill(test, (20, 0, 0), (20, 0, 0), (20, 0, 0)), (1, 2, 2))
    else:
        test = make_test(project, traffic_split=0.2, days_ago=5)
        fill(test, (120, 100, 50), (120, 100, 62))
    page = open_page("phone")
    assert faults_of(page, [f"/p/{project.key}/ab-tests/{test.key}"]) == {}
    arm = page.locator(".blocks").first.get_by_role("row").last
    assert arm.get_by_role("cell").count() >= 6
    for cell in arm.get_by_role("cell").all():
        box = cell.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_the_figures_come_anew_and_what_is_being_written_stays(open_page, running):
    page = open_page()
    page.goto(f"/p/{running.project.key}/ab-tests/{running.key}")
    reason = page.get_by_label("Reason, kept with the result")
    reason.fill("Half a sen")
    page.get_by_label("Winner").select_option("A")
    expect(page.get_by_role("button", name="Make A the default")).to_be_visible()
    page.locator("#days summary").click()
    reason.focus()
    expect(page.locator("#figures .stats")).to_contain_text("of 240")
    fill(running, (0, 0, 0), (5, 5, 5), who="late")
    page.evaluate("htmx.trigger('#figures', 'every')")
    expect(page.locator("#figures .stats")).to_contain_text("of 245")
    expect(page.locator("#days table")).to_be_visible()
    expect(reason).to_have_value("Half a sen")
    expect(reason).to_be_focused()
    expect(page.get_by_label("Winner")).to_have_value("A")


def test_another_label_is_looked_up_without_leaving_the_page(open_page, running):
    page = open_page()
    page.goto(f"/p/{running.project.key}/ab-tests/{running.key}")
    expect(page.locator("#by-label table")).to_contain_text("refund")
    page.get_by_label("Label key").focus()
    page.get_by_label("Label key").select_option("lang")
    expect(page.locator("#by-label tbody tr")).to_have_count(3)
    expect(page.locator("#by-label table")).to_contain_text("fr")
    expect(page.get_by_label("Label key")).to_be_focused()
    page.get_by_label("Reason, kept with the result").fill("Still the same page")


def test_the_planner_answers_while_the_form_is_filled_in_and_its_numbers_are_taken_over(open_page, running):
    page = open_page()
    page.goto(f"/p/{running.project.key}/ab-tests/new")
    page.get_by_label("Name").fill("Fen against lake")
    expect(page.get_by_label("Key", exact=True)).to_have_value("fen-against-lake")
    page.get_by_label("Difference to find").fill("5")
    planned = page.locator(".planned dd").first
    expect(planned).to_be_visible()
    units = re.match(r"[\d,]+", planned.inner_text())[0].replace(",", "")
    page.get_by_role("button", name="Take these over").click()
    expect(page.get_by_label("Units with feedback in each arm, at least")).to_have_value(units)
    expect(page.get_by_label("Name")).to_have_value("Fen against lake")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_test_is_decided_and_rolled_back(open_page, running, scripts):
    page = open_page(scripts=scripts)
    page.goto(f"/p/{running.project.key}/ab-tests/{running.key}")
    page.get_by_label("Winner").select_option("B")
    page.get_by_label("Reason, kept with the result").fill("B names the limits.")
    page.locator("#decide-winner").click()
    expect(page.locator(".record")).to_contain_text("B names the limits.")
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(page.locator(".record .status")).to_have_text("Rolled back")
    assert Decision.objects.get(test=running).rolled_back_at
