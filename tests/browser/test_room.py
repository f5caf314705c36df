"""What the pages of interactions do with the room they have: nothing lies across another, nothing ends in blank."""

import pytest

from tests.browser.conftest import settle
from tests.factories import make_interaction

EXCESS = "document.documentElement.scrollHeight - innerHeight"


def call(place):
    function = {"name": "policy.lookup", "arguments": '{"policy": "HP-1"}'}
    return {"id": f"c{place}", "type": "function", "function": function}


def answered(place):
    return {"role": "tool", "tool_call_id": f"c{place}", "content": '{"covered": true}'}


@pytest.mark.parametrize("size", ["desk", "tablet"])
def test_a_page_that_scrolls_inside_itself_is_no_longer_than_its_window(open_page, project, size):
    calls = [{"role": "assistant", "content": None, "tool_calls": [call(place)]} for place in range(12)]
    messages = [message for place, one in enumerate(calls) for message in (one, answered(place))]
    asked = {"role": "user", "content": "Which of these policies cover a leak?"}
    long = make_interaction(project, messages=[asked, *messages], completion="All.", session_id="calls")
    page = open_page(size)
    for path in (f"{project.address}/{long.pk}", f"/p/{project.key}/sessions/calls", project.address):
        page.goto(path)
        settle(page)
        assert page.evaluate(EXCESS) == 0, path
    page.locator("tbody tr a").first.click()
    page.locator("#drawer .talk").wait_for()
    assert page.evaluate(EXCESS) == 0
