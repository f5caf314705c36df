"""Chromium against a live server: a page of a person who is logged in, and a project with something to see."""

import base64
import datetime
import io
import os
import shutil

import pytest
from django.conf import settings as django_settings
from django.test import Client
from PIL import Image, ImageDraw
from playwright.sync_api import sync_playwright

from feedback.services import create_feedback_key
from interactions.ingest import ingest
from tests.factories import make_project, owner_of

# Playwright keeps an event loop in this thread; the ORM is used here between its calls, never inside one
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium-headless-shell") or shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
A_MOMENT = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)))"
SIZES = {"desk": (1440, 900), "tablet": (1024, 768), "phone": (390, 844)}


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def static_from_source(settings):
    """The live server finds static files where they were written, under their own names."""
    settings.STORAGES = {
        **django_settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def open_page(chromium, live_server, project):
    """open_page(size="desk", theme="light", scripts=True, user=None): a new page of the owner; what it complains of
    in its console fails the test."""
    contexts, complaints = [], []

    def open_one(size="desk", theme="light", scripts=True):
        width, height = SIZES[size]
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            color_scheme=theme,
            has_touch=size == "phone",
            java_script_enabled=scripts,
            timezone_id="Europe/Berlin",
            locale="en-GB",
        )
        context.set_default_timeout(10_000)
        client = Client()
        client.force_login(owner_of(project))
        session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.under_way = set()
        page.on("request", lambda request: page.under_way.add(request))
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda request: page.under_way.discard(request))
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    open_one.expected = "nothing"
    yield open_one
    for context in contexts:
        context.close()
    # htmx tells of a request that a newer one has replaced as if it had failed
    assert [text for text in complaints if open_one.expected not in text and "AbortError" not in text] == []


def settle(page):
    """Waits until the page asks for nothing more; not for long, for a test may hold back what it asks for."""
    idle = 0
    for _ in range(8):
        page.evaluate(A_MOMENT)
        idle = 0 if page.under_way else idle + 1
        if idle == 2:
            return


def picture(colour, size=(64, 48)):
    """A small PNG as a data URI."""
    image = Image.new("RGB", size, colour)
    ImageDraw.Draw(image).ellipse((8, 8, 40, 40), fill="white")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


HOSTILE = (
    "<script>window.fired = 1</script> [link](javascript:window.fired=1) <img src=x onerror='window.fired=1'>\n\n"
    "![pixel](http://tracker.invalid/p.png)\n\n\u202egnp.exe\n\n" + "w" * 10_000
)


def _records(number):
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    intents, models = ("refund", "claim", "status"), ("lake-8b", "ridge-70b")
    for place in range(number):
        yield {
            "messages": [
                {"role": "system", "content": "Answer from the policy only."},
                {"role": "user", "content": f"Question {place}: is a leak covered?"},
            ],
            "completion": f"Answer {place}. **Yes**, up to the limit.",
            "model": models[place % 2],
            "labels": {"intent": intents[place % 3], "lang": "en"},
            "feedbacks": [
                {"feedback_key": "helpful", "value": place % 4 > 0},
                {"feedback_key": "csat", "value": 1 + place % 5},
            ],
            "created_at": (now - datetime.timedelta(hours=5 * place, minutes=10)).isoformat(),
            "latency_ms": 300 + 40 * place,
            "session_id": f"chat-{place // 3}",
        }


def _rich():
    call = {"id": "c1", "type": "function", "function": {"name": "policy.lookup", "arguments": '{"policy": "HP-1"}'}}
    pictures = [{"type": "image_url", "image_url": {"url": picture(colour)}} for colour in ("teal", "maroon", "navy")]
    return {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Photos of the leak attached"}, *pictures]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": '{"covered": true}'},
        ],
        "completion": "## Covered\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nprint('yes')\n```\n\n- one\n- two",
        "model": "lake-8b",
        "labels": {"intent": "claim"},
        "session_id": "photos",
    }


@pytest.fixture
def ordinary():
    """How many ordinary interactions the project has."""
    return 70


@pytest.fixture
def project(transactional_db, ordinary):
    """Its ordinary interactions, then a hostile one, then one with pictures and a tool call, the newest."""
    project = make_project("claims")
    create_feedback_key(team=project.team, key="helpful", name="Helpful", kind="bool", projects=[project])
    create_feedback_key(
        team=project.team, key="csat", name="CSAT", kind="scalar", minimum=1, maximum=5, projects=[project]
    )
    now = datetime.datetime.now(datetime.UTC)
    newest = [
        {**_rich(), "created_at": (now - datetime.timedelta(minutes=1)).isoformat()},
        {
            "messages": [{"role": "user", "content": "<script>window.fired = 1</script>\u202e leak"}],
            "completion": HOSTILE,
            "labels": {"<b>risk": "<script>window.fired=1</script>"},
            "created_at": (now - datetime.timedelta(minutes=2)).isoformat(),
        },
    ]
    outcomes = ingest(project=project, records=[*newest, *_records(ordinary)], by=owner_of(project))
    assert not [outcome.error for outcome in outcomes if outcome.error]
    project.made = [outcome.id for outcome in outcomes]
    project.address = f"/p/{project.key}/interactions"
    project.short = f"{project.address}?limit=10"  # for axe, which looks at every element of every row
    return project
