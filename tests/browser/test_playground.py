"""The playground in Chromium, with the real gateway before a local provider: streams, stopping, errors, pictures, the
blind vote by keys, without scripts; axe at three sizes in both themes."""

import os
import re
import time

import pytest
from playwright.sync_api import expect

from feedback.models import Outcome, Preference
from interactions.models import Interaction
from registry.providers import create_provider
from registry.services import attach, register_model, set_default
from tests.browser.conftest import SIZES, picture, settle
from tests.browser.test_axe import themes, violations
from tests.factories import make_project, owner_of
from tests.gateway.served import served
from tests.upstream import Running

SHOTS = os.environ.get("SHOTS")  # a folder for pictures of what was looked at
MODELS = ("good", "fair", "echo", "slow:10", "fail400", "fail429", "half")
ROOT = "/p/claims/playground"


@pytest.fixture
def upstream():
    with Running(tokens=12) as upstream:
        yield upstream


@pytest.fixture
def gateway(upstream, settings, tmp_path, transactional_db):
    """The address of a gateway of this process."""
    settings.ALLOWED_UPSTREAMS = ["127.0.0.1"]
    settings.DATA_DIR = tmp_path
    with served() as address:
        yield address


@pytest.fixture
def models(project, upstream, settings):
    """The provider of the upstream's models, which are attached to the project; the first is the default."""
    settings.ALLOWED_UPSTREAMS = ["127.0.0.1"]
    owner = owner_of(project)
    provider = create_provider(
        team=project.team, key="desk", kind="vllm", by=owner, name="Desk", address=upstream.address
    )
    for name in MODELS:
        model = add(project, provider, name)
        if name == "good":
            set_default(project=project, model=model, by=owner)
    return provider


def add(project, provider, name):
    """The provider's model of this name, attached."""
    owner = owner_of(project)
    model = register_model(
        team=project.team, key=name, provider=provider, external_id=name, capabilities=["text"], by=owner
    )
    attach(project=project, model=model, by=owner)
    return model


@pytest.fixture
def open_playground(open_page, gateway, models):
    """open_playground("good", "fair", …, size=…): the page with these models chosen; its calls reach the gateway."""

    def open_one(*names, query="", **options):
        page = open_page(**options)
        page.route(
            "**/openai/v1/**",
            lambda route: route.continue_(url=gateway + re.sub(".*/openai", "/openai", route.request.url)),
        )
        page.goto(f"{ROOT}?{'&'.join(f'model={name}' for name in names)}{query}")
        page.locator("#run:enabled").wait_for()
        return page

    return open_one


def ran(page, patience=10_000):
    """Wait until all answers have ended."""
    expect(page.locator("#run")).to_be_enabled(timeout=patience)
    expect(page.locator(".answer[aria-busy=true]")).to_have_count(0)


def side_of(page, model):
    return page.locator(".answer").filter(has=page.locator("[data-model]", has_text=re.compile(f"^{model}$")))


def test_a_blind_vote_by_keys_alone_names_the_models_and_is_taken_back(open_playground, project):
    page = open_playground("good", "fair", "echo")
    page.keyboard.press("e")
    page.keyboard.type("Is a leak covered?")
    page.keyboard.press("Control+Enter")
    ran(page)
    expect(page.locator(".answer .prose")).to_have_count(3)
    assert page.locator("[data-model]").all_inner_texts() == ["", "", ""]
    expect(page.locator(".answer [data-figures]:visible, .answer [data-open]:visible")).to_have_count(0)
    page.keyboard.press("2")
    expect(page.locator("#result")).to_contain_text("Kept under Helpful: 2 ")
    names = page.locator("[data-model]").all_inner_texts()
    assert sorted(names) == ["echo", "fair", "good"]
    expect(page.locator("[data-figures]:visible")).to_have_count(3)
    assert re.search(r"7 in, \d+ out", side_of(page, "good").inner_text())
    won = Preference.objects.filter(project=project, outcome=Outcome.WON).select_related("model", "other_model")
    assert {(row.model.key, row.other_model.key) for row in won} == {(names[1], names[0]), (names[1], names[2])}
    assert set(Interaction.objects.filter(pk__in=[row.interaction_id for row in won]).values_list("source")) == {
        ("playground",)
    }
    page.keyboard.press("u")
    expect(page.locator("#votes")).to_be_visible()
    assert not Preference.objects.filter(project=project).exists()
    page.keyboard.press("0")
    expect(page.locator("#result")).to_contain_text("a tie between")
    assert Preference.objects.filter(project=project, outcome=Outcome.TIED).count() == 6


