"""A scripted reviewer at the desk in Chromium, by keyboard alone, while the server is killed in between.

    CHROMIUM=/usr/bin/chromium python -m tests.acceptance.desk --data FOLDER [--items 50] [--kills 3] [--port 8741]

Starts an installation of its own, loads the real chats of the folder (alpaca_eval.jsonl.gz, multi_turn.jsonl.gz and
multimodal.jsonl.gz), makes a queue of a random sample with three questions, and answers item after item, each answer
noted down here. Checked: at least one item a second while the server lives; the next item painted within 100 ms of the
key, as the page itself measured it; every answer in the database as it was given, none lost and none invented.
"""

import argparse
import gzip
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

from tests.acceptance.kill import ROOT, Installation

MOST_MS = 100
QUESTIONS = [
    {"key": "helpful", "kind": "yes_no", "text": "Does it help?"},
    {"key": "tone", "kind": "scale", "text": "Tone"},
    {
        "key": "fault",
        "kind": "single",
        "text": "What is wrong?",
        "options": ["nothing", "invented", "incomplete", "off topic"],
    },
]
SHOWN = "document.querySelector('.item:not([data-ahead])')"


def main():
    asked = arguments()
    installation = Installation(asked.port)
    try:
        prepare(installation, asked)
        given, seconds, slow = review(installation, asked)
        kept = answers(installation)
        wrong = judge(given, kept, seconds, slow, asked)
    finally:
        installation.stop()
    sys.exit(min(wrong, 1))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--items", type=int, default=50)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--port", type=int, default=8741)
    return parser.parse_args()


# -- the queue ------------------------------------------------------------------------------------
def prepare(installation, asked):
    """The real chats in a project of their own, and a queue with a sample of them."""
    server = httpx.Client(
        base_url=installation.address,
        headers={"Authorization": f"Bearer {installation.demo['api_key']}"},
        timeout=300,
    )
    server.post("/api/v1/projects", json={"key": "desk-proof", "name": "Desk proof"}).raise_for_status()
    for name in ("alpaca_eval", "multi_turn", "multimodal"):
        with gzip.open(asked.data / f"{name}.jsonl.gz", "rb") as lines:
            answer = server.post(
                "/api/v1/interactions/batch",
                params={"project": "desk-proof"},
                content=lines.read(),
                headers={"Content-Type": "application/x-ndjson"},
            )
        answer.raise_for_status()
    told = inside(installation, MAKE.format(questions=json.dumps(QUESTIONS), size=2 * asked.items))
    print(f"queue of {told} items", flush=True)


MAKE = """
import json, time
from django.utils import timezone
from projects.models import Project
from reviews.filling import fill
from reviews.models import Item
from reviews.services import create_queue
project = Project.objects.get(key="desk-proof")
by = project.team.members.order_by("pk").first()
questions = json.loads('''{questions}''')
queue = create_queue(project=project, key="proof", name="Proof", by=by, questions=questions, guideline="- Be **fair**")
sample, job = fill(queue=queue, query="", method="random", size={size}, seed=7, by=by)
for _ in range(600):
    job.refresh_from_db()
    if job.has_ended:
        break
    time.sleep(0.2)
assert job.state == "done", (job.state, job.error)
print(json.dumps(Item.objects.filter(queue=queue).count()))
"""
READ = """
import json
from reviews.models import Review
rows = Review.objects.filter(queue__key="proof").values_list("pk", "state", "answers", "comment")
print(json.dumps({str(pk): [state, answers, comment] for pk, state, answers, comment in rows}))
"""


def inside(installation, code):
    """The JSON that this prints when it runs beside the installation."""
    environment = {**os.environ, "DATA_DIR": str(installation.data / "var")}
    ran = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode:
        sys.exit(ran.stderr)
    return json.loads(ran.stdout.strip().splitlines()[-1])


def answers(installation):
    """{review id: [state, answers, comment]} as the database has it, once the server is back."""
    installation.wait()
    return inside(installation, READ)


