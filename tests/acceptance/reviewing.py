"""Three reviewers at once on 200 items that ask for two answers each; the same sample drawn again after new arrivals.

    python -m tests.acceptance.reviewing [--items 200] [--port 8736]

Starts an installation of its own in a temporary folder, draws the items from half as many again, and lets three people
review over HTTP at once, while more interactions arrive; every answer is sent twice and noted down here. Checked: each
item has exactly two answers, of two people, those that were given; nobody was shown another's before her own; alpha
of every question is that of the answers noted down, computed here pair by pair, to 1e-6; the seed draws the same again;
and a rule brought every arrival into another queue, once.
"""

import argparse
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict

import httpx

from tests.acceptance.kill import ROOT, Installation

PROJECT, QUEUE, SEED = "reviewing", "audit", 20_261
QUESTIONS = [
    {"key": "helpful", "kind": "yes_no", "text": "Does it help?", "defect": [False]},
    {"key": "tone", "kind": "scale", "text": "Tone"},
    {"key": "fault", "kind": "single", "text": "What is wrong?", "options": ["nothing", "invented", "incomplete"]},
]
# makes a project and three reviewers, and tells their API keys
PEOPLE = f"""
import json
from accounts.services import add_member, create_api_key, create_user
from accounts.models import Team
from projects.services import create_project
team = Team.objects.order_by("pk").first()
create_project(team=team, key={PROJECT!r}, name="Reviewing", by=team.members.order_by("pk").first())
keys = []
for number in range(3):
    user = create_user(email=f"reviewer{{number}}@example.org", name=f"Reviewer {{number}}")
    add_member(team=team, user=user, role="annotator")
    keys.append(create_api_key(user=user, name="Reviewing")[1])
print("KEYS", json.dumps(keys))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--port", type=int, default=8736)
    asked = parser.parse_args()
    installation = Installation(asked.port)
    try:
        faults = check(installation, asked.items)
    finally:
        installation.stop()
        shutil.rmtree(installation.data)
    print("\n".join(faults) or "All as it should be.")
    return 1 if faults else 0


def check(installation, items):
    keys = people(installation)
    owner = client_of(installation, installation.demo["api_key"])
    log(owner, items * 3 // 2)
    sample = prepare(owner, items)
    follow(owner)
    began = time.monotonic()
    reviewers = [Reviewer(client_of(installation, key), place) for place, key in enumerate(keys)]
    log(owner, items)  # meanwhile
    for reviewer in reviewers:
        reviewer.join()
    seconds = time.monotonic() - began
    given = list(itertools.chain.from_iterable(reviewer.given for reviewer in reviewers))
    print(f"{len(given)} answers of {[len(one.given) for one in reviewers]} in {seconds:.1f} s")
    faults = [fault for reviewer in reviewers for fault in reviewer.faults]
    found = [*twice(owner, given, items), *agreement(owner, given), *again(owner, sample, items)]
    return [*faults, *found, *followed(owner, items)]


def people(installation):
    """The API keys of the reviewers, who are made."""
    environment = {**os.environ, "DATA_DIR": str(installation.data / "var")}
    environment.pop("DATABASE_URL", None)
    told = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", PEOPLE],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return json.loads(told.partition("KEYS ")[2])


def client_of(installation, key):
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=f"{installation.address}/api/v1/", headers=headers, timeout=60)


def log(client, number):
    for place in range(number):
        record = {
            "project": PROJECT,
            "messages": [{"role": "user", "content": f"Question {place}"}],
            "completion": f"Answer {place}",
            "model": "harbor-8b",
        }
        client.post("interactions", json=record).raise_for_status()


def prepare(client, items):
    """The sample that the queue was filled with."""
    queue = {"key": QUEUE, "name": "Audit", "reviewers": 2, "questions": QUESTIONS}
    client.post(f"projects/{PROJECT}/queues", json=queue).raise_for_status()
    asked = {"method": "random", "size": items, "seed": SEED}
    sample = client.post(f"projects/{PROJECT}/queues/{QUEUE}/samples", json=asked).raise_for_status().json()
    end = time.monotonic() + 60
    while (state := client.get(f"projects/{PROJECT}/jobs/{sample['job']}").json()["state"]) != "done":
        if time.monotonic() > end or state in {"failed", "cancelled"}:
            sys.exit(f"The queue was not filled: {state}")
        time.sleep(0.2)
    return sample


def follow(client):
    """A queue that takes what arrives from now on."""
    queue = {"key": "arrivals", "name": "Arrivals", "questions": QUESTIONS}
    client.post(f"projects/{PROJECT}/queues", json=queue).raise_for_status()
    client.put(f"projects/{PROJECT}/queues/arrivals/rule", json={"query": ""}).raise_for_status()


def followed(client, number):
    """What is wrong with what the rule brought in; the worker looks every five seconds."""
    end = time.monotonic() + 90
    while len(inside := items_of(client, "arrivals")) < number and time.monotonic() < end:
        time.sleep(1)
    print(f"The rule brought {len(inside)} of {number} arrivals in")
    distinct = {item["interaction_id"] for item in inside}
    return [] if len(inside) == len(distinct) == number else ["The rule did not bring every arrival in once."]


def items_of(client, queue):
    listed, after = [], 0
    while after is not None:
        told = client.get(f"projects/{PROJECT}/queues/{queue}/items", params={"after": after}).raise_for_status().json()
        listed, after = listed + told["results"], told["next"]
    return listed


class Reviewer(threading.Thread):
    """Takes item after item until nothing is left; `given` [(item, person, answers)]."""

    def __init__(self, client, place):
        super().__init__()
        self.client, self.place, self.given, self.faults = client, place, [], []
        self.luck = random.Random(place)
        self.path = f"projects/{PROJECT}/queues/{QUEUE}"
        self.start()

    def run(self):
        try:
            while (review := self.next()) is not None:
                self.review(review)
        except Exception as error:
            self.faults.append(f"Reviewer {self.place}: {error!r}")

    def next(self):
        while True:
            told = self.client.post(f"{self.path}/next", json={}).raise_for_status().json()
            if told["review"] or not told["progress"]["waiting"]:
                return told["review"]
            time.sleep(0.05)

    def review(self, review):
        if review["others"]:
            self.faults.append(f"Reviewer {self.place} was shown what others said of item {review['item']}.")
        # of one mind more often than not
        common = random.Random(review["item"])
        source = common if self.luck.random() < 0.6 else self.luck
        answers = {
            "helpful": source.random() < 0.7,
            "tone": source.randint(1, 5),
            "fault": source.choice(QUESTIONS[2]["options"]),
        }
        for _ in range(2):
            answer = self.client.post(f"{self.path}/reviews/{review['id']}/submit", json={"answers": answers})
            answer.raise_for_status()
        self.given.append((review["item"], self.place, answers))


def twice(client, given, items):
    """What is wrong with how many answered."""
    people, listed = defaultdict(set), items_of(client, QUEUE)
    for item, person, _ in given:
        people[item].add(person)
    wrong = [item["id"] for item in listed if item["submitted"] != 2 or item["open"] or len(people[item["id"]]) != 2]
    print(f"{len(listed)} items, {Counter(item['submitted'] for item in listed)} answers each")
    faults = [f"Items without exactly two answers: {wrong}"] if wrong else []
    return faults + ([f"{len(listed)} items of {items}"] if len(listed) != items else [])


def agreement(client, given):
    """What is wrong with alpha, of which this is the definition pair by pair."""
    report, faults = client.get(f"projects/{PROJECT}/queues/{QUEUE}/report").raise_for_status().json(), []
    for question in report["questions"]:
        units = defaultdict(list)
        for item, _, answers in given:
            units[item].append(answers[question["key"]])
        expected = alpha(list(units.values()), question["level"])
        found = question["alpha"]
        print(
            f"{question['key']}: alpha {found['value']:.6f} [{found['low']:.3f}, {found['high']:.3f}], "
            f"here {expected:.6f} ({question['level']}), raw agreement {question['raw']['value']:.3f}"
        )
        if abs(found["value"] - expected) > 1e-6:
            faults.append(f"{question['key']}: alpha is {found['value']}, not {expected}")
    return faults


def alpha(units, level):
    values = [value for unit in units for value in unit]
    counts = Counter(values)

    def difference(one, other):
        if level == "nominal" or one == other:
            return float(one != other)
        between = sum(n for value, n in counts.items() if min(one, other) <= value <= max(one, other))
        return (between - (counts[one] + counts[other]) / 2) ** 2

    observed = sum(
        difference(one, other) / (len(unit) - 1) for unit in units for one, other in itertools.permutations(unit, 2)
    )
    expected = sum(n * m * difference(one, other) for one, n in counts.items() for other, m in counts.items()) / (
        len(values) - 1
    )
    return 1 - observed / expected


def again(client, sample, items):
    """What is wrong with drawing the sample once more, after others arrived."""
    path = f"projects/{PROJECT}/queues/{QUEUE}/samples/{sample['id']}/again"
    told = client.get(path).raise_for_status().json()
    print(f"The seed {SEED} draws {len(told['ids'])} again, the same: {told['same']}")
    return [] if told["same"] and len(told["ids"]) == items else ["Drawn again it is another sample."]


if __name__ == "__main__":
    sys.exit(main())
