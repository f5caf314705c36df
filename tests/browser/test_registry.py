"""Models and providers in Chromium: from nothing to a default, at every size, by keyboard, and without scripts."""

import pytest
from playwright.sync_api import expect

from registry.models import Attachment
from registry.services import attach, register_model, set_default
from tests.browser.conftest import SIZES
from tests.browser.test_axe import violations
from tests.registry.conftest import KEY, provider  # noqa: F401 - a fixture
from tests.registry.serving import open_upstream, upstream  # noqa: F401 - fixtures


@pytest.fixture
def owner(project):
    return project.team.members.order_by("pk").first()


def test_from_no_provider_to_a_default_model(open_page, project, open_upstream):  # noqa: F811
    page = open_page()
    page.goto(f"/teams/{project.team.key}/models")
    page.get_by_role("link", name="Add the first provider").click()
    page.get_by_label("Name").fill("Our pool")
    expect(page.get_by_label("Key", exact=True)).to_have_value("our-pool")
    page.get_by_label("Kind").select_option("vllm")
    page.get_by_label("Base address").fill(open_upstream.url())
    page.get_by_label("API key").fill(KEY)
    page.get_by_label("Compute pool").check()
    page.get_by_role("button", name="Add the provider").click()
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#toasts")).to_contain_text("reports 2 models")
    assert KEY not in page.content() and "127.0.0.1:" not in page.locator("main").inner_text()
    page.get_by_role("link", name="Register Qwen/Qwen3-8B").click()
    page.get_by_label("Key", exact=True).fill("qwen")
    page.get_by_role("button", name="Register").click()
    page.get_by_role("button", name="Check qwen").click()
    expect(page.locator(".models .status.on")).to_have_text("Online")
    page.goto(f"/p/{project.key}/models")
    page.get_by_label("Key of the model").fill("qwen")
    page.get_by_role("button", name="Attach", exact=True).click()
    page.get_by_role("button", name="Make default qwen").click()
    expect(page.locator(".pagehead .sub")).to_have_text("by default qwen")
    assert Attachment.objects.get(is_default=True).model.external_id == "Qwen/Qwen3-8B"


def test_all_of_it_works_without_scripts(open_page, project, provider):  # noqa: F811
    page = open_page(scripts=False)
    page.goto(f"/teams/{project.team.key}/models/new?provider=pool&external_id=small")
    page.get_by_label("Key", exact=True).fill("small")
    page.get_by_role("button", name="Register").click()
    page.get_by_role("button", name="Check small").click()
    expect(page.locator("#toasts")).to_contain_text("small answered")
    page.goto(f"/p/{project.key}/models")
    page.get_by_label("Key of the model").fill("small")
    page.get_by_role("button", name="Attach", exact=True).click()
    page.get_by_role("button", name="Detach small").click()
    page.get_by_role("dialog").get_by_role("button", name="Detach").click()
    expect(page.get_by_role("region", name="Detached models")).to_contain_text("small")


def test_no_page_breaks_wcag_or_is_wider_than_the_screen(open_page, project, provider, owner):  # noqa: F811
    for key in ("small", "Qwen/Qwen3-8B-with-a-name-that-is-rather-long-for-a-phone"):
        model = register_model(team=project.team, key=key, provider=provider, external_id=key, by=owner)
        attach(project=project, model=model, by=owner)
    set_default(project=project, model=model, by=owner)
    provider.fault, provider.state, provider.reported = "It refuses the key (401)", "failing", ["small", "other/one"]
    provider.checked_at = provider.created_at
    provider.save()
    page, team, found = open_page(), f"/teams/{project.team.key}", {}
    for address in (
        f"{team}/models",
        f"{team}/models/new",
        f"{team}/providers",
        f"{team}/providers/pool",
        f"{team}/new-provider",
        f"/p/{project.key}/models",
    ):
        page.goto(address)
        for width, height in SIZES.values():
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate("scrollTo(0, 0)")
            if faults := violations(page):
                found[address, width] = faults
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (address, width)
    assert found == {}


@pytest.mark.parametrize("size", ["tablet", "phone"])
def test_what_the_navigation_has_no_room_for_stands_in_a_menu(open_page, project, size):
    page = open_page(size)
    page.goto(f"/p/{project.key}/models")
    bar = page.get_by_role("navigation", name="Project", exact=True)
    expect(bar.get_by_role("link", name="Models")).to_be_hidden()
    bar.get_by_role("button", name="More").focus()
    page.keyboard.press("Enter")
    menu = page.get_by_role("navigation", name="More of the project")
    expect(menu.get_by_role("link", name="Models")).to_be_visible()
    assert not violations(page, "#nav-more", not_at_desk=True)
    menu.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", level=1, name="Settings")).to_be_visible()