# -- the reviewer ---------------------------------------------------------------------------------
def review(installation, asked):
    """({review id: answers given}, the seconds of each item while nothing was killed, ms from key to paint)"""
    rng, given, seconds = random.Random(7), {}, []
    at = {asked.items * (number + 1) // (asked.kills + 1) for number in range(asked.kills)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"])
        page = browser.new_page(base_url=installation.address, viewport={"width": 1440, "height": 900})
        log_in(page, installation.demo)
        page.goto("/p/desk-proof/reviews/proof/desk")
        for number in range(asked.items):
            killed = kill(installation) if number in at else None
            begun = time.monotonic()
            one = wait_for_item(page)
            given[one] = answer_by_keys(page, rng, number)
            page.wait_for_timeout(max(0, 600 - 1000 * (time.monotonic() - begun)))  # a quick reader
            page.keyboard.press("Enter")
            wait_until(page, f"{SHOWN}?.dataset.review !== '{one}'")
            if killed is None:
                seconds.append(time.monotonic() - begun)
            else:
                killed.join()
        waiting = "Object.keys(localStorage).filter((name) => /^desk .*-.*-/.test(name)).length"
        print(f"{page.evaluate(waiting)} answers are still on their way when the last is given", flush=True)
        wait_until(page, f"{waiting} === 0", 120)
        slow = page.evaluate("performance.getEntriesByName('desk:next').map((one) => one.duration)")
        browser.close()
    return given, seconds, slow[1:]  # the first is the page itself


def log_in(page, demo):
    page.goto("/login")
    page.locator("[name=username]").fill(demo["login"])
    page.locator("[name=password]").fill(demo["password"])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def wait_until(page, script, patience=60):
    """Poll, for the page's policy lets no text be run as a program inside of it."""
    end = time.monotonic() + patience
    while not page.evaluate(script):
        if time.monotonic() > end:
            sys.exit(f"never came: {script}")
        page.wait_for_timeout(10)


def wait_for_item(page):
    """The id of the review on the screen, once it was painted."""
    wait_until(page, f"Boolean({SHOWN}?.seenAt && {SHOWN}.dataset.review)")
    return page.evaluate(f"{SHOWN}.dataset.review")


def answer_by_keys(page, rng, number):
    """Press what answers the three questions, now and then a comment too; what was answered."""
    helpful, tone, fault = rng.randrange(2), rng.randrange(1, 6), rng.randrange(4)
    for key in (str(helpful + 1), str(tone), str(fault + 1)):
        page.keyboard.press(key)
    comment = f"Item {number}" if number % 10 == 3 else ""
    if comment:
        page.keyboard.press("c")
        page.keyboard.type(comment)
        page.keyboard.press("Escape")
    answers = {"helpful": helpful == 0, "tone": tone, "fault": QUESTIONS[2]["options"][fault]}
    return ["submitted", answers, comment]


def kill(installation):
    """SIGKILL to the web server now; the supervisor brings it back."""
    pid = installation.victims().get("web")
    children = [child for what, child in installation.victims().items() if what.startswith("web child")]
    for one in [pid, *children]:
        if one:
            try:
                os.kill(one, signal.SIGKILL)
            except ProcessLookupError:
                pass
    print(f"killed the web server {pid} and its {len(children)} processes", flush=True)
    back = threading.Thread(target=installation.wait)
    back.start()
    return back


# -- what came of it ------------------------------------------------------------------------------
def judge(given, kept, seconds, slow, asked):
    """Print what was measured; how many checks failed."""
    lost = {one for one, answer in given.items() if kept.get(one) != answer}
    invented = {one for one, (state, *_) in kept.items() if state == "submitted" and one not in given}
    late = [ms for ms in slow if ms > MOST_MS]
    checks = [
        ("answers kept as they were given", not lost, f"{len(given) - len(lost)} of {len(given)}"),
        ("answers that nobody gave", not invented, str(len(invented))),
        (
            "seconds an item",
            statistics.mean(seconds) <= 1,
            f"mean {statistics.mean(seconds):.2f}, most {max(seconds):.2f}",
        ),
        (
            "ms from key to the next item's paint",
            len(late) * 100 <= len(slow),
            f"median {statistics.median(slow):.0f}, p95 {statistics.quantiles(slow, n=20)[-1]:.0f}, "
            f"most {max(slow):.0f}; {len(late)} of {len(slow)} above {MOST_MS}",
        ),
    ]
    for what, fine, figures in checks:
        print(f"{'ok   ' if fine else 'WRONG'} {what}: {figures}", flush=True)
    return sum(not fine for _, fine, _ in checks)


if __name__ == "__main__":
    main()