def test_stopping_ends_the_calls_at_the_provider(open_playground, upstream, project):
    page = open_playground("slow:10", "good")
    page.locator("#user").fill("Take your time")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".streamed", has_text="the answer")).to_have_count(1)
    expect(page.locator(".answer .prose")).to_have_count(1)  # the other one has answered by then
    expect(page.locator("#run")).to_be_disabled()
    page.keyboard.press("Escape")
    ran(page, 2_000)
    expect(page.get_by_text("stopped", exact=True)).to_have_count(1)
    expect(page.locator("#votes button:enabled")).to_have_count(0)
    end = time.monotonic() + 5
    rows = Interaction.objects.filter(project=project, source="playground", model__key="slow:10").select_related("body")
    while not (upstream.left and rows.exists()):
        assert time.monotonic() < end, "the provider goes on, or what came was not logged"
        page.wait_for_timeout(50)
    assert rows.get().body.envelope["metadata"]["broke_off"] == "client"


def test_what_fails_is_told_on_its_side_and_the_others_go_on(open_playground, open_page):
    open_page.expected = "status of 4"  # Chromium itself notes what is refused
    page = open_playground("fail429", "half", "good", "echo")
    page.locator("[name=blind]").uncheck()
    page.locator("#user").fill("Try all of you")
    page.locator("#run").click()
    ran(page, 20_000)
    expect(side_of(page, "fail429")).to_contain_text("takes no more requests for now")
    expect(side_of(page, "half").locator("[data-trouble]")).to_contain_text("broke the answer off before its end")
    expect(side_of(page, "half").locator("[data-text]")).to_contain_text("the answer")
    expect(side_of(page, "good").locator(".prose")).to_contain_text("[65]")
    expect(page.locator("#votes button:enabled")).to_have_count(4)  # two that ended well, tie and all bad


def test_after_a_login_in_another_tab_the_page_goes_on(open_playground, open_page, project):
    open_page.expected = "status of 4"
    page, person = open_playground("good", "fair"), owner_of(project)
    person.set_password("correct horse battery")
    person.save()
    page.context.clear_cookies(name="sessionid")
    page.locator("#user").fill("Is a leak covered?")
    page.locator("#run").click()
    expect(page.locator("[data-trouble]:visible").first).to_contain_text("Log in again in another tab")
    other = page.context.new_page()
    other.goto("/login")
    other.get_by_label("E-mail address").fill(person.email)
    other.get_by_label("Password").fill("correct horse battery")
    other.keyboard.press("Enter")
    other.wait_for_url(lambda url: "/login" not in url)
    page.locator("#run").click()
    expect(page.locator(".answer .prose")).to_have_count(2)
    page.keyboard.press("1")
    expect(page.locator("#result")).to_contain_text("Kept under Helpful: 1 ")
    assert Preference.objects.filter(project=project, outcome=Outcome.WON, by=person).count() == 1
    page.context.clear_cookies(name="csrftoken")
    page.keyboard.press("u")
    expect(page.locator("#votefault")).to_contain_text("Reload it; what is written stays.")


def test_the_words_of_a_model_that_reasons_are_written_as_they_come_and_no_thoughts(open_playground, models, project):
    add(project, models, "reasons:1")
    page = open_playground("reasons:1")
    page.locator("#user").fill("Think first")
    page.evaluate(
        """() => new MutationObserver(() => {
            window.seen = document.querySelector(".streamed")?.textContent || window.seen;
        }).observe(document.querySelector("#answers"), { subtree: true, childList: true, characterData: true })"""
    )
    page.keyboard.press("Control+Enter")
    expect(page.locator(".answer .prose")).to_contain_text("the answer is that you")
    assert page.evaluate("window.seen").startswith("the answer is that you")
    assert page.locator("[data-first]").inner_text().endswith(" s")  # more than the second that it thought


def test_most_tokens_go_under_the_name_that_the_provider_knows(open_playground, upstream, project):
    described = {"kind": "openai", "address": upstream.address, "api_key": "sk-secret"}
    add(project, create_provider(team=project.team, key="newer", by=owner_of(project), **described), "aloud")
    page = open_playground("good", "aloud")
    page.locator("#user").fill("Be short")
    page.locator("#max_tokens").fill("3")
    page.locator("#run").click()
    expect(page.locator(".answer .prose")).to_have_count(2)
    names = ("max_tokens", "max_completion_tokens")
    sent = {body["model"]: {name: body[name] for name in names if name in body} for _, _, body in upstream.calls}
    assert sent == {"good": {"max_tokens": 3}, "aloud": {"max_completion_tokens": 3}}


