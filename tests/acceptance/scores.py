"""Real scores and a hundred thousand values through REST, compared with what plain Python computes from the same.

python -m tests.acceptance.scores --data FOLDER --address http://127.0.0.1:8000 --key mg_…

The folder holds vicuna_bench_scored.jsonl.gz: interactions with `feedbacks` under the key gpt4_score.
"""

import argparse
import collections
import gzip
import json
import random
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

VALUES, CLIENTS, REQUEST = 100_000, 8, 5_000
CLOSE = 1e-9


def main():
    asked = arguments()
    server = httpx.Client(
        base_url=f"{asked.address}/api/v1", headers={"Authorization": f"Bearer {asked.key}"}, timeout=300
    )
    stamp = f"{time.time():.0f}"
    wrong = check_scores(server, make_project(server, f"scores-{stamp}"), asked.data)
    wrong += check_many(server, make_project(server, f"many-{stamp}"))
    print("all as it should be" if not wrong else f"{wrong} checks FAILED")
    sys.exit(bool(wrong))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("data", "address", "key"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args()


def make_project(server, key):
    server.post("/projects", json={"key": key, "name": key}).raise_for_status()
    record = {"project": key, "key": "gpt4_score", "kind": "scalar"}
    server.post("/feedback-keys", json=record).raise_for_status()
    return key


def check_scores(server, project, folder):
    """Mean, deviation, extremes, median and histogram by model equal those of the file."""
    with gzip.open(Path(folder) / "vicuna_bench_scored.jsonl.gz", "rb") as file:
        lines = file.read()
    answer = server.post(
        f"/interactions/batch?project={project}", content=lines, headers={"Content-Type": "application/x-ndjson"}
    )
    print(f"{project}: {answer.json()['accepted']} interactions stored, {len(answer.json()['rejected'])} rejected")
    scores = collections.defaultdict(list)
    for record in map(json.loads, lines.splitlines()):
        scores[record["model"]] += [float(given["value"]) for given in record["feedbacks"]]
    told = stats(server, project, group_by="model")
    wrong = {group["key"] for group in told["groups"]} != set(scores)
    for group in told["groups"]:
        wrong += not as_computed(group, scores[group["key"]])
    [whole] = stats(server, project)["groups"]
    return wrong + (not as_computed(whole, [score for of_model in scores.values() for score in of_model]))


def stats(server, project, **query):
    answer = server.get("/feedback-keys/gpt4_score/stats", params={"project": project, **query})
    answer.raise_for_status()
    return answer.json()


def as_computed(group, values):
    """Whether a group of the answer is what plain Python computes from these values."""
    shown = {"mean": group["mean"], "stddev": group["stddev"], "p50": group["quantiles"]["p50"]}
    computed = {
        "mean": statistics.fmean(values), "stddev": statistics.stdev(values), "p50": statistics.median(values),
    }  # fmt: skip
    furthest = max(abs(shown[name] - computed[name]) for name in computed)
    bars = [(bar["start"], bar["end"], bar["count"]) for bar in group["histogram"]]
    last = len(bars) - 1
    counted = [
        sum(start <= value < end or (place == last and value == end) for value in values)
        for place, (start, end, _) in enumerate(bars)
    ]
    good = (
        furthest <= CLOSE
        and (group["count"], group["min"], group["max"]) == (len(values), min(values), max(values))
        and [n for *_, n in bars] == counted
    )
    name = group["key"] or "all"
    print(
        f"  {name:22} n {len(values):4} mean {computed['mean']:.12f} stddev {computed['stddev']:.12f}"
        f" furthest {furthest:.1e} {'equal' if good else 'DIFFERS'}"
    )
    return good


def check_many(server, project):
    """A hundred thousand values by eight clients at once, all of them sent twice: each is stored, and once."""
    records = [{"prompt": f"question {place}", "completion": "answer"} for place in range(2_000)]
    made = server.post(f"/interactions/batch?project={project}", json=records).json()["ids"]
    chance = random.Random(1)
    values = [
        {"completion_id": made[place % len(made)], "metric": "gpt4_score", "value": chance.randint(10, 100) / 10,
         "external_id": f"value-{place}"}
        for place in range(VALUES)
    ]  # fmt: skip
    pieces = [values[start : start + REQUEST] for start in range(0, VALUES, REQUEST)] * 2
    chance.shuffle(pieces)
    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(lambda piece: server.post("/feedback", json=piece).json(), pieces))
    took = time.monotonic() - began
    accepted, known = (sum(answer[name] for answer in answers) for name in ("accepted", "duplicates"))
    print(
        f"{project}: {accepted:,} accepted and {known:,} known by {CLIENTS} clients in {took:.1f} s"
        f" ({2 * VALUES / took:,.0f}/s), {sum(len(answer['rejected']) for answer in answers)} rejected"
    )
    wrong = (accepted, known) != (VALUES, VALUES)
    found = read_back(server, project)
    sent = collections.defaultdict(list)
    for value in values:
        sent[value["completion_id"]].append(value["value"])
    same = {one: sorted(of_it) for one, of_it in found.items()} == {one: sorted(of_it) for one, of_it in sent.items()}
    print(f"  read back {sum(map(len, found.values())):,}: {'equal' if same else 'DIFFERS'}")
    too_many = server.post("/feedback", json=values).status_code
    print(f"  all {VALUES:,} in one request: {too_many}")
    [group] = stats(server, project)["groups"]
    return wrong + (not same) + (too_many != 413) + (not as_computed(group, [value["value"] for value in values]))


def read_back(server, project):
    """{interaction id: [values]} of the project."""
    found, cursor = {}, None
    while True:
        query = {"project": project, "fields": "id,feedbacks", "limit": 500} | ({"cursor": cursor} if cursor else {})
        page = server.get("/interactions", params=query).json()
        found |= {row["id"]: [given["value"] for given in row["feedbacks"]] for row in page["results"]}
        cursor = page["next"]
        if cursor is None:
            return found


if __name__ == "__main__":
    main()
