"""Clients that leave before their answer is there: the call is cancelled, what came by then is kept."""

import time

import httpx
import pytest

from tests.gateway.conftest import said, told

CHAT = "/openai/v1/chat/completions"


def test_a_stream_that_nobody_reads_ends_at_the_provider_too(http, desk, logged, upstream):
    desk.add("slow:9")
    left = upstream.left
    body = {"model": "desk/slow-9", "messages": said(), "stream": True}
    with http.stream("POST", CHAT, json=body) as response:
        lines = response.iter_lines()
        while "answer" not in next(lines):
            pass
    [row] = logged(1)
    assert row.body.completion.startswith("the answer ")
    assert (told(row)["broke_off"], "error" in told(row)) == ("client", False)
    end = time.monotonic() + 5
    while upstream.left == left:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_plain_call_that_nobody_waits_for_is_kept_without_words(http, desk, logged):
    desk.add("silent")
    with pytest.raises(httpx.ReadTimeout):
        http.post(CHAT, json={"model": "desk/silent", "messages": said()}, timeout=0.2)
    [row] = logged(1)
    assert (row.body.completion, told(row)["broke_off"]) == ("", "client")