def test_what_a_model_says_does_nothing(open_playground, project):
    page = open_playground("echo")
    page.locator("#user").fill("<script>window.fired = 1</script> **bold** <img src=x onerror='window.fired=1'>")
    page.keyboard.press("Control+Enter")
    ran(page)
    expect(page.locator(".answer .prose strong")).to_have_text("bold")
    assert page.locator(".answer .prose img, .answer .prose script").count() == 0
    assert page.evaluate("window.fired") is None
    expect(page.locator("#verdict")).to_be_hidden()


def test_an_interaction_with_pictures_is_sent_again_with_them_and_what_was_written_outlives_a_reload(
    open_playground, upstream, project
):
    page = open_playground("echo", "good", query=f"&interaction={project.made[0]}")
    expect(page.locator("#user")).to_have_value("")  # it ends with a tool's result: all of it lies in between
    page.get_by_text("messages in between").click()
    expect(page.locator(".kept .imgs img")).to_have_count(3)
    page.locator("#user").fill("And what is it about?")
    page.reload()
    expect(page.locator("#user")).to_have_value("And what is it about?")
    page.keyboard.press("r")
    ran(page)
    (_, _, sent) = next(call for call in upstream.calls if call[2].get("model") == "echo")
    urls = [part["image_url"]["url"] for part in sent["messages"][0]["content"] if part["type"] == "image_url"]
    assert urls == [picture(colour) for colour in ("teal", "maroon", "navy")]
    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "tool", "user"]
    assert sent["messages"][-1]["content"] == "And what is it about?"


def test_what_is_missing_is_said_before_anything_is_called(open_playground, upstream):
    page = open_playground("good", "fair")
    page.locator("#run").click()
    expect(page.locator("#fault")).to_have_text("Write what is asked of the models first.")
    page.locator("#user").fill("Something")
    for box in page.locator("[name=model]").all():
        box.check()
    page.locator("#run").click()
    expect(page.locator("#fault")).to_contain_text("At most 4 models")
    page.locator("#temperature").fill("9")
    for box in page.locator("[name=model]").all()[1:]:
        box.uncheck()
    page.locator("#run").click()
    assert page.locator(".answer").count() == 0 and not upstream.calls


def test_without_scripts_the_page_says_that_it_needs_them(open_page, models):
    page = open_page(scripts=False)
    page.goto(ROOT)
    expect(page.get_by_text("The playground needs scripts")).to_be_visible()
    expect(page.locator("#run")).to_be_disabled()


@pytest.mark.parametrize("size", SIZES)
def test_no_state_breaks_wcag_or_is_wider_than_the_screen(open_playground, open_page, project, size):
    open_page.expected = "status of 4"
    found = {}

    def check(name):
        page.evaluate("scrollTo(0, 0)")  # a link that the bar half covers while scrolling is not too small
        settle(page)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if faults := violations(page) + ([("wider than the screen", wide)] if wide > 0 else []):
            found[name] = faults
        for theme in themes(page) if SHOTS else ():
            page.screenshot(path=f"{SHOTS}/playground-{name}-{size}-{theme}.png", full_page=True)

    page = open_playground("good", "fair", "slow:10", size=size, query=f"&interaction={project.made[0]}")
    check("prompt")
    page.locator("#system").fill("Answer from the policy only.")
    page.locator("#user").fill("Is a leak behind the wall covered, and what do I have to send you?")
    page.locator("#run").click()
    expect(page.locator(".answer .prose")).to_have_count(2)
    check("streaming")
    page.locator("#stop").click()
    ran(page)
    page.locator("[data-verdict=tie]").click()
    page.locator("#undo").wait_for()
    check("voted")
    for box in page.locator("[name=model]").all():
        box.set_checked(box.get_attribute("value") in ("fail400", "good", "fair", "echo"))
    page.locator("#run").click()
    ran(page, 20_000)
    check("failed")
    bare = make_project("bare", team=project.team)
    page.goto(f"/p/{bare.key}/playground")
    check("empty")
    assert found == {}
